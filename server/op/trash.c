/* trash.c - operations on what was deleted and can come back: undelete, list, empty, and whether a store keeps it at all. */
#include "op/op_meter.h"
#include "op/ops.h"
#include "op/store_reply.h"

typedef struct set_args {
    const char *store;
    bool on;
    int64_t keep, keep_ms;
} set_args;

static const op_field set_fields[] = {
    OP_STORE(set_args),
    OP_FIELD(set_args, on, OP_BOOL, 0, .def = true, .doc = "false turns the trash off, and removes all that is in it for good."),
    OP_FIELD(set_args, keep, OP_INTEGER, 0, .max = EVDB_TRASH_MAX_MS / 1000, .doc = "Seconds that deleted records can be restored; without it a day."),
    OP_FIELD(set_args, keep_ms, OP_INTEGER, 0, .max = EVDB_TRASH_MAX_MS, .doc = "The same in milliseconds."),
    OP_END
};

static evdb_status take_keep(const set_args *a, int64_t *out, evdb_error *err)
{
    if (a->keep && a->keep_ms) return op_fail(err, EVDB_INVALID, "'keep' and 'keep_ms' exclude each other");
    if (!a->on && (a->keep || a->keep_ms)) return op_fail(err, EVDB_INVALID, "a trash that is off keeps nothing: leave out 'keep'");
    *out = a->keep ? a->keep * 1000 : a->keep_ms ? a->keep_ms : EVDB_TRASH_DAY_MS;
    if (!a->on) *out = 0;
    return EVDB_OK;
}

static evdb_status set(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const set_args *a = args;
    evdb_store *store = NULL;
    int64_t keep_ms = 0;
    evdb_status rc = take_keep(a, &keep_ms, err);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_set_trash(store, keep_ms, err);
    if (rc == EVDB_OK) rc = op_reply_store(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_set_trash = {
    .name = "set_trash", .doc = "Say whether a store keeps deleted records, so that they can be restored, and for how long.",
    .method = "PUT", .path = "/api/v1/stores/{name}/trash", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = set_fields, .args_size = sizeof(set_args), .reply = op_store_reply, .run = set,
};

typedef struct list_args {
    const char *store;
    int64_t before, limit;
} list_args;

static const op_field list_fields[] = {
    OP_STORE(list_args),
    OP_FIELD(list_args, before, OP_INTEGER, 0, .max = INT64_MAX, .doc = "Only what was deleted before this number; 0 = all."),
    OP_FIELD(list_args, limit, OP_INTEGER, 0, .def = 100, .min = 1, .max = EVDB_TRASH_LIST_MAX, .doc = "How many records, at most."),
    OP_END
};

static const op_result trashed_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(number, OP_INTEGER, 0, .doc = "Its place in the trash: a later delete has a larger one."),
    OP_RESULT(deleted_ms, OP_TIME, 0, .doc = "When it was deleted, Unix time in milliseconds."),
    OP_RESULT(deleter, OP_STRING, OP_OPTIONAL, .doc = "Who deleted it, where that is known."),
    OP_RESULT(until_ms, OP_TIME, 0, .doc = "Until when it can be restored."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "Version that it had."),
    OP_RESULT(metadata, OP_OBJECT, 0, .doc = "What is kept with the vector."),
    OP_RESULT(expires_ms, OP_TIME, OP_OPTIONAL, .doc = "From when on it is gone in any case; left out when it never is."),
    OP_END
};

static const op_result list_reply[] = {
    OP_RESULT(records, OP_LIST, 0, .of = trashed_reply, .doc = "What can be restored, the last deleted first."),
    OP_RESULT(next, OP_INTEGER, OP_OPTIONAL, .doc = "There may be more: ask again with this as 'before'."),
    OP_END
};

static void put_trashed(op_out *o, const evdb_trashed *t)
{
    op_out_open(o, NULL, '{');
    op_out_id(o, "id", &t->id);
    op_out_integer(o, "number", (int64_t)t->number);
    op_out_integer(o, "deleted_ms", t->deleted_ms);
    if (t->deleter) op_out_text(o, "deleter", t->deleter);
    op_out_integer(o, "until_ms", t->until_ms);
    op_out_integer(o, "version", (int64_t)t->version);
    op_out_json(o, "metadata", t->metadata, t->metadata_length);
    if (t->expires_ms) op_out_integer(o, "expires_ms", t->expires_ms);
    op_out_close(o, '}');
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const list_args *a = args;
    evdb_store *store = NULL;
    evdb_trash *trash = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_trash_list(store, (uint64_t)a->before, (size_t)a->limit, &trash, err);
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "records", '[');
    for (size_t i = 0; i < trash->count; i++) put_trashed(reply, &trash->at[i]);
    op_out_close(reply, ']');
    if (trash->next) op_out_integer(reply, "next", (int64_t)trash->next);
    evdb_trash_free(trash);
    return EVDB_OK;
}

const op op_list_trash = {
    .name = "list_trash", .doc = "List the deleted records of a store that can be restored, page by page.",
    .method = "GET", .path = "/api/v1/stores/{name}/trash", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = list_fields, .args_size = sizeof(list_args), .reply = list_reply, .run = list,
};

typedef struct undelete_args {
    const char *store;
    op_ids ids;
    int64_t since_ms;
    bool dry_run;
} undelete_args;

static const op_field undelete_fields[] = {
    OP_STORE(undelete_args),
    OP_FIELD(undelete_args, ids, OP_IDS, 0, .position = 2, .max = OP_IDS_MAX, .doc = "Ids of the records; all or none of them come back."),
    OP_FIELD(undelete_args, since_ms, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Rather than ids: all that were deleted at this time or later, Unix time in milliseconds; 1 = all in the trash."),
    OP_FIELD(undelete_args, dry_run, OP_BOOL, 0, .doc = "Tell what would be restored, and change nothing."),
    OP_END
};

static const op_result undelete_reply[] = {
    OP_RESULT(restored, OP_INTEGER, 0, .doc = "How many records are there again, or would be."),
    OP_RESULT(existing, OP_INTEGER, 0, .doc = "With 'since_ms': how many stay in the trash, since there is a record of their id again."),
    OP_RESULT(dry_run, OP_BOOL, OP_OPTIONAL, .doc = "true when nothing was changed."),
    OP_END
};

/* How many it will be is found out by a dry run, for the quota of who asks, where there is one. */
static evdb_status metered_restore(op_call *call, evdb_store *store, evdb_undelete *what, evdb_undelete_report *report, evdb_error *err)
{
    evdb_undelete dry = *what;
    if (!call->meter) return evdb_trash_restore(store, what, report, err);
    dry.flags = EVDB_RESTORE_DRY_RUN;
    evdb_status rc = evdb_trash_restore(store, &dry, report, err);
    if (rc != EVDB_OK || what->flags & EVDB_RESTORE_DRY_RUN) return rc;
    uint64_t taken = report->restored;
    report->restored = 0;
    rc = op_meter_take(call, taken, err);
    if (rc != EVDB_OK) return rc;
    rc = evdb_trash_restore(store, what, report, err);
    uint64_t restored = rc == EVDB_OK ? report->restored : 0;
    if (restored < taken) op_meter_return(call, taken - restored);
    return rc;
}

static evdb_status undelete(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const undelete_args *a = args;
    evdb_store *store = NULL;
    evdb_undelete what = EVDB_UNDELETE;
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    if (!a->ids.count == !a->since_ms) return op_fail(err, EVDB_INVALID, "give either 'ids' or 'since_ms'");
    what.ids = a->ids.count ? a->ids.at : NULL;
    what.count = a->ids.count;
    what.since_ms = a->since_ms;
    what.flags = a->dry_run ? EVDB_RESTORE_DRY_RUN : 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = metered_restore(call, store, &what, &report, err);
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    op_out_integer(reply, "restored", (int64_t)report.restored);
    op_out_integer(reply, "existing", (int64_t)report.existing);
    if (a->dry_run) op_out_bool(reply, "dry_run", true);
    return rc;
}

const op op_undelete_records = {
    .name = "undelete_records", .doc = "Bring deleted records back from the trash of their store, as they were.",
    .method = "POST", .path = "/api/v1/stores/{name}/trash/restore", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .args = undelete_fields, .args_size = sizeof(undelete_args), .reply = undelete_reply, .run = undelete,
};

typedef struct empty_args { const char *store; } empty_args;
static const op_field empty_fields[] = { OP_STORE(empty_args), OP_END };
static const op_result empty_reply[] = { OP_RESULT(removed, OP_INTEGER, 0, .doc = "How many records can no longer be restored."), OP_END };

static evdb_status empty(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const empty_args *a = args;
    evdb_store *store = NULL;
    uint64_t removed = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_trash_empty(store, &removed, err);
    if (rc == EVDB_OK) op_out_integer(reply, "removed", (int64_t)removed);
    evdb_store_close(store);
    return rc;
}

const op op_empty_trash = {
    .name = "empty_trash", .doc = "Remove the deleted records of a store for good.",
    .method = "DELETE", .path = "/api/v1/stores/{name}/trash", .scope = OP_SCOPE_ADMIN, .effect = OP_WRITES, .destroys = true,
    .args = empty_fields, .args_size = sizeof(empty_args), .reply = empty_reply, .run = empty,
};
