/* staging.c - implements staging.h. */
#include "staging.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "database_private.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include "store_private.h"

/* With the system lock held: nobody clears the folder away before its lock is ours. */
static evdb_status make_folder(staging *s, evdb_error *err)
{
    const platform *p = &s->db->platform;
    bool mine = false;
    evdb_status rc;
    TRY(engine_dir(s->db, s->info.uuid, &s->dir, err));
    if (!s->dir) goto out;
    TRY(engine_file(s->db, s->dir, DB_RESTORE_LOCK, &s->lock_path, err));
    TRY(system_add_debris(s->db->system, s->info.uuid, err));
    int failed = file_mkdir(p, s->dir);
    if (failed) TRY(error_errno(err, failed, "create", s->dir));
    failed = lock_open(p, s->lock_path, &s->lock);
    if (!failed) failed = lock_try(&s->lock, &mine);
    if (failed || !mine) TRY(error_errno(err, failed, "lock", s->lock_path));
out:
    return rc;
}

evdb_status staging_begin(staging *s, evdb_error *err)
{
    s->lock.fd = -1;
    evdb_status rc = system_lock(s->db->system, err);
    if (rc != EVDB_OK) return rc;
    rc = make_folder(s, err);
    system_unlock(s->db->system);
    return rc;
}

evdb_status staging_fill(staging *s, evdb_error *err)
{
    evdb_status rc = store_build(s->db, &s->info, false, s->dir, &s->rows, err);
    return rc == EVDB_OK ? rows_load_begin(s->rows, &s->load, err) : rc;
}

evdb_status staging_settle(staging *s, evdb_error *err)
{
    const platform *p = &s->db->platform;
    char *path = NULL;
    descriptor d = { .fd = -1 };
    evdb_status rc = EVDB_OK;
    if (!s->dir) return EVDB_OK;
    rows_close(s->rows);
    s->rows = NULL;
    TRY(engine_file(s->db, s->dir, "rows.db", &path, err));
    int failed = descriptor_open(p, path, &d);
    if (!failed) failed = descriptor_sync(&d);
    if (!failed) failed = file_sync_dir(p, s->dir);
    if (failed) rc = error_errno(err, failed, "sync", path);
out:
    descriptor_close(&d);
    mem_free(&p->mem, path);
    return rc;
}

/* In memory the store is its engine. */
static evdb_status adopt(staging *s, engine **out, evdb_error *err)
{
    *out = NULL;
    if (s->dir) return EVDB_OK;
    evdb_status rc = engine_adopt(s->db, s->rows, out, err);
    if (rc == EVDB_OK) s->rows = NULL;
    return rc;
}

evdb_status staging_publish(staging *s, const char *old, bool keep, evdb_error *err)
{
    evdb *db = s->db;
    engine *e = NULL;
    char *old_dir = NULL;
    evdb_status rc = EVDB_OK;
    if (*old) TRY(engine_dir(db, old, &old_dir, err)); /* while it may still fail */
    TRY(adopt(s, &e, err));
    int failed = s->dir ? file_unlink(&db->platform, s->lock_path) : 0;
    if (failed) TRY(error_errno(err, failed, "remove", s->lock_path));
    rc = *old ? system_replace(db->system, old, s->info.uuid, s->info.created_ms, keep, err)
              : system_publish(db->system, s->info.uuid, s->info.name, s->info.created_ms, err);
    if (rc != EVDB_OK && e) engine_drop(db, s->info.uuid);
    if (rc == EVDB_OK && old_dir) rows_announce_drop(&db->platform, old_dir);
out:
    mem_free(&db->platform.mem, old_dir);
    if (e) engine_release(e);
    return rc;
}

void staging_retire(evdb *db, const char *old) { engine_drop(db, old); }

void staging_end(staging *s)
{
    evdb *db = s->db;
    evdb_error why;
    rows_close(s->rows);
    s->rows = NULL;
    if (s->info.uuid[0] && system_lock(db->system, NULL) == EVDB_OK) { /* else the next open clears it */
        if (s->lock_path) lock_close(&s->lock);
        if (db_sweep(db, &why) != EVDB_OK && db->log) db->log(db->log_context, why.message);
        system_unlock(db->system);
    } else if (s->lock_path) lock_close(&s->lock);
    mem_free(&db->platform.mem, s->dir);
    mem_free(&db->platform.mem, s->lock_path);
}
