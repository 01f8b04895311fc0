/* op_route.h - from an HTTP method and path, or from a URI, to an operation: the table's paths and URI templates, read as patterns. */
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

enum { OP_URI_BYTES_MAX = 2048 }; /* more than any URI of ours has, with a NUL */

/* The operation that answers what this URI names, NULL = none, and its arguments. Every URI has one spelling but for escapes: they
 * may stand for any character, also for a '/'. EVDB_INVALID when a part is no value, or is not encoded as it should be. */
evdb_status op_uri_find(const char *uri, json_t *args, const op **out, evdb_error *err);
/* The URI of what an operation that has one answers to these arguments, encoded; false when it would not fit. */
bool op_uri(const op *o, const json_t *args, char *out, size_t room);

/* One text, from a path or a query, as JSON of its field's type. */
evdb_status op_text_value(const op_field *f, const char *text, json_t **out, evdb_error *err);

#endif
