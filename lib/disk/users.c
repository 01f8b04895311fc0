/* users.c - implements disk/users.h. */
#include "disk/users.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <string.h>

#define COLUMNS "name, secret, scopes, stores, generation, created_ms"

static evdb_status read_user(sqlite3_stmt *row, user_row *out, evdb_error *err)
{
    const char *name = (const char *)sqlite3_column_text(row, 0), *stores = (const char *)sqlite3_column_text(row, 3);
    if (!name || !stores) return error_no_memory(err, EVDB_USER_NAME_MAX, "a user"); /* the columns are NOT NULL */
    size_t length = (size_t)sqlite3_column_bytes(row, 0), more = (size_t)sqlite3_column_bytes(row, 3);
    *out = (user_row){ .scopes = (uint32_t)sqlite3_column_int(row, 2), .generation = sqlite3_column_int64(row, 4),
                       .created_ms = sqlite3_column_int64(row, 5) };
    if (!length || length > EVDB_USER_NAME_MAX || more >= sizeof(out->stores) || sqlite3_column_bytes(row, 1) != USER_HASH_BYTES ||
        out->scopes > (EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN) || (!out->scopes && !more))
        return error_set(err, EVDB_CORRUPT, "system.db: user '%.80s' makes no sense", name);
    memcpy(out->name, name, length);
    memcpy(out->stores, stores, more);
    memcpy(out->hash, sqlite3_column_blob(row, 1), USER_HASH_BYTES);
    return EVDB_OK;
}

/* A change of one user in one transaction. */
typedef evdb_status change_fn(system_db *s, const user_row *row, evdb_error *err);

static evdb_status transact(system_db *s, change_fn *change, const user_row *row, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, change(s, row, err), true, err);
    system_unlock(s);
    return rc;
}

static evdb_status add(system_db *s, const user_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->name), SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_NUMBER(row->scopes),
                                    SYSTEM_TEXT(row->stores), SYSTEM_NUMBER(row->generation), SYSTEM_NUMBER(row->created_ms) };
    int64_t count = 0;
    evdb_status rc;
    TRY(system_integer(s, "SELECT count(*) FROM users", NULL, 0, &count, err));
    if (count >= EVDB_USERS_MAX) TRY(error_set(err, EVDB_LIMIT, "there are %u users already, as many as there may be", EVDB_USERS_MAX));
    rc = system_query(s, "INSERT INTO users(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6)", values, 6, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "user '%s' already exists", row->name);
out:
    return rc;
}

evdb_status users_add(system_db *s, const user_row *row, evdb_error *err) { return transact(s, add, row, err); }

/* Runs text, which answers one row when it has changed the user. What is out for the user ends with that. */
static evdb_status must_change(system_db *s, const char *text, const system_value *values, size_t count, const char *name, evdb_error *err)
{
    const system_value subject[] = { SYSTEM_TEXT(EVDB_SUBJECT_USER), SYSTEM_TEXT(name) };
    int64_t changed = 0;
    evdb_status rc;
    TRY(system_integer(s, text, values, count, &changed, err));
    if (!changed) TRY(error_set(err, EVDB_NOT_FOUND, "there is no user '%.80s'", name));
    TRY(system_query(s, "DELETE FROM refresh WHERE subject=?1||?2", subject, 2, NULL, NULL, err));
    TRY(system_query(s, "DELETE FROM codes WHERE subject=?1||?2", subject, 2, NULL, NULL, err));
out:
    return rc;
}

static evdb_status change_secret(system_db *s, const user_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->name), SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_NUMBER(row->generation) };
    return must_change(s, "UPDATE users SET secret=?2, generation=?3 WHERE name=?1 RETURNING 1", values, 3, row->name, err);
}

evdb_status users_change_secret(system_db *s, const user_row *row, evdb_error *err) { return transact(s, change_secret, row, err); }

static evdb_status removal(system_db *s, const user_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->name) };
    return must_change(s, "DELETE FROM users WHERE name=?1 RETURNING 1", values, 1, row->name, err);
}

evdb_status users_remove(system_db *s, const char *name, evdb_error *err)
{
    user_row row = { .scopes = 0 };
    size_t length = strlen(name);
    if (length > EVDB_USER_NAME_MAX) return error_set(err, EVDB_NOT_FOUND, "there is no user '%.80s...'", name);
    memcpy(row.name, name, length);
    return transact(s, removal, &row, err);
}

typedef struct wanted { user_row *to; bool found; } wanted;

static evdb_status take_one(void *context, sqlite3_stmt *row, evdb_error *err)
{
    wanted *w = context;
    w->found = true;
    return read_user(row, w->to, err);
}

evdb_status users_find(system_db *s, const char *name, user_row *out, bool *found, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(name) };
    wanted w = { .to = out };
    evdb_status rc = system_query(s, "SELECT " COLUMNS " FROM users WHERE name=?1", values, 1, take_one, &w, err);
    *found = rc == EVDB_OK && w.found;
    return rc;
}

typedef struct each_user { users_each_fn *each; void *context; } each_user;

static evdb_status hand_on(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const each_user *e = context;
    user_row user;
    evdb_status rc = read_user(row, &user, err);
    return rc == EVDB_OK ? e->each(e->context, &user, err) : rc;
}

evdb_status users_each(system_db *s, users_each_fn *each, void *context, evdb_error *err)
{
    return system_query(s, "SELECT " COLUMNS " FROM users ORDER BY name", NULL, 0, hand_on, &(each_user){ each, context }, err);
}

/* ---- verifying: I7 ---- */

typedef struct finder { void (*problem)(void *context, const char *text); void *context; } finder;

static evdb_status look_at_user(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const finder *f = context;
    user_row user;
    evdb_error why;
    evdb_status rc = read_user(row, &user, &why);
    if (rc == EVDB_CORRUPT) f->problem(f->context, why.message);
    else if (rc != EVDB_OK && err) *err = why;
    return rc == EVDB_CORRUPT ? EVDB_OK : rc;
}

evdb_status users_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    finder f = { problem, context };
    int64_t odd = 0;
    evdb_status rc;
    TRY(system_query(s, "SELECT " COLUMNS " FROM users", NULL, 0, look_at_user, &f, err));
    TRY(system_integer(s, "SELECT count(*) FROM codes WHERE length(code)<>32 OR length(family)<>16 OR (scopes=0 AND stores='')"
                       " OR scopes NOT BETWEEN 0 AND 7 OR used NOT IN (0,1) OR client NOT IN (SELECT id FROM clients)", NULL, 0, &odd, err));
    if (odd) problem(context, "system.db: there are codes that make no sense, or are of no client");
out:
    return rc;
}
