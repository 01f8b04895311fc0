/* repair.c - implements evdb/repair.h.
 *
 * The damaged folder is only read. What disk/rows_salvage.h finds in it goes into a store in the making (staging.h), while the lock of
 * the damaged store's writers is held; that lock is given up after the new store has the name and the old one is marked as dropped, so
 * that no commit is acknowledged which nobody would see. */
#include <evdb/repair.h>
#include <evdb/verify.h>
#include "base/element.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "database_private.h"
#include "disk/rows_salvage.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include "staging.h"
#include "store_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct repairing {
    evdb *db;
    const char *name;
    char uuid[37]; /* of the damaged store */
    evdb_repair_options options;
    evdb_repair_report report;
    char *dir, *lock_path, *scratch;
    lock_file lock;
    staging staging;
    salvage *salvage;
} repairing;

/* ---- is it damaged? ---- */

static void problem(void *context, const char *store, const char *text)
{
    repairing *r = context;
    (void)store;
    if (r->options.problem) r->options.problem(r->options.context, text);
}

/* One that cannot be opened for another reason than damage is none to repair. */
static evdb_status verify(repairing *r, evdb_error *err)
{
    engine *e = NULL;
    evdb_error why;
    evdb_verify_report found;
    evdb_status rc = engine_open(r->db, r->uuid, &e, &why);
    if (e) engine_release(e);
    if (rc != EVDB_OK && rc != EVDB_CORRUPT && rc != EVDB_IO) {
        if (err) *err = why;
        return rc;
    }
    rc = evdb_verify(r->db, r->name, problem, r, &found, err);
    if (rc != EVDB_OK) return rc;
    r->report.problems = found.problems;
    r->report.records = found.records;
    return EVDB_OK;
}

/* ---- what the store is ---- */

/* Where the first vectors' commit decided the dimension, and that is lost. */
static evdb_status derive_dim(const salvage_found *f, evdb_store_info *info, evdb_error *err)
{
    size_t each = element_bytes(info->dtype, 8) / 8; /* bytes of an element; 0 = it takes less than one */
    if (info->dtype == EVDB_BIT) each = 0;
    if (info->dim || !f->records) return EVDB_OK;
    size_t dim = each ? f->vector_bytes / each : 0;
    if (!dim || dim > EVDB_DIM_MAX) return error_set(err, EVDB_CORRUPT, "the dimension of the store is lost: give it in a description");
    info->dim = (uint32_t)dim;
    return EVDB_OK;
}

static evdb_status describe_anew(repairing *r, evdb_store_info *info, evdb_error *err)
{
    evdb_store_options o;
    evdb_status rc;
    if (!r->options.description)
        return error_set(err, EVDB_CORRUPT, "store '%s': its description is lost: to repair it, give its metric, element type, id type and"
                         " declared fields, or restore a backup", r->name);
    TRY(store_options_check(r->options.description, &o, err));
    *info = (evdb_store_info){ .dim = o.dim, .metric = o.metric, .metric_name = o.metric_name, .dtype = o.dtype, .id_type = o.id_type,
                               .m = o.m, .ef_construction = o.ef_construction, .field_count = o.field_count, .fields = o.fields,
                               .created_ms = r->db->platform.clock_ms(r->db->platform.clock_context) };
out:
    return rc;
}

static evdb_status describe(repairing *r, evdb_error *err)
{
    const salvage_found *f = salvage_finds(r->salvage);
    evdb_store_info *info = &r->staging.info;
    char uuid[37];
    evdb_status rc = EVDB_OK;
    memcpy(uuid, info->uuid, sizeof(uuid));
    if (f->info) *info = *f->info;
    else TRY(describe_anew(r, info, err));
    memcpy(info->uuid, uuid, sizeof(uuid));
    snprintf(info->name, sizeof(info->name), "%s", r->name);
    info->format = ROWS_FORMAT;
    if (*f->coding.wanted) info->codec = f->coding.wanted;
    if (!info->id_type) info->id_type = f->id_type;
    TRY(derive_dim(f, info, err));
out:
    return rc;
}

/* ---- writing ---- */

static evdb_status tick(void *context, uint64_t records, evdb_error *err)
{
    repairing *r = context;
    if (!r->options.progress || r->options.progress(r->options.context, EVDB_PHASE_WRITE, records) == 0) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "cancelled after %llu records were written: nothing has changed", (unsigned long long)records);
}

static evdb_status tell(void *context, const evdb_id *id, int what, evdb_error *err)
{
    const repairing *r = context;
    (void)err;
    if (r->options.lost) r->options.lost(r->options.context, id, (evdb_lost)what);
    return EVDB_OK;
}

static evdb_status report(repairing *r, evdb_error *err)
{
    const salvage_found *f = salvage_finds(r->salvage);
    r->report.records = f->records;
    r->report.lost = f->lost;
    r->report.lost_unnamed = f->nameless;
    r->report.missing_changes = f->missing;
    r->report.fields_lost = f->fields_lost && !r->options.description;
    return salvage_lost(r->salvage, tell, r, err);
}

/* The store's last change is one that was never made, two beyond the last that was: whoever follows changes is behind the oldest that is
 * listed, and reads all anew. It says of a record that it was written, which it was; of an empty store, that one was deleted. */
static void stand(const salvage_found *f, const evdb_store_info *info, rows_load_state *out)
{
    *out = (rows_load_state){ .tip = { f->sequence, f->records }, .dim = info->dim, .id_type = info->id_type, .coding = f->coding };
    if (!f->sequence) return;
    out->tip.sequence += 2;
    out->change = f->records ? EVDB_CHANGE_UPDATE : EVDB_CHANGE_DELETE;
    if (f->records) out->id = f->last;
    else if (info->id_type == EVDB_ID_STRING) out->id = (evdb_id){ .text = "0", .length = 1 };
}

static evdb_status fill(repairing *r, evdb_error *err)
{
    evdb *db = r->db;
    rows_load_state state;
    evdb_status rc;
    store_make_uuid(&db->platform, r->staging.info.uuid);
    TRY(staging_begin(&r->staging, err));
    TRY(engine_file(db, r->staging.dir, "salvage", &r->scratch, err));
    TRY(salvage_open(&db->platform, db->vfs, r->dir, r->uuid, r->scratch, &r->salvage, err));
    TRY(describe(r, err));
    TRY(staging_fill(&r->staging, err));
    TRY(salvage_load(r->salvage, &r->staging.load, tick, r, err));
    TRY(report(r, err));
    salvage_finish(r->salvage); /* what it used must not be in the folder when that is published */
    stand(salvage_finds(r->salvage), &r->staging.info, &state);
    TRY(rows_load_finish(&r->staging.load, &state, err));
    r->report.sequence = state.tip.sequence;
    TRY(staging_settle(&r->staging, err));
out:
    return rc;
}

/* ---- quarantine ---- */

/* With the system lock held. */
static evdb_status set_aside(evdb *db, const char *uuid, evdb_error *err)
{
    const platform *p = &db->platform;
    char *from = NULL, *quarantine = NULL, *to = NULL;
    evdb_status rc;
    TRY(engine_dir(db, uuid, &from, err));
    TRY(engine_file(db, db->dir, "quarantine", &quarantine, err));
    TRY(engine_file(db, quarantine, uuid, &to, err));
    int failed = file_mkdir(p, quarantine);
    if (!failed || failed == EEXIST) failed = file_sync_dir(p, db->dir); /* before anything is in it, which would go with its name */
    if (failed) TRY(error_errno(err, failed, "create", quarantine));
    failed = descriptor_rename(p, from, to);
    if (failed) TRY(error_errno(err, failed, "move", from));
    failed = file_sync_dir(p, quarantine);
    if (failed) TRY(error_errno(err, failed, "sync", quarantine));
out:
    mem_free(&p->mem, from);
    mem_free(&p->mem, quarantine);
    mem_free(&p->mem, to);
    return rc;
}

static int note_left(void *context, const char *entry)
{
    repairing *r = context;
    char path[4096], name[EVDB_STORE_NAME_MAX + 1];
    bool there = false, directory;
    if (strlen(entry) != sizeof(r->uuid) - 1) return 0;
    if ((size_t)snprintf(path, sizeof(path), "%s/stores/%s/" ROWS_REPAIR_LOCK, r->db->dir, entry) >= sizeof(path)) return 0;
    if (file_exists(path, &there, &directory) != 0 || !there || system_name(r->db->system, entry, name, NULL) != EVDB_NOT_FOUND) return 0;
    (void)set_aside(r->db, entry, NULL);
    return 0;
}

/* What a repair left that was killed between giving the new store its name and setting the old folder aside. */
static void set_left_aside(repairing *r)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof(path), "%s/stores", r->db->dir) >= sizeof(path) || system_lock(r->db->system, NULL) != EVDB_OK) return;
    (void)file_list(path, note_left, r);
    system_unlock(r->db->system);
}

/* With the system lock held. */
static evdb_status publish(repairing *r, evdb_error *err)
{
    evdb_error why;
    char name[EVDB_STORE_NAME_MAX + 1];
    evdb_status rc;
    TRY(system_name(r->db->system, r->uuid, name, err)); /* dropped meanwhile? */
    TRY(staging_publish(&r->staging, r->uuid, true, err));
    salvage_close(r->salvage);
    r->salvage = NULL;
    staging_retire(r->db, r->uuid);
    snprintf(r->report.quarantine, sizeof(r->report.quarantine), "quarantine/%s", r->uuid);
    if (set_aside(r->db, r->uuid, &why) == EVDB_OK) goto out;
    snprintf(r->report.quarantine, sizeof(r->report.quarantine), "stores/%s", r->uuid); /* it is kept there as well */
    if (r->db->log) r->db->log(r->db->log_context, why.message);
out:
    return rc;
}

/* ---- all together ---- */

static evdb_status lock_damaged(repairing *r, evdb_error *err)
{
    bool mine = false;
    char uuid[37];
    evdb_status rc;
    TRY(engine_dir(r->db, r->uuid, &r->dir, err));
    TRY(engine_file(r->db, r->dir, ROWS_REPAIR_LOCK, &r->lock_path, err));
    int failed = lock_open(&r->db->platform, r->lock_path, &r->lock);
    if (failed == ENOENT) TRY(error_set(err, EVDB_CORRUPT, "%s: is gone, and all of the store with it: restore a backup, or drop it", r->dir));
    if (!failed) failed = lock_try(&r->lock, &mine);
    if (!failed) failed = file_sync_dir(&r->db->platform, r->dir); /* by this file the next repair knows a folder that was left */
    if (failed) TRY(error_errno(err, failed, "lock", r->lock_path));
    if (!mine) TRY(error_set(err, EVDB_BUSY, "store '%s' is being repaired", r->name));
    TRY(system_find(r->db->system, r->name, uuid, err));
    if (strcmp(uuid, r->uuid) != 0) rc = error_set(err, EVDB_BUSY, "store '%s' was replaced meanwhile", r->name);
out:
    return rc;
}

static evdb_status repair(repairing *r, evdb_error *err)
{
    evdb_status rc;
    TRY(lock_damaged(r, err));
    TRY(fill(r, err));
    TRY(system_lock(r->db->system, err));
    rc = publish(r, err);
    system_unlock(r->db->system);
    if (rc == EVDB_OK) r->report.repaired = 1;
out:
    salvage_close(r->salvage);
    if (r->staging.db) staging_end(&r->staging);
    if (r->lock_path) lock_close(&r->lock);
    mem_free(&r->db->platform.mem, r->dir);
    mem_free(&r->db->platform.mem, r->lock_path);
    mem_free(&r->db->platform.mem, r->scratch);
    return rc;
}

evdb_status evdb_store_repair(evdb *db, const char *name, const evdb_repair_options *options, evdb_repair_report *out, evdb_error *err)
{
    repairing r = { .db = db, .name = name, .lock = { .fd = -1 }, .options = EVDB_REPAIR_OPTIONS, .report = EVDB_REPAIR_REPORT,
                    .staging = { .db = db } };
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(name, err));
    TRY(options_import(&r.options, sizeof(r.options), options, "evdb_repair_options", err));
    TRY(system_find(db->system, name, r.uuid, err));
    if (db->dir) set_left_aside(&r);
    TRY(verify(&r, err));
    if (r.report.problems && !db->dir)
        TRY(error_set(err, EVDB_UNSUPPORTED, "store '%s' is damaged, and in memory there is nothing to repair it from", name));
    if (r.report.problems) TRY(repair(&r, err));
    if (out) rc = options_export(out, &r.report, sizeof(r.report), "evdb_repair_report", err);
out:
    return rc;
}
