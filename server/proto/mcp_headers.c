/* mcp_headers.c - implements proto/mcp_headers.h. */
#include "proto/mcp_headers.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ENCODED_BEGIN "=?base64?"
#define ENCODED_END "?="
enum { VERSION_BYTES = 48, BEGIN_BYTES = sizeof ENCODED_BEGIN - 1, END_BYTES = sizeof ENCODED_END - 1 };

/* Where the member stands that the header Mcp-Name repeats. */
static const struct { const char *method, *member; } named[] = {
    { "tools/call", "name" }, { "prompts/get", "name" }, { "resources/read", "uri" },
};

/* Blanks around a value are none of it. */
static size_t trim(const char **value)
{
    *value += strspn(*value, " \t");
    size_t length = strlen(*value);
    while (length && ((*value)[length - 1] == ' ' || (*value)[length - 1] == '\t')) length--;
    return length;
}

static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* As it is: what others decide by must be what they read. */
static bool says(const char *value, const char *text)
{
    size_t length = trim(&value);
    return same_bytes(value, length, text, strlen(text));
}

/* Text that looks encoded always is. */
bool mcp_header_says(const char *value, const char *text, size_t text_length)
{
    size_t length = trim(&value), decoded = 0;
    bool encoded = length >= BEGIN_BYTES + END_BYTES && memcmp(value, ENCODED_BEGIN, BEGIN_BYTES) == 0 &&
                   memcmp(value + length - END_BYTES, ENCODED_END, END_BYTES) == 0;
    if (!encoded) return same_bytes(value, length, text, text_length);
    unsigned char *bytes = malloc(length);
    bool same = bytes && sodium_base642bin(bytes, length, value + BEGIN_BYTES, length - BEGIN_BYTES - END_BYTES, NULL, &decoded, NULL,
                                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
                same_bytes((const char *)bytes, decoded, text, text_length);
    free(bytes);
    return same;
}

/* What the member of its params is that Mcp-Name repeats; NULL: it has none, or none that is text, which its method will tell. */
static const json_t *name_of(const mcp_message *m)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(m->method, named[i].method) == 0) {
            const json_t *name = json_object_get(m->params, named[i].member);
            return mcp_text(m, name) ? name : NULL;
        }
    return NULL;
}

/* What is wrong with the headers of a modern request, or NULL. */
static const char *mismatch(const http_request *request, const mcp_message *m, const char *version)
{
    const char *method = http_header(request, "Mcp-Method"), *name = http_header(request, "Mcp-Name");
    const json_t *named_by_body = name_of(m);
    if (!version) return "the header MCP-Protocol-Version is missing: it must name the version that the message's _meta names";
    if (m->version && !says(version, m->version))
        return "the header MCP-Protocol-Version names another version than the message's _meta";
    if (!m->version) return NULL; /* the message lacks something, not the headers */
    if (!method) return "the header Mcp-Method is missing: it must be the message's method";
    if (!says(method, m->method)) return "the header Mcp-Method is not the message's method";
    if (!named_by_body) return NULL;
    if (!name) return "the header Mcp-Name is missing: it must be the name or URI in the message's params";
    if (!mcp_header_says(name, json_string_value(named_by_body), json_string_length(named_by_body)))
        return "the header Mcp-Name is not the name or URI in the message's params";
    return NULL;
}

/* A header's value without blanks around it, or NULL: there is none. One that does not fit is no version, with blanks or without. */
static const char *version_header(const http_request *request, char out[VERSION_BYTES])
{
    const char *value = http_header(request, "MCP-Protocol-Version");
    if (!value) return NULL;
    size_t length = trim(&value);
    if (length >= VERSION_BYTES) return value;
    memcpy(out, value, length);
    out[length] = 0;
    return out;
}

mcp_era mcp_header_era(const http_request *request, bool *given)
{
    char text[VERSION_BYTES];
    const char *version = version_header(request, text);
    if (given) *given = version != NULL;
    return version ? mcp_era_of(version) : MCP_UNKNOWN;
}

bool mcp_headers_check(const http_request *request, mcp_message *m, mcp_reply *reply, evdb_error *err)
{
    char text[VERSION_BYTES];
    const char *version = version_header(request, text), *wrong;
    mcp_era era = version ? mcp_era_of(version) : MCP_UNKNOWN;
    *reply = (mcp_reply)MCP_REPLY;
    if (m->kind == MCP_MALFORMED || m->kind == MCP_RESPONSE) m->modern = era == MCP_MODERN;
    else if (version && era == MCP_UNKNOWN && !(m->version && m->modern)) {
        (void)mcp_reject_version(m, version, reply, err);
        return false;
    } else m->modern = m->modern || era == MCP_MODERN;
    if (m->kind != MCP_REQUEST || !m->modern || !(wrong = mismatch(request, m, version))) return true;
    (void)mcp_reject(m, MCP_HEADER_MISMATCH, wrong, reply, err);
    return false;
}
