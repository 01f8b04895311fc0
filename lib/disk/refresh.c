/* refresh.c - implements disk/refresh.h. */
#include "disk/refresh.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/revoked.h"
#include "disk/system_private.h"
#include <evdb/user.h>
#include <string.h>

/* The secret was looked at outside of this transaction. A token kept now for a client that was removed or has a new secret
 * since would escape what removing and rotating do to tokens. */
evdb_status refresh_check_unchanged(system_db *s, const refresh_row *row, evdb_error *err)
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

evdb_status refresh_put(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    const system_value now[] = { SYSTEM_NUMBER(now_ms) };
    const system_value values[] = { SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_BYTES(row->family, sizeof(row->family)),
                                    SYSTEM_TEXT(row->client), SYSTEM_NUMBER(row->scopes), SYSTEM_NUMBER(row->expires_ms),
                                    SYSTEM_TEXT(row->stores), SYSTEM_TEXT(row->subject), SYSTEM_TEXT(row->audience), SYSTEM_NUMBER(row->idle_ms) };
    evdb_status rc;
    TRY(system_query(s, "DELETE FROM refresh WHERE expires_ms<?1", now, 1, NULL, NULL, err));
    TRY(drop_surplus(s, row->client, err));
    TRY(system_query(s, "INSERT INTO refresh(token, family, client, scopes, expires_ms, stores, subject, audience, idle_ms, used)"
                     " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,0)", values, 9, NULL, NULL, err));
out:
    return rc;
}

evdb_status refresh_add(system_db *s, const refresh_row *row, int64_t now_ms, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) {
        rc = refresh_check_unchanged(s, row, err);
        if (rc == EVDB_OK) rc = refresh_put(s, row, now_ms, err);
        rc = system_end(s, rc, false, err);
    }
    system_unlock(s);
    return rc;
}

typedef struct known_token {
    bool found, used;
    char client[EVDB_CLIENT_ID_MAX + 1];
    refresh_row row;
} known_token;

/* False when there is no memory for it, or more than fits. */
static bool take_text(sqlite3_stmt *row, int column, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    if (!text || length >= room) return false;
    memcpy(out, text, length + 1);
    return true;
}

#define TOKEN_COLUMNS "family, scopes, expires_ms, used, client, stores, subject, audience, idle_ms"

static evdb_status read_token(void *context, sqlite3_stmt *row, evdb_error *err)
{
    known_token *t = context;
    refresh_row *r = &t->row;
    if (sqlite3_column_bytes(row, 0) != REFRESH_FAMILY_BYTES || !take_text(row, 4, t->client, sizeof(t->client)) ||
        !take_text(row, 5, r->stores, sizeof(r->stores)) || !take_text(row, 6, r->subject, sizeof(r->subject)) ||
        !take_text(row, 7, r->audience, sizeof(r->audience))) {
        if (sqlite3_errcode(sqlite3_db_handle(row)) == SQLITE_NOMEM) return error_no_memory(err, sizeof(*r), "a refresh token");
        return error_set(err, EVDB_CORRUPT, "system.db: a refresh token makes no sense");
    }
    memcpy(r->family, sqlite3_column_blob(row, 0), REFRESH_FAMILY_BYTES);
    r->scopes = (uint32_t)sqlite3_column_int(row, 1);
    r->expires_ms = sqlite3_column_int64(row, 2);
    r->idle_ms = sqlite3_column_int64(row, 8);
    t->used = sqlite3_column_int(row, 3) != 0;
    t->found = true;
    return EVDB_OK;
}

static evdb_status look_up(system_db *s, const unsigned char *hash, known_token *t, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(hash, REFRESH_HASH_BYTES) };
    return system_query(s, "SELECT " TOKEN_COLUMNS " FROM refresh WHERE token=?1", values, 1, read_token, t, err);
}

evdb_status refresh_read_user(system_db *s, refresh_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->subject), SYSTEM_TEXT(EVDB_SUBJECT_USER) };
    row->user_generation = 0;
    return system_integer(s, "SELECT generation FROM users WHERE name=substr(?1,length(?2)+1) AND substr(?1,1,length(?2))=?2", values, 2,
                          &row->user_generation, err);
}

/* In a transaction. Nothing that came from the same log-in is good any longer. */
evdb_status refresh_end_family(system_db *s, const unsigned char family[REFRESH_FAMILY_BYTES], const char *client, int64_t now_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(family, REFRESH_FAMILY_BYTES) };
    evdb_status rc = system_query(s, "DELETE FROM refresh WHERE family=?1", values, 1, NULL, NULL, err);
    return rc == EVDB_OK ? revoked_add_family(s, family, client, now_ms, err) : rc;
}

static evdb_status revoke_family(system_db *s, const known_token *t, int64_t now_ms, evdb_error *err)
{
    return refresh_end_family(s, t->row.family, t->client, now_ms, err);
}

static bool has_expired(const refresh_row *r, int64_t now_ms) { return r->expires_ms <= now_ms || (r->idle_ms && r->idle_ms <= now_ms); }

typedef struct checker { refresh_check_fn *check; void *context; } checker;

/* In a transaction. *gone is why the token is no good: then what was changed is kept all the same. */
static evdb_status trade(system_db *s, const unsigned char *hash, const checker *c, refresh_row *next, int64_t now_ms,
                         known_token *t, const char **gone, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(hash, REFRESH_HASH_BYTES) };
    evdb_status rc;
    TRY(refresh_check_unchanged(s, next, err));
    TRY(look_up(s, hash, t, err));
    if (t->found && strcmp(t->client, next->client) != 0) t->found = t->used = false;
    if (!t->found) *gone = "the refresh token is unknown";
    else if (t->used) *gone = "the refresh token was used before: all that came from it is revoked";
    else if (has_expired(&t->row, now_ms)) *gone = "the refresh token has expired";
    if (*gone) return t->used ? revoke_family(s, t, now_ms, err) : EVDB_OK; /* somebody holds a copy, whoever it is */
    TRY(c->check(c->context, &t->row, err));
    if (t->row.idle_ms) next->expires_ms = t->row.expires_ms;
    else next->idle_ms = 0;
    next->scopes = t->row.scopes;
    memcpy(next->stores, t->row.stores, sizeof(next->stores));
    memcpy(next->family, t->row.family, sizeof(next->family));
    memcpy(next->subject, t->row.subject, sizeof(next->subject));
    memcpy(next->audience, t->row.audience, sizeof(next->audience));
    TRY(refresh_read_user(s, next, err));
    TRY(system_query(s, "UPDATE refresh SET used=1 WHERE token=?1", values, 1, NULL, NULL, err));
    TRY(refresh_put(s, next, now_ms, err));
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

evdb_status refresh_find(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], int64_t now_ms, refresh_row *out,
                         char client[EVDB_CLIENT_ID_MAX + 1], bool *found, evdb_error *err)
{
    known_token t = { 0 };
    evdb_status rc = look_up(s, hash, &t, err);
    *found = rc == EVDB_OK && t.found && !t.used && !has_expired(&t.row, now_ms);
    if (!*found) return rc;
    *out = t.row;
    memcpy(client, t.client, sizeof(t.client));
    return EVDB_OK;
}

/* In a transaction. */
static evdb_status revoke(system_db *s, const unsigned char *hash, const char *client, int64_t now_ms, bool *found, evdb_error *err)
{
    known_token t = { 0 };
    evdb_status rc = look_up(s, hash, &t, err);
    *found = rc == EVDB_OK && t.found && (!client || strcmp(client, t.client) == 0);
    return *found ? revoke_family(s, &t, now_ms, err) : rc;
}

evdb_status refresh_revoke(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], const char *client, int64_t now_ms, bool *found,
                           evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, revoke(s, hash, client, now_ms, found, err), true, err);
    system_unlock(s);
    return rc;
}
