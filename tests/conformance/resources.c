/* resources.c - the resources that the suite reads. */
#include "conformance/content.h"
#include "conformance/offer.h"
#include "mcp/envelope.h"
#include <string.h>

#define TEMPLATE_BEGIN "test://template/"
#define TEMPLATE_END "/data"
enum { TTL_MS = 60000 };

static const struct resource {
    const char *uri, *name, *description, *type;
    const char *member, *value; /* "text" or "blob" */
} resources[] = {
    { "test://static-text", "static-text", "A text that never changes", "text/plain", "text", "This is the content of the static text resource." },
    { "test://static-binary", "static-binary", "A picture that never changes", "image/png", "blob", PIXEL },
    { "test://watched-resource", "watched-resource", "A text to be told of when it changes", "text/plain", "text", "Nothing has changed yet." },
};
enum { RESOURCES = sizeof resources / sizeof *resources };

static void put_head(op_out *out, const char *key, const char *uri, const char *name, const char *description, const char *type)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, key, uri);
    op_out_text(out, "name", name);
    op_out_text(out, "description", description);
    op_out_text(out, "mimeType", type);
    op_out_close(out, '}');
}

void resources_offer(op_out *out)
{
    for (size_t i = 0; i < RESOURCES; i++)
        put_head(out, "uri", resources[i].uri, resources[i].name, resources[i].description, resources[i].type);
}

void resource_templates_offer(op_out *out)
{
    put_head(out, "uriTemplate", TEMPLATE_BEGIN "{id}" TEMPLATE_END, "template", "Data of an id that the reader chooses", "application/json");
}

static void reply_contents(const mcp_message *m, mcp_reply *reply, const char *uri, const char *type, const char *member, const char *value)
{
    op_out *out = &reply->text;
    envelope_open(m, reply);
    op_out_open(out, "contents", '[');
    op_out_open(out, NULL, '{');
    op_out_text(out, "uri", uri);
    op_out_text(out, "mimeType", type);
    op_out_text(out, member, value);
    op_out_close(out, '}');
    op_out_close(out, ']');
    envelope_cacheable(m, reply, TTL_MS, true);
    envelope_close(reply);
}

/* The JSON is the text of the contents. */
static void reply_templated(const mcp_message *m, mcp_reply *reply, const char *uri, const char *id, size_t length)
{
    static const char begin[] = "Data for ID: ";
    char data[sizeof begin + 200];
    op_out text = OP_OUT;
    evdb_error err;
    size_t shown = length < 200 ? length : 200;
    memcpy(data, begin, sizeof begin - 1);
    memcpy(data + sizeof begin - 1, id, shown);
    op_out_open(&text, NULL, '{');
    op_out_bytes(&text, "id", id, length);
    op_out_bool(&text, "templateTest", true);
    op_out_bytes(&text, "data", data, sizeof begin - 1 + shown);
    op_out_close(&text, '}');
    if (op_out_done(&text, &err) == EVDB_OK) reply_contents(m, reply, uri, "application/json", "text", text.text);
    else envelope_failure(m, reply, &err);
    op_out_free(&text);
}

bool resources_answer(const mcp_message *m, mcp_reply *reply)
{
    const char *uri = param_text(m, "uri");
    const size_t begin = strlen(TEMPLATE_BEGIN), end = strlen(TEMPLATE_END);
    size_t length = uri ? strlen(uri) : 0;
    for (size_t i = 0; uri && i < RESOURCES; i++)
        if (strcmp(uri, resources[i].uri) == 0) {
            reply_contents(m, reply, uri, resources[i].type, resources[i].member, resources[i].value);
            return true;
        }
    if (length <= begin + end || strncmp(uri, TEMPLATE_BEGIN, begin) != 0 || strcmp(uri + length - end, TEMPLATE_END) != 0) return false;
    if (memchr(uri + begin, '/', length - begin - end)) return false;
    reply_templated(m, reply, uri, uri + begin, length - begin - end);
    return true;
}

bool resources_watched(const char *uri) { return strcmp(uri, "test://watched-resource") == 0; }
