/* load.c - load_vectors: many vectors in one durable commit, packed where it has to be fast. */
#include "op/choices.h"
#include "op/op_meter.h"
#include "op/ops.h"
#include "op/store_rows.h"
#include "op/write_one.h"
#include <inttypes.h>
#include <stdlib.h>

typedef struct load_args {
    const char *store;
    op_vectors vectors;
    op_ids ids;
    int64_t first_id, dim;
    bool packed_ids;
    uint32_t mode;
    op_expiry expiry;
} load_args;

static const op_field load_fields[] = {
    OP_STORE(load_args),
    OP_FIELD(load_args, vectors, OP_VECTORS, OP_REQUIRED | OP_BODY, .min = 1, .max = EVDB_BATCH_MAX,
             .doc = "The vectors: arrays of numbers, or base64 of packed little-endian float32, one vector behind the other."),
    OP_FIELD(load_args, ids, OP_IDS, 0, .max = OP_IDS_MAX, .doc = "Ids of the vectors, in their order."),
    OP_FIELD(load_args, packed_ids, OP_BOOL, 0,
             .doc = "The packed bytes begin with the ids: a little-endian int64 a vector, all of them before the first vector."),
    OP_FIELD(load_args, first_id, OP_INTEGER, 0, .min = INT64_MIN, .max = INT64_MAX,
             .doc = "Without ids: id of the first vector; the others count up from it."),
    OP_FIELD(load_args, dim, OP_INTEGER, 0, .max = EVDB_DIM_MAX,
             .doc = "Elements in a packed vector, while the store has none; later it may be left out."),
    OP_FIELD(load_args, mode, OP_CHOICE, 0, .def = EVDB_INSERT, .choice = &choice_put,
             .doc = "What to do with ids that exist: fail, or replace the whole record."),
    OP_EXPIRY(load_args, "the store decides."),
    OP_END
};

static const op_result load_reply[] = { OP_RESULT(written, OP_INTEGER, 0, .doc = "Records written."), OP_END };

static evdb_status check_ids(const load_args *a, size_t count, evdb_error *err)
{
    if ((a->ids.at != NULL) + a->packed_ids + (a->first_id != 0) > 1)
        return op_fail(err, EVDB_INVALID, "'ids', 'packed_ids' and 'first_id' exclude each other");
    if (a->ids.at && a->ids.count != count)
        return op_fail(err, EVDB_INVALID, "there are %zu 'ids' but %zu 'vectors'", a->ids.count, count);
    if (a->first_id > INT64_MAX - (int64_t)count)
        return op_fail(err, EVDB_INVALID, "'first_id' is %" PRId64 ": ids would pass the largest integer", a->first_id);
    return EVDB_OK;
}

static evdb_status write_rows(const op_call *call, evdb_store *store, const load_args *a, const op_rows *rows, size_t *written, evdb_error *err)
{
    evdb_batch batch = EVDB_BATCH;
    int64_t *counted = NULL, *expires = NULL, expiry = 0;
    bool counts = !a->ids.at && !rows->numbers;
    evdb_status rc = check_ids(a, rows->count, err);
    if (rc == EVDB_OK) rc = op_expiry_take(&a->expiry, &expiry, err);
    if (rc != EVDB_OK) return rc;
    if (counts) counted = malloc(rows->count * sizeof *counted);
    if (expiry) expires = malloc(rows->count * sizeof *expires);
    if ((counts && !counted) || (expiry && !expires)) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory for %zu records", rows->count);
    for (size_t i = 0; counted && i < rows->count; i++) counted[i] = a->first_id + (int64_t)i;
    for (size_t i = 0; expires && i < rows->count; i++) expires[i] = expiry;
    batch.kind = a->mode;
    batch.count = rows->count;
    batch.ids = a->ids.at;
    batch.numbers = counted ? counted : rows->numbers;
    batch.vectors = rows->at;
    batch.dim = (uint32_t)rows->dim;
    batch.expires = expires;
    batch.author = op_author(call);
    if (rc == EVDB_OK) rc = evdb_batch_write(store, &batch, written, err);
    free(counted);
    free(expires);
    return rc;
}

static evdb_status load(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const load_args *a = args;
    evdb_store *store = NULL;
    op_rows rows = { 0 };
    size_t written = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = store_rows(store, &a->vectors, a->dim, EVDB_BATCH_MAX, a->packed_ids, &rows, err);
    if (rc == EVDB_OK) rc = op_meter_take(call, rows.count, err);
    if (rc == EVDB_OK) {
        rc = write_rows(call, store, a, &rows, &written, err);
        if (rc != EVDB_OK) op_meter_return(call, rows.count);
    }
    if (rc == EVDB_OK) op_out_integer(reply, "written", (int64_t)written);
    op_rows_free(&rows);
    evdb_store_close(store);
    return rc;
}

const op op_load_vectors = {
    .name = "load_vectors", .doc = "Write many vectors without metadata in one commit.", .no_tool = true,
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/bulk", .scope = OP_SCOPE_WRITE,
    .effect = OP_WRITES, .destroys = true,
    .args = load_fields, .args_size = sizeof(load_args), .reply = load_reply, .run = load,
};
