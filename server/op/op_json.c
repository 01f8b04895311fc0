/* op_json.c - values of the library as JSON, and JSON text as a tree. */
#include "op/op_json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

evdb_status op_parse(const char *text, size_t length, json_t **out, evdb_error *err)
{
    json_error_t why;
    json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    if (!json && json_error_code(&why) == json_error_out_of_memory)
        return op_fail(err, EVDB_NO_MEMORY, "out of memory reading JSON");
    if (!json)
        return op_fail(err, EVDB_INVALID, "malformed JSON at line %d, column %d: %s", why.line, why.column, why.text);
    *out = json;
    return EVDB_OK;
}

json_t *op_json_text(const char *text)
{
    json_t *json = json_string(text);
    char *ascii = json ? NULL : strdup(text);
    for (char *p = ascii; p && *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    if (ascii) json = json_string(ascii);
    free(ascii);
    return json;
}

json_t *op_json_id(const evdb_id *id)
{
    if (!id->text) return json_integer(id->number);
    return id->length ? json_stringn(id->text, id->length) : json_string(id->text);
}

json_t *op_json_float(float value)
{
    char text[32];
    if (value == floorf(value) && fabsf(value) < 1e6f) return json_real((double)value);
    for (int digits = 6; digits <= 9; digits++) { /* 9 always suffice for binary32 */
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    return json_real(strtod(text, NULL));
}

json_t *op_json_floats(const float *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, op_json_float(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

json_t *op_json_object(const char *text, size_t length)
{
    return json_loadb(text, length, 0, NULL);
}

bool op_json_put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

evdb_status op_json_reply(json_t **reply, json_t *json, evdb_error *err)
{
    if (!json) return op_fail(err, EVDB_NO_MEMORY, "out of memory building the reply");
    *reply = json;
    return EVDB_OK;
}
