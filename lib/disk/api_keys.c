/* api_keys.c - implements disk/api_keys.h. */
#include "disk/api_keys.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <string.h>

#define COLUMNS "id, secret, title, scopes, stores, created_ms, expires_ms"

/* Copies a column's text; false when it is too long. */
static bool take_text(const char *text, char *out, size_t room)
{
    size_t length = strlen(text);
    if (length < room) memcpy(out, text, length + 1);
    return length < room;
}

static evdb_status read_key(sqlite3_stmt *row, api_key_row *out, evdb_error *err)
{
    *out = (api_key_row){ .key = { .scopes = (uint32_t)sqlite3_column_int(row, 3), .created_ms = sqlite3_column_int64(row, 5),
                                   .expires_ms = sqlite3_column_int64(row, 6) } };
    evdb_api_key *k = &out->key;
    const char *id = (const char *)sqlite3_column_text(row, 0), *title = (const char *)sqlite3_column_text(row, 2);
    const char *stores = (const char *)sqlite3_column_text(row, 4);
    if (!id || !title || !stores) return error_no_memory(err, sizeof(*out), "an API key"); /* the columns are NOT NULL */
    bool good = take_text(id, k->id, sizeof(k->id)) && take_text(title, k->title, sizeof(k->title)) &&
                take_text(stores, k->stores, sizeof(k->stores)) && strlen(k->id) == sizeof(k->id) - 1 &&
                sqlite3_column_bytes(row, 1) == API_KEY_HASH_BYTES && k->scopes <= (EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN) &&
                (k->scopes || *k->stores);
    if (!good) return error_set(err, EVDB_CORRUPT, "system.db: API key '%.16s' makes no sense", k->id);
    memcpy(out->hash, sqlite3_column_blob(row, 1), API_KEY_HASH_BYTES);
    return EVDB_OK;
}

/* In a transaction. */
static evdb_status add(system_db *s, const api_key_row *row, evdb_error *err)
{
    const evdb_api_key *k = &row->key;
    const system_value values[] = { SYSTEM_TEXT(k->id), SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_TEXT(k->title),
                                    SYSTEM_NUMBER(k->scopes), SYSTEM_TEXT(k->stores), SYSTEM_NUMBER(k->created_ms),
                                    SYSTEM_NUMBER(k->expires_ms) };
    int64_t count = 0;
    evdb_status rc;
    TRY(system_integer(s, "SELECT count(*) FROM api_keys", NULL, 0, &count, err));
    if (count >= EVDB_API_KEYS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "there are %u API keys already, as many as there may be", EVDB_API_KEYS_MAX));
    TRY(system_query(s, "INSERT INTO api_keys(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7)", values, sizeof(values) / sizeof(*values), NULL,
                     NULL, err));
out:
    return rc;
}

evdb_status api_keys_add(system_db *s, const api_key_row *row, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, add(s, row, err), true, err);
    system_unlock(s);
    return rc;
}

evdb_status api_keys_remove(system_db *s, const char *id, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    int64_t removed = 0;
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) {
        rc = system_integer(s, "DELETE FROM api_keys WHERE id=?1 RETURNING 1", values, 1, &removed, err);
        if (rc == EVDB_OK && !removed) rc = error_set(err, EVDB_NOT_FOUND, "there is no API key '%s'", id);
        rc = system_end(s, rc, true, err);
    }
    system_unlock(s);
    return rc;
}

typedef struct each_key { api_keys_each_fn *each; void *context; } each_key;

static evdb_status hand_on(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const each_key *e = context;
    api_key_row key;
    evdb_status rc = read_key(row, &key, err);
    return rc == EVDB_OK ? e->each(e->context, &key, err) : rc;
}

evdb_status api_keys_each(system_db *s, const char *id, api_keys_each_fn *each, void *context, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    return system_query(s, id ? "SELECT " COLUMNS " FROM api_keys WHERE id=?1" : "SELECT " COLUMNS " FROM api_keys ORDER BY id", values,
                        id != NULL, hand_on, &(each_key){ each, context }, err);
}

/* ---- verifying ---- */

typedef struct finder { void (*problem)(void *context, const char *text); void *context; } finder;

static evdb_status look_at(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const finder *f = context;
    api_key_row key;
    evdb_error why;
    evdb_status rc = read_key(row, &key, &why);
    if (rc == EVDB_CORRUPT) f->problem(f->context, why.message);
    else if (rc != EVDB_OK && err) *err = why;
    return rc == EVDB_CORRUPT ? EVDB_OK : rc;
}

evdb_status api_keys_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    return system_query(s, "SELECT " COLUMNS " FROM api_keys", NULL, 0, look_at, &(finder){ problem, context }, err);
}
