/* backup.c - operations on backups: backup_store, list_backups, restore_store, verify_backup, delete_backup. Only whoever sits at
 * the machine (op_call.local) may name files; for all others backups are names in the database's folder, or in the bucket
 * that whoever runs the operation may have (op_call.bucket). */
#include "op/backup_target.h"
#include "op/bucket_backup.h"
#include "op/ops.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BACKUP_FIELD(st, at, text)                                                                                \
    OP_FIELD(st, backup, OP_STRING, OP_REQUIRED, .position = at, .doc = text)

static const op_result backup_reply[] = {
    OP_RESULT(backup, OP_STRING, 0, .doc = "Name of the backup."),
    OP_RESULT(store, OP_STRING, 0, .doc = "Name that the store had."),
    OP_RESULT(base, OP_STRING, OP_OPTIONAL, .doc = "Backup that it is an increment of: its name, or, where that is not there, its id."),
    OP_RESULT(base_sequence, OP_INTEGER, OP_OPTIONAL, .doc = "Changes up to this number are in its base."),
    OP_RESULT(sequence, OP_INTEGER, 0, .doc = "Number of the last change it holds."),
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records in the store as of that change."),
    OP_RESULT(entries, OP_INTEGER, 0, .doc = "Records and deletions in the file."),
    OP_RESULT(bytes, OP_INTEGER, 0, .doc = "Size of the file."),
    OP_RESULT(encrypted, OP_BOOL, 0, .doc = "Whether a key is needed to restore it."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When it was begun, Unix time in milliseconds."),
    OP_RESULT(finished_ms, OP_TIME, 0, .doc = "When it was done: the state it holds is no later."),
    OP_RESULT(id, OP_STRING, 0, .doc = "What no other backup has."),
    OP_RESULT(problem, OP_STRING, OP_OPTIONAL, .doc = "Why the file cannot be used."),
    OP_END
};

/* base: what its base is called, NULL = as the backup says. */
static void put_backup(op_out *o, const evdb_backup_info *i, const char *base)
{
    op_out_text(o, "backup", i->name);
    op_out_text(o, "store", i->store);
    if (*i->base) op_out_text(o, "base", base ? base : i->base);
    if (*i->base) op_out_integer(o, "base_sequence", (int64_t)i->base_sequence);
    op_out_integer(o, "sequence", (int64_t)i->sequence);
    op_out_integer(o, "records", (int64_t)i->records);
    op_out_integer(o, "entries", (int64_t)i->entries);
    op_out_integer(o, "bytes", (int64_t)i->file_bytes);
    op_out_bool(o, "encrypted", i->encrypted);
    op_out_integer(o, "created_ms", i->created_ms);
    op_out_integer(o, "finished_ms", i->finished_ms);
    op_out_text(o, "id", i->id);
    if (*i->problem) op_out_text(o, "problem", i->problem);
}

/* A path from somebody elsewhere would make the server tell of its files. */
static evdb_status check_backup(const op_call *call, const char *backup, evdb_error *err)
{
    if (call->local || !strchr(backup, '/')) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "'backup' must be the name of a backup, not a path");
}

/* ---- backup_store ---- */

typedef struct create_args { const char *store, *backup, *base; uint32_t target; } create_args;

static const op_field create_fields[] = {
    OP_STORE(create_args),
    BACKUP_FIELD(create_args, 2, "Name that the backup shall have."),
    OP_FIELD(create_args, base, OP_STRING, 0, .doc = "An earlier backup: the new one holds only what changed since."),
    TARGET_FIELD(create_args),
    OP_END
};

static evdb_status create(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const create_args *a = args;
    evdb_store *store = NULL;
    evdb_backup_options options = EVDB_BACKUP_OPTIONS;
    evdb_backup_info made = EVDB_BACKUP_INFO;
    options.base_name = a->base;
    options.key = call->backup_key;
    options.progress = call->progress;
    options.context = call->progress_context;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK && call->progress && !a->base) rc = evdb_store_count(store, &call->total, err);
    if (rc == EVDB_OK && a->target == TARGET_S3) rc = bucket_backup_create(call, store, a->backup, a->base, &made, err);
    else if (rc == EVDB_OK) rc = evdb_backup_create(store, a->backup, &options, &made, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) put_backup(reply, &made, a->base);
    return rc;
}

const op op_backup_store = {
    .name = "backup_store", .doc = "Write a store to a backup, while it is in use.",
    .method = "POST", .path = "/api/v1/stores/{name}/backups", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS,
    .creates = "/api/v1/backups/{backup}",
    .args = create_fields, .args_size = sizeof(create_args), .reply = backup_reply, .run = create,
};

/* ---- list_backups ---- */

typedef struct list_args { const char *store; uint32_t target; } list_args;

static const op_field list_fields[] = {
    OP_FIELD(list_args, store, OP_STRING, 0, .position = 1, .doc = "Only backups of a store of this name."),
    TARGET_FIELD(list_args),
    OP_END
};

static const op_result list_reply[] = {
    OP_RESULT(backups, OP_LIST, 0, .of = backup_reply, .doc = "Backups of the target, sorted by name."),
    OP_END
};

static const char *name_of(const evdb_backup_info *const *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->id, id) == 0) return list[i]->name;
    return NULL;
}

static void put_list(op_out *reply, const list_args *a, const evdb_backup_info *const *infos, size_t count)
{
    op_out_open(reply, "backups", '[');
    for (size_t i = 0; i < count; i++) {
        if (a->store && strcmp(infos[i]->store, a->store) != 0) continue;
        op_out_open(reply, NULL, '{');
        put_backup(reply, infos[i], name_of(infos, count, infos[i]->base));
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const list_args *a = args;
    evdb_backup_info **infos = NULL;
    size_t count = 0;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc != EVDB_OK) return rc;
    bool bucket = a->target == TARGET_S3;
    rc = bucket ? bucket_backup_list(call, &infos, &count, err) : evdb_backup_list(call->db, &infos, &count, err);
    if (rc != EVDB_OK) return rc;
    put_list(reply, a, (const evdb_backup_info *const *)infos, count);
    if (bucket) free(infos);
    else evdb_backup_list_free(infos, count);
    return EVDB_OK;
}

const op op_list_backups = {
    .name = "list_backups", .doc = "List all backups.",
    .method = "GET", .path = "/api/v1/backups", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = list_fields, .args_size = sizeof(list_args), .reply = list_reply, .run = list,
};

/* ---- restore_store ---- */

typedef struct restore_args {
    const char *backup, *store;
    int64_t sequence, time_ms;
    bool replace;
    uint32_t target;
} restore_args;

static const op_field restore_fields[] = {
    BACKUP_FIELD(restore_args, 1, "Name of the backup; on the machine itself also the path of a file, with a '/' in it."),
    OP_FIELD(restore_args, store, OP_STRING, OP_REQUIRED, .position = 2, .doc = "Name of the store to make."),
    OP_FIELD(restore_args, sequence, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "Of an increment and all it builds on: the newest state no later than this change; 0 = any."),
    OP_FIELD(restore_args, time_ms, OP_INTEGER, 0, .max = INT64_MAX,
             .doc = "The same by time: the newest that was done by then, Unix time in milliseconds; 0 = any."),
    OP_FIELD(restore_args, replace, OP_BOOL, 0, .doc = "Replace the store of that name, if there is one, in one step."),
    TARGET_FIELD(restore_args),
    OP_END
};

static const op_result restore_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Name of the store."),
    OP_RESULT(backup, OP_STRING, 0, .doc = "Backup whose state it has."),
    OP_RESULT(sequence, OP_INTEGER, 0, .doc = "Number of the last change it holds."),
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records in it."),
    OP_END
};

static evdb_status restore(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const restore_args *a = args;
    evdb_restore_options options = EVDB_RESTORE_OPTIONS;
    evdb_backup_info from = EVDB_BACKUP_INFO;
    options.key = call->backup_key;
    options.progress = call->progress;
    options.context = call->progress_context;
    options.sequence = (uint64_t)a->sequence;
    options.time_ms = a->time_ms;
    options.replace = a->replace;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc == EVDB_OK) rc = check_backup(call, a->backup, err);
    if (rc == EVDB_OK && a->target == TARGET_S3) rc = bucket_backup_restore(call, a->backup, a->store, &options, &from, err);
    else if (rc == EVDB_OK) rc = evdb_backup_restore(call->db, a->backup, a->store, &options, &from, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "store", a->store);
    op_out_text(reply, "backup", from.name);
    op_out_integer(reply, "sequence", (int64_t)from.sequence);
    op_out_integer(reply, "records", (int64_t)from.records);
    return EVDB_OK;
}

const op op_restore_store = {
    .name = "restore_store", .doc = "Make a store of a backup, or replace one by it.",
    .method = "POST", .path = "/api/v1/backups/{backup}/restore", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = restore_fields, .args_size = sizeof(restore_args), .reply = restore_reply, .run = restore,
};

/* ---- verify_backup ---- */

typedef struct backup_args { const char *backup; uint32_t target; } backup_args;

static const op_field verify_fields[] = {
    BACKUP_FIELD(backup_args, 1, "Name of the backup; on the machine itself also the path of a file, with a '/' in it."),
    TARGET_FIELD(backup_args),
    OP_END
};

static evdb_status verify(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const backup_args *a = args;
    evdb_restore_options options = EVDB_RESTORE_OPTIONS;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    options.key = call->backup_key;
    options.progress = call->progress;
    options.context = call->progress_context;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc == EVDB_OK) rc = check_backup(call, a->backup, err);
    if (rc == EVDB_OK && a->target == TARGET_S3) rc = bucket_backup_verify(call, a->backup, &options, &info, err);
    else if (rc == EVDB_OK) rc = evdb_backup_verify(call->db, a->backup, &options, &info, err);
    if (rc == EVDB_OK) put_backup(reply, &info, NULL);
    return rc;
}

const op op_verify_backup = {
    .name = "verify_backup", .doc = "Read a backup, and all it builds on, to the end and check everything that a restore would.",
    .method = "POST", .path = "/api/v1/backups/{backup}/verify", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = verify_fields, .args_size = sizeof(backup_args), .reply = backup_reply, .run = verify,
};

/* ---- delete_backup ---- */

static const op_field delete_fields[] = { BACKUP_FIELD(backup_args, 1, "Name of the backup."), TARGET_FIELD(backup_args), OP_END };
static const op_result delete_reply[] = { OP_RESULT(deleted, OP_STRING, 0, .doc = "Name of the backup that is gone."), OP_END };

static evdb_status delete_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const backup_args *a = args;
    evdb_status rc = backup_target_check(call, a->target, err);
    if (rc == EVDB_OK && a->target == TARGET_S3) rc = bucket_backup_delete(call, a->backup, err);
    else if (rc == EVDB_OK) rc = evdb_backup_delete(call->db, a->backup, err);
    if (rc == EVDB_OK) op_out_text(reply, "deleted", a->backup);
    return rc;
}

const op op_delete_backup = {
    .name = "delete_backup", .doc = "Remove a backup that no other one builds on.",
    .method = "DELETE", .path = "/api/v1/backups/{backup}", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = delete_fields, .args_size = sizeof(backup_args), .reply = delete_reply, .run = delete_run,
};
