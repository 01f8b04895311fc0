/* backup_run.c - implements backup_run.h. */
#include "backup_run.h"
#include "log.h"
#include "op/bucket_backup.h"
#include "op/op_audit.h"
#include "op/op_clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STAMP = sizeof("-20261130T030000Z") - 1 };

/* ---- names ---- */

static void name_of(const char *store, int64_t due, char out[EVDB_BACKUP_NAME_MAX + 1])
{
    time_t at = (time_t)due;
    struct tm utc;
    char stamp[64];
    gmtime_r(&at, &utc);
    strftime(stamp, sizeof stamp, "-%Y%m%dT%H%M%SZ", &utc);
    snprintf(out, EVDB_BACKUP_NAME_MAX + 1, "%s%s", store, stamp);
}

/* The time in a name; -1 = there is none. */
static int64_t time_of(const char *name)
{
    size_t length = strlen(name);
    struct tm utc = { 0 };
    char again[EVDB_BACKUP_NAME_MAX + 1];
    if (length <= STAMP) return -1;
    const char *end = strptime(name + length - STAMP, "-%Y%m%dT%H%M%SZ", &utc);
    if (!end || *end) return -1;
    int64_t at = timegm(&utc);
    name_of("", at, again); /* a 31st of February, or a digit that was left out */
    return strcmp(again, name + length - STAMP) == 0 ? at : -1;
}

/* ---- which backup comes next ---- */

typedef struct backups {
    evdb_backup_info **at;
    size_t count;
} backups;

/* A store's last one of the schedule; those of the future, made by a clock that was wrong, do not count. */
static const evdb_backup_info *newest(const backups *f, const char *uuid, int64_t now_ms)
{
    const evdb_backup_info *found = NULL;
    int64_t last = -1;
    for (size_t i = 0; i < f->count; i++) {
        int64_t at = strcmp(f->at[i]->uuid, uuid) == 0 ? time_of(f->at[i]->name) : -1;
        if (at <= last || at > now_ms / 1000) continue;
        found = f->at[i];
        last = at;
    }
    return found;
}

/* How many it builds on; more than any chain may have when one of them is missing. */
static unsigned depth_of(const backups *f, const evdb_backup_info *info)
{
    unsigned depth = 0;
    while (*info->base && depth <= EVDB_BACKUP_CHAIN_MAX) {
        const evdb_backup_info *base = NULL;
        for (size_t i = 0; !base && i < f->count; i++)
            if (strcmp(f->at[i]->id, info->base) == 0 && !*f->at[i]->problem) base = f->at[i];
        if (!base) return EVDB_BACKUP_CHAIN_MAX + 1;
        info = base;
        depth++;
    }
    return depth;
}

/* What an increment can build on, or NULL for a full backup. A chain has one key, and which one an older file has nobody can tell. */
static const char *base_for(const backup_run *r, const backups *f, const evdb_backup_info *last)
{
    if (!last || *last->problem || !last->encrypted != !r->key) return NULL;
    if (r->key && last->created_ms < r->began_ms) return NULL;
    return depth_of(f, last) < r->full_every ? last->name : NULL;
}

/* ---- wherever they are kept ---- */

static int stopping(void *context, evdb_transfer_phase phase, uint64_t records)
{
    backup_run *r = context;
    (void)phase;
    (void)records;
    return atomic_load(&r->stop);
}

static op_call call_of(backup_run *r)
{
    return (op_call){ .db = r->db, .backup_key = r->key, .bucket = r->bucket, .progress = stopping, .progress_context = r };
}

static evdb_status make(backup_run *r, evdb_store *store, const char *name, const char *base, evdb_backup_info *made, evdb_error *err)
{
    const op_call call = call_of(r);
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.base_name = base;
    o.key = r->key;
    o.progress = stopping;
    o.context = r;
    op_audit audit;
    char who[OP_AUDIT_USER_BYTES];
    evdb_status rc = op_audit_open(&audit, r->db, op_audit_self(who), "schedule", "backup_store", name, err);
    if (rc != EVDB_OK) return rc;
    rc = r->bucket ? bucket_backup_create(&call, store, name, base, made, err) : evdb_backup_create(store, name, &o, made, err);
    return op_audit_end(&audit, rc, err);
}

static evdb_status list(backup_run *r, backups *out, evdb_error *err)
{
    const op_call call = call_of(r);
    return r->bucket ? bucket_backup_list(&call, &out->at, &out->count, err) : evdb_backup_list(r->db, &out->at, &out->count, err);
}

static void list_free(const backup_run *r, backups *f)
{
    if (r->bucket) free(f->at);
    else evdb_backup_list_free(f->at, f->count);
}

static evdb_status prune(backup_run *r, const evdb_prune_options *o, backups *out, evdb_error *err)
{
    const op_call call = call_of(r);
    op_audit audit;
    char who[OP_AUDIT_USER_BYTES];
    evdb_status rc = op_audit_open(&audit, r->db, op_audit_self(who), "schedule", "prune_backups", "", err);
    if (rc != EVDB_OK) return rc;
    rc = r->bucket ? bucket_backup_prune(&call, o, &out->at, &out->count, err) : evdb_backup_prune(r->db, o, &out->at, &out->count, err);
    return op_audit_end(&audit, rc, err);
}

/* ---- one store ---- */

static evdb_status back_up(backup_run *r, const char *store_name, const char *name, const char *base, evdb_error *err)
{
    evdb_store *store = NULL;
    evdb_backup_info made = EVDB_BACKUP_INFO;
    evdb_status rc = evdb_store_open(r->db, store_name, &store, err);
    if (rc == EVDB_OK) rc = make(r, store, name, base, &made, err);
    /* Changes that were trimmed, a base that was deleted or is damaged: none of it keeps a full one from being made. */
    if (store && base && (rc == EVDB_GONE || rc == EVDB_NOT_FOUND || rc == EVDB_INVALID || rc == EVDB_CORRUPT))
        rc = make(r, store, name, NULL, &made, err);
    evdb_store_close(store);
    if (rc == EVDB_OK)
        log_line(LOG_INFO, "backed up a store", json_pack("{s:s, s:s, s:b, s:I, s:I}", "store", store_name, "backup", name, "full", !*made.base,
                                                          "records", (json_int_t)made.records, "bytes", (json_int_t)made.file_bytes));
    return rc;
}

static void failed(const char *what, const char *store, evdb_status rc, const evdb_error *err)
{
    log_line(LOG_ERROR, what, json_pack("{s:s*, s:s, s:o}", "store", store, "status", evdb_status_name(rc), "detail", log_text(err->message)));
}

/* What a stop makes of what is under way. */
static bool given_up(const backup_run *r, evdb_status rc)
{
    return (rc == EVDB_CANCELLED || rc == EVDB_REMOTE) && atomic_load(&r->stop);
}

/* true when there is another backup of it. */
static bool serve_store(backup_run *r, const backups *f, const evdb_store_info *store, int64_t due, int64_t now_ms)
{
    const evdb_backup_info *last = newest(f, store->uuid, now_ms);
    char name[EVDB_BACKUP_NAME_MAX + 1];
    evdb_error err;
    if (store->created_ms > due * 1000 || (last && time_of(last->name) >= due)) return false;
    name_of(store->name, due, name);
    evdb_status rc = back_up(r, store->name, name, base_for(r, f, last), &err);
    if (rc != EVDB_OK && !given_up(r, rc)) failed("cannot back up a store", store->name, rc, &err);
    return rc == EVDB_OK;
}

/* ---- old ones ---- */

typedef struct served {
    const evdb_store_info **at; /* stores that were backed up */
    size_t count;
} served;

static int of_these_stores(void *context, const evdb_backup_info *info)
{
    const served *s = context;
    if (time_of(info->name) < 0) return 0;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(info->uuid, s->at[i]->uuid) == 0) return 1;
    return 0;
}

static void tell_pruned(const evdb_store_info *store, const backups *pruned)
{
    json_int_t deleted = 0, left = 0, bytes = 0;
    for (size_t i = 0; i < pruned->count; i++) {
        const evdb_backup_info *info = pruned->at[i];
        if (strcmp(info->uuid, store->uuid) != 0) continue;
        left += *info->problem != 0;
        deleted += !*info->problem;
        if (!*info->problem) bytes += (json_int_t)info->file_bytes;
    }
    if (deleted) log_line(LOG_INFO, "deleted old backups", json_pack("{s:s, s:I, s:I}", "store", store->name, "backups", deleted, "bytes", bytes));
    if (left) log_line(LOG_WARNING, "backups that cannot be restored were left alone", json_pack("{s:s, s:I}", "store", store->name, "backups", left));
}

/* Of all stores at once: a list of what is there may cost a request for each backup. */
static void delete_old(backup_run *r, served *s, int64_t now_ms)
{
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    backups pruned;
    evdb_error err;
    if (!s->count || (!r->keep && !r->keep_days) || atomic_load(&r->stop)) return;
    o.keep = r->keep;
    if (r->keep_days) o.since_ms = now_ms > r->keep_days * OP_DAY_MS ? now_ms - r->keep_days * OP_DAY_MS : 1;
    o.counts = of_these_stores;
    o.context = s;
    evdb_status rc = prune(r, &o, &pruned, &err);
    if (rc != EVDB_OK && !given_up(r, rc)) failed("cannot delete old backups", NULL, rc, &err);
    if (rc != EVDB_OK) return;
    for (size_t i = 0; i < s->count; i++) tell_pruned(s->at[i], &pruned);
    evdb_backup_list_free(pruned.at, pruned.count);
}

void backup_run_once(backup_run *r, int64_t due, int64_t now_ms)
{
    evdb_store_info **stores = NULL;
    size_t count = 0;
    backups f = { NULL, 0 };
    served s = { NULL, 0 };
    evdb_error err;
    evdb_status rc = evdb_store_list(r->db, &stores, &count, &err);
    if (rc == EVDB_OK && !(s.at = calloc(count + 1, sizeof(*s.at)))) rc = op_fail(&err, EVDB_NO_MEMORY, "out of memory listing stores");
    if (rc == EVDB_OK) rc = list(r, &f, &err);
    if (rc != EVDB_OK && !given_up(r, rc)) failed("cannot back up the stores", NULL, rc, &err);
    for (size_t i = 0; rc == EVDB_OK && i < count && !atomic_load(&r->stop); i++)
        if (serve_store(r, &f, stores[i], due, now_ms)) s.at[s.count++] = stores[i];
    delete_old(r, &s, now_ms);
    list_free(r, &f);
    free(s.at);
    evdb_store_list_free(stores, count);
}
