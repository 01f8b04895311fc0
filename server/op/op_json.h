/* op_json.h - making JSON trees: schemas, and what protocols wrap around replies. */
#ifndef OP_JSON_H
#define OP_JSON_H
#include "op/op.h"

/* "name": value, unless value is NULL; false when memory ran out. Steals value. */
bool op_json_put(json_t *object, const char *name, json_t *value);
#endif
