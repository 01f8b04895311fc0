/* json_text.c - implements base/json_text.h. jansson judges; the copy is ours, since jansson would re-spell numbers. */
#include "base/json_text.h"
#include "base/error.h"
#include <evdb/record.h>
#include <jansson.h>
#include <string.h>

/* Depth of nesting, and the compact copy in the same pass. Correct for valid JSON; the parser judges the rest. */
static evdb_status compact(const char *text, size_t length, buf *out, evdb_error *err)
{
    unsigned depth = 0;
    bool quoted = false;
    if (!buf_reserve(out, length + 1)) return error_no_memory(err, length, "metadata");
    char *to = out->at + out->size;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\' && i + 1 < length) *to++ = text[i++];
            else if (c == '"') quoted = false;
            *to++ = text[i];
            continue;
        }
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
        if (c == '"') quoted = true;
        if ((c == '{' || c == '[') && ++depth > EVDB_METADATA_DEPTH_MAX)
            return error_set(err, EVDB_INVALID, "metadata is nested more than %u deep", EVDB_METADATA_DEPTH_MAX);
        if ((c == '}' || c == ']') && depth) depth--;
        *to++ = c;
    }
    out->size = (size_t)(to - out->at);
    return EVDB_OK;
}

evdb_status json_text_object(const char *text, size_t length, buf *out, evdb_error *err)
{
    json_error_t why;
    size_t before = out->size;
    if (length > EVDB_METADATA_BYTES_MAX)
        return error_set(err, EVDB_LIMIT, "metadata has %zu bytes, more than %u", length, EVDB_METADATA_BYTES_MAX);
    const char *nul = length ? memchr(text, 0, length) : NULL; /* jansson passes over one that follows a number or a word */
    if (nul) return error_set(err, EVDB_INVALID, "metadata is not valid JSON: a NUL (at byte %zu)", (size_t)(nul - text));
    evdb_status rc = compact(text, length, out, err);
    if (rc != EVDB_OK) return rc;
    json_t *parsed = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (!parsed)
        rc = error_set(err, EVDB_INVALID, "metadata is not valid JSON: %s (at byte %d)", why.text, why.position);
    else if (!json_is_object(parsed)) rc = error_set(err, EVDB_INVALID, "metadata is not a JSON object");
    json_decref(parsed);
    if (rc != EVDB_OK) out->size = before;
    return rc;
}
