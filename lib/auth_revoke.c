/* auth_revoke.c - what evdb/auth.h tells about tokens to those who may know, and how they end early. */
#include "auth/base64url.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/try.h"
#include "disk/revoked.h"
#include <evdb/auth.h>
#include <string.h>

_Static_assert(EVDB_TOKEN_ID_BYTES >= JWT_ID_TEXT, "an id as text has room");

static void hash_refresh(const evdb *db, const char *token, unsigned char hash[REFRESH_HASH_BYTES])
{
    secret_mac(db->secrets, SECRET_FOR_REFRESH, token, strlen(token), hash);
}

/* A refresh token has as many letters as a secret, which no access token has: who asks pays for one look-up. */
static bool may_be_refresh(const char *token) { return strnlen(token, EVDB_SECRET_BYTES) == BASE64URL_LENGTH(SECRET_RANDOM_BYTES); }

/* ---- telling ---- */

static evdb_status inspect_refresh(evdb *db, const char *token, evdb_token_info *out, bool *found, evdb_error *err)
{
    unsigned char hash[REFRESH_HASH_BYTES];
    refresh_row row;
    hash_refresh(db, token, hash);
    evdb_status rc = refresh_find(db->system, hash, auth_now_ms(db), &row, out->client, found, err);
    if (rc != EVDB_OK || !*found) return rc;
    out->refresh = 1;
    out->scopes = row.scopes;
    out->expires_ms = row.expires_ms;
    memcpy(out->stores, row.stores, sizeof(out->stores));
    memcpy(out->audience, row.audience, sizeof(out->audience));
    memcpy(out->subject, *row.subject ? row.subject : out->client, sizeof(out->subject));
    return EVDB_OK;
}

static evdb_status inspect_access(evdb *db, const char *token, evdb_token_info *out, evdb_error *err)
{
    jwt_claims claims;
    client_row row;
    evdb_status rc = auth_believe(db, token, &claims, &row, err);
    if (rc != EVDB_OK) return rc;
    *out = (evdb_token_info){ .scopes = claims.scopes & row.scopes, .issued_ms = claims.issued_ms, .expires_ms = claims.expires_ms };
    memcpy(out->client, claims.client, sizeof(out->client));
    memcpy(out->subject, claims.subject, sizeof(out->subject));
    memcpy(out->issuer, claims.issuer, sizeof(out->issuer));
    memcpy(out->audience, claims.audience, sizeof(out->audience));
    memcpy(out->stores, claims.stores, sizeof(out->stores));
    base64url_write(claims.id, sizeof(claims.id), out->id);
    return EVDB_OK;
}

evdb_status evdb_auth_token_inspect(evdb *db, const char *token, evdb_token_info *out, evdb_error *err)
{
    evdb_token_info info = { 0 };
    bool found = false;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (token && may_be_refresh(token)) TRY(inspect_refresh(db, token, &info, &found, err));
    if (!found) TRY(inspect_access(db, token, &info, err));
    *out = info;
out:
    return rc;
}

/* ---- ending ---- */

static evdb_status not_found(evdb_error *err) { return error_set(err, EVDB_NOT_FOUND, "there is no such token that is still good"); }

static evdb_status revoke_refresh(evdb *db, const char *client, const char *token, evdb_error *err)
{
    unsigned char hash[REFRESH_HASH_BYTES];
    bool found = false;
    hash_refresh(db, token, hash);
    evdb_status rc = refresh_revoke(db->system, hash, client, auth_now_ms(db), &found, err);
    return rc == EVDB_OK && !found ? not_found(err) : rc;
}

static evdb_status revoke_access(evdb *db, const char *client, const char *token, evdb_error *err)
{
    jwt_claims claims;
    client_row row;
    evdb_status rc = auth_believe(db, token, &claims, &row, err);
    if (rc == EVDB_DENIED || (rc == EVDB_OK && client && strcmp(client, claims.client) != 0)) return not_found(err);
    return rc == EVDB_OK ? revoked_add(db->system, claims.id, claims.client, claims.expires_ms, auth_now_ms(db), err) : rc;
}

/* Of the token itself nothing is known: it may live as long as any. */
static evdb_status revoke_id(evdb *db, const unsigned char id[JWT_ID_BYTES], evdb_error *err)
{
    int64_t now = auth_now_ms(db);
    return revoked_add(db->system, id, "", now + EVDB_TOKEN_LIFETIME_MAX_MS, now, err);
}

evdb_status evdb_auth_token_revoke(evdb *db, const char *client, const char *token, evdb_error *err)
{
    unsigned char id[JWT_ID_BYTES];
    size_t length = token ? strnlen(token, EVDB_TOKEN_BYTES) : 0, size;
    evdb_status rc = auth_begin(db, err);
    if (rc != EVDB_OK) return rc;
    if (!length) return not_found(err);
    if (may_be_refresh(token)) return revoke_refresh(db, client, token, err);
    if (!client && length == JWT_ID_TEXT - 1 && base64url_read(token, length, id, sizeof(id), &size)) return revoke_id(db, id, err);
    return revoke_access(db, client, token, err);
}
