/* foreign_db.c - implements disk/foreign_db.h. */
#include "disk/foreign_db.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/sql.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    HEAD = 100, WRITE_VERSION = 18, WAL_FORMAT = 2, /* SQLite's file format */
    VALUE_MAX = 64 << 20, /* no larger text or blob is read in one piece */
    CACHE_KB = 8192
};

struct foreign_db {
    sql db;
    char *path;
    bool immutable;
    int64_t written_ns; /* then */
};

struct foreign_query {
    foreign_db *of;
    sqlite3_stmt *statement;
};

/* To the caller the file is input: damage in it, or another layout than expected, is not damage of the database. */
static evdb_status as_input(evdb_status rc, evdb_error *err)
{
    if (rc != EVDB_CORRUPT && rc != EVDB_INTERNAL) return rc;
    if (err) err->status = EVDB_INVALID;
    return EVDB_INVALID;
}

static evdb_status path_with(const platform *p, const char *path, const char *suffix, uint64_t *size, evdb_error *err)
{
    buf name;
    buf_init(&name, &p->mem);
    bool ok = buf_text(&name, path) && buf_text(&name, suffix) && buf_terminate(&name);
    evdb_status rc = ok ? EVDB_OK : error_no_memory(err, strlen(path) + strlen(suffix), "a path");
    int failed = ok ? file_size(name.at, size) : 0;
    if (failed) rc = error_errno(err, failed, "read", name.at);
    buf_free(&name);
    return rc;
}

static evdb_status read_head(const platform *p, const char *path, unsigned char head[HEAD], evdb_error *err)
{
    descriptor d;
    uint64_t size = 0;
    int failed = descriptor_open(p, path, &d);
    if (failed) return error_errno(err, failed, "open", path);
    failed = descriptor_size(&d, &size);
    if (!failed && size >= HEAD) failed = descriptor_read(&d, 0, head, HEAD);
    descriptor_close(&d);
    if (failed) return error_errno(err, failed, "read", path);
    if (size < HEAD || memcmp(head, "SQLite format 3", 16) != 0) return error_set(err, EVDB_INVALID, "%s: not a SQLite file", path);
    return EVDB_OK;
}

/* The path as SQLite's URI. A file whose log is gone has nobody who writes it: it is immutable, and needs neither log nor locks. Else
 * the log's index is only read. */
static evdb_status make_uri(const platform *p, const char *path, buf *uri, bool *immutable, evdb_error *err)
{
    static const char hex[] = "0123456789ABCDEF", plain[] = "/._-~";
    unsigned char head[HEAD];
    uint64_t log = 0;
    evdb_status rc;
    TRY(read_head(p, path, head, err));
    bool wal = head[WRITE_VERSION] == WAL_FORMAT;
    if (wal) TRY(path_with(p, path, "-wal", &log, err));
    *immutable = wal && !log;
    bool ok = buf_text(uri, *path == '/' ? "file://" : "file:");
    for (const char *at = path; ok && *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool keep = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr(plain, c);
        ok = keep ? buf_byte(uri, *at) : buf_byte(uri, '%') && buf_byte(uri, hex[c >> 4]) && buf_byte(uri, hex[c & 15]);
    }
    ok = ok && buf_text(uri, *immutable ? "?immutable=1" : "?mode=ro&readonly_shm=1") && buf_terminate(uri);
    if (!ok) rc = error_no_memory(err, strlen(path) * 3, "a path");
out:
    return rc;
}

/* Nothing in the file's schema may call functions that do things, and the first read fixes the state that all others see. */
static evdb_status set_up(sql *s, evdb_error *err)
{
    evdb_error why;
    sqlite3_extended_result_codes(s->handle, 1);
    sqlite3_busy_timeout(s->handle, SQL_BUSY_MS);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(s->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_limit(s->handle, SQLITE_LIMIT_ATTACHED, 0);
    int64_t tables;
    char text[80];
    snprintf(text, sizeof(text), "PRAGMA cache_size=-%d; PRAGMA cell_size_check=1; BEGIN", CACHE_KB);
    evdb_status rc = sql_exec(s, text, &why);
    if (rc == EVDB_OK) rc = sql_integer(s, "SELECT count(*) FROM sqlite_master", &tables, &why);
    if (rc == EVDB_DENIED || rc == EVDB_IO)
        return error_set(err, EVDB_BUSY, "%s: what its program last wrote cannot be read without changing the file: let that program, "
                         "or sqlite3, open and close it once (%.200s)", s->name, why.message);
    if (rc != EVDB_OK && err) *err = why;
    return as_input(rc, err);
}

evdb_status foreign_db_open(const platform *p, const char *path, foreign_db **out, evdb_error *err)
{
    foreign_db *db = mem_zero(&p->mem, sizeof(*db));
    buf uri;
    evdb_status rc;
    if (!db) return error_no_memory(err, sizeof(*db), "a file");
    buf_init(&uri, &p->mem);
    db->db.platform = p;
    db->path = mem_text(&p->mem, path, strlen(path));
    db->db.name = db->path;
    if (!db->path) TRY(error_no_memory(err, strlen(path), "a path"));
    TRY(make_uri(p, path, &uri, &db->immutable, err));
    int failed = file_written_ns(path, &db->written_ns);
    if (failed) TRY(error_errno(err, failed, "read", path));
    int opened = sqlite3_open_v2(uri.at, &db->db.handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    if (opened != SQLITE_OK) TRY(sql_failed(&db->db, opened, "open", err));
    TRY(set_up(&db->db, err));
    *out = db;
    db = NULL;
out:
    buf_free(&uri);
    foreign_db_close(db);
    return rc;
}

void foreign_db_close(foreign_db *db)
{
    if (!db) return;
    const evdb_allocator *mem = &db->db.platform->mem;
    sql_close(&db->db);
    mem_free(mem, db->path);
    mem_free(mem, db);
}

/* Without locks nobody waits for us: a program that opens the file meanwhile moves what it writes into it. */
evdb_status foreign_db_steady(const foreign_db *db, evdb_error *err)
{
    int64_t written_ns = 0;
    int failed = db->immutable ? file_written_ns(db->path, &written_ns) : 0;
    if (failed) return error_errno(err, failed, "read", db->path);
    if (!db->immutable || written_ns == db->written_ns) return EVDB_OK;
    return error_set(err, EVDB_BUSY, "%s: it was written to while it was read: try again", db->path);
}

evdb_status foreign_db_table(foreign_db *db, const char *name, foreign_table *out, evdb_error *err)
{
    foreign_query *q = NULL;
    bool row = false;
    evdb_status rc;
    *out = FOREIGN_NO_TABLE;
    TRY(foreign_query_open(db, &q, err, "SELECT type='table', rootpage>0 FROM sqlite_master WHERE name=?1 AND type IN ('table','view')"));
    foreign_bind_text(q, 1, name, strlen(name));
    TRY(foreign_query_next(q, &row, err));
    if (row && !foreign_query_value(q, 0).integer) *out = FOREIGN_VIEW;
    else if (row) *out = foreign_query_value(q, 1).integer ? FOREIGN_TABLE : FOREIGN_VIRTUAL_TABLE;
out:
    foreign_query_close(q);
    return rc;
}

evdb_status foreign_run(foreign_db *db, const char *text, evdb_error *err) { return as_input(sql_exec(&db->db, text, err), err); }

/* ---- queries ---- */

evdb_status foreign_query_open(foreign_db *db, foreign_query **out, evdb_error *err, const char *format, ...)
{
    foreign_query *q = mem_zero(&db->db.platform->mem, sizeof(*q));
    if (!q) return error_no_memory(err, sizeof(*q), "a query");
    va_list args;
    va_start(args, format);
    char *text = sqlite3_vmprintf(format, args);
    va_end(args);
    q->of = db;
    evdb_status rc = text ? as_input(sql_prepare(&db->db, text, &q->statement, err), err) : error_no_memory(err, strlen(format), "a query");
    sqlite3_free(text);
    if (rc == EVDB_OK) *out = q;
    else mem_free(&db->db.platform->mem, q);
    return rc;
}

void foreign_query_close(foreign_query *q)
{
    if (!q) return;
    sqlite3_finalize(q->statement);
    mem_free(&q->of->db.platform->mem, q);
}

void foreign_query_restart(foreign_query *q) { sqlite3_reset(q->statement); }

void foreign_bind_integer(foreign_query *q, int at, int64_t value) { sqlite3_bind_int64(q->statement, at, value); }

void foreign_bind_text(foreign_query *q, int at, const char *text, size_t length)
{
    sqlite3_bind_text64(q->statement, at, text, length, SQLITE_STATIC, SQLITE_UTF8);
}

evdb_status foreign_query_next(foreign_query *q, bool *row, evdb_error *err)
{
    return as_input(sql_step(&q->of->db, q->statement, row, err), err);
}

evdb_status foreign_query_run(foreign_query *q, evdb_error *err) { return as_input(sql_run(&q->of->db, q->statement, err), err); }

foreign_value foreign_query_value(foreign_query *q, int at)
{
    foreign_value v = { .bytes = "" };
    const void *bytes = NULL;
    switch (sqlite3_column_type(q->statement, at)) {
    case SQLITE_INTEGER:
        v.type = FOREIGN_INTEGER;
        v.integer = sqlite3_column_int64(q->statement, at);
        return v;
    case SQLITE_FLOAT:
        v.type = FOREIGN_REAL;
        v.real = sqlite3_column_double(q->statement, at);
        return v;
    case SQLITE_TEXT:
        v.type = FOREIGN_TEXT;
        bytes = sqlite3_column_text(q->statement, at);
        break;
    case SQLITE_BLOB:
        v.type = FOREIGN_BLOB;
        bytes = sqlite3_column_blob(q->statement, at);
        break;
    default: return v;
    }
    if (bytes) {
        v.bytes = bytes;
        v.size = (size_t)sqlite3_column_bytes(q->statement, at);
    }
    return v;
}

/* ---- blobs ---- */

evdb_status foreign_blob_at(foreign_db *db, foreign_blob *blob, const char *table, const char *column, int64_t row, evdb_error *err)
{
    if (blob->handle && blob->row == row) return EVDB_OK;
    foreign_blob_close(blob);
    sqlite3_blob *handle = NULL;
    int rc = sqlite3_blob_open(db->db.handle, "main", table, column, row, 0, &handle);
    if (rc != SQLITE_OK) return as_input(sql_failed(&db->db, sqlite3_extended_errcode(db->db.handle), table, err), err);
    blob->handle = handle;
    blob->row = row;
    blob->size = (size_t)sqlite3_blob_bytes(handle);
    return EVDB_OK;
}

evdb_status foreign_blob_read(foreign_db *db, foreign_blob *blob, size_t offset, void *bytes, size_t size, evdb_error *err)
{
    assert(blob->handle && offset <= blob->size && size <= blob->size - offset);
    int rc = sqlite3_blob_read(blob->handle, bytes, (int)size, (int)offset);
    return rc == SQLITE_OK ? EVDB_OK : as_input(sql_failed(&db->db, rc, "read a blob", err), err);
}

void foreign_blob_close(foreign_blob *blob)
{
    sqlite3_blob_close(blob->handle);
    blob->handle = NULL;
}
