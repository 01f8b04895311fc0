/* rows.c - life of rows.db: creating, opening, its readers. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include "disk/schema.h"
#include "disk/wal.h"
#include "platform/file.h"
#include "platform/map.h"
#include <stdio.h>
#include <string.h>

evdb_status rows_statement(sql *s, sqlite3_stmt **slot, const char *text, evdb_error *err)
{
    return *slot ? EVDB_OK : sql_prepare(s, text, slot, err);
}

static void finalize(sqlite3_stmt **statements, size_t count)
{
    for (size_t i = 0; i < count; i++) sqlite3_finalize(statements[i]);
}

/* ---- readers ---- */

static void reader_close(rows_reader *rd)
{
    finalize(rd->statements, R_COUNT);
    if (!rd->borrowed) sql_close(&rd->connection);
    mem_free(&rd->of->platform->mem, rd);
}

static evdb_status reader_open(rows *r, rows_reader **out, evdb_error *err)
{
    rows_reader *rd = mem_zero(&r->platform->mem, sizeof(*rd));
    evdb_status rc = EVDB_OK;
    if (!rd) return error_no_memory(err, sizeof(*rd), "a reader");
    rd->of = r;
    rd->borrowed = !r->dir;
    if (rd->borrowed) rd->connection = r->writer;
    else rc = sql_open(r->platform, r->vfs, r->path, SQL_READER, &rd->connection, err);
    if (rc == EVDB_OK) *out = rd;
    else mem_free(&r->platform->mem, rd);
    return rc;
}

evdb_status rows_read(rows *r, rows_reader **out, evdb_error *err)
{
    if (!r->dir) pthread_mutex_lock(&r->turn);
    pthread_mutex_lock(&r->pool_lock);
    rows_reader *rd = r->pool;
    if (rd) r->pool = rd->next, r->pooled--;
    pthread_mutex_unlock(&r->pool_lock);
    evdb_status rc = rd ? EVDB_OK : reader_open(r, &rd, err);
    if (rc == EVDB_OK && (rc = rows_simple_read(rd, true, err)) != EVDB_OK) reader_close(rd);
    if (rc == EVDB_OK) *out = rd;
    else if (!r->dir) pthread_mutex_unlock(&r->turn);
    return rc;
}

void rows_read_end(rows_reader *rd)
{
    if (!rd) return;
    rows *r = rd->of;
    for (size_t i = 0; i < R_COUNT; i++) sqlite3_reset(rd->statements[i]);
    bool keep = rows_simple_read(rd, false, NULL) == EVDB_OK;
    pthread_mutex_lock(&r->pool_lock);
    keep = keep && r->pooled < ROWS_READERS_KEPT;
    if (keep) rd->next = r->pool, r->pool = rd, r->pooled++;
    pthread_mutex_unlock(&r->pool_lock);
    if (!keep) reader_close(rd);
    if (!r->dir) pthread_mutex_unlock(&r->turn);
}

/* ---- opening ---- */

/* A writer that was killed between writing its commit to the log and publishing it leaves a commit that nobody sees, until
 * the last process is gone and the next one recovers the log: then it would come back from the dead, after others have
 * read that it is not there. Any commit overwrites it; this one changes nothing in the end (but must change something on
 * the way: SQLite does not write what stays equal). On a full disk it has to wait: then *begun, what the hint is to say of
 * commits under way, stays beyond the tip, so that readers ask SQLite and the next to open tries again. Under the lock. */
static evdb_status bury_unpublished(rows *r, uint64_t tip, uint64_t *begun, evdb_error *err)
{
    *begun = tip;
    if (!rows_hint_believable(r) || atomic_load(&r->hint->begun) <= tip) return EVDB_OK;
    evdb_status rc = sql_exec(&r->writer, "BEGIN IMMEDIATE; UPDATE store SET format=format+1;"
                              " UPDATE store SET format=format-1; COMMIT", err);
    if (rc != EVDB_FULL) return rc;
    (void)sql_exec(&r->writer, "ROLLBACK", NULL); /* of what SQLite has not undone itself */
    *begun = atomic_load(&r->hint->begun);
    return EVDB_OK;
}

/* What a commit that ended nobody knows how has left in the log may be in memory only: a sync that failed does not write it, nor does any
 * later one. It is moved into rows.db, which is synced, before something is written behind it. Where others have the store open, theirs
 * is written in its place. Under the lock. */
static evdb_status settle_log(rows *r, evdb_error *err)
{
    evdb_status rc = sql_relieve(&r->writer, err);
    if (rc == EVDB_FULL) atomic_store(&r->broken, true); /* it can be read */
    return rc == EVDB_BUSY || rc == EVDB_FULL ? EVDB_OK : rc;
}

static evdb_status join(rows *r, const char *name, char **out, evdb_error *err)
{
    size_t bytes = strlen(r->dir) + strlen(name) + 2;
    if (!(*out = mem_alloc(&r->platform->mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(*out, bytes, "%s/%s", r->dir, name);
    return EVDB_OK;
}

static evdb_status make(const platform *p, const vfs *v, const char *dir, rows **out, evdb_error *err)
{
    rows *r = mem_zero(&p->mem, sizeof(*r));
    evdb_status rc = EVDB_OK;
    int failed;
    if (!r) return error_no_memory(err, sizeof(*r), "a store");
    r->platform = p;
    r->vfs = v;
    r->lock.fd = -1;
    pthread_mutex_init(&r->turn, NULL);
    pthread_mutex_init(&r->pool_lock, NULL);
    if (dir) {
        rc = EVDB_NO_MEMORY;
        if (!(r->dir = mem_text(&p->mem, dir, strlen(dir)))) TRY(error_no_memory(err, strlen(dir), "a path"));
        TRY(join(r, "rows.db", &r->path, err));
        TRY(join(r, "rows.lock", &r->lock_path, err));
        TRY(join(r, "hint", &r->hint_path, err));
    }
    failed = lock_open(p, r->lock_path, &r->lock);
    if (failed) TRY(error_errno(err, failed, "open", r->lock_path));
    failed = map_shared(p, r->hint_path, HINT_BYTES, (void **)&r->hint);
    if (failed) TRY(error_errno(err, failed, "map", r->hint_path ? r->hint_path : "hint"));
    *out = r;
    r = NULL;
out:
    rows_close(r);
    return rc;
}

void rows_close(rows *r)
{
    if (!r) return;
    const evdb_allocator *mem = &r->platform->mem;
    for (rows_reader *rd = r->pool, *next; rd; rd = next) {
        next = rd->next;
        reader_close(rd);
    }
    finalize(r->statements, W_COUNT);
    /* what a failed sync has left out the log may still have: the next to open makes it durable */
    if (atomic_load(&r->broken)) sql_keep_wal(&r->writer, true);
    sql_close(&r->writer);
    lock_close(&r->lock);
    map_drop(r->hint, HINT_BYTES);
    pthread_mutex_destroy(&r->turn);
    pthread_mutex_destroy(&r->pool_lock);
    mem_free(mem, r->dir);
    mem_free(mem, r->path);
    mem_free(mem, r->lock_path);
    mem_free(mem, r->hint_path);
    mem_free(mem, r);
}

static evdb_status insert_description(sql *s, const evdb_store_info *info, evdb_error *err)
{
    sqlite3_stmt *st = NULL, *field = NULL;
    evdb_status rc;
    TRY(sql_prepare(s, "INSERT INTO store(format, uuid, name, dim, metric, dtype, id_type, m, ef_construction, index_threads, created_ms,"
                    " codec, ttl_ms, trash_ms, authors) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)", &st, err));
    const int64_t numbers[] = { info->dim, info->metric, info->dtype, info->id_type, info->m, info->ef_construction,
                                info->index_threads, info->created_ms };
    sqlite3_bind_int64(st, 1, ROWS_FORMAT);
    sqlite3_bind_text(st, 2, info->uuid, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, info->name, -1, SQLITE_STATIC);
    for (int i = 0; i < 8; i++) sqlite3_bind_int64(st, 4 + i, numbers[i]);
    if (info->metric_name) sqlite3_bind_text(st, 5, info->metric_name, -1, SQLITE_STATIC);
    if (info->codec) sqlite3_bind_text(st, 12, info->codec, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 13, info->ttl_ms);
    sqlite3_bind_int64(st, 14, info->trash_ms);
    sqlite3_bind_int(st, 15, info->authors != 0);
    TRY(sql_run(s, st, err));
    TRY(sql_prepare(s, "INSERT INTO fields VALUES(?1,?2)", &field, err));
    for (uint32_t i = 0; i < info->field_count; i++) {
        sqlite3_bind_int64(field, 1, i);
        sqlite3_bind_text(field, 2, info->fields[i], -1, SQLITE_STATIC);
        TRY(sql_run(s, field, err));
    }
out:
    sqlite3_finalize(st);
    sqlite3_finalize(field);
    return rc;
}

evdb_status rows_create(const platform *p, const vfs *v, const char *dir, const evdb_store_info *info, bool codec_ready, rows **out,
                        evdb_error *err)
{
    rows *r = NULL;
    evdb_status rc;
    TRY(make(p, v, dir, &r, err));
    memcpy(r->uuid, info->uuid, sizeof(r->uuid));
    TRY(sql_open(p, v, r->path, SQL_CREATE | SQL_RESERVE, &r->writer, err));
    TRY(sql_migrate(&r->writer, schema_rows, schema_rows_count, err));
    TRY(sql_exec(&r->writer, "BEGIN IMMEDIATE", err));
    TRY(insert_description(&r->writer, info, err));
    if (info->codec && codec_ready) {
        rows_coding coding = { .version = 1, .recode_from = -1 };
        TRY(rows_codec_add(r, &(rows_codec){ .spec = info->codec }, &coding.codec, err));
        strncat(coding.wanted, info->codec, EVDB_CODEC_SPEC_MAX);
        TRY(rows_coding_set(r, &coding, err));
    }
    TRY(sql_exec(&r->writer, "COMMIT", err));
    rows_hint_set(r, 0, 0);
    int failed = dir ? file_sync_dir(p, dir) : 0;
    if (failed) TRY(error_errno(err, failed, "sync", dir));
    *out = r;
    r = NULL;
out:
    rows_close(r);
    return rc;
}

/* Before SQLite sees it: that would make a new file of an empty one, and throw away the log which may hold everything. */
static evdb_status check_present(const rows *r, evdb_error *err)
{
    uint64_t size;
    int failed = file_size(r->path, &size);
    if (failed) return error_errno(err, failed, "look at", r->path);
    return size ? EVDB_OK : error_set(err, EVDB_CORRUPT, "%s: is missing or empty", r->path);
}

/* The folder is named after the store: another one's file in it would answer with other records. */
static evdb_status check_uuid(const rows *r, const char *uuid, evdb_error *err)
{
    const char *slash = strrchr(r->dir, '/');
    if (strcmp(slash ? slash + 1 : r->dir, uuid) == 0) return EVDB_OK;
    return error_set(err, EVDB_CORRUPT, "%s: belongs to store %s, not into this folder", r->path, uuid);
}

/* With the lock held, so that nobody is writing the log while it is looked at. */
static evdb_status open_locked(rows *r, evdb_error *err)
{
    char wal[4096];
    wal_report report;
    rows_reader *rd = NULL;
    evdb_store_info *info = NULL;
    rows_tip tip;
    uint64_t begun;
    evdb_status rc;
    if ((size_t)snprintf(wal, sizeof(wal), "%s-wal", r->path) >= sizeof(wal))
        return error_set(err, EVDB_INVALID, "%s: the path is too long", r->path);
    TRY(check_present(r, err));
    TRY(wal_inspect(r->platform, wal, &report, err));
    TRY(sql_open(r->platform, r->vfs, r->path, SQL_KEEP_WAL | SQL_RESERVE, &r->writer, err));
    TRY(sql_migrate(&r->writer, schema_rows, schema_rows_count, err));
    TRY(rows_read(r, &rd, err));
    TRY(rows_info(rd, &info, err));
    TRY(check_uuid(r, info->uuid, err));
    memcpy(r->uuid, info->uuid, sizeof(r->uuid));
    TRY(rows_tip_now(rd, &tip, err));
    TRY(rows_hint_complete(r, tip.sequence, &report, err));
    bool ended = rows_hint_believable(r) && atomic_load(&r->hint->begun) == atomic_load(&r->hint->done);
    TRY(bury_unpublished(r, tip.sequence, &begun, err));
    rows_read_end(rd);
    rd = NULL;
    if (!ended) TRY(settle_log(r, err));
    rows_hint_set(r, tip.sequence, begun);
    sql_keep_wal(&r->writer, false); /* now that nothing acknowledged is known to be missing */
out:
    mem_owned_free(info);
    rows_read_end(rd);
    return rc;
}

/* A repair holds the writers' lock until it is done: whoever opens is told instead of waiting. */
static evdb_status check_vacant(const char *dir, evdb_error *err)
{
    char path[4096];
    bool taken = (size_t)snprintf(path, sizeof(path), "%s/" ROWS_REPAIR_LOCK, dir) < sizeof(path) && lock_taken(path);
    return taken ? error_set(err, EVDB_BUSY, "%s: is being repaired", dir) : EVDB_OK;
}

evdb_status rows_open(const platform *p, const vfs *v, const char *dir, rows **out, evdb_error *err)
{
    rows *r = NULL;
    evdb_status rc;
    TRY(check_vacant(dir, err));
    TRY(make(p, v, dir, &r, err));
    int failed = lock_take(&r->lock);
    if (failed) TRY(error_errno(err, failed, "lock", r->lock_path));
    rc = open_locked(r, err);
    lock_drop(&r->lock);
    if (rc == EVDB_OK) {
        *out = r;
        r = NULL;
    }
out:
    rows_close(r);
    return rc;
}

evdb_status rows_checkpoint(rows *r, evdb_error *err)
{
    if (!r->dir) return EVDB_OK;
    int failed = lock_take(&r->lock);
    if (failed) return error_errno(err, failed, "lock", r->lock_path);
    evdb_status rc = rows_check_kept(r, err);
    if (rc == EVDB_OK) rc = sql_checkpoint(&r->writer, err);
    if (rc == EVDB_OK) rows_hint_synced(r);
    if (rc == EVDB_IO && r->unsynced) atomic_store(&r->broken, true); /* what was acknowledged may not be on the disk, ever */
    rows_note_syncs(r);
    lock_drop(&r->lock);
    return rc;
}

evdb_status rows_unsynced(rows *r, evdb_error *err)
{
    evdb_status rc = r->dir ? sql_unsynced(&r->writer, err) : EVDB_OK;
    r->unsynced = r->dir && rc == EVDB_OK;
    return rc;
}

uint64_t rows_disk_bytes(const rows *r)
{
    uint64_t bytes = 0;
    if (r->dir) (void)file_dir_bytes(r->dir, &bytes);
    return bytes;
}
