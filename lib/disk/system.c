/* system.c - implements disk/system.h. */
#include "disk/system.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/schema.h"
#include "disk/sql.h"
#include "platform/lock.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct system_db {
    const platform *platform;
    char *path, *lock_path; /* NULL in memory */
    sql db;
    pthread_mutex_t turn;  /* the connection */
    pthread_mutex_t owner; /* system_lock, between threads */
    lock_file lock;        /* system_lock, between processes */
};

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
        if (!s->path || !s->lock_path) TRY(error_no_memory(err, bytes, "a path"));
        snprintf(s->path, bytes, "%s/system.db", dir);
        snprintf(s->lock_path, bytes, "%s/system.lock", dir);
    }
    int failed = lock_open(p, s->lock_path, &s->lock);
    if (failed) TRY(error_errno(err, failed, "open", s->lock_path));
    TRY(system_lock(s, err)); /* two processes may be creating it at once */
    rc = sql_open(p, v, s->path, SQL_CREATE, &s->db, err);
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
    sql_close(&s->db);
    lock_close(&s->lock);
    pthread_mutex_destroy(&s->turn);
    pthread_mutex_destroy(&s->owner);
    mem_free(&s->platform->mem, s->path);
    mem_free(&s->platform->mem, s->lock_path);
    mem_free(&s->platform->mem, s);
}

evdb_status system_lock(system_db *s, evdb_error *err)
{
    pthread_mutex_lock(&s->owner);
    int failed = lock_take(&s->lock);
    if (!failed) return EVDB_OK;
    pthread_mutex_unlock(&s->owner);
    return error_errno(err, failed, "lock", s->lock_path);
}

void system_unlock(system_db *s)
{
    lock_drop(&s->lock);
    pthread_mutex_unlock(&s->owner);
}

/* Runs one statement with up to two texts and a number bound; each row goes to each(). */
static evdb_status run(system_db *s, const char *text, const char *first, const char *second, int64_t number,
                       system_each_fn *each, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    evdb_status rc;
    pthread_mutex_lock(&s->turn);
    TRY(sql_prepare(&s->db, text, &st, err));
    int wanted = sqlite3_bind_parameter_count(st);
    if (wanted > 0) sqlite3_bind_text(st, 1, first, -1, SQLITE_STATIC);
    if (wanted > 1) sqlite3_bind_text(st, 2, second, -1, SQLITE_STATIC);
    if (wanted > 2) sqlite3_bind_int64(st, 3, number);
    do {
        TRY(sql_step(&s->db, st, &row, err));
        if (row && each)
            TRY(each(context, (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), err));
    } while (row);
out:
    sqlite3_finalize(st);
    pthread_mutex_unlock(&s->turn);
    return rc;
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
    evdb_status rc = run(s, text, key, NULL, 0, copy_first, &out, err);
    if (rc == EVDB_OK && !out.to[0]) rc = error_set(err, EVDB_NOT_FOUND, "there is no store '%s'", key);
    return rc;
}

evdb_status system_find(system_db *s, const char *name, char uuid[37], evdb_error *err)
{
    return look_up(s, "SELECT uuid FROM stores WHERE name=?1", name, (copy){ uuid, 37 }, err);
}

evdb_status system_name(system_db *s, const char *uuid, char name[65], evdb_error *err)
{
    return look_up(s, "SELECT name FROM stores WHERE uuid=?1", uuid, (copy){ name, 65 }, err);
}

evdb_status system_stores(system_db *s, system_each_fn *each, void *context, evdb_error *err)
{
    return run(s, "SELECT uuid, name FROM stores ORDER BY name", NULL, NULL, 0, each, context, err);
}

evdb_status system_debris(system_db *s, system_each_fn *each, void *context, evdb_error *err)
{
    return run(s, "SELECT uuid, NULL FROM debris", NULL, NULL, 0, each, context, err);
}

evdb_status system_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    evdb_error why;
    pthread_mutex_lock(&s->turn);
    evdb_status rc = sql_check(&s->db, problem, context, &why);
    pthread_mutex_unlock(&s->turn);
    if (rc == EVDB_CORRUPT || rc == EVDB_IO) { /* a page that cannot be read is a finding */
        problem(context, why.message);
        return EVDB_OK;
    }
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

evdb_status system_add_debris(system_db *s, const char *uuid, evdb_error *err)
{
    return run(s, "INSERT INTO debris VALUES(?1)", uuid, NULL, 0, NULL, NULL, err);
}

evdb_status system_clear_debris(system_db *s, const char *uuid, evdb_error *err)
{
    return run(s, "DELETE FROM debris WHERE uuid=?1", uuid, NULL, 0, NULL, NULL, err);
}

static evdb_status end(system_db *s, evdb_status rc, evdb_error *err)
{
    if (rc == EVDB_OK) rc = run(s, "COMMIT", NULL, NULL, 0, NULL, NULL, err);
    if (rc != EVDB_OK) (void)run(s, "ROLLBACK", NULL, NULL, 0, NULL, NULL, NULL);
    else settle(s);
    return rc;
}

evdb_status system_publish(system_db *s, const char *uuid, const char *name, int64_t created_ms, evdb_error *err)
{
    evdb_status rc = run(s, "BEGIN IMMEDIATE", NULL, NULL, 0, NULL, NULL, err);
    if (rc != EVDB_OK) return rc;
    rc = run(s, "INSERT INTO stores(uuid, name, created_ms) VALUES(?1,?2,?3)", uuid, name, created_ms, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "store '%s' already exists", name);
    if (rc == EVDB_OK) rc = system_clear_debris(s, uuid, err);
    return end(s, rc, err);
}

evdb_status system_rename(system_db *s, const char *name, const char *new_name, evdb_error *err)
{
    char uuid[37];
    evdb_status rc = system_find(s, name, uuid, err);
    if (rc == EVDB_OK) rc = run(s, "UPDATE stores SET name=?2 WHERE name=?1", name, new_name, 0, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "store '%s' already exists", new_name);
    if (rc == EVDB_OK) settle(s);
    return rc;
}

evdb_status system_drop(system_db *s, const char *uuid, evdb_error *err)
{
    evdb_status rc = run(s, "BEGIN IMMEDIATE", NULL, NULL, 0, NULL, NULL, err);
    if (rc != EVDB_OK) return rc;
    rc = run(s, "DELETE FROM stores WHERE uuid=?1", uuid, NULL, 0, NULL, NULL, err);
    if (rc == EVDB_OK) rc = system_add_debris(s, uuid, err);
    return end(s, rc, err);
}
