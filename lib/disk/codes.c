/* codes.c - implements disk/codes.h. */
#include "disk/codes.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/system_private.h"
#include <string.h>

/* ---- keeping one ---- */

/* Client and user were looked at outside of this transaction: what ends their codes must not miss this one. */
static evdb_status check_unchanged(system_db *s, const code_row *row, evdb_error *err)
{
    const system_value values[] = { SYSTEM_TEXT(row->client), SYSTEM_NUMBER(row->client_generation), SYSTEM_TEXT(row->user),
                                    SYSTEM_NUMBER(row->user_generation) };
    int64_t same = 0;
    evdb_status rc = system_integer(s, "SELECT 1 FROM clients, users WHERE clients.id=?1 AND clients.generation=?2 AND users.name=?3"
                                    " AND users.generation=?4", values, 4, &same, err);
    if (rc == EVDB_OK && !same) rc = error_set(err, EVDB_DENIED, "client '%s' or user '%s' was removed or has a new secret", row->client, row->user);
    return rc;
}

static evdb_status put(system_db *s, const code_row *row, int64_t now_ms, evdb_error *err)
{
    const system_value now[] = { SYSTEM_NUMBER(now_ms) };
    const system_value surplus[] = { SYSTEM_TEXT(row->client), SYSTEM_NUMBER(EVDB_REFRESH_TOKENS_MAX - 1) };
    const system_value values[] = { SYSTEM_BYTES(row->hash, sizeof(row->hash)), SYSTEM_BYTES(row->family, sizeof(row->family)),
                                    SYSTEM_TEXT(row->client), SYSTEM_TEXT(row->subject), SYSTEM_TEXT(row->redirect),
                                    SYSTEM_TEXT(row->challenge), SYSTEM_NUMBER(row->scopes), SYSTEM_TEXT(row->stores),
                                    SYSTEM_TEXT(row->audience), SYSTEM_NUMBER(row->expires_ms) };
    evdb_status rc;
    TRY(check_unchanged(s, row, err));
    TRY(system_query(s, "DELETE FROM codes WHERE expires_ms<?1", now, 1, NULL, NULL, err));
    TRY(system_query(s, "DELETE FROM codes WHERE code IN (SELECT code FROM codes WHERE client=?1 ORDER BY used, expires_ms DESC"
                     " LIMIT -1 OFFSET ?2)",
                     surplus, 2, NULL, NULL, err));
    TRY(system_query(s, "INSERT INTO codes(code, family, client, subject, redirect, challenge, scopes, stores, audience, expires_ms, used)"
                     " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,0)", values, 10, NULL, NULL, err));
out:
    return rc;
}

evdb_status codes_add(system_db *s, const code_row *row, int64_t now_ms, evdb_error *err)
{
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) rc = system_end(s, put(s, row, now_ms, err), false, err);
    system_unlock(s);
    return rc;
}

/* ---- using one up ---- */

/* A code that is looked up, and what is made of it. */
typedef struct use {
    const char *client;
    codes_check_fn *check;
    void *context;
    int64_t now_ms;
    refresh_row *out;
    const char *gone; /* why it is no good; what was changed is kept all the same */
    bool used;
} use;

#define COLUMNS "family, client, subject, redirect, challenge, scopes, stores, audience, expires_ms, used"

static bool take_text(sqlite3_stmt *row, int column, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    if (!text || length >= room) return false;
    memcpy(out, text, length + 1);
    return true;
}

static evdb_status read_code(sqlite3_stmt *row, code_row *c, evdb_error *err)
{
    c->client = (const char *)sqlite3_column_text(row, 1);
    c->redirect = (const char *)sqlite3_column_text(row, 3);
    if (!c->client || !c->redirect || sqlite3_column_bytes(row, 0) != REFRESH_FAMILY_BYTES || !take_text(row, 2, c->subject, sizeof(c->subject)) ||
        !take_text(row, 4, c->challenge, sizeof(c->challenge)) || !take_text(row, 6, c->stores, sizeof(c->stores)) ||
        !take_text(row, 7, c->audience, sizeof(c->audience))) {
        if (sqlite3_errcode(sqlite3_db_handle(row)) == SQLITE_NOMEM) return error_no_memory(err, sizeof(*c), "a code");
        return error_set(err, EVDB_CORRUPT, "system.db: a code makes no sense");
    }
    memcpy(c->family, sqlite3_column_blob(row, 0), REFRESH_FAMILY_BYTES);
    c->scopes = (uint32_t)sqlite3_column_int(row, 5);
    c->expires_ms = sqlite3_column_int64(row, 8);
    return EVDB_OK;
}

static evdb_status look(void *context, sqlite3_stmt *row, evdb_error *err)
{
    use *u = context;
    code_row c = { .scopes = 0 };
    evdb_status rc = read_code(row, &c, err);
    if (rc != EVDB_OK || strcmp(c.client, u->client) != 0) return rc; /* another client's is unknown */
    u->used = sqlite3_column_int(row, 9) != 0;
    u->gone = u->used ? "the code was used before: all that came from it is revoked" : c.expires_ms <= u->now_ms ? "the code has expired" : NULL;
    memcpy(u->out->family, c.family, sizeof(c.family));
    u->out->scopes = c.scopes;
    memcpy(u->out->stores, c.stores, sizeof(c.stores));
    memcpy(u->out->subject, c.subject, sizeof(c.subject));
    memcpy(u->out->audience, c.audience, sizeof(c.audience));
    return u->gone ? EVDB_OK : u->check(u->context, &c, err);
}

/* In a transaction. */
static evdb_status use_up(system_db *s, const unsigned char *hash, use *u, bool renews, int64_t used_until_ms, evdb_error *err)
{
    const system_value values[] = { SYSTEM_BYTES(hash, REFRESH_HASH_BYTES), SYSTEM_NUMBER(used_until_ms) };
    evdb_status rc;
    TRY(refresh_check_unchanged(s, u->out, err));
    TRY(system_query(s, "SELECT " COLUMNS " FROM codes WHERE code=?1", values, 1, look, u, err));
    if (u->gone) return u->used ? refresh_end_family(s, u->out->family, u->client, u->now_ms, err) : EVDB_OK;
    TRY(system_query(s, "UPDATE codes SET used=1, expires_ms=?2 WHERE code=?1", values, 2, NULL, NULL, err));
    TRY(refresh_read_user(s, u->out, err));
    if (renews) TRY(refresh_put(s, u->out, u->now_ms, err));
out:
    return rc;
}

evdb_status codes_use(system_db *s, const unsigned char hash[REFRESH_HASH_BYTES], codes_check_fn *check, void *context, refresh_row *out,
                      bool renews, int64_t now_ms, int64_t used_until_ms, evdb_error *err)
{
    use u = { .client = out->client, .check = check, .context = context, .now_ms = now_ms, .out = out, .gone = "the code is unknown" };
    evdb_status rc = system_lock(s, err);
    if (rc != EVDB_OK) return rc;
    rc = system_begin(s, err);
    if (rc == EVDB_OK) {
        rc = use_up(s, hash, &u, renews, used_until_ms, err);
        rc = system_end(s, rc, u.used, err); /* that a copy is about must not be forgotten */
    }
    system_unlock(s);
    return rc == EVDB_OK && u.gone ? error_set(err, EVDB_GONE, "%s", u.gone) : rc;
}
