/* op_records.c - lists of records as arguments. */
#include "op/op_bind.h"
#include "op/write_one.h"
#include <stdlib.h>

const op_field op_record_fields[] = {
    OP_FIELD(op_record, id, OP_ID, OP_REQUIRED, .doc = "Id of the record, an integer or a string."),
    OP_FIELD(op_record, vector, OP_VECTOR, 0, .min = 1, .max = EVDB_DIM_MAX, .doc = "The vector's numbers."),
    OP_FIELD(op_record, metadata, OP_OBJECT, 0, .doc = "Anything to keep with the vector."),
    OP_FIELD(op_record, if_version, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Only when the record has this version; 0 = any."),
    OP_EXPIRY(op_record, "an update keeps what it has, others take the store's."),
    OP_END
};

/* A record is bound as the arguments of an operation are. */
static const op record_shape = { .name = "a record", .args = op_record_fields, .args_size = sizeof(op_record) };

static evdb_status take(const op_field *f, const json_t *v, const op_slices *slices, size_t rows, op_records *out,
                        evdb_error *err)
{
    op_record *r = &out->at[out->count];
    evdb_error why;
    evdb_status rc = op_bind(&record_shape, v, slices, r, &why);
    if (rc == EVDB_OK) {
        out->count++; /* from here on op_unbind_records() knows of it */
        if (r->vector.at) rc = op_block_row(&out->block, &out->dim, rows, out->count - 1, &r->vector, &why);
        if (rc == EVDB_OK) return EVDB_OK;
    }
    size_t i = (size_t)(r - out->at);
    op_fail(err, rc, "'%s[%zu]': %s", f->name, i, why.message);
    if (err) err->item = i;
    return rc;
}

evdb_status op_bind_records(const op_field *f, const json_t *v, const op_slices *slices, op_records *out, evdb_error *err)
{
    void *at = NULL;
    size_t count = json_array_size(v);
    evdb_status rc = op_bind_items(f, v, sizeof *out->at, &at, err);
    out->at = at;
    while (rc == EVDB_OK && out->count < count) rc = take(f, json_array_get(v, out->count), slices, count, out, err);
    return rc;
}

void op_unbind_records(op_records *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->block && r->at[i].vector.at == r->block + i * r->dim) r->at[i].vector.at = NULL; /* the block's */
        op_unbind(&record_shape, &r->at[i]);
    }
    free(r->at);
    free(r->block);
}
