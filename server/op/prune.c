/* prune.c - the operation prune_backups: backups that no rule keeps are deleted. */
#include "op/backup_target.h"
#include "op/bucket_backup.h"
#include "op/op_clock.h"
#include "op/ops.h"

enum { DAYS_MAX = 36500 };

typedef struct prune_args {
    const char *store;
    int64_t keep, keep_days;
    bool dry_run;
    uint32_t target;
} prune_args;

static const op_field prune_fields[] = {
    OP_FIELD(prune_args, store, OP_STRING, 0, .position = 1, .doc = "Only backups of a store of this name; without it each store's."),
    OP_FIELD(prune_args, keep, OP_INTEGER, 0, .max = UINT32_MAX, .doc = "Keep this many of the newest of each store, full ones and increments alike."),
    OP_FIELD(prune_args, keep_days, OP_INTEGER, 0, .max = DAYS_MAX, .doc = "Keep those that were done in the last so many days."),
    OP_FIELD(prune_args, dry_run, OP_BOOL, 0, .doc = "Only tell what would be deleted."),
    TARGET_FIELD(prune_args),
    OP_END
};

static const op_result pruned_backup[] = {
    OP_RESULT(backup, OP_STRING, 0, .doc = "Name of the backup."),
    OP_RESULT(store, OP_STRING, 0, .doc = "Name that the store had."),
    OP_RESULT(bytes, OP_INTEGER, 0, .doc = "Size of the file."),
    OP_RESULT(finished_ms, OP_TIME, 0, .doc = "When it was done."),
    OP_END
};

static const op_result prune_reply[] = {
    OP_RESULT(deleted, OP_LIST, 0, .of = pruned_backup, .doc = "What was deleted, or would be."),
    OP_RESULT(count, OP_INTEGER, 0, .doc = "How many these are."),
    OP_RESULT(bytes, OP_INTEGER, 0, .doc = "Their size together."),
    OP_RESULT(left, OP_STRINGS, 0, .doc = "Names of backups that cannot be restored and were left alone, with what they build on."),
    OP_END
};

static void put_deleted(op_out *reply, evdb_backup_info **list, size_t count)
{
    int64_t bytes = 0, deleted = 0;
    op_out_open(reply, "deleted", '[');
    for (size_t i = 0; i < count; i++) {
        if (*list[i]->problem) continue;
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "backup", list[i]->name);
        op_out_text(reply, "store", list[i]->store);
        op_out_integer(reply, "bytes", (int64_t)list[i]->file_bytes);
        op_out_integer(reply, "finished_ms", list[i]->finished_ms);
        op_out_close(reply, '}');
        bytes += (int64_t)list[i]->file_bytes;
        deleted++;
    }
    op_out_close(reply, ']');
    op_out_integer(reply, "count", deleted);
    op_out_integer(reply, "bytes", bytes);
}

static evdb_status prune(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const prune_args *a = args;
    evdb_prune_options options = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list = NULL;
    size_t count = 0;
    if (!a->keep && !a->keep_days) return op_fail(err, EVDB_INVALID, "'keep' or 'keep_days' must be given: without a rule all would be deleted");
    options.store = a->store;
    options.keep = (uint32_t)a->keep;
    if (a->keep_days) options.since_ms = op_now_ms() - a->keep_days * OP_DAY_MS;
    if (options.since_ms < 0) options.since_ms = 1; /* before there were any */
    options.dry_run = a->dry_run;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc == EVDB_OK && a->target == TARGET_S3) rc = bucket_backup_prune(call, &options, &list, &count, err);
    else if (rc == EVDB_OK) rc = evdb_backup_prune(call->db, &options, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    put_deleted(reply, list, count);
    op_out_open(reply, "left", '[');
    for (size_t i = 0; i < count; i++)
        if (*list[i]->problem) op_out_text(reply, NULL, list[i]->name);
    op_out_close(reply, ']');
    evdb_backup_list_free(list, count);
    return EVDB_OK;
}

const op op_prune_backups = {
    .name = "prune_backups", .doc = "Delete the backups that no rule keeps; what a kept one builds on stays as well.",
    .method = "POST", .path = "/api/v1/backups/prune", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = prune_fields, .args_size = sizeof(prune_args), .reply = prune_reply, .run = prune,
};
