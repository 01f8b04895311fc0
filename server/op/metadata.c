/* metadata.c - update_metadata: a record's metadata, member by member or as a whole. */
#include "op/op_meter.h"
#include "op/ops.h"
#include "op/write_one.h"
#include <string.h>

typedef struct metadata_args {
    const char *store;
    evdb_id id;
    char *metadata;
    bool replace;
    int64_t if_version;
} metadata_args;

static const op_field metadata_fields[] = {
    OP_STORE(metadata_args),
    OP_FIELD(metadata_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record."),
    OP_FIELD(metadata_args, metadata, OP_OBJECT, OP_REQUIRED, .position = 3,
             .doc = "Members to set; null removes one, an object is merged into an object. Others stay as they are."),
    OP_FIELD(metadata_args, replace, OP_BOOL, 0, .doc = "Rather than merge, put it in the place of all metadata that is stored."),
    OP_FIELD(metadata_args, if_version, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Only when the record has this version; 0 = any."),
    OP_END
};

static const op_result metadata_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "The record's version now; grows with every write."),
    OP_RESULT(metadata, OP_OBJECT, 0, .doc = "The record's metadata now."),
    OP_END
};

static evdb_status replace(const op_call *call, evdb_store *store, const metadata_args *a, op_out *reply, evdb_error *err)
{
    evdb_batch batch = EVDB_BATCH;
    uint64_t version = 0, if_version = (uint64_t)a->if_version;
    const char *metadata = a->metadata;
    batch.kind = EVDB_UPDATE;
    batch.count = 1;
    batch.ids = &a->id;
    batch.metadata = &metadata;
    batch.if_versions = &if_version;
    batch.versions = &version;
    batch.author = op_author(call);
    evdb_status rc = evdb_batch_write(store, &batch, NULL, err);
    if (rc != EVDB_OK && err) err->item = EVDB_NO_ITEM; /* who asked knows of no batch */
    if (rc != EVDB_OK) return rc;
    op_out_integer(reply, "version", (int64_t)version);
    op_out_json(reply, "metadata", a->metadata, strlen(a->metadata));
    return EVDB_OK;
}

static evdb_status merge(const op_call *call, evdb_store *store, const metadata_args *a, op_out *reply, evdb_error *err)
{
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_merge(store, a->id, a->metadata, op_author(call), (uint64_t)a->if_version, &record, err);
    if (rc != EVDB_OK) return rc;
    op_out_integer(reply, "version", (int64_t)record->version);
    op_out_json(reply, "metadata", record->metadata, record->metadata_length);
    evdb_record_free(record);
    return EVDB_OK;
}

static evdb_status update(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const metadata_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = op_meter_take(call, 1, err);
    if (rc == EVDB_OK) {
        op_out_id(reply, "id", &a->id);
        rc = a->replace ? replace(call, store, a, reply, err) : merge(call, store, a, reply, err);
        if (rc != EVDB_OK) op_meter_return(call, 1);
    }
    evdb_store_close(store);
    return rc;
}

const op op_update_metadata = {
    .name = "update_metadata", .doc = "Change members of a record's metadata, or replace it, without sending the vector.",
    .method = "PATCH", .path = "/api/v1/stores/{name}/vectors/{id}/metadata", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = metadata_fields, .args_size = sizeof(metadata_args), .reply = metadata_reply, .run = update,
};
