/* op_json.h - JSON trees: making them, and how deep they are. */
#ifndef OP_JSON_H
#define OP_JSON_H
#include "op/op.h"

/* "name": value, unless value is NULL; false when memory ran out. Steals value. */
bool op_json_put(json_t *object, const char *name, json_t *value);
/* Are arrays and objects nested deeper than this? */
bool op_json_deeper(const json_t *v, unsigned levels);

#endif
