/* vectors.c - operations that write one record: insert, upsert, update. */
#include "op/ops.h"
#include "op/write_one.h"

typedef struct write_args {
    const char *store;
    evdb_id id;
    op_vector vector;
    char *metadata;
    op_expiry expiry;
} write_args;

static const op_field write_fields[] = {
    OP_STORE(write_args),
    OP_FIELD(write_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record, an integer or a string."),
    OP_FIELD(write_args, vector, OP_VECTOR, OP_REQUIRED, .min = 1, .max = EVDB_DIM_MAX, .doc = "The vector's numbers."),
    OP_FIELD(write_args, metadata, OP_OBJECT, 0, .doc = "Anything to keep with the vector."),
    OP_EXPIRY(write_args, "the store decides."),
    OP_END
};

static evdb_status put(evdb_write kind, op_call *call, const write_args *a, op_out *reply, evdb_error *err)
{
    const op_write w = { .kind = kind, .store = a->store, .metadata = a->metadata, .id = a->id, .vector = &a->vector, .expiry = &a->expiry };
    return op_write_one(call, &w, reply, err);
}

static evdb_status insert(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    return put(EVDB_INSERT, call, args, reply, err);
}

const op op_insert_vector = {
    .name = "insert_vector", .doc = "Add a record; fails when its id exists.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .creates = "/api/v1/stores/{name}/vectors/{id}",
    .args = write_fields, .args_size = sizeof(write_args), .reply = op_write_reply, .run = insert,
};

static evdb_status upsert(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    return put(EVDB_UPSERT, call, args, reply, err);
}

const op op_upsert_vector = {
    .name = "upsert_vector", .doc = "Add a record, or replace the one with its id.",
    .method = "PUT", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = write_fields, .args_size = sizeof(write_args), .reply = op_write_reply, .run = upsert,
};

typedef struct update_args {
    const char *store;
    evdb_id id;
    op_vector vector;
    char *metadata;
    int64_t if_version;
    op_expiry expiry;
} update_args;

static const op_field update_fields[] = {
    OP_STORE(update_args),
    OP_FIELD(update_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record."),
    OP_FIELD(update_args, vector, OP_VECTOR, 0, .min = 1, .max = EVDB_DIM_MAX, .doc = "New vector; without it the old stays."),
    OP_FIELD(update_args, metadata, OP_OBJECT, 0, .doc = "New metadata as a whole; without it the old stays."),
    OP_FIELD(update_args, if_version, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Only when the record has this version; 0 = any."),
    OP_EXPIRY(update_args, "it stays as it is."),
    OP_END
};

static evdb_status update(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const update_args *a = args;
    const op_write w = { .kind = EVDB_UPDATE, .store = a->store, .metadata = a->metadata, .id = a->id, .vector = &a->vector,
                         .if_version = a->if_version, .expiry = &a->expiry };
    bool expiry = a->expiry.ttl || a->expiry.ttl_ms || a->expiry.expires_ms;
    if (!a->vector.at && !a->metadata && !expiry)
        return op_fail(err, EVDB_INVALID, "nothing to update: give 'vector', 'metadata' or 'ttl'");
    return op_write_one(call, &w, reply, err);
}

const op op_update_vector = {
    .name = "update_vector", .doc = "Replace the vector or the metadata of a record, or when it expires.",
    .method = "PATCH", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = update_fields, .args_size = sizeof(update_args), .reply = op_write_reply, .run = update,
};
