/* auth_token.c - the part of evdb/auth.h that issues tokens. */
#include "auth/token.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include <evdb/auth.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LIFETIME_MS = 3600000, REFRESH_LIFETIME_MS = 86400000, IDLE_LIFETIME_MS = 28800000 };
#define ISSUER "evdb"

/* Printable ASCII of at most `most` bytes; blanks, and never two in a row, where there may be several. */
static evdb_status check_words(const char *what, const char *text, size_t most, bool several, evdb_error *err)
{
    size_t length = strlen(text);
    bool good = length && length <= most && text[0] != ' ' && text[length - 1] != ' ' && !strstr(text, "  ");
    for (size_t i = 0; good && i < length; i++) good = text[i] > ' ' ? text[i] < 0x7f && text[i] != '"' && text[i] != '\\' : text[i] == ' ' && several;
    if (good) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "%s: not 1 to %zu printable ASCII characters without '\"' and '\\'%s", what, most,
                     several ? "" : ", and without space");
}

evdb_status auth_audience_check(const char *audience, evdb_error *err) { return check_words("an audience", audience, EVDB_AUDIENCE_MAX, true, err); }

static evdb_status check_format(const evdb_token_options *o, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    if (o->format != EVDB_TOKEN_JWT && o->format != EVDB_TOKEN_OPAQUE)
        return error_set(err, EVDB_INVALID, "evdb_token_options.format: %u is neither JWT nor opaque", (unsigned)o->format);
    if (o->format == EVDB_TOKEN_OPAQUE && (o->issuer || o->audience))
        return error_set(err, EVDB_UNSUPPORTED, "opaque tokens have no issuer and no audience");
    if (o->key_lifetime_ms < 0) return error_set(err, EVDB_INVALID, "evdb_token_options.key_lifetime_ms is negative");
    if (o->issuer) TRY(check_words("evdb_token_options.issuer", o->issuer, EVDB_ISSUER_MAX, false, err));
    if (o->audience) TRY(auth_audience_check(o->audience, err));
out:
    return rc;
}

evdb_status auth_options_take(const evdb_token_options *given, evdb_token_options *o, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err)
{
    evdb_status rc;
    *o = (evdb_token_options)EVDB_TOKEN_OPTIONS;
    TRY(options_import(o, sizeof(*o), given, "evdb_token_options", err));
    o->scopes = auth_scopes_whole(o->scopes);
    TRY(auth_stores_take(o->stores, stores, err));
    TRY(check_format(o, err));
    if (!o->lifetime_ms) o->lifetime_ms = LIFETIME_MS;
    if (!o->refresh_lifetime_ms) o->refresh_lifetime_ms = REFRESH_LIFETIME_MS;
    if (!o->idle_lifetime_ms) o->idle_lifetime_ms = IDLE_LIFETIME_MS;
    if (o->lifetime_ms < 0 || o->lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS || o->refresh_lifetime_ms < 0 ||
        o->refresh_lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS || o->idle_lifetime_ms < 0 || o->idle_lifetime_ms > EVDB_TOKEN_LIFETIME_MAX_MS)
        rc = error_set(err, EVDB_INVALID, "a token's lifetime is 1 ms to ten years");
out:
    return rc;
}

evdb_status auth_client_admit(evdb *db, const char *id, const char *secret, const evdb_token_options *o, uint32_t grant, client_row *out,
                              evdb_error *err)
{
    char name[64];
    bool found = false, right = false;
    evdb_status rc;
    TRY(auth_begin(db, err));
    if (id && (o->authenticated || (secret && strlen(secret) <= EVDB_SECRET_MAX))) TRY(clients_find(db->system, id, out, &found, err));
    if (o->authenticated) right = found && out->method != EVDB_CLIENT_SECRET;
    else if (found && out->method == EVDB_CLIENT_SECRET && out->kind == SECRET_CHOSEN && o->made_only)
        TRY(error_set(err, EVDB_THROTTLED, "the secret of client '%s' was chosen by a person, and is not looked at", id));
    else if (found && out->method == EVDB_CLIENT_SECRET) TRY(secret_matches(db->secrets, out->kind, secret, out->hash, &right, err));
    if (!right) TRY(error_set(err, EVDB_DENIED, "the client is unknown or its secret is wrong"));
    if (grant && !(out->grants & grant))
        TRY(error_set(err, EVDB_UNSUPPORTED, "client '%s' may not use %s", id, evdb_auth_grants_text(grant, name)));
out:
    return rc;
}

evdb_status evdb_auth_client_check(evdb *db, const char *id, const char *secret, const evdb_token_options *options, evdb_error *err)
{
    evdb_token_options o;
    char stores[EVDB_STORE_SCOPES_BYTES];
    client_row row;
    evdb_status rc = auth_options_take(options, &o, stores, err);
    return rc == EVDB_OK ? auth_client_admit(db, id, secret, &o, 0, &row, err) : rc;
}

static void make_opaque(evdb *db, const auth_grant *g, evdb_token *out)
{
    token_claims claims = { .scopes = g->scopes, .generation = g->client->generation ^ g->user_generation, .expires_ms = out->expires_ms };
    if (g->subject) memcpy(claims.subject, g->subject, strlen(g->subject) + 1);
    memcpy(claims.client, g->client->id, sizeof(claims.client));
    memcpy(claims.stores, g->stores, strlen(g->stores) + 1);
    token_write(&db->platform, db->secrets, &claims, out->access);
}

/* A key that was rotated before it could sign is left to its fate. */
static evdb_status sign(evdb *db, const jwt_claims *claims, const evdb_token_options *o, evdb_token *out, evdb_error *err)
{
    enum { TRIES = 8 };
    signing_key key;
    for (int i = 0; i < TRIES; i++) {
        evdb_status rc = auth_active_key(db, o->lifetime_ms, i ? 0 : o->key_lifetime_ms, &key, err);
        if (rc == EVDB_OK) rc = signing_sign(db->signing, key.kid, claims, out->access, err);
        if (rc != EVDB_NOT_FOUND) return rc;
    }
    return error_set(err, EVDB_BUSY, "the signing keys change all the time");
}

static evdb_status make_jwt(evdb *db, const auth_grant *g, const evdb_token_options *o, evdb_token *out, evdb_error *err)
{
    jwt_claims c = { .generation = g->client->generation ^ g->user_generation };
    const char *issuer = o->issuer ? o->issuer : ISSUER, *audience = g->audience && *g->audience ? g->audience : issuer;
    const char *subject = g->subject && *g->subject ? g->subject : g->client->id;
    out->expires_ms += (1000 - out->expires_ms % 1000) % 1000;
    c.issued_ms = auth_now_ms(db);
    c.expires_ms = out->expires_ms;
    memcpy(c.issuer, issuer, strlen(issuer) + 1);
    memcpy(c.audience, audience, strlen(audience) + 1);
    memcpy(c.subject, subject, strlen(subject) + 1);
    memcpy(c.client, g->client->id, sizeof(c.client));
    if (g->family) memcpy(c.family, g->family, sizeof(c.family));
    evdb_auth_scopes_join(g->scopes, g->stores, c.scope);
    db->platform.random(db->platform.random_context, c.id, sizeof(c.id));
    return sign(db, &c, o, out, err);
}

evdb_status auth_make_access(evdb *db, const auth_grant *g, const evdb_token_options *o, evdb_token *out, evdb_error *err)
{
    out->scopes = g->scopes;
    memmove(out->stores, g->stores, strlen(g->stores) + 1);
    out->expires_ms = auth_now_ms(db) + o->lifetime_ms;
    if (o->format == EVDB_TOKEN_JWT) return make_jwt(db, g, o, out, err);
    make_opaque(db, g, out);
    return EVDB_OK;
}

void auth_make_refresh(evdb *db, const auth_grant *g, int64_t lifetime_ms, char text[EVDB_SECRET_BYTES], refresh_row *row)
{
    token_random(&db->platform, text);
    *row = (refresh_row){ .client = g->client->id, .generation = g->client->generation, .scopes = g->scopes,
                          .expires_ms = auth_now_ms(db) + lifetime_ms };
    memcpy(row->stores, g->stores, strlen(g->stores) + 1);
    if (g->subject) memcpy(row->subject, g->subject, strlen(g->subject) + 1);
    if (g->audience) memcpy(row->audience, g->audience, strlen(g->audience) + 1);
    secret_mac(db->secrets, SECRET_FOR_REFRESH, text, strlen(text), row->hash);
    if (g->family) memcpy(row->family, g->family, sizeof(row->family));
    else db->platform.random(db->platform.random_context, row->family, sizeof(row->family));
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
    TRY(auth_options_take(options, &o, stores, err));
    TRY(auth_client_admit(db, client, secret, &o, EVDB_GRANT_CLIENT_CREDENTIALS, &row, err));
    if (!auth_scopes_cover(row.scopes, row.stores, o.scopes, stores)) {
        char whose[EVDB_CLIENT_ID_MAX + 16];
        snprintf(whose, sizeof(whose), "client '%s'", row.id);
        TRY(too_much(whose, row.scopes, row.stores, err));
    }
    bool all = !o.scopes && !*stores, renews = row.grants & EVDB_GRANT_REFRESH_TOKEN;
    auth_grant g = { .client = &row, .scopes = all ? row.scopes : o.scopes, .stores = all ? row.stores : stores, .audience = o.audience };
    if (renews) {
        auth_make_refresh(db, &g, o.refresh_lifetime_ms, token.refresh, &refresh);
        g.family = refresh.family;
    }
    TRY(auth_make_access(db, &g, &o, &token, err));
    if (renews) TRY(refresh_add(db->system, &refresh, auth_now_ms(db), err));
    *out = token;
out:
    sodium_memzero(&token, sizeof(token));
    return rc;
}

typedef struct asked { uint32_t scopes; const char *stores, *audience; bool opaque; } asked;

static evdb_status check_asked(void *context, const refresh_row *held, evdb_error *err)
{
    const asked *a = context;
    if (!auth_scopes_cover(held->scopes, held->stores, a->scopes, a->stores))
        return too_much("the refresh token", held->scopes, held->stores, err);
    if (a->opaque && *held->audience) /* it would be good for any */
        return error_set(err, EVDB_UNSUPPORTED, "the refresh token is for '%s', and opaque tokens have no audience", held->audience);
    if (a->audience && *held->audience && !auth_words_within(held->audience, a->audience))
        return error_set(err, EVDB_INVALID, "the refresh token is for no other audience than '%s'", held->audience);
    return EVDB_OK;
}

evdb_status evdb_auth_token_refresh(evdb *db, const char *client, const char *secret, const char *refresh,
                                    const evdb_token_options *options, evdb_token *out, evdb_error *err)
{
    evdb_token_options o;
    client_row row;
    refresh_row next;
    signing_key key;
    evdb_token token = { .refresh = "" };
    unsigned char hash[REFRESH_HASH_BYTES];
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc;
    TRY(auth_options_take(options, &o, stores, err));
    TRY(auth_client_admit(db, client, secret, &o, EVDB_GRANT_REFRESH_TOKEN, &row, err));
    if (!refresh) TRY(error_set(err, EVDB_GONE, "the refresh token is missing"));
    secret_mac(db->secrets, SECRET_FOR_REFRESH, refresh, strlen(refresh), hash);
    auth_grant g = { .client = &row, .stores = "" }; /* the rest is the old token's */
    auth_make_refresh(db, &g, o.refresh_lifetime_ms, token.refresh, &next);
    if (o.format == EVDB_TOKEN_JWT) TRY(auth_active_key(db, o.lifetime_ms, o.key_lifetime_ms, &key, err)); /* before the old one is used up */
    next.idle_ms = auth_now_ms(db) + o.idle_lifetime_ms;
    asked a = { o.scopes, stores, o.audience, o.format == EVDB_TOKEN_OPAQUE };
    TRY(refresh_trade(db->system, hash, check_asked, &a, &next, auth_now_ms(db), err));
    bool all = !o.scopes && !*stores;
    g = (auth_grant){ .client = &row, .subject = next.subject, .scopes = all ? next.scopes : o.scopes, .stores = all ? next.stores : stores,
                      .audience = o.audience ? o.audience : next.audience, .family = next.family, .user_generation = next.user_generation };
    TRY(auth_make_access(db, &g, &o, &token, err));
    *out = token;
out:
    sodium_memzero(&token, sizeof(token));
    return rc;
}
