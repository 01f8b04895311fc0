/* database.c - implements evdb/database.h. */
#include <evdb/database.h>
#include "auth/chain.h"
#include "auth/secret.h"
#include "auth/signing.h"
#include "auth/token_cache.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "database_private.h"
#include "engine/engine.h"
#include "platform/file.h"
#include "platform/lock.h"
#include "platform/map.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What may lie in a directory that has no system.db yet, left by an opening that was interrupted. */
static int foreign(void *context, const char *name)
{
    (void)context;
    bool ours = strcmp(name, "system.lock") == 0 || strcmp(name, "system.hint") == 0 || strncmp(name, "system.db", 9) == 0 ||
                strcmp(name, "stores") == 0;
    return ours ? 0 : ENOTEMPTY;
}

static int anything(void *context, const char *name)
{
    (void)context, (void)name;
    return ENOTEMPTY;
}

static evdb_status has_system(const char *dir, bool *has, evdb_error *err)
{
    char path[4096];
    uint64_t size;
    if ((size_t)snprintf(path, sizeof(path), "%s/system.db", dir) >= sizeof(path))
        return error_set(err, EVDB_INVALID, "%s: the path is too long", dir);
    int failed = file_size(path, &size);
    *has = size > 0;
    return failed ? error_errno(err, failed, "look at", path) : EVDB_OK;
}

/* May a database be made in this directory, which has no system.db? */
static evdb_status check_vacant(const char *dir, unsigned flags, evdb_error *err)
{
    char stores[4096];
    snprintf(stores, sizeof(stores), "%s/stores", dir); /* fits: has_system tried a longer name */
    if (file_list(stores, anything, NULL) == ENOTEMPTY)
        return error_set(err, EVDB_CORRUPT, "%s: has stores but no system.db, which names them: restore that file", dir);
    if (flags & EVDB_OPEN_EXISTING) return error_set(err, EVDB_NOT_FOUND, "%s: there is no database", dir);
    int failed = file_list(dir, foreign, NULL);
    if (failed == ENOTEMPTY) return error_set(err, EVDB_INVALID, "%s: holds something that is not an evdb database", dir);
    return failed ? error_errno(err, failed, "read", dir) : EVDB_OK;
}

/* Makes sure that dir is there and is, or may become, a database. */
static evdb_status prepare_dir(const platform *p, const char *dir, unsigned flags, evdb_error *err)
{
    bool exists, directory, known;
    int failed = file_exists(dir, &exists, &directory);
    if (failed) return error_errno(err, failed, "open", dir);
    if (exists && !directory) return error_set(err, EVDB_INVALID, "%s: is not a directory", dir);
    if (!exists && flags & EVDB_OPEN_EXISTING) return error_set(err, EVDB_NOT_FOUND, "%s: there is no database", dir);
    if (!exists) {
        failed = file_mkdir(p, dir);
        if (failed && failed != EEXIST) return error_errno(err, failed, "create", dir);
    }
    evdb_status rc = has_system(dir, &known, err);
    if (rc != EVDB_OK || known) return rc;
    rc = check_vacant(dir, flags, err);
    /* another process may just have made the database whose parts were in the way */
    if (rc != EVDB_OK && has_system(dir, &known, NULL) == EVDB_OK && known) rc = EVDB_OK;
    return rc;
}

static evdb_status prepare_stores(const platform *p, const char *dir, evdb_error *err)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/stores", dir); /* fits: has_system tried a longer name */
    int failed = file_mkdir(p, path);
    if (!failed) failed = file_sync_dir(p, dir);
    return failed && failed != EEXIST ? error_errno(err, failed, "create", path) : EVDB_OK;
}

static evdb_status remember(void *context, const char *uuid, const char *name, evdb_error *err)
{
    char *list = context; /* as many as fit; the rest is cleared at the next open */
    size_t used = strlen(list);
    (void)name, (void)err;
    if (uuid && used + 38 < DEBRIS_LIST_BYTES) snprintf(list + used, DEBRIS_LIST_BYTES - used, "%s\n", uuid);
    return EVDB_OK;
}

/* It is listed until it is whole, and somebody is at it. */
static bool being_restored(const char *dir)
{
    char path[4096];
    return dir && (size_t)snprintf(path, sizeof(path), "%s/" DB_RESTORE_LOCK, dir) < sizeof(path) && lock_taken(path);
}

/* For certain: a folder that came back when the power failed would be listed nowhere, and stay. */
static int remove_folder(const platform *p, char *dir)
{
    int failed = file_remove_dir(p, dir);
    char *slash = strrchr(dir, '/');
    *slash = 0;
    if (!failed) failed = file_sync_dir(p, dir);
    *slash = '/';
    return failed == ENOENT ? 0 : failed; /* there is no folder of stores yet */
}

evdb_status db_sweep(evdb *db, evdb_error *err)
{
    char list[DEBRIS_LIST_BYTES] = "", *at = list;
    evdb_status rc;
    TRY(system_debris(db->system, remember, list, err));
    for (char *end; (end = strchr(at, '\n')); at = end + 1) {
        char *dir;
        *end = 0;
        TRY(engine_dir(db, at, &dir, err));
        bool busy = being_restored(dir);
        if (dir && !busy) rows_announce_drop(&db->platform, dir); /* who dropped it may have died before it told anybody */
        int failed = dir && !busy ? remove_folder(&db->platform, dir) : 0;
        if (failed) rc = error_errno(err, failed, "remove", dir);
        mem_free(&db->platform.mem, dir);
        if (rc == EVDB_OK && !busy) rc = system_clear_debris(db->system, at, err);
        if (rc != EVDB_OK) break;
    }
out:
    return rc;
}

static evdb_status open_in(evdb *db, unsigned flags, evdb_error *err)
{
    evdb_status rc;
    if (!db->dir) return system_open(&db->platform, db->vfs, NULL, &db->system, err);
    TRY(prepare_dir(&db->platform, db->dir, flags, err));
    TRY(system_open(&db->platform, db->vfs, db->dir, &db->system, err));
    if (*system_problem(db->system) && db->log) db->log(db->log_context, system_problem(db->system));
    TRY(prepare_stores(&db->platform, db->dir, err));
    TRY(system_lock(db->system, err));
    evdb_error why;
    if (db_sweep(db, &why) != EVDB_OK && db->log) db->log(db->log_context, why.message); /* not worth refusing for */
    system_unlock(db->system);
out:
    return rc;
}

static evdb_status place_backups(evdb *db, const char *given, evdb_error *err)
{
    const char *dir = given && *given ? given : "backups";
    bool below = *dir != '/';
    if (!db->dir && below && given && *given)
        return error_set(err, EVDB_INVALID, "evdb_options.backup_dir: '%.200s' would be below a database in memory: begin at the root", dir);
    if (!db->dir && below) return EVDB_OK;
    size_t bytes = (below ? strlen(db->dir) + 1 : 0) + strlen(dir) + 1;
    if (!(db->backup_dir = mem_alloc(&db->platform.mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(db->backup_dir, bytes, "%s%s%s", below ? db->dir : "", below ? "/" : "", dir);
    return EVDB_OK;
}

static evdb_status create_auth(evdb *db, evdb_error *err)
{
    evdb_status rc = secrets_create(&db->platform, &db->secrets, err);
    if (rc == EVDB_OK) rc = signing_create(&db->platform, &db->signing, err);
    return rc == EVDB_OK ? token_cache_create(&db->platform, &db->tokens, err) : rc;
}

evdb_status db_open_with(const platform *surroundings, const char *path, const evdb_options *options, evdb **out,
                         evdb_error *err)
{
    evdb_options o = EVDB_OPTIONS;
    evdb *db = NULL;
    evdb_status rc;
    platform p = *surroundings;
    if (!path || !*path) return error_set(err, EVDB_INVALID, "the path of the database is empty");
    TRY(options_import(&o, sizeof(o), options, "evdb_options", err));
    if (o.allocator) p.mem = *o.allocator;
    if (!p.mem.allocate || !p.mem.reallocate || !p.mem.release)
        return error_set(err, EVDB_INVALID, "evdb_options.allocator: a function is missing");
    if (o.sync != EVDB_SYNC_FULL && o.sync != EVDB_SYNC_INTERVAL)
        return error_set(err, EVDB_INVALID, "evdb_options.sync: %u is neither full nor interval", (unsigned)o.sync);
    if (o.sync_interval_ms > EVDB_SYNC_INTERVAL_MS_MAX)
        return error_set(err, EVDB_INVALID, "evdb_options.sync_interval_ms: %u is more than %u", o.sync_interval_ms, EVDB_SYNC_INTERVAL_MS_MAX);
    if (sodium_init() < 0) return error_set(err, EVDB_INTERNAL, "libsodium does not start");
    if (!(db = mem_zero(&p.mem, sizeof(*db)))) return error_no_memory(err, sizeof(*db), "a database");
    db->platform = p;
    pthread_mutex_init(&db->lock, NULL);
    metrics_init(&db->metrics);
    db->log = o.log;
    db->log_context = o.log_context;
    db->recall_unwatched = o.flags & EVDB_OPEN_NO_RECALL;
    db->index_memory_max = o.index_memory_max;
    if (o.sync == EVDB_SYNC_INTERVAL) db->sync_ns = (o.sync_interval_ms ? o.sync_interval_ms : EVDB_SYNC_INTERVAL_MS) * UINT64_C(1000000);
    db->kernel = kernel_best();
    db->fork_page = map_fork_page();
    db->pid = getpid();
    if (o.default_codec && *o.default_codec && strcmp(o.default_codec, CODECS_NONE) != 0) {
        TRY(codec_check(o.default_codec, 0, NULL, NULL, err));
        db->default_codec = mem_text(&p.mem, o.default_codec, strlen(o.default_codec));
        if (!db->default_codec) TRY(error_no_memory(err, strlen(o.default_codec), "a codec"));
    }
    bool memory = strcmp(path, ":memory:") == 0;
    db->path = mem_text(&p.mem, path, strlen(path));
    if (db->path && !memory) db->dir = mem_text(&p.mem, path, strlen(path));
    if (!db->path || (!memory && !db->dir)) TRY(error_no_memory(err, strlen(path), "a path"));
    TRY(place_backups(db, o.backup_dir, err));
    TRY(create_auth(db, err));
    TRY(chain_create(&db->platform, &db->audit, err));
    TRY(vfs_create(&db->platform, &db->vfs, err));
    TRY(open_in(db, o.flags, err));
    *out = db;
    db = NULL;
out:
    evdb_close(db);
    return rc;
}

evdb_status evdb_open(const char *path, const evdb_options *options, evdb **out, evdb_error *err)
{
    return db_open_with(&platform_real, path, options, out, err);
}

void evdb_close(evdb *db)
{
    if (!db) return;
    /* a forked child only has copies: closing them would checkpoint, and take locks, of its parent's database */
    if (db_usable(db, NULL) != EVDB_OK) return;
    engine_close_all(db);
    system_close(db->system);
    secrets_free(db->secrets);
    signing_free(db->signing);
    token_cache_free(db->tokens);
    chain_free(db->audit);
    vfs_free(db->vfs);
    map_fork_page_drop(db->fork_page);
    metrics_destroy(db);
    pthread_mutex_destroy(&db->lock);
    evdb_allocator mem = db->platform.mem;
    mem_free(&mem, db->default_codec);
    mem_free(&mem, db->path);
    mem_free(&mem, db->backup_dir);
    mem_free(&mem, db->dir);
    mem_free(&mem, db);
}

const char *evdb_path(const evdb *db) { return db->path; }
