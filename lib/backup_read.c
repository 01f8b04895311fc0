/* backup_read.c - evdb_backup_read() and evdb_backup_check().
 *
 * Every source is read twice, as by an import: first all of it is checked, then written. The new store grows in a folder that
 * system.db lists as debris, under a lock that keeps others from clearing it away; who dies leaves what the next open removes. One
 * transaction of system.db then gives it the name. */
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "database_private.h"
#include "disk/rows_load.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include "platform/lock.h"
#include "store_private.h"
#include <stdio.h>
#include <string.h>

#define ROOM_BESIDE (UINT64_C(4) << 20) /* of a small store's files */

typedef struct restoring {
    evdb *db;
    const char *name;
    evdb_restore_options options;
    const evdb_source *const *sources;
    backup_checked checked;
    size_t count;       /* files that are needed */
    int64_t ttl_ms;     /* of the last one's store */
    uint64_t *sums;     /* of each */
    evdb_store_info info; /* of the new store */
    char *dir, *lock_path;
    lock_file lock;
    rows *rows;
    rows_load load;
    bool last;          /* the file under way ends with the state that counts */
    uint64_t written, before;
} restoring;

evdb_status backup_restore_options(const evdb_restore_options *given, evdb_restore_options *out, evdb_error *err)
{
    *out = (evdb_restore_options)EVDB_RESTORE_OPTIONS;
    return options_import(out, sizeof(*out), given, "evdb_restore_options", err);
}

evdb_status backup_tick(const evdb_restore_options *o, evdb_transfer_phase phase, uint64_t records, evdb_error *err)
{
    if (!o->progress || o->progress(o->context, phase, records) == 0) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "cancelled after %llu records were %s", (unsigned long long)records,
                     phase == EVDB_PHASE_CHECK ? "checked" : "written: nothing has changed");
}

evdb_status backup_blame(const evdb_backup_info *info, evdb_status rc, const evdb_error *why, evdb_error *err)
{
    if (rc == EVDB_OK) return rc;
    if (*info->name) return error_set(err, rc, "backup '%s': %s", info->name, why->message);
    return error_set(err, rc, "%s", why->message);
}

/* ---- checking ---- */

evdb_status evdb_backup_check(evdb *db, const evdb_source *source, const evdb_restore_options *options, evdb_backup_info *out,
                              evdb_error *err)
{
    evdb_restore_options o;
    backup_checked checked = { 0 };
    evdb_error why;
    evdb_status rc;
    TRY(db_usable(db, err));
    if (!source) TRY(error_set(err, EVDB_INVALID, "the source of a backup is NULL"));
    TRY(backup_restore_options(options, &o, err));
    checked.alone = true;
    rc = backup_check_next(db, &checked, source, &o, &why);
    TRY(backup_blame(&checked.last_seen, rc, &why, err));
    if (out) rc = options_export(out, &checked.last, sizeof(checked.last), "evdb_backup_info", err);
out:
    backup_check_end(db, &checked);
    return rc;
}

static bool too_late(const restoring *r, const evdb_backup_info *i)
{
    return (r->options.sequence && i->sequence > r->options.sequence) || (r->options.time_ms && i->finished_ms > r->options.time_ms);
}

/* All files up to the last that counts. */
static evdb_status check_all(restoring *r, size_t given, evdb_error *err)
{
    evdb_error why;
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < given; i++) {
        rc = backup_check_next(r->db, &r->checked, r->sources[i], &r->options, &why);
        TRY(backup_blame(&r->checked.last_seen, rc, &why, err));
        if (too_late(r, &r->checked.last)) break;
        r->sums[r->count++] = r->checked.sum;
        r->ttl_ms = r->checked.ttl_ms;
    }
    if (!r->count) TRY(error_set(err, EVDB_NOT_FOUND, "the backup holds no state that early: its first is of change %llu",
                                 (unsigned long long)r->checked.last.sequence));
out:
    return rc;
}

static evdb_status check_room(const restoring *r, evdb_error *err)
{
    char stores[4096];
    uint64_t free_bytes, needed = r->checked.raw_bytes + r->checked.raw_bytes / 4 + ROOM_BESIDE;
    if (!r->db->dir) return EVDB_OK;
    snprintf(stores, sizeof(stores), "%s/stores", r->db->dir);
    int failed = file_free_bytes(stores, &free_bytes);
    if (failed) return error_errno(err, failed, "look at", stores);
    if (needed <= free_bytes) return EVDB_OK;
    return error_set(err, EVDB_FULL, "%s: the store needs about %llu bytes, and %llu are free", stores, (unsigned long long)needed,
                     (unsigned long long)free_bytes);
}

/* ---- writing ---- */

static evdb_status load_codec(void *context, const rows_codec *codec_row, evdb_error *err)
{
    restoring *r = context;
    return rows_load_codec(&r->load, codec_row, err);
}

static evdb_status load_record(void *context, const backup_entry *e, evdb_error *err)
{
    restoring *r = context;
    r->written++;
    if (e->kind == BACKUP_DELETE) return rows_load_delete(&r->load, &e->id, err);
    const rows_record record = { .id = e->id, .version = e->version, .metadata = e->text, .metadata_length = e->length, .vector = e->bytes,
                                 .vector_bytes = e->size, .codec = e->codec, .expires = e->expires };
    return rows_load_put(&r->load, &record, err);
}

static evdb_status load_state(void *context, const backup_entry *e, evdb_error *err)
{
    restoring *r = context;
    rows_load_state s = { .tip = { e->version, e->live }, .dim = e->dim, .id_type = e->id_type, .change = (evdb_change_kind)e->change,
                          .id = e->id, .coding = { .codec = e->codec, .version = e->coding } };
    if (!r->last) return EVDB_OK;
    memcpy(s.coding.wanted, e->text, e->length);
    return rows_load_finish(&r->load, &s, err);
}

static evdb_status load_tick(void *context, uint64_t entries, evdb_error *err)
{
    const restoring *r = context;
    return backup_tick(&r->options, EVDB_PHASE_WRITE, r->before + entries, err);
}

static evdb_status load_file(restoring *r, size_t i, evdb_error *err)
{
    const backup_visitor v = { .context = r, .codec = load_codec, .record = load_record, .state = load_state, .chunk = load_tick };
    const evdb_source *source = r->sources[i];
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the backup cannot be read a second time" };
    backup_in *in = NULL;
    evdb_status rc = source->rewind(source->context, &why);
    why.status = rc;
    if (rc != EVDB_OK && err) *err = why;
    if (rc != EVDB_OK) return rc;
    TRY(backup_in_open(&r->db->platform.mem, source, r->options.key, &in, err));
    r->last = i + 1 == r->count;
    r->before = r->written;
    TRY(backup_walk(&r->db->platform.mem, in, &v, err));
    if (backup_in_foot(in)->sum != r->sums[i]) TRY(error_set(err, EVDB_BUSY, "the backup changed while it was being restored"));
out:
    backup_in_close(in);
    return rc;
}

/* A new folder, listed as debris and locked. With the system lock held: nobody clears it away before the lock is ours. */
static evdb_status make_folder(restoring *r, evdb_error *err)
{
    const platform *p = &r->db->platform;
    bool mine = false;
    evdb_status rc;
    TRY(engine_dir(r->db, r->info.uuid, &r->dir, err));
    if (!r->dir) goto out;
    TRY(engine_file(r->db, r->dir, DB_RESTORE_LOCK, &r->lock_path, err));
    TRY(system_add_debris(r->db->system, r->info.uuid, err));
    int failed = file_mkdir(p, r->dir);
    if (failed) TRY(error_errno(err, failed, "create", r->dir));
    failed = lock_open(p, r->lock_path, &r->lock);
    if (!failed) failed = lock_try(&r->lock, &mine);
    if (failed || !mine) TRY(error_errno(err, failed, "lock", r->lock_path));
out:
    return rc;
}

/* *old: the store that has the name and may be replaced; "" = none has it. */
static evdb_status may_take_name(const restoring *r, char old[37], evdb_error *err)
{
    evdb_error why;
    evdb_status rc = system_find(r->db->system, r->name, old, &why);
    if (rc == EVDB_OK && !r->options.replace) return error_set(err, EVDB_EXISTS, "store '%s' already exists", r->name);
    if (rc == EVDB_OK) return rc;
    *old = 0;
    if (rc == EVDB_NOT_FOUND) return EVDB_OK;
    if (err) *err = why;
    return rc;
}

static evdb_status prepare(restoring *r, evdb_error *err)
{
    char old[37];
    evdb_status rc = system_lock(r->db->system, err);
    if (rc != EVDB_OK) return rc;
    rc = may_take_name(r, old, err);
    if (rc == EVDB_OK) rc = make_folder(r, err);
    system_unlock(r->db->system);
    return rc;
}

/* In a file: all of it durable, and closed; who opens the store opens it as any other. */
static evdb_status settle(restoring *r, evdb_error *err)
{
    const platform *p = &r->db->platform;
    char *path = NULL;
    descriptor d = { .fd = -1 };
    evdb_status rc = EVDB_OK;
    if (!r->dir) return EVDB_OK;
    rows_close(r->rows);
    r->rows = NULL;
    TRY(engine_file(r->db, r->dir, "rows.db", &path, err));
    int failed = descriptor_open(p, path, &d);
    if (!failed) failed = descriptor_sync(&d);
    if (!failed) failed = file_sync_dir(p, r->dir);
    if (failed) rc = error_errno(err, failed, "sync", path);
out:
    descriptor_close(&d);
    mem_free(&p->mem, path);
    return rc;
}

static evdb_status fill(restoring *r, evdb_error *err)
{
    evdb_status rc;
    TRY(store_build(r->db, &r->info, false, r->dir, &r->rows, err));
    TRY(rows_load_begin(r->rows, &r->load, err));
    for (size_t i = 0; i < r->count; i++) TRY(load_file(r, i, err));
    TRY(settle(r, err));
out:
    return rc;
}

/* ---- giving it the name ---- */

static void forget_old(evdb *db, const char *old)
{
    char *dir = NULL;
    if (engine_dir(db, old, &dir, NULL) == EVDB_OK && dir) rows_announce_drop(&db->platform, dir);
    engine_drop(db, old);
    mem_free(&db->platform.mem, dir);
}

/* In memory the store is its engine. */
static evdb_status adopt(restoring *r, engine **out, evdb_error *err)
{
    *out = NULL;
    if (r->dir) return EVDB_OK;
    evdb_status rc = engine_adopt(r->db, r->rows, out, err);
    if (rc == EVDB_OK) r->rows = NULL;
    return rc;
}

/* With the system lock held. */
static evdb_status publish(restoring *r, evdb_error *err)
{
    evdb *db = r->db;
    engine *e = NULL;
    char old[37];
    evdb_status rc;
    TRY(may_take_name(r, old, err));
    TRY(adopt(r, &e, err));
    int failed = r->dir ? file_unlink(&db->platform, r->lock_path) : 0;
    if (failed) TRY(error_errno(err, failed, "remove", r->lock_path));
    rc = *old ? system_replace(db->system, old, r->info.uuid, r->info.created_ms, err)
              : system_publish(db->system, r->info.uuid, r->name, r->info.created_ms, err);
    if (rc != EVDB_OK && e) engine_drop(db, r->info.uuid);
    if (rc == EVDB_OK && *old) forget_old(db, old);
out:
    if (e) engine_release(e);
    return rc;
}

/* Whatever became of it: what lies in folders that are debris goes. */
static void clear(restoring *r)
{
    evdb_error why;
    rows_close(r->rows);
    r->rows = NULL;
    evdb_status locked = system_lock(r->db->system, NULL);
    lock_close(&r->lock);
    if (locked != EVDB_OK) return; /* the next open clears it */
    if (db_sweep(r->db, &why) != EVDB_OK && r->db->log) r->db->log(r->db->log_context, why.message);
    system_unlock(r->db->system);
}

static evdb_status write_all(restoring *r, evdb_error *err)
{
    evdb_status rc = prepare(r, err);
    if (rc == EVDB_OK) rc = fill(r, err);
    if (rc == EVDB_OK) rc = system_lock(r->db->system, err);
    if (rc == EVDB_OK) {
        rc = publish(r, err);
        system_unlock(r->db->system);
    }
    if (r->info.uuid[0]) clear(r);
    return rc;
}

static void describe(restoring *r)
{
    r->info = r->checked.first.store;
    r->info.format = ROWS_FORMAT;
    r->info.ttl_ms = r->ttl_ms;
    r->info.fields = r->checked.first.fields;
    store_make_uuid(&r->db->platform, r->info.uuid);
    snprintf(r->info.name, sizeof(r->info.name), "%s", r->name);
}

evdb_status evdb_backup_read(evdb *db, const evdb_source *const *sources, size_t count, const char *store,
                             const evdb_restore_options *options, evdb_error *err)
{
    restoring r = { .db = db, .name = store, .sources = sources, .lock = { .fd = -1 } };
    char old[37];
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(store, err));
    TRY(backup_restore_options(options, &r.options, err));
    if (!sources || !count || count > EVDB_BACKUP_CHAIN_MAX)
        TRY(error_set(err, EVDB_INVALID, "a chain has 1 to %u files, not %zu", EVDB_BACKUP_CHAIN_MAX, count));
    for (size_t i = 0; i < count; i++)
        if (!sources[i]) TRY(error_set(err, EVDB_INVALID, "source %zu of a backup is NULL", i));
    TRY(may_take_name(&r, old, err)); /* before all is read for nothing */
    if (!(r.sums = mem_array(&db->platform.mem, count, sizeof(*r.sums)))) TRY(error_no_memory(err, count * sizeof(*r.sums), "a chain"));
    TRY(check_all(&r, count, err));
    TRY(check_room(&r, err));
    describe(&r);
    TRY(write_all(&r, err));
out:
    backup_check_end(db, &r.checked);
    mem_free(&db->platform.mem, r.sums);
    mem_free(&db->platform.mem, r.dir);
    mem_free(&db->platform.mem, r.lock_path);
    return rc;
}
