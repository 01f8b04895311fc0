/* deletes.c - operations that take records away: delete, forget. */
#include "op/ops.h"
#include "op/write_one.h"
#include <stdlib.h>
#include <string.h>

typedef struct delete_args {
    const char *store;
    op_ids ids;
    bool dry_run;
} delete_args;

static const op_field delete_fields[] = {
    OP_STORE(delete_args),
    OP_FIELD(delete_args, ids, OP_IDS, OP_REQUIRED, .position = 2, .min = 1, .max = OP_IDS_MAX, .doc = "Ids of the records."),
    OP_END
};

static const op_field delete_all_fields[] = {
    OP_STORE(delete_args),
    OP_FIELD(delete_args, ids, OP_IDS, OP_REQUIRED, .position = 2, .min = 1, .max = OP_IDS_MAX, .doc = "Ids of the records."),
    OP_FIELD(delete_args, dry_run, OP_BOOL, 0, .doc = "Tell how many would be deleted, and delete none."),
    OP_END
};

static const op_result delete_reply[] = {
    OP_RESULT(deleted, OP_INTEGER, 0, .doc = "How many records were deleted, or would be."),
    OP_RESULT(missing, OP_IDS, 0, .doc = "The ids that did not exist."),
    OP_RESULT(dry_run, OP_BOOL, OP_OPTIONAL, .doc = "true when nothing was deleted."),
    OP_END
};

static void put_deleted(op_out *o, const op_ids *ids, const evdb_status *statuses, size_t deleted)
{
    op_out_integer(o, "deleted", (int64_t)deleted);
    op_out_open(o, "missing", '[');
    for (size_t i = 0; i < ids->count; i++)
        if (statuses[i] == EVDB_NOT_FOUND) op_out_id(o, NULL, &ids->at[i]);
    op_out_close(o, ']');
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

/* Equal ones in the order in which they were given. */
static int compare_ids(const void *a, const void *b)
{
    const evdb_id *x = *(const evdb_id *const *)a, *y = *(const evdb_id *const *)b;
    if (!x->text != !y->text) return x->text ? 1 : -1;
    int order = x->text ? strcmp(x->text, y->text) : (x->number > y->number) - (x->number < y->number);
    return order ? order : (x > y) - (x < y);
}

static bool same_id(const evdb_id *a, const evdb_id *b)
{
    return !a->text == !b->text && (a->text ? strcmp(a->text, b->text) == 0 : a->number == b->number);
}

/* An id that is given twice is deleted once. */
static evdb_status find_again(const op_ids *ids, evdb_status *statuses, size_t *there, evdb_error *err)
{
    const evdb_id **sorted = calloc(ids->count, sizeof *sorted);
    if (!sorted) return op_fail(err, EVDB_NO_MEMORY, "out of memory deleting records");
    for (size_t i = 0; i < ids->count; i++) sorted[i] = &ids->at[i];
    qsort(sorted, ids->count, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < ids->count; i++) {
        evdb_status *status = &statuses[sorted[i] - ids->at];
        if (*status != EVDB_OK || !same_id(sorted[i - 1], sorted[i])) continue;
        *status = EVDB_NOT_FOUND;
        --*there;
    }
    free(sorted);
    return EVDB_OK;
}

/* statuses become what a delete would answer. */
static evdb_status look_for(evdb_store *store, const op_ids *ids, evdb_status *statuses, size_t *there, evdb_error *err)
{
    for (size_t i = 0; i < ids->count; i++) {
        evdb_record *record = NULL;
        statuses[i] = evdb_record_get(store, ids->at[i], &record, err);
        evdb_record_free(record);
        *there += statuses[i] == EVDB_OK;
        if (statuses[i] != EVDB_OK && statuses[i] != EVDB_NOT_FOUND) return statuses[i];
    }
    return find_again(ids, statuses, there, err);
}

static evdb_status delete(op_call *call, const void *args, op_out *reply, evdb_error *err)
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
    batch.author = op_author(call);
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = a->dry_run ? look_for(store, &a->ids, statuses, &deleted, err) : evdb_batch_write(store, &batch, &deleted, err);
    if (rc == EVDB_OK) rc = delete_failure(&a->ids, statuses, err);
    if (rc == EVDB_OK) put_deleted(reply, &a->ids, statuses, deleted);
    if (rc == EVDB_OK && a->dry_run) op_out_bool(reply, "dry_run", true);
    evdb_store_close(store);
    free(statuses);
    return rc;
}

const op op_delete_records = {
    .name = "delete_records", .doc = "Delete records by id; where the store's trash is on, undelete_records brings them back.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/delete", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = delete_all_fields, .args_size = sizeof(delete_args), .reply = delete_reply, .run = delete,
};

static const op_result still_reply[] = {
    OP_RESULT(backup, OP_STRING, 0, .doc = "Name of the backup."),
    OP_RESULT(problem, OP_STRING, OP_OPTIONAL, .doc = "Why it could not be looked through: it may hold one."),
    OP_END
};

static const op_result forget_reply[] = {
    OP_RESULT(forgotten, OP_INTEGER, 0, .doc = "How many records were there."),
    OP_RESULT(missing, OP_INTEGER, 0, .doc = "How many ids were not; what had been deleted of them is erased too."),
    OP_RESULT(backups, OP_LIST, 0, .of = still_reply, .doc = "Backups in the database's folder that still hold one of them."),
    OP_END
};

static void put_still(op_out *reply, evdb_backup_info *const *list, size_t count)
{
    op_out_open(reply, "backups", '[');
    for (size_t i = 0; i < count; i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "backup", list[i]->name);
        if (*list[i]->problem) op_out_text(reply, "problem", list[i]->problem);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
}

static evdb_status forget(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const delete_args *a = args;
    evdb_store *store = NULL;
    evdb_forget_report report = EVDB_FORGET_REPORT;
    evdb_backup_info **still = NULL;
    size_t count = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_forget(store, a->ids.at, a->ids.count, &report, err);
    if (rc == EVDB_OK) rc = evdb_backup_find(store, a->ids.at, a->ids.count, call->backup_key, &still, &count, err);
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    op_out_integer(reply, "forgotten", (int64_t)report.forgotten);
    op_out_integer(reply, "missing", (int64_t)report.missing);
    put_still(reply, still, count);
    evdb_backup_list_free(still, count);
    return EVDB_OK;
}

const op op_forget_records = {
    .name = "forget_records", .doc = "Delete records and erase them, so that no file of the store holds a byte of them.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/forget", .scope = OP_SCOPE_ADMIN, .effect = OP_WRITES, .destroys = true,
    .args = delete_fields, .args_size = sizeof(delete_args), .reply = forget_reply, .run = forget,
};

typedef struct delete_one_args {
    const char *store;
    evdb_id id;
    int64_t if_version;
} delete_one_args;

static const op_field delete_one_fields[] = {
    OP_STORE(delete_one_args),
    OP_FIELD(delete_one_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record."),
    OP_FIELD(delete_one_args, if_version, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Only when the record has this version; 0 = any."),
    OP_END
};

static const op_result delete_one_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record that is gone."),
    OP_END
};

static evdb_status delete_one_record(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const delete_one_args *a = args;
    evdb_store *store = NULL;
    uint64_t if_version = (uint64_t)a->if_version;
    const evdb_batch batch = { .size = sizeof batch, .kind = EVDB_DELETE, .count = 1, .ids = &a->id, .if_versions = &if_version,
                               .author = op_author(call) };
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_batch_write(store, &batch, NULL, err);
    if (rc != EVDB_OK && err) err->item = EVDB_NO_ITEM; /* who asked knows of no batch */
    if (rc == EVDB_OK) op_out_id(reply, "id", &a->id);
    evdb_store_close(store);
    return rc;
}

const op op_delete_record = {
    .name = "delete_record", .doc = "Delete one record.", .no_tool = true,
    .method = "DELETE", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES, .destroys = true,
    .args = delete_one_fields, .args_size = sizeof(delete_one_args), .reply = delete_one_reply, .run = delete_one_record,
};
