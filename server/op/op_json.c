/* op_json.c - JSON text as a tree; implements op/op_json.h. */
#include "op/op_json.h"
#include "op/op_plain.h"
#include <string.h>

evdb_status op_parse(const char *text, size_t length, json_t **out, evdb_error *err)
{
    json_error_t why;
    const char *nul = length ? memchr(text, 0, length) : NULL; /* jansson passes over one that follows a number or a word */
    if (nul) return op_fail(err, EVDB_INVALID, "malformed JSON: a NUL at byte %zu", (size_t)(nul - text) + 1);
    json_t *json = op_plain_read(text, length);
    if (!json) json = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    if (!json && json_error_code(&why) == json_error_out_of_memory)
        return op_fail(err, EVDB_NO_MEMORY, "out of memory reading JSON");
    if (!json)
        return op_fail(err, EVDB_INVALID, "malformed JSON at line %d, column %d: %s", why.line, why.column, why.text);
    *out = json;
    return EVDB_OK;
}

bool op_json_put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

/* Recursion ends at `levels`, far above the stack: jansson itself parses no deeper than 2,048. */
bool op_json_deeper(const json_t *v, unsigned levels)
{
    const char *key;
    json_t *item;
    size_t i;
    if (!json_is_array(v) && !json_is_object(v)) return false;
    if (levels == 0) return true;
    json_array_foreach(v, i, item) if (op_json_deeper(item, levels - 1)) return true;
    json_object_foreach((json_t *)v, key, item) if (op_json_deeper(item, levels - 1)) return true;
    return false;
}
