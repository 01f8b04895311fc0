/* op_route.h - from an HTTP method and path to an operation: the table's paths, read as patterns. */
#ifndef OP_ROUTE_H
#define OP_ROUTE_H
#include "op/op.h"

enum { OP_ALLOW_BYTES = 64 };

typedef struct op_route {
    const op *op;               /* NULL when no operation has this method and path */
    char allow[OP_ALLOW_BYTES]; /* methods that the path does have: "GET, POST"; "" = the path is unknown */
} op_route;

/* Path parameters are put into `args` as JSON, under the names of their fields. */
evdb_status op_route_find(const char *method, const char *path, json_t *args, op_route *out, evdb_error *err);

/* One text, from a path or a query, as JSON of its field's type. */
evdb_status op_text_value(const op_field *f, const char *text, json_t **out, evdb_error *err);

#endif
