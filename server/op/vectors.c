/* vectors.c - operations that write one record: insert, upsert, update. */
#include "op/ops.h"

typedef struct write_args {
    const char *store;
    evdb_id id;
    op_vector vector;
    char *metadata;
} write_args;

static const op_field write_fields[] = {
    OP_STORE(write_args),
    OP_FIELD(write_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record, an integer or a string."),
    OP_FIELD(write_args, vector, OP_VECTOR, OP_REQUIRED, .min = 1, .max = EVDB_DIM_MAX, .doc = "The vector's numbers."),
    OP_FIELD(write_args, metadata, OP_OBJECT, 0, .doc = "Anything to keep with the vector."),
    OP_END
};

static const op_result write_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "The record's version now; grows with every write."),
    OP_END
};

static void reply_written(const evdb_id *id, uint64_t version, op_out *reply)
{
    op_out_id(reply, "id", id);
    op_out_integer(reply, "version", (int64_t)version);
}

typedef evdb_status (*write_record)(evdb_store *store, evdb_id id, const float *vector, uint32_t dim,
                                    const char *metadata, uint64_t *version, evdb_error *err);

static evdb_status write_with(write_record write, op_call *call, const write_args *a, op_out *reply, evdb_error *err)
{
    evdb_store *store = NULL;
    uint64_t version = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = write(store, a->id, a->vector.at, (uint32_t)a->vector.count, a->metadata, &version, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) reply_written(&a->id, version, reply);
    return rc;
}

static evdb_status insert(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    return write_with(evdb_record_insert, call, args, reply, err);
}

const op op_insert_vector = {
    .name = "insert_vector", .doc = "Add a record; fails when its id exists.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .creates = "/api/v1/stores/{name}/vectors/{id}",
    .args = write_fields, .args_size = sizeof(write_args), .reply = write_reply, .run = insert,
};

static evdb_status upsert(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    return write_with(evdb_record_upsert, call, args, reply, err);
}

const op op_upsert_vector = {
    .name = "upsert_vector", .doc = "Add a record, or replace the one with its id.",
    .method = "PUT", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = write_fields, .args_size = sizeof(write_args), .reply = write_reply, .run = upsert,
};

typedef struct update_args {
    const char *store;
    evdb_id id;
    op_vector vector;
    char *metadata;
    int64_t if_version;
} update_args;

static const op_field update_fields[] = {
    OP_STORE(update_args),
    OP_FIELD(update_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record."),
    OP_FIELD(update_args, vector, OP_VECTOR, 0, .min = 1, .max = EVDB_DIM_MAX, .doc = "New vector; without it the old stays."),
    OP_FIELD(update_args, metadata, OP_OBJECT, 0, .doc = "New metadata as a whole; without it the old stays."),
    OP_FIELD(update_args, if_version, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Only when the record has this version; 0 = any."),
    OP_END
};

static evdb_status update(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const update_args *a = args;
    evdb_store *store = NULL;
    uint64_t version = 0;
    if (!a->vector.at && !a->metadata) return op_fail(err, EVDB_INVALID, "nothing to update: give 'vector' or 'metadata'");
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK)
        rc = evdb_record_update(store, a->id, a->vector.at, (uint32_t)a->vector.count, a->metadata,
                                (uint64_t)a->if_version, &version, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) reply_written(&a->id, version, reply);
    return rc;
}

const op op_update_vector = {
    .name = "update_vector", .doc = "Replace the vector or the metadata of a record.",
    .method = "PATCH", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = update_fields, .args_size = sizeof(update_args), .reply = write_reply, .run = update,
};
