/* system.c - implements disk/system.h. */
#include "disk/system.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/api_keys.h"
#include "disk/clients.h"
#include "disk/schema.h"
#include "disk/system_private.h"
#include "disk/users.h"
#include "disk/wal.h"
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

/* Moves what was committed from the log into system.db, whose pages carry checksums. A flipped bit in a log makes its last
 * commits look as if they had never happened, and a store that was never published is one to clear away. It is durable
 * either way, so a failure is not worth reporting. */
static void settle(system_db *s)
{
    if (!s->path) return;
    pthread_mutex_lock(&s->turn); /* the lock of others does not keep our own threads from reading */
    (void)sql_checkpoint(&s->db, NULL);
    pthread_mutex_unlock(&s->turn);
}

/* Recovery forgets all commits from the first broken frame on. Nothing important is lost with them (see settle()), so it is told instead
 * of refusing to open. With the system lock held, without which nobody writes. */
static evdb_status examine_log(system_db *s, evdb_error *err)
{
    char log[PATH_BYTES];
    wal_report report;
    if (!s->path) return EVDB_OK;
    if ((size_t)snprintf(log, sizeof(log), "%s-wal", s->path) >= sizeof(log))
        return error_set(err, EVDB_INVALID, "%s: the path is too long", s->path);
    evdb_status rc = wal_inspect(s->platform, log, &report, err);
    if (rc == EVDB_OK && wal_damaged(&report))
        snprintf(s->problem, sizeof(s->problem), "%.300s: frame %llu is damaged and %llu sound commits lie behind it: refresh tokens may be lost, "
                 "and one that was used may work again", log, (unsigned long long)report.broken, (unsigned long long)report.commits_behind);
    return rc;
}

const char *system_problem(const system_db *s) { return s->problem; }

evdb_status system_open(const platform *p, const vfs *v, const char *dir, system_db **out, evdb_error *err)
{
    system_db *s = mem_zero(&p->mem, sizeof(*s));
    evdb_status rc = EVDB_OK;
    if (!s) return error_no_memory(err, sizeof(*s), "system.db");
    s->platform = p;
    s->lock.fd = -1;
    pthread_mutex_init(&s->turn, NULL);
    pthread_mutex_init(&s->owner, NULL);
    if (dir) {
        size_t bytes = strlen(dir) + sizeof("/system.lock");
        s->path = mem_alloc(&p->mem, bytes);
        s->lock_path = mem_alloc(&p->mem, bytes);
        s->hint_path = mem_alloc(&p->mem, bytes);
        if (!s->path || !s->lock_path || !s->hint_path) TRY(error_no_memory(err, bytes, "a path"));
        snprintf(s->path, bytes, "%s/system.db", dir);
        snprintf(s->lock_path, bytes, "%s/system.lock", dir);
        snprintf(s->hint_path, bytes, "%s/system.hint", dir);
    }
    int failed = lock_open(p, s->lock_path, &s->lock);
    if (failed) TRY(error_errno(err, failed, "open", s->lock_path));
    failed = system_cache_open(&s->cache, p, s->hint_path);
    if (failed) TRY(error_errno(err, failed, "map", s->hint_path ? s->hint_path : "system.hint"));
    TRY(system_lock(s, err)); /* two processes may be creating it at once */
    rc = examine_log(s, err);
    if (rc == EVDB_OK) rc = sql_open(p, v, s->path, SQL_CREATE | SQL_RESERVE, &s->db, err);
    if (rc == EVDB_OK) rc = sql_exec(&s->db, "PRAGMA secure_delete=ON", err); /* nothing stays of a removed client */
    if (rc == EVDB_OK) rc = sql_migrate(&s->db, schema_system, schema_system_count, err);
    if (rc == EVDB_OK) settle(s);
    system_unlock(s);
    if (rc == EVDB_OK) {
        *out = s;
        s = NULL;
    }
out:
    system_close(s);
    return rc;
}

void system_close(system_db *s)
{
    if (!s) return;
    sqlite3_finalize(s->find_client);
    sql_close(&s->db);
    lock_close(&s->lock);
    system_cache_close(&s->cache);
    pthread_mutex_destroy(&s->turn);
    pthread_mutex_destroy(&s->owner);
    mem_free(&s->platform->mem, s->path);
    mem_free(&s->platform->mem, s->lock_path);
    mem_free(&s->platform->mem, s->hint_path);
    mem_free(&s->platform->mem, s);
}

evdb_status system_lock(system_db *s, evdb_error *err)
{
    pthread_mutex_lock(&s->owner);
    int failed = lock_take(&s->lock);
    if (!failed) {
        system_cache_begin(&s->cache);
        return EVDB_OK;
    }
    pthread_mutex_unlock(&s->owner);
    return error_errno(err, failed, "lock", s->lock_path);
}

void system_unlock(system_db *s)
{
    system_cache_done(&s->cache);
    lock_drop(&s->lock);
    pthread_mutex_unlock(&s->owner);
}

uint64_t system_seen(const system_db *s) { return system_cache_seen(&s->cache); }

static void bind(sqlite3_stmt *st, int at, const system_value *v)
{
    if (v->null) sqlite3_bind_null(st, at);
    else if (v->text) sqlite3_bind_text(st, at, v->text, -1, SQLITE_STATIC);
    else if (v->bytes) sqlite3_bind_blob64(st, at, v->bytes, v->size, SQLITE_STATIC);
    else sqlite3_bind_int64(st, at, v->number);
}

evdb_status system_query(system_db *s, const char *text, const system_value *values, size_t count, system_row_fn *each,
                         void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    evdb_status rc;
    pthread_mutex_lock(&s->turn);
    TRY(sql_prepare(&s->db, text, &st, err));
    for (size_t i = 0; i < count; i++) bind(st, (int)i + 1, &values[i]);
    do {
        TRY(sql_step(&s->db, st, &row, err));
        if (row && each) TRY(each(context, st, err));
    } while (row);
out:
    sqlite3_finalize(st);
    pthread_mutex_unlock(&s->turn);
    return rc;
}

static evdb_status take_integer(void *context, sqlite3_stmt *row, evdb_error *err)
{
    (void)err;
    *(int64_t *)context = sqlite3_column_int64(row, 0);
    return EVDB_OK;
}

evdb_status system_integer(system_db *s, const char *text, const system_value *values, size_t count, int64_t *out,
                           evdb_error *err)
{
    return system_query(s, text, values, count, take_integer, out, err);
}

evdb_status system_begin(system_db *s, evdb_error *err) { return system_query(s, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err); }

evdb_status system_end(system_db *s, evdb_status rc, bool important, evdb_error *err)
{
    if (rc == EVDB_OK) rc = system_query(s, "COMMIT", NULL, 0, NULL, NULL, err);
    if (rc != EVDB_OK) (void)system_query(s, "ROLLBACK", NULL, 0, NULL, NULL, NULL);
    else if (important) settle(s);
    return rc;
}

/* ---- stores ---- */

typedef struct each_store { system_each_fn *each; void *context; } each_store;

static evdb_status hand_on(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const each_store *e = context;
    return e->each(e->context, (const char *)sqlite3_column_text(row, 0), (const char *)sqlite3_column_text(row, 1), err);
}

static evdb_status select_stores(system_db *s, const char *text, const char *key, system_each_fn *each, void *context,
                                 evdb_error *err)
{
    const system_value value = SYSTEM_TEXT(key);
    return system_query(s, text, &value, key != NULL, hand_on, &(each_store){ each, context }, err);
}

static evdb_status change(system_db *s, const char *text, const char *uuid, evdb_error *err)
{
    const system_value value = SYSTEM_TEXT(uuid);
    return system_query(s, text, &value, 1, NULL, NULL, err);
}

typedef struct copy { char *to; size_t size; } copy;

static evdb_status copy_first(void *context, const char *first, const char *second, evdb_error *err)
{
    copy *c = context;
    (void)second;
    if (!first || strlen(first) >= c->size) return error_set(err, EVDB_CORRUPT, "system.db: a name has the wrong length");
    memcpy(c->to, first, strlen(first) + 1);
    return EVDB_OK;
}

static evdb_status look_up(system_db *s, const char *text, const char *key, copy out, evdb_error *err)
{
    out.to[0] = 0;
    evdb_status rc = select_stores(s, text, key, copy_first, &out, err);
    if (rc == EVDB_OK && !out.to[0]) rc = error_set(err, EVDB_NOT_FOUND, "there is no store '%s'", key);
    return rc;
}

evdb_status system_find(system_db *s, const char *name, char uuid[37], evdb_error *err)
{
    uint64_t seen = system_cache_seen(&s->cache);
    if (system_cache_store(&s->cache, name, uuid)) return EVDB_OK;
    evdb_status rc = look_up(s, "SELECT uuid FROM stores WHERE name=?1", name, (copy){ uuid, 37 }, err);
    if (rc == EVDB_OK) system_cache_keep_store(&s->cache, seen, name, uuid);
    return rc;
}

evdb_status system_name(system_db *s, const char *uuid, char name[65], evdb_error *err)
{
    uint64_t seen = system_cache_seen(&s->cache);
    if (system_cache_name(&s->cache, uuid, name)) return EVDB_OK;
    evdb_status rc = look_up(s, "SELECT name FROM stores WHERE uuid=?1", uuid, (copy){ name, 65 }, err);
    if (rc == EVDB_OK) system_cache_keep_store(&s->cache, seen, name, uuid);
    return rc;
}

evdb_status system_stores(system_db *s, system_each_fn *each, void *context, evdb_error *err)
{
    return select_stores(s, "SELECT uuid, name FROM stores ORDER BY name", NULL, each, context, err);
}

evdb_status system_debris(system_db *s, system_each_fn *each, void *context, evdb_error *err)
{
    return select_stores(s, "SELECT uuid, NULL FROM debris", NULL, each, context, err);
}

evdb_status system_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    evdb_error why;
    if (*s->problem) problem(context, s->problem);
    pthread_mutex_lock(&s->turn);
    evdb_status rc = sql_check(&s->db, problem, context, &why);
    pthread_mutex_unlock(&s->turn);
    if (rc == EVDB_OK) rc = clients_verify(s, problem, context, &why);
    if (rc == EVDB_OK) rc = users_verify(s, problem, context, &why);
    if (rc == EVDB_OK) rc = api_keys_verify(s, problem, context, &why);
    if (rc == EVDB_CORRUPT || rc == EVDB_IO) { /* a page that cannot be read is a finding */
        problem(context, why.message);
        return EVDB_OK;
    }
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

evdb_status system_add_debris(system_db *s, const char *uuid, evdb_error *err)
{
    return change(s, "INSERT INTO debris VALUES(?1)", uuid, err);
}

evdb_status system_clear_debris(system_db *s, const char *uuid, evdb_error *err)
{
    return change(s, "DELETE FROM debris WHERE uuid=?1", uuid, err);
}

evdb_status system_publish(system_db *s, const char *uuid, const char *name, int64_t created_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(uuid), SYSTEM_TEXT(name), SYSTEM_NUMBER(created_ms) };
    evdb_status rc = system_begin(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_query(s, "INSERT INTO stores(uuid, name, created_ms) VALUES(?1,?2,?3)", values, 3, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "store '%s' already exists", name);
    if (rc == EVDB_OK) rc = system_clear_debris(s, uuid, err);
    return system_end(s, rc, true, err);
}

evdb_status system_rename(system_db *s, const char *name, const char *new_name, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(name), SYSTEM_TEXT(new_name) };
    char uuid[37];
    evdb_status rc = system_find(s, name, uuid, err);
    if (rc == EVDB_OK) rc = system_query(s, "UPDATE stores SET name=?2 WHERE name=?1", values, 2, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "store '%s' already exists", new_name);
    if (rc == EVDB_OK) settle(s);
    return rc;
}

evdb_status system_replace(system_db *s, const char *old, const char *uuid, int64_t created_ms, bool keep, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(old), SYSTEM_TEXT(uuid), SYSTEM_NUMBER(created_ms) };
    evdb_status rc = system_begin(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_query(s, "UPDATE stores SET uuid=?2, created_ms=?3 WHERE uuid=?1", values, 3, NULL, NULL, err);
    if (rc == EVDB_OK) rc = system_clear_debris(s, uuid, err);
    if (rc == EVDB_OK && !keep) rc = system_add_debris(s, old, err);
    return system_end(s, rc, true, err);
}

evdb_status system_drop(system_db *s, const char *uuid, evdb_error *err)
{
    evdb_status rc = system_begin(s, err);
    if (rc != EVDB_OK) return rc;
    rc = change(s, "DELETE FROM stores WHERE uuid=?1", uuid, err);
    if (rc == EVDB_OK) rc = system_add_debris(s, uuid, err);
    return system_end(s, rc, true, err);
}
