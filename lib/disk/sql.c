/* sql.c - implements disk/sql.h. */
#include "disk/sql.h"
#include "base/error.h"
#include "base/try.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static evdb_status status_of(const sql *s, int rc)
{
    int system = s->handle ? sqlite3_system_errno(s->handle) : 0;
    bool full_disk = system == ENOSPC || system == EDQUOT, denied = system == EACCES || system == EPERM || system == EROFS;
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return EVDB_NO_MEMORY;
    case SQLITE_FULL: return EVDB_FULL;
    case SQLITE_CORRUPT: case SQLITE_NOTADB: return EVDB_CORRUPT;
    case SQLITE_BUSY: case SQLITE_LOCKED: return EVDB_BUSY;
    case SQLITE_READONLY: case SQLITE_PERM: case SQLITE_AUTH: return EVDB_DENIED;
    case SQLITE_CANTOPEN: return full_disk ? EVDB_FULL : denied ? EVDB_DENIED : EVDB_IO;
    case SQLITE_TOOBIG: return EVDB_LIMIT;
    case SQLITE_INTERRUPT: return EVDB_CANCELLED;
    case SQLITE_CONSTRAINT: return EVDB_EXISTS;
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_DATA) return EVDB_CORRUPT;
        if (rc == SQLITE_IOERR_NOMEM) return EVDB_NO_MEMORY;
        if (rc == SQLITE_IOERR_FSYNC) return EVDB_IO; /* whatever the reason: what was written may be lost */
        return full_disk ? EVDB_FULL : EVDB_IO;
    default: return EVDB_INTERNAL;
    }
}

evdb_status sql_failed(const sql *s, int rc, const char *attempt, evdb_error *err)
{
    evdb_status status = status_of(s, rc);
    if (rc == SQLITE_IOERR_DATA)
        return error_set(err, status, "%s: cannot %s: a page's checksum does not match its content", s->name, attempt);
    if (rc == SQLITE_IOERR_FSYNC)
        return error_set(err, status, "%s: cannot %s: a sync failed: what it left out is not known, and it is not tried again", s->name, attempt);
    const char *why = s->handle ? sqlite3_errmsg(s->handle) : sqlite3_errstr(rc);
    /* SQLite only says that it is an I/O error, or cannot open the file */
    if (status == EVDB_FULL) why = "no space left on the device";
    if (status == EVDB_DENIED && (rc & 0xff) == SQLITE_CANTOPEN) why = "permission denied";
    return error_set(err, status, "%s: cannot %s: %s", s->name, attempt, why);
}

/* `attempt` says in the error what the text was for. */
static evdb_status exec_to(sql *s, const char *attempt, const char *text, evdb_error *err)
{
    int rc = sqlite3_exec(s->handle, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? EVDB_OK : sql_failed(s, sqlite3_extended_errcode(s->handle), attempt, err);
}

evdb_status sql_exec(sql *s, const char *text, evdb_error *err) { return exec_to(s, text, text, err); }

evdb_status sql_prepare(sql *s, const char *text, sqlite3_stmt **out, evdb_error *err)
{
    int rc = sqlite3_prepare_v3(s->handle, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? EVDB_OK : sql_failed(s, sqlite3_extended_errcode(s->handle), text, err);
}

evdb_status sql_step(sql *s, sqlite3_stmt *st, bool *row, evdb_error *err)
{
    int rc = sqlite3_step(st);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) return EVDB_OK;
    return sql_failed(s, sqlite3_extended_errcode(s->handle), sqlite3_sql(st), err);
}

evdb_status sql_run(sql *s, sqlite3_stmt *st, evdb_error *err)
{
    bool row;
    evdb_status rc = sql_step(s, st, &row, err);
    sqlite3_reset(st);
    return rc;
}

evdb_status sql_integer(sql *s, const char *text, int64_t *out, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(sql_prepare(s, text, &st, err));
    TRY(sql_step(s, st, &row, err));
    *out = row ? sqlite3_column_int64(st, 0) : 0;
out:
    sqlite3_finalize(st);
    return rc;
}

static evdb_status set_up(sql *s, bool file, bool reader, evdb_error *err)
{
    char text[160];
    int reserved = VFS_RESERVED;
    int64_t pages;
    evdb_status rc;
    sqlite3_extended_result_codes(s->handle, 1);
    sqlite3_busy_timeout(s->handle, SQL_BUSY_MS);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (file && sqlite3_file_control(s->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK)
        return sql_failed(s, sqlite3_extended_errcode(s->handle), "reserve room for checksums", err);
    snprintf(text, sizeof(text), "PRAGMA page_size=%d; PRAGMA temp_store=MEMORY; PRAGMA cache_size=%d",
             SQL_PAGE_SIZE, reader ? -2048 : -16384);
    TRY(exec_to(s, "open it", text, err));
    if (!file) return EVDB_OK;
    /* only in a new file: naming it again would write a page, and wait for writers, at every opening */
    TRY(sql_integer(s, "PRAGMA page_count", &pages, err));
    if (!pages) TRY(exec_to(s, "open it", "PRAGMA auto_vacuum=INCREMENTAL", err));
    snprintf(text, sizeof(text), "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
             "PRAGMA wal_autocheckpoint=%d; PRAGMA journal_size_limit=%d", SQL_CHECKPOINT_PAGES, SQL_WAL_KEPT_BYTES);
    TRY(exec_to(s, "open it", text, err));
out:
    return rc;
}

void sql_keep_wal(sql *s, bool keep) { sqlite3_db_config(s->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL); }

evdb_status sql_open(const platform *p, const vfs *v, const char *path, unsigned flags, sql *out, evdb_error *err)
{
    sql s = { .platform = p, .name = path ? path : ":memory:" };
    int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (flags & SQL_CREATE || !path ? SQLITE_OPEN_CREATE : 0);
    int rc = sqlite3_open_v2(s.name, &s.handle, how, path ? vfs_name(v) : NULL);
    uint64_t page = SQL_PAGE_SIZE;
    if (rc == SQLITE_OK && flags & SQL_KEEP_WAL) sql_keep_wal(&s, true);
    if (rc == SQLITE_OK && path && flags & SQL_RESERVE) rc = sqlite3_file_control(s.handle, "main", VFS_RESERVE, &page);
    evdb_status status = rc == SQLITE_OK ? set_up(&s, path != NULL, flags & SQL_READER, err)
                                         : sql_failed(&s, rc, "open", err);
    if (status != EVDB_OK) sql_close(&s);
    else *out = s;
    return status;
}

void sql_close(sql *s)
{
    sqlite3_close_v2(s->handle); /* NULL is fine */
    s->handle = NULL;
}

evdb_status sql_unsynced(sql *s, evdb_error *err)
{
    int rc = sqlite3_file_control(s->handle, "main", VFS_UNSYNCED, NULL);
    return rc == SQLITE_OK ? sql_exec(s, "PRAGMA synchronous=NORMAL", err) : sql_failed(s, rc, "let commits go without a sync", err);
}

evdb_status sql_checkpoint(sql *s, evdb_error *err)
{
    int rc = sqlite3_wal_checkpoint_v2(s->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? EVDB_OK : sql_failed(s, rc, "checkpoint", err);
}

evdb_status sql_relieve(sql *s, evdb_error *err)
{
    uint64_t size;
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(s->handle, "main"));
    bool large = file_size(log, &size) != 0 || size > SQL_WAL_SMALL_BYTES; /* what is small others would take */
    sqlite3_busy_timeout(s->handle, 0);
    int rc = sqlite3_wal_checkpoint_v2(s->handle, "main", large ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    sqlite3_busy_timeout(s->handle, SQL_BUSY_MS);
    return rc == SQLITE_OK ? EVDB_OK : sql_failed(s, rc, "move the log into it", err);
}

void sql_begun(sql *s, uint64_t pages) { (void)sqlite3_file_control(s->handle, "main", VFS_BEGUN, &pages); }
void sql_deletes(sql *s) { (void)sqlite3_file_control(s->handle, "main", VFS_DELETES, NULL); }

static bool ask_file(sql *s, int what)
{
    bool answer = false;
    return sqlite3_file_control(s->handle, "main", what, &answer) == SQLITE_OK && answer;
}

bool sql_short_of_room(sql *s) { return ask_file(s, VFS_SHORT_OF); }
bool sql_sync_failed(sql *s) { return ask_file(s, VFS_SYNC_FAILED); }

evdb_status sql_check(sql *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    sqlite3_db_release_memory(s->handle); /* forget cached pages: what counts is the file */
    TRY(sql_prepare(s, "PRAGMA integrity_check(100)", &st, err));
    for (;;) {
        TRY(sql_step(s, st, &row, err));
        if (!row) break;
        const char *text = (const char *)sqlite3_column_text(st, 0);
        if (text && sqlite3_stricmp(text, "ok") != 0) problem(context, text);
    }
out:
    sqlite3_finalize(st);
    return rc;
}

static evdb_status run_steps(sql *s, const char *const *steps, uint32_t count, evdb_error *err)
{
    int64_t version;
    evdb_status rc;
    TRY(sql_integer(s, "PRAGMA user_version", &version, err)); /* again: another process may have been faster */
    for (; version < (int64_t)count; version++) {
        char text[64];
        snprintf(text, sizeof(text), "PRAGMA user_version=%lld", (long long)version + 1);
        TRY(sql_exec(s, steps[version], err));
        TRY(sql_exec(s, text, err));
    }
    TRY(sql_exec(s, "COMMIT", err));
out:
    return rc;
}

evdb_status sql_migrate(sql *s, const char *const *steps, uint32_t count, evdb_error *err)
{
    int64_t version;
    evdb_status rc;
    TRY(sql_integer(s, "PRAGMA user_version", &version, err));
    if (version < 0 || version > (int64_t)count)
        return error_set(err, EVDB_NEWER, "%s: format %lld, but this evdb knows formats up to %u", s->name,
                         (long long)version, count);
    if (version == (int64_t)count) return EVDB_OK;
    TRY(sql_exec(s, "BEGIN IMMEDIATE", err));
    rc = run_steps(s, steps, count, err);
    if (rc != EVDB_OK) (void)sqlite3_exec(s->handle, "ROLLBACK", NULL, NULL, NULL);
out:
    return rc;
}
