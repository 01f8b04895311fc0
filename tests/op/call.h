/* call.h - operations on a database in memory, with a store `docs` of two dimensions. */
#ifndef TESTS_OP_CALL_H
#define TESTS_OP_CALL_H
#include "op/op.h"
#include "op/op_slices.h"

/* CMocka's set-up and tear-down: *state is the evdb. */
int call_open(void **state);
int call_close(void **state);

json_t *call_parse(const char *text);
/* One call with arguments as JSON text; how says db, and the stream where there is one. */
evdb_status call_op(const op_call *how, const char *name, const char *text, json_t **reply, evdb_error *err);
/* The same with a raw body. */
evdb_status call_body(const op_call *how, const char *name, const char *text, const void *body, size_t size, json_t **reply,
                      evdb_error *err);
/* It succeeds; the reply has the shape that the table promises, and is `expected` where that is not NULL. */
void call_expect(evdb *db, const char *name, const char *text, const char *expected);
/* It fails with this status and a message that names `names`. */
void call_fails(evdb *db, const char *name, const char *text, evdb_status status, const char *names);
#endif
