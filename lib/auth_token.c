/* auth_token.c - the second half of evdb/auth.h: issuing tokens, and telling whom one speaks for. */
#include "auth/token.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include <evdb/auth.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LIFETIME_MS = 3600000, REFRESH_LIFETIME_MS = 86400000 };

static int64_t now_ms(const evdb *db) { return db->platform.clock_ms(db->platform.clock_context); }

/* stores: those of the scopes that are asked for. */
static evdb_status take_options(const evdb_token_options *given, evdb_token_options *o, char stores[EVDB_STORE_SCOPES_BYTES],
                                evdb_error *err)
{
    evdb_status rc;
    *o = (evdb_token_options)EVDB_TOKEN_OPTIONS;
    TRY(options_import(o, sizeof(*o), given, "evdb_token_options", err));
    o->scopes = auth_scopes_whole(o->scopes);
    TRY(auth_stores_take(o->stores, stores, err));
    if (!o->lifetime_ms) o->lifetime_ms = LIFETIME_MS;
    if (!o->refresh_lifetime_ms) o->refresh_lifetime_ms = REFRESH_LIFETIME_MS;
    if (o->lifetime_ms < 0 || o->lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS || o->refresh_lifetime_ms < 0 ||
        o->refresh_lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS)
        rc = error_set(err, EVDB_INVALID, "a token's lifetime is 1 ms to ten years");
out:
    return rc;
}

/* The client with this secret, if it may use this grant. */
static evdb_status authenticate(evdb *db, const char *id, const char *secret, const evdb_token_options *o, uint32_t grant,
                                client_row *out, evdb_error *err)
{
    bool found = false, right = false;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (id && (o->authenticated || (secret && strlen(secret) <= EVDB_SECRET_MAX))) TRY(clients_find(db->system, id, out, &found, err));
    if (o->authenticated) right = found && out->method != EVDB_CLIENT_SECRET;
    else if (found && out->method == EVDB_CLIENT_SECRET) TRY(secret_matches(db->secrets, out->kind, secret, out->hash, &right, err));
    if (!right) TRY(error_set(err, EVDB_DENIED, "the client is unknown or its secret is wrong"));
    if (!(out->grants & grant))
        TRY(error_set(err, EVDB_UNSUPPORTED, "client '%s' may not use %s", id,
                      grant == EVDB_GRANT_REFRESH_TOKEN ? "refresh_token" : "client_credentials"));
out:
    return rc;
}

static void make_access(evdb *db, const client_row *client, uint32_t scopes, const char *stores, int64_t lifetime_ms,
                        evdb_token *out)
{
    token_claims claims = { .scopes = scopes, .generation = client->generation, .expires_ms = now_ms(db) + lifetime_ms };
    memcpy(claims.client, client->id, sizeof(claims.client));
    memcpy(claims.stores, stores, strlen(stores) + 1);
    memcpy(out->stores, stores, strlen(stores) + 1);
    out->scopes = scopes;
    out->expires_ms = claims.expires_ms;
    token_write(&db->platform, db->secrets, &claims, out->access);
}

/* A fresh refresh token as text, and the row that is kept of it. */
static void make_refresh(evdb *db, const client_row *client, const evdb_token *token, int64_t lifetime_ms, char *text, refresh_row *row)
{
    token_random(&db->platform, text);
    *row = (refresh_row){ .client = client->id, .generation = client->generation, .scopes = token->scopes,
                          .expires_ms = now_ms(db) + lifetime_ms };
    memcpy(row->stores, token->stores, sizeof(row->stores));
    secret_mac(db->secrets, SECRET_FOR_REFRESH, text, strlen(text), row->hash);
    db->platform.random(db->platform.random_context, row->family, sizeof(row->family));
}

static evdb_status too_much(const char *whose, uint32_t scopes, const char *stores, evdb_error *err)
{
    char names[EVDB_SCOPES_BYTES];
    return error_set(err, EVDB_INVALID, "%s has no more than the scopes '%s'", whose, evdb_auth_scopes_join(scopes, stores, names));
}

evdb_status evdb_auth_token_issue(evdb *db, const char *client, const char *secret, const evdb_token_options *options,
                                  evdb_token *out, evdb_error *err)
{
    evdb_token_options o;
    client_row row;
    refresh_row refresh;
    evdb_token token = { .refresh = "" };
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc;
    TRY(take_options(options, &o, stores, err));
    TRY(authenticate(db, client, secret, &o, EVDB_GRANT_CLIENT_CREDENTIALS, &row, err));
    if (!auth_scopes_cover(row.scopes, row.stores, o.scopes, stores)) {
        char whose[EVDB_CLIENT_ID_MAX + 16];
        snprintf(whose, sizeof(whose), "client '%s'", row.id);
        TRY(too_much(whose, row.scopes, row.stores, err));
    }
    bool all = !o.scopes && !*stores;
    make_access(db, &row, all ? row.scopes : o.scopes, all ? row.stores : stores, o.lifetime_ms, &token);
    if (row.grants & EVDB_GRANT_REFRESH_TOKEN) {
        make_refresh(db, &row, &token, o.refresh_lifetime_ms, token.refresh, &refresh);
        TRY(refresh_add(db->system, &refresh, now_ms(db), err));
    }
    *out = token;
out:
    sodium_memzero(&token, sizeof(token));
    return rc;
}

typedef struct asked { uint32_t scopes; const char *stores; } asked;

static evdb_status check_asked(void *context, uint32_t scopes, const char *stores, evdb_error *err)
{
    const asked *a = context;
    return auth_scopes_cover(scopes, stores, a->scopes, a->stores) ? EVDB_OK : too_much("the refresh token", scopes, stores, err);
}

evdb_status evdb_auth_token_refresh(evdb *db, const char *client, const char *secret, const char *refresh,
                                    const evdb_token_options *options, evdb_token *out, evdb_error *err)
{
    evdb_token_options o;
    client_row row;
    refresh_row next;
    evdb_token token = { .refresh = "" };
    unsigned char hash[REFRESH_HASH_BYTES];
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc;
    TRY(take_options(options, &o, stores, err));
    TRY(authenticate(db, client, secret, &o, EVDB_GRANT_REFRESH_TOKEN, &row, err));
    if (!refresh) TRY(error_set(err, EVDB_GONE, "the refresh token is missing"));
    secret_mac(db->secrets, SECRET_FOR_REFRESH, refresh, strlen(refresh), hash);
    make_refresh(db, &row, &token, o.refresh_lifetime_ms, token.refresh, &next);
    asked a = { o.scopes, stores };
    TRY(refresh_trade(db->system, hash, check_asked, &a, &next, now_ms(db), err));
    bool all = !o.scopes && !*stores;
    make_access(db, &row, all ? next.scopes : o.scopes, all ? next.stores : stores, o.lifetime_ms, &token);
    *out = token;
out:
    sodium_memzero(&token, sizeof(token));
    return rc;
}

evdb_status evdb_auth_token_check(evdb *db, const char *token, evdb_principal *out, evdb_error *err)
{
    token_claims claims;
    client_row row;
    bool found;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (!token || !token_read(db->secrets, token, &claims)) TRY(error_set(err, EVDB_DENIED, "the access token is malformed"));
    if (claims.expires_ms <= now_ms(db)) TRY(error_set(err, EVDB_DENIED, "the access token has expired"));
    TRY(clients_find(db->system, claims.client, &row, &found, err));
    if (!found || row.generation != claims.generation) TRY(error_set(err, EVDB_DENIED, "the access token was revoked"));
    *out = (evdb_principal){ .scopes = claims.scopes & row.scopes, .expires_ms = claims.expires_ms };
    memcpy(out->client, claims.client, sizeof(out->client));
    memcpy(out->stores, claims.stores, sizeof(out->stores));
out:
    return rc;
}
