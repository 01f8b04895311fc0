/* clients.c - implements disk/clients.h. */
#include "disk/clients.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <string.h>

#define COLUMNS "id, kind, secret, scopes, grants, generation, created_ms"

/* ---- clients ---- */

static evdb_status read_client(sqlite3_stmt *row, client_row *out, evdb_error *err)
{
    const char *id = (const char *)sqlite3_column_text(row, 0);
    size_t length = (size_t)sqlite3_column_bytes(row, 0), hash = (size_t)sqlite3_column_bytes(row, 2);
    if (!id || length > EVDB_CLIENT_ID_MAX || hash > CLIENT_HASH_MAX)
        return error_set(err, EVDB_CORRUPT, "system.db: a client makes no sense");
    *out = (client_row){ .kind = (uint32_t)sqlite3_column_int(row, 1), .hash_size = hash,
                         .scopes = (uint32_t)sqlite3_column_int(row, 3), .grants = (uint32_t)sqlite3_column_int(row, 4),
                         .generation = sqlite3_column_int64(row, 5), .created_ms = sqlite3_column_int64(row, 6) };
    memcpy(out->id, id, length);
    if (hash) memcpy(out->hash, sqlite3_column_blob(row, 2), hash);
    return EVDB_OK;
}

evdb_status clients_find(system_db *s, const char *id, client_row *out, bool *found, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    uint64_t seen = system_cache_seen(&s->cache);
    *found = system_cache_client(&s->cache, id, out);
    if (*found) return EVDB_OK;
    pthread_mutex_lock(&s->turn);
    if (!s->find_client) TRY(sql_prepare(&s->db, "SELECT " COLUMNS " FROM clients WHERE id=?1", &s->find_client, err));
    sqlite3_bind_text(s->find_client, 1, id, -1, SQLITE_STATIC);
    rc = sql_step(&s->db, s->find_client, found, err);
    if (rc == EVDB_OK && *found) rc = read_client(s->find_client, out, err);
    sqlite3_reset(s->find_client);
    sqlite3_clear_bindings(s->find_client);
out:
    pthread_mutex_unlock(&s->turn);
    if (rc == EVDB_OK && *found) system_cache_keep_client(&s->cache, seen, out);
    return rc;
}

static evdb_status integer(void *context, sqlite3_stmt *row, evdb_error *err)
{
    (void)err;
    *(int64_t *)context = sqlite3_column_int64(row, 0);
    return EVDB_OK;
}

/* A change of one client in one transaction. */
typedef evdb_status change_fn(system_db *s, const client_row *row, evdb_error *err);

static evdb_status transact(system_db *s, change_fn *change, const client_row *row, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, change(s, row, err), true, err);
    system_unlock(s);
    return rc;
}

static evdb_status add(system_db *s, const client_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->id), SYSTEM_NUMBER(row->kind), SYSTEM_BYTES(row->hash, row->hash_size),
                                    SYSTEM_NUMBER(row->scopes), SYSTEM_NUMBER(row->grants), SYSTEM_NUMBER(row->generation),
                                    SYSTEM_NUMBER(row->created_ms) };
    int64_t count = 0;
    evdb_status rc;
    TRY(system_query(s, "SELECT count(*) FROM clients", NULL, 0, integer, &count, err));
    if (count >= EVDB_CLIENTS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "there are %u clients already, as many as there may be", EVDB_CLIENTS_MAX));
    rc = system_query(s, "INSERT INTO clients(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7)", values, 7, NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "client '%s' already exists", row->id);
out:
    return rc;
}

evdb_status clients_add(system_db *s, const client_row *row, evdb_error *err) { return transact(s, add, row, err); }

static evdb_status forget_tokens(system_db *s, const char *id, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    return system_query(s, "DELETE FROM refresh WHERE client=?1", values, 1, NULL, NULL, err);
}

/* Runs text, which answers one row when it has changed the client. */
static evdb_status must_change(system_db *s, const char *text, const system_value *values, size_t count, const char *id,
                               evdb_error *err)
{
    int64_t changed = 0;
    evdb_status rc = system_query(s, text, values, count, integer, &changed, err);
    if (rc == EVDB_OK && !changed) rc = error_set(err, EVDB_NOT_FOUND, "there is no client '%s'", id);
    return rc == EVDB_OK ? forget_tokens(s, id, err) : rc;
}

static evdb_status change_secret(system_db *s, const client_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->id), SYSTEM_NUMBER(row->kind), SYSTEM_BYTES(row->hash, row->hash_size) };
    return must_change(s, "UPDATE clients SET kind=?2, secret=?3, generation=generation+1 WHERE id=?1 RETURNING 1", values, 3,
                       row->id, err);
}

evdb_status clients_change_secret(system_db *s, const client_row *row, evdb_error *err)
{
    return transact(s, change_secret, row, err);
}

static evdb_status removal(system_db *s, const client_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->id) };
    return must_change(s, "DELETE FROM clients WHERE id=?1 RETURNING 1", values, 1, row->id, err);
}

evdb_status clients_remove(system_db *s, const char *id, evdb_error *err)
{
    client_row row = { 0 };
    size_t length = strlen(id);
    if (length > EVDB_CLIENT_ID_MAX) return error_set(err, EVDB_NOT_FOUND, "there is no client '%.80s...'", id);
    memcpy(row.id, id, length);
    return transact(s, removal, &row, err);
}

typedef struct each_client { clients_each_fn *each; void *context; } each_client;

static evdb_status hand_on(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const each_client *e = context;
    client_row client;
    evdb_status rc = read_client(row, &client, err);
    return rc == EVDB_OK ? e->each(e->context, &client, err) : rc;
}

evdb_status clients_each(system_db *s, clients_each_fn *each, void *context, evdb_error *err)
{
    return system_query(s, "SELECT " COLUMNS " FROM clients ORDER BY id", NULL, 0, hand_on, &(each_client){ each, context }, err);
}

/* ---- the key ---- */

static evdb_status read_key(void *context, sqlite3_stmt *row, evdb_error *err)
{
    if (sqlite3_column_bytes(row, 0) != CLIENTS_KEY_BYTES)
        return error_set(err, EVDB_CORRUPT, "system.db: the key of tokens has the wrong length");
    memcpy(context, sqlite3_column_blob(row, 0), CLIENTS_KEY_BYTES);
    return EVDB_OK;
}

/* Whoever comes first decides; then everybody reads what was decided. */
evdb_status clients_key(system_db *s, const unsigned char fresh[CLIENTS_KEY_BYTES], unsigned char out[CLIENTS_KEY_BYTES],
                        evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT("auth"), SYSTEM_BYTES(fresh, CLIENTS_KEY_BYTES) };
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_query(s, "INSERT INTO keys(name, value) VALUES(?1,?2) ON CONFLICT DO NOTHING", values, 2, NULL, NULL, err);
    if (rc == EVDB_OK) rc = system_query(s, "SELECT value FROM keys WHERE name=?1", values, 1, read_key, out, err);
    system_unlock(s);
    return rc;
}

/* ---- refresh tokens ---- */

static evdb_status put_token(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    const system_value now[] = { SYSTEM_NUMBER(now_ms) };
    const system_value values[] = { SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_BYTES(row->family, sizeof(row->family)),
                                    SYSTEM_TEXT(row->client), SYSTEM_NUMBER(row->scopes), SYSTEM_NUMBER(row->expires_ms) };
    evdb_status rc;
    TRY(system_query(s, "DELETE FROM refresh WHERE expires_ms<?1", now, 1, NULL, NULL, err));
    TRY(system_query(s, "INSERT INTO refresh(token, family, client, scopes, expires_ms, used) VALUES(?1,?2,?3,?4,?5,0)", values,
                     5, NULL, NULL, err));
out:
    return rc;
}

evdb_status refresh_add(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, put_token(s, row, now_ms, err), false, err);
    system_unlock(s);
    return rc;
}

typedef struct known_token {
    bool found, used;
    unsigned char family[REFRESH_FAMILY_BYTES];
    uint32_t scopes;
    int64_t expires_ms;
} known_token;

static evdb_status read_token(void *context, sqlite3_stmt *row, evdb_error *err)
{
    known_token *t = context;
    if (sqlite3_column_bytes(row, 0) != REFRESH_FAMILY_BYTES)
        return error_set(err, EVDB_CORRUPT, "system.db: a refresh token makes no sense");
    memcpy(t->family, sqlite3_column_blob(row, 0), REFRESH_FAMILY_BYTES);
    t->scopes = (uint32_t)sqlite3_column_int(row, 1);
    t->expires_ms = sqlite3_column_int64(row, 2);
    t->used = sqlite3_column_int(row, 3) != 0;
    t->found = true;
    return EVDB_OK;
}

/* Somebody holds a copy of the token: whoever it was, nothing that came from it is good any longer. */
static evdb_status revoke_family(system_db *s, const known_token *t, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(t->family, sizeof(t->family)) };
    return system_query(s, "DELETE FROM refresh WHERE family=?1", values, 1, NULL, NULL, err);
}

/* In a transaction. *gone is why the token is no good: then what was changed is kept all the same. */
static evdb_status trade(system_db *s, const unsigned char *hash, refresh_row *next, int64_t now_ms, const char **gone,
                         evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(hash, REFRESH_HASH_BYTES), SYSTEM_TEXT(next->client) };
    known_token t = { 0 };
    evdb_status rc;
    TRY(system_query(s, "SELECT family, scopes, expires_ms, used FROM refresh WHERE token=?1 AND client=?2", values, 2,
                     read_token, &t, err));
    if (!t.found) *gone = "the refresh token is unknown";
    else if (t.used) *gone = "the refresh token was used before: all that came from it is revoked";
    else if (t.expires_ms <= now_ms) *gone = "the refresh token has expired";
    if (*gone) return t.used ? revoke_family(s, &t, err) : EVDB_OK;
    if (next->scopes & ~t.scopes) TRY(error_set(err, EVDB_INVALID, "more scopes are asked for than the refresh token has"));
    if (!next->scopes) next->scopes = t.scopes;
    memcpy(next->family, t.family, sizeof(t.family));
    TRY(system_query(s, "UPDATE refresh SET used=1 WHERE token=?1", values, 1, NULL, NULL, err));
    TRY(put_token(s, next, now_ms, err));
out:
    return rc;
}

evdb_status refresh_trade(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], refresh_row *next, int64_t now_ms,
                          evdb_error *err)
{
    const char *gone = NULL;
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, trade(s, hash, next, now_ms, &gone, err), false, err);
    system_unlock(s);
    return rc == EVDB_OK && gone ? error_set(err, EVDB_GONE, "%s", gone) : rc;
}
