/* op_json.h - values of the library as JSON. Each answers a new reference, NULL when memory ran out. */
#ifndef OP_JSON_H
#define OP_JSON_H
#include "op/op.h"

/* Text that may hold anything, such as a sentence about damaged data; bytes that are no UTF-8 become '?'. */
json_t *op_json_text(const char *text);
json_t *op_json_id(const evdb_id *id);
/* The shortest decimal that reads back as the same float. */
json_t *op_json_float(float value);
json_t *op_json_floats(const float *values, size_t count);
/* A stored JSON object. */
json_t *op_json_object(const char *text, size_t length);
/* "name": value, unless value is NULL; false when memory ran out. Steals value. */
bool op_json_put(json_t *object, const char *name, json_t *value);
/* Hands json over to *reply, or answers EVDB_NO_MEMORY for NULL. */
evdb_status op_json_reply(json_t **reply, json_t *json, evdb_error *err);
#endif
