/* op_route.h - from an HTTP method and path to an operation: the table's paths, read as patterns. */
#ifndef OP_ROUTE_H
#define OP_ROUTE_H
#include "op/op.h"

enum { OP_ALLOW_BYTES = 64 };

typedef struct op_route {
    const op *op;               /* NULL when no operation has this method and path */
    char allow[OP_ALLOW_BYTES]; /* then the methods that the path does have: "GET, HEAD, OPTIONS"; "" = it is unknown */
} op_route;

/* Path parameters are put into `args` as JSON, under the names of their fields. HEAD finds what GET finds. A slash at the end
 * of the path means nothing. */
evdb_status op_route_find(const char *method, const char *path, json_t *args, op_route *out, evdb_error *err);
/* A path of the table with its parameters filled in from args, percent-encoded; false when it would not fit, or would not
 * lead back (a '/' in an id). */
bool op_route_path(const op *o, const char *pattern, const json_t *args, char *out, size_t room);

/* One text, from a path or a query, as JSON of its field's type. */
evdb_status op_text_value(const op_field *f, const char *text, json_t **out, evdb_error *err);

#endif
