/* records.c - operations on records by id: get, delete, count. */
#include "op/op_json.h"
#include "op/ops.h"
#include <stdlib.h>

typedef struct get_args {
    const char *store;
    op_ids ids;
    bool vectors;
} get_args;

static const op_field get_fields[] = {
    OP_STORE(get_args),
    OP_FIELD(get_args, ids, OP_IDS, OP_REQUIRED, .position = 2, .min = 1, .max = OP_IDS_MAX, .doc = "Ids of the records."),
    OP_FIELD(get_args, vectors, OP_BOOL, 0, .def = true, .doc = "Return the vectors too."),
    OP_END
};

static const op_result record_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "Version of the record; grows with every write."),
    OP_RESULT(vector, OP_VECTOR, OP_OPTIONAL, .doc = "The vector, exactly as stored."),
    OP_RESULT(metadata, OP_OBJECT, 0, .doc = "What is kept with the vector."),
    OP_END
};

static const op_result get_reply[] = {
    OP_RESULT(records, OP_LIST, 0, .of = record_reply, .doc = "The records found, in the order asked for."),
    OP_RESULT(missing, OP_IDS, 0, .doc = "The ids that do not exist."),
    OP_END
};

static json_t *record_json(const evdb_record *record, bool vectors)
{
    json_t *r = json_object();
    bool ok = r && op_json_put(r, "id", op_json_id(&record->id)) &&
              op_json_put(r, "version", json_integer((json_int_t)record->version)) &&
              (!vectors || op_json_put(r, "vector", op_json_floats(record->vector, record->dim))) &&
              op_json_put(r, "metadata", op_json_object(record->metadata, record->metadata_length));
    if (ok) return r;
    json_decref(r);
    return NULL;
}

/* Appends one record to records, or its id to missing. numbers counts vector elements so far. */
static evdb_status get_one(evdb_store *store, const get_args *a, const evdb_id *id, json_t *reply, uint64_t *numbers,
                           evdb_error *err)
{
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_get(store, *id, &record, err);
    int bad = 0;
    if (rc == EVDB_NOT_FOUND) {
        bad = json_array_append_new(json_object_get(reply, "missing"), op_json_id(id));
        rc = EVDB_OK;
    } else if (rc == EVDB_OK && a->vectors && (*numbers += record->dim) > OP_REPLY_NUMBERS_MAX) {
        rc = op_fail(err, EVDB_LIMIT, "the reply would hold more than %u numbers: ask for fewer records", OP_REPLY_NUMBERS_MAX);
    } else if (rc == EVDB_OK) {
        bad = json_array_append_new(json_object_get(reply, "records"), record_json(record, a->vectors));
    }
    evdb_record_free(record);
    return bad ? op_fail(err, EVDB_NO_MEMORY, "out of memory building the reply") : rc;
}

static evdb_status get(op_call *call, const void *args, json_t **reply, evdb_error *err)
{
    const get_args *a = args;
    evdb_store *store = NULL;
    uint64_t numbers = 0;
    json_t *found = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = op_json_reply(&found, json_pack("{s:[], s:[]}", "records", "missing"), err);
    for (size_t i = 0; rc == EVDB_OK && i < a->ids.count; i++) rc = get_one(store, a, &a->ids.at[i], found, &numbers, err);
    if (rc == EVDB_OK) *reply = found;
    else json_decref(found);
    evdb_store_close(store);
    return rc;
}

const op op_get_records = {
    .name = "get_records", .doc = "Fetch records by id.",
    .one_method = "GET", .one_path = "/api/v1/stores/{name}/vectors/{ids}",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/get", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = get_fields, .args_size = sizeof(get_args), .reply = get_reply, .run = get,
};

typedef struct delete_args {
    const char *store;
    op_ids ids;
} delete_args;

static const op_field delete_fields[] = {
    OP_STORE(delete_args),
    OP_FIELD(delete_args, ids, OP_IDS, OP_REQUIRED, .position = 2, .min = 1, .max = OP_IDS_MAX, .doc = "Ids of the records."),
    OP_END
};

static const op_result delete_reply[] = {
    OP_RESULT(deleted, OP_INTEGER, 0, .doc = "How many records were deleted."),
    OP_RESULT(missing, OP_IDS, 0, .doc = "The ids that did not exist."),
    OP_END
};

static json_t *deleted_json(const op_ids *ids, const evdb_status *statuses, size_t deleted)
{
    json_t *missing = json_array();
    bool ok = missing != NULL;
    for (size_t i = 0; ok && i < ids->count; i++)
        if (statuses[i] == EVDB_NOT_FOUND) ok = json_array_append_new(missing, op_json_id(&ids->at[i])) == 0;
    json_t *reply = ok ? json_pack("{s:I, s:O}", "deleted", (json_int_t)deleted, "missing", missing) : NULL;
    json_decref(missing);
    return reply;
}

/* A missing id is an answer; anything else wrong with an id fails the call. Another attempt is safe: what
 * was deleted before the failure is missing then. */
static evdb_status delete_failure(const op_ids *ids, const evdb_status *statuses, evdb_error *err)
{
    for (size_t i = 0; i < ids->count; i++)
        if (statuses[i] != EVDB_OK && statuses[i] != EVDB_NOT_FOUND)
            return op_fail(err, statuses[i], "'ids[%zu]' cannot be deleted: %s", i, evdb_status_text(statuses[i]));
    return EVDB_OK;
}

static evdb_status delete(op_call *call, const void *args, json_t **reply, evdb_error *err)
{
    const delete_args *a = args;
    evdb_store *store = NULL;
    size_t deleted = 0;
    evdb_batch batch = EVDB_BATCH;
    evdb_status *statuses = calloc(a->ids.count, sizeof *statuses);
    if (!statuses) return op_fail(err, EVDB_NO_MEMORY, "out of memory deleting records");
    batch.kind = EVDB_DELETE;
    batch.flags = EVDB_BATCH_PARTIAL;
    batch.count = a->ids.count;
    batch.ids = a->ids.at;
    batch.statuses = statuses;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_batch_write(store, &batch, &deleted, err);
    if (rc == EVDB_OK) rc = delete_failure(&a->ids, statuses, err);
    if (rc == EVDB_OK) rc = op_json_reply(reply, deleted_json(&a->ids, statuses, deleted), err);
    evdb_store_close(store);
    free(statuses);
    return rc;
}

const op op_delete_records = {
    .name = "delete_records", .doc = "Delete records by id.",
    .one_method = "DELETE", .one_path = "/api/v1/stores/{name}/vectors/{ids}",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/delete", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .args = delete_fields, .args_size = sizeof(delete_args), .reply = delete_reply, .run = delete,
};

typedef struct count_args { const char *store; } count_args;
static const op_field count_fields[] = { OP_STORE(count_args), OP_END };
static const op_result count_reply[] = { OP_RESULT(count, OP_INTEGER, 0, .doc = "Records in the store."), OP_END };

static evdb_status count(op_call *call, const void *args, json_t **reply, evdb_error *err)
{
    const count_args *a = args;
    evdb_store *store = NULL;
    uint64_t records = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_count(store, &records, err);
    evdb_store_close(store);
    return rc != EVDB_OK ? rc : op_json_reply(reply, json_pack("{s:I}", "count", (json_int_t)records), err);
}

const op op_count_records = {
    .name = "count_records", .doc = "Count the records of a store.",
    .method = "GET", .path = "/api/v1/stores/{name}/count", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = count_fields, .args_size = sizeof(count_args), .reply = count_reply, .run = count,
};
