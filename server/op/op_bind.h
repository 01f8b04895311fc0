/* op_bind.h - what the files of the binder share: values of single fields. Outside of them: op_bind() in op.h. */
#ifndef OP_BIND_H
#define OP_BIND_H
#include "op/op.h"
#include "op/op_slices.h"

evdb_status op_wrong_type(const op_field *f, const char *expected, evdb_error *err);
/* A number of items that the field permits. */
evdb_status op_check_count(const op_field *f, size_t count, evdb_error *err);
/* Checks that v is an array with a permitted number of items, and makes zeroed room for them; never NULL on success. */
evdb_status op_bind_items(const op_field *f, const json_t *v, size_t item, void **out, evdb_error *err);

/* op_vectors.c */
evdb_status op_bind_vector(const op_field *f, const json_t *v, const op_slices *slices, op_vector *out, evdb_error *err);
evdb_status op_bind_vectors(const op_field *f, const json_t *v, const op_slices *slices, op_vectors *out, evdb_error *err);
evdb_status op_bind_bytes(const op_field *f, const json_t *v, op_bytes *out, evdb_error *err);
/* A request's raw body, for OP_VECTOR or OP_VECTORS. */
evdb_status op_bind_body(const op_field *f, const op_slices *slices, void *at, evdb_error *err);
void op_unbind_vectors(op_vectors *v);
/* Moves row i of `rows` into their common block, which the first row makes; one of another length stays where it is. */
evdb_status op_block_row(float **block, size_t *dim, size_t rows, size_t i, op_vector *row, evdb_error *err);

/* op_records.c */
evdb_status op_bind_records(const op_field *f, const json_t *v, const op_slices *slices, op_records *out, evdb_error *err);
void op_unbind_records(op_records *r);

#endif
