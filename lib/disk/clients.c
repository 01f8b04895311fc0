/* clients.c - implements disk/clients.h. */
#include "disk/clients.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include "platform/file.h"
#include <stdio.h>
#include <string.h>

#define COLUMNS "id, kind, secret, scopes, grants, generation, created_ms, stores, method"
#define ROW COLUMNS ", requests, records, bytes" /* the last of quotas, NULL where there is none */
#define FROM " FROM clients LEFT JOIN quotas ON client=id"
enum { QUOTA_FROM = 9, TEXTS_FROM = 12 }; /* columns behind these */

/* ---- clients ---- */

static bool sensible_quota(const evdb_quota *q)
{
    return q->requests >= EVDB_QUOTA_NONE && q->requests <= EVDB_QUOTA_REQUESTS_MAX && q->records >= EVDB_QUOTA_NONE &&
           q->bytes >= EVDB_QUOTA_NONE;
}

static bool sensible(const client_row *c, size_t id, size_t hash, size_t stores)
{
    return id >= 1 && id <= EVDB_CLIENT_ID_MAX && hash == CLIENT_HASH_BYTES && c->kind <= 1 && stores < EVDB_STORE_SCOPES_BYTES &&
           c->scopes <= (EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN) && (c->scopes || stores) && c->grants >= 1 &&
           c->grants <= (EVDB_GRANT_CLIENT_CREDENTIALS | EVDB_GRANT_REFRESH_TOKEN | EVDB_GRANT_AUTHORIZATION_CODE) &&
           c->method >= 1 && c->method <= EVDB_CLIENT_KEYS && sensible_quota(&c->quota);
}

static evdb_status read_client(sqlite3_stmt *row, client_row *out, evdb_error *err)
{
    const char *id = (const char *)sqlite3_column_text(row, 0), *stores = (const char *)sqlite3_column_text(row, 7);
    if (!id || !stores) return error_no_memory(err, EVDB_CLIENT_ID_MAX, "a client"); /* the columns are NOT NULL */
    size_t length = (size_t)sqlite3_column_bytes(row, 0), hash = (size_t)sqlite3_column_bytes(row, 2);
    size_t more = (size_t)sqlite3_column_bytes(row, 7);
    *out = (client_row){ .kind = (uint32_t)sqlite3_column_int(row, 1), .scopes = (uint32_t)sqlite3_column_int(row, 3),
                         .grants = (uint32_t)sqlite3_column_int(row, 4), .generation = sqlite3_column_int64(row, 5),
                         .created_ms = sqlite3_column_int64(row, 6), .method = (uint32_t)sqlite3_column_int(row, 8),
                         .quota = { .requests = sqlite3_column_int64(row, QUOTA_FROM), .records = sqlite3_column_int64(row, QUOTA_FROM + 1),
                                    .bytes = sqlite3_column_int64(row, QUOTA_FROM + 2) } };
    if (!sensible(out, length, hash, more)) return error_set(err, EVDB_CORRUPT, "system.db: client '%.80s' makes no sense", id);
    memcpy(out->id, id, length);
    memcpy(out->stores, stores, more);
    memcpy(out->hash, sqlite3_column_blob(row, 2), hash);
    return EVDB_OK;
}

evdb_status clients_find(system_db *s, const char *id, client_row *out, bool *found, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    uint64_t seen = system_cache_seen(&s->cache);
    *found = system_cache_client(&s->cache, id, out);
    if (*found) return EVDB_OK;
    pthread_mutex_lock(&s->turn);
    if (!s->find_client) TRY(sql_prepare(&s->db, "SELECT " ROW FROM " WHERE id=?1", &s->find_client, err));
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

/* A change of one client in one transaction. */
typedef evdb_status change_fn(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err);

static evdb_status transact(system_db *s, change_fn *change, const client_row *row, const client_texts *texts, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, change(s, row, texts, err), true, err);
    system_unlock(s);
    return rc;
}

static evdb_status add(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->id), SYSTEM_NUMBER(row->kind), SYSTEM_BYTES(row->hash, sizeof(row->hash)),
                                    SYSTEM_NUMBER(row->scopes), SYSTEM_NUMBER(row->grants), SYSTEM_NUMBER(row->generation),
                                    SYSTEM_NUMBER(row->created_ms), SYSTEM_TEXT(row->stores), SYSTEM_NUMBER(row->method),
                                    SYSTEM_TEXT(texts->title), SYSTEM_TEXT(texts->redirects), SYSTEM_TEXT(texts->jwks) };
    int64_t count = 0;
    evdb_status rc;
    TRY(system_integer(s, "SELECT count(*) FROM clients", NULL, 0, &count, err));
    if (count >= EVDB_CLIENTS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "there are %u clients already, as many as there may be", EVDB_CLIENTS_MAX));
    rc = system_query(s, "INSERT INTO clients(" COLUMNS ", title, redirects, jwks) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                      values, sizeof(values) / sizeof(*values), NULL, NULL, err);
    if (rc == EVDB_EXISTS) rc = error_set(err, EVDB_EXISTS, "client '%s' already exists", row->id);
out:
    return rc;
}

evdb_status clients_add(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    return transact(s, add, row, texts, err);
}

static evdb_status forget_tokens(system_db *s, const char *id, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    evdb_status rc = system_query(s, "DELETE FROM refresh WHERE client=?1", values, 1, NULL, NULL, err);
    return rc == EVDB_OK ? system_query(s, "DELETE FROM codes WHERE client=?1", values, 1, NULL, NULL, err) : rc;
}

/* Runs text, which answers one row when it has changed the client. */
static evdb_status must_change(system_db *s, const char *text, const system_value *values, size_t count, const char *id,
                               evdb_error *err)
{
    int64_t changed = 0;
    evdb_status rc = system_integer(s, text, values, count, &changed, err);
    if (rc == EVDB_OK && !changed) rc = error_set(err, EVDB_NOT_FOUND, "there is no client '%s'", id);
    return rc == EVDB_OK ? forget_tokens(s, id, err) : rc;
}

static evdb_status change_secret(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    (void)texts;
    const system_value values[] = { SYSTEM_TEXT(row->id), SYSTEM_NUMBER(row->kind), SYSTEM_BYTES(row->hash, sizeof(row->hash)),
                                    SYSTEM_NUMBER(row->generation) };
    return must_change(s, "UPDATE clients SET kind=?2, secret=?3, generation=?4 WHERE id=?1 RETURNING 1", values, 4, row->id, err);
}

evdb_status clients_change_secret(system_db *s, const client_row *row, evdb_error *err)
{
    return transact(s, change_secret, row, NULL, err);
}

static evdb_status forget_quota(system_db *s, const char *id, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    return system_query(s, "DELETE FROM quotas WHERE client=?1", values, 1, NULL, NULL, err);
}

static evdb_status removal(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    (void)texts;
    const system_value values[] = { SYSTEM_TEXT(row->id) };
    evdb_status rc = must_change(s, "DELETE FROM clients WHERE id=?1 RETURNING 1", values, 1, row->id, err);
    return rc == EVDB_OK ? forget_quota(s, row->id, err) : rc;
}

evdb_status clients_remove(system_db *s, const char *id, evdb_error *err)
{
    client_row row = { 0 };
    size_t length = strlen(id);
    if (length > EVDB_CLIENT_ID_MAX) return error_set(err, EVDB_NOT_FOUND, "there is no client '%.80s...'", id);
    memcpy(row.id, id, length);
    return transact(s, removal, &row, NULL, err);
}

static evdb_status change_quota(system_db *s, const client_row *row, const client_texts *texts, evdb_error *err)
{
    (void)texts;
    const evdb_quota *q = &row->quota;
    const system_value values[] = { SYSTEM_TEXT(row->id), SYSTEM_NUMBER(q->requests), SYSTEM_NUMBER(q->records), SYSTEM_NUMBER(q->bytes) };
    int64_t found = 0;
    evdb_status rc = system_integer(s, "SELECT count(*) FROM clients WHERE id=?1", values, 1, &found, err);
    if (rc == EVDB_OK && !found) rc = error_set(err, EVDB_NOT_FOUND, "there is no client '%s'", row->id);
    if (rc != EVDB_OK) return rc;
    if (!q->requests && !q->records && !q->bytes) return forget_quota(s, row->id, err);
    return system_query(s, "INSERT INTO quotas(client, requests, records, bytes) VALUES(?1,?2,?3,?4) ON CONFLICT(client) DO UPDATE SET"
                           " requests=?2, records=?3, bytes=?4", values, 4, NULL, NULL, err);
}

evdb_status clients_set_quota(system_db *s, const client_row *row, evdb_error *err) { return transact(s, change_quota, row, NULL, err); }

typedef struct each_client { clients_each_fn *each; void *context; } each_client;

static evdb_status hand_on(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const each_client *e = context;
    const char *texts[3];
    client_row client;
    evdb_status rc = read_client(row, &client, err);
    for (int i = 0; rc == EVDB_OK && i < 3; i++)
        if (!(texts[i] = (const char *)sqlite3_column_text(row, TEXTS_FROM + i))) rc = error_no_memory(err, 1, "a client");
    return rc == EVDB_OK ? e->each(e->context, &client, &(client_texts){ texts[0], texts[1], texts[2] }, err) : rc;
}

evdb_status clients_each(system_db *s, const char *id, clients_each_fn *each, void *context, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(id) };
    return system_query(s, id ? "SELECT " ROW ", title, redirects, jwks" FROM " WHERE id=?1"
                              : "SELECT " ROW ", title, redirects, jwks" FROM " ORDER BY id",
                        values, id != NULL, hand_on, &(each_client){ each, context }, err);
}

/* ---- the key ---- */

typedef struct key_wanted { unsigned char *to; bool found; } key_wanted;

static evdb_status read_key(void *context, sqlite3_stmt *row, evdb_error *err)
{
    key_wanted *k = context;
    if (sqlite3_column_bytes(row, 0) != CLIENTS_KEY_BYTES)
        return error_set(err, EVDB_CORRUPT, "system.db: the key of tokens has the wrong length");
    memcpy(k->to, sqlite3_column_blob(row, 0), CLIENTS_KEY_BYTES);
    k->found = true;
    return EVDB_OK;
}

static evdb_status find_key(system_db *s, key_wanted *k, evdb_error *err)
{
    return system_query(s, "SELECT value FROM keys WHERE name='auth'", NULL, 0, read_key, k, err);
}

/* Whoever reads the key can make tokens. Files that SQLite makes later have the mode of system.db. */
static evdb_status keep_private(system_db *s, evdb_error *err)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[4096];
    for (size_t i = 0; s->path && i < sizeof(ends) / sizeof(*ends); i++) {
        if ((size_t)snprintf(path, sizeof(path), "%s%s", s->path, ends[i]) >= sizeof(path))
            return error_set(err, EVDB_INVALID, "%s: the path is too long", s->path);
        int failed = file_private(s->platform, path);
        if (failed) return error_errno(err, failed, "keep others from reading", path);
    }
    return EVDB_OK;
}

/* Under the lock. */
static evdb_status make_key(system_db *s, const unsigned char *fresh, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(fresh, CLIENTS_KEY_BYTES) };
    int64_t clients = 0;
    evdb_status rc;
    TRY(system_integer(s, "SELECT (SELECT count(*) FROM clients)+(SELECT count(*) FROM api_keys)", NULL, 0, &clients, err));
    if (clients)
        TRY(error_set(err, EVDB_CORRUPT, "system.db: there are clients or API keys, but no key of tokens: "
                      "once they are removed, a new one will be made"));
    TRY(keep_private(s, err));
    TRY(system_begin(s, err));
    rc = system_query(s, "INSERT INTO keys(name, value) VALUES('auth',?1)", values, 1, NULL, NULL, err);
    rc = system_end(s, rc, true, err);
out:
    return rc;
}

/* Whoever comes first decides; then everybody reads what was decided. Under the lock, so that nobody takes a key for good that
 * another thread is about to commit. */
evdb_status clients_key(system_db *s, const unsigned char fresh[CLIENTS_KEY_BYTES], unsigned char out[CLIENTS_KEY_BYTES],
                        evdb_error *err)
{
    key_wanted k = { .to = out };
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = find_key(s, &k, err);
    if (rc == EVDB_OK && !k.found) {
        rc = make_key(s, fresh, err);
        if (rc == EVDB_OK) memcpy(out, fresh, CLIENTS_KEY_BYTES);
    }
    system_unlock(s);
    return rc;
}

/* ---- verifying: I7 ---- */

typedef struct finder { void (*problem)(void *context, const char *text); void *context; } finder;

static evdb_status look_at_client(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const finder *f = context;
    client_row client;
    evdb_error why;
    evdb_status rc = read_client(row, &client, &why);
    if (rc == EVDB_CORRUPT) f->problem(f->context, why.message);
    else if (rc != EVDB_OK && err) *err = why;
    return rc == EVDB_CORRUPT ? EVDB_OK : rc;
}

static evdb_status found_one(void *context, sqlite3_stmt *row, evdb_error *err)
{
    const finder *f = context;
    const char *text = (const char *)sqlite3_column_text(row, 0);
    if (!text) return error_no_memory(err, 100, "a finding");
    f->problem(f->context, text);
    return EVDB_OK;
}

evdb_status clients_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    static const char *const findings[] = {
        "SELECT 'system.db: the key of tokens has ' || length(value) || ' bytes, not 32' FROM keys"
        " WHERE name='auth' AND length(value)<>32",
        "SELECT 'system.db: there are clients or API keys, but no key of tokens'"
        " WHERE (EXISTS(SELECT 1 FROM clients) OR EXISTS(SELECT 1 FROM api_keys))"
        " AND NOT EXISTS(SELECT 1 FROM keys WHERE name='auth')",
        "SELECT 'system.db: refresh tokens that make no sense: ' || n FROM (SELECT count(*) AS n FROM refresh"
        " WHERE length(token)<>32 OR length(family)<>16 OR (scopes=0 AND stores='') OR scopes NOT BETWEEN 0 AND 7 OR used NOT IN (0,1)) WHERE n",
        "SELECT 'system.db: refresh tokens of no client: ' || n FROM (SELECT count(*) AS n FROM refresh"
        " WHERE client NOT IN (SELECT id FROM clients)) WHERE n",
        "SELECT 'system.db: quotas of no client: ' || n FROM (SELECT count(*) AS n FROM quotas"
        " WHERE client NOT IN (SELECT id FROM clients)) WHERE n",
        "SELECT 'system.db: signing keys that make no sense: ' || n FROM (SELECT count(*) AS n FROM signing"
        " WHERE length(kid)<>43 OR length(seed)<>32 OR state NOT BETWEEN 0 AND 2 OR lifetime_ms<0) WHERE n",
        "SELECT 'system.db: active signing keys: ' || n FROM (SELECT count(*) AS n FROM signing WHERE state=1) WHERE n>1",
        "SELECT 'system.db: revoked tokens that make no sense: ' || n FROM (SELECT count(*) AS n FROM revoked"
        " WHERE length(jti)<>16) WHERE n",
    };
    finder f = { problem, context };
    evdb_status rc;
    TRY(system_query(s, "SELECT " ROW FROM, NULL, 0, look_at_client, &f, err));
    for (size_t i = 0; i < sizeof(findings) / sizeof(*findings); i++)
        TRY(system_query(s, findings[i], NULL, 0, found_one, &f, err));
out:
    return rc;
}
