/* refresh.c - implements disk/refresh.h. */
#include "disk/refresh.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <evdb/auth.h>
#include <string.h>

/* The secret was looked at outside of this transaction. A token kept now for a client that was removed or has a new secret
 * since would escape what removing and rotating do to tokens. */
static evdb_status check_unchanged(system_db *s, const refresh_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->client), SYSTEM_NUMBER(row->generation) };
    int64_t same = 0;
    evdb_status rc = system_integer(s, "SELECT 1 FROM clients WHERE id=?1 AND generation=?2", values, 2, &same, err);
    if (rc == EVDB_OK && !same) rc = error_set(err, EVDB_DENIED, "client '%s' was removed or has a new secret", row->client);
    return rc;
}

/* Leaves room for one more: who asks for tokens all day must not fill the disk. */
static evdb_status drop_surplus(system_db *s, const char *client, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(client), SYSTEM_NUMBER(EVDB_REFRESH_TOKENS_MAX - 1) };
    return system_query(s, "DELETE FROM refresh WHERE token IN (SELECT token FROM refresh WHERE client=?1"
                        " ORDER BY expires_ms DESC LIMIT -1 OFFSET ?2)", values, 2, NULL, NULL, err);
}

static evdb_status put_token(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    const system_value now[] = { SYSTEM_NUMBER(now_ms) };
    const system_value values[] = { SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_BYTES(row->family, sizeof(row->family)),
                                    SYSTEM_TEXT(row->client), SYSTEM_NUMBER(row->scopes), SYSTEM_NUMBER(row->expires_ms),
                                    SYSTEM_TEXT(row->stores) };
    evdb_status rc;
    TRY(system_query(s, "DELETE FROM refresh WHERE expires_ms<?1", now, 1, NULL, NULL, err));
    TRY(drop_surplus(s, row->client, err));
    TRY(system_query(s, "INSERT INTO refresh(token, family, client, scopes, expires_ms, stores, used) VALUES(?1,?2,?3,?4,?5,?6,0)",
                     values, 6, NULL, NULL, err));
out:
    return rc;
}

evdb_status refresh_add(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) {
        rc = check_unchanged(s, row, err);
        if (rc == EVDB_OK) rc = put_token(s, row, now_ms, err);
        rc = system_end(s, rc, false, err);
    }
    system_unlock(s);
    return rc;
}

typedef struct known_token {
    bool found, used;
    unsigned char family[REFRESH_FAMILY_BYTES];
    uint32_t scopes;
    char stores[EVDB_STORE_SCOPES_BYTES];
    int64_t expires_ms;
} known_token;

static evdb_status read_token(void *context, sqlite3_stmt *row, evdb_error *err)
{
    known_token *t = context;
    const char *stores = (const char *)sqlite3_column_text(row, 4);
    if (!stores) return error_no_memory(err, 1, "a refresh token");
    size_t length = (size_t)sqlite3_column_bytes(row, 4);
    if (sqlite3_column_bytes(row, 0) != REFRESH_FAMILY_BYTES || length >= sizeof(t->stores))
        return error_set(err, EVDB_CORRUPT, "system.db: a refresh token makes no sense");
    memcpy(t->stores, stores, length + 1);
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

typedef struct checker { refresh_check_fn *check; void *context; } checker;

/* In a transaction. *gone is why the token is no good: then what was changed is kept all the same. */
static evdb_status trade(system_db *s, const unsigned char *hash, const checker *c, refresh_row *next, int64_t now_ms,
                         known_token *t, const char **gone, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(hash, REFRESH_HASH_BYTES), SYSTEM_TEXT(next->client) };
    evdb_status rc;
    TRY(check_unchanged(s, next, err));
    TRY(system_query(s, "SELECT family, scopes, expires_ms, used, stores FROM refresh WHERE token=?1 AND client=?2", values, 2,
                     read_token, t, err));
    if (!t->found) *gone = "the refresh token is unknown";
    else if (t->used) *gone = "the refresh token was used before: all that came from it is revoked";
    else if (t->expires_ms <= now_ms) *gone = "the refresh token has expired";
    if (*gone) return t->used ? revoke_family(s, t, err) : EVDB_OK;
    TRY(c->check(c->context, t->scopes, t->stores, err));
    next->scopes = t->scopes;
    memcpy(next->stores, t->stores, sizeof(t->stores));
    memcpy(next->family, t->family, sizeof(t->family));
    TRY(system_query(s, "UPDATE refresh SET used=1 WHERE token=?1", values, 1, NULL, NULL, err));
    TRY(put_token(s, next, now_ms, err));
out:
    return rc;
}

evdb_status refresh_trade(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], refresh_check_fn *check, void *context,
                          refresh_row *next, int64_t now_ms, evdb_error *err)
{
    const checker c = { check, context };
    known_token t = { 0 };
    const char *gone = NULL;
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) {
        rc = trade(s, hash, &c, next, now_ms, &t, &gone, err);
        rc = system_end(s, rc, t.used, err); /* that a copy is about must not be forgotten */
    }
    system_unlock(s);
    return rc == EVDB_OK && gone ? error_set(err, EVDB_GONE, "%s", gone) : rc;
}
