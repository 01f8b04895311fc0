/* user_code.c - the part of evdb/user.h on codes: authorization_code of OAuth 2.1 (RFC 6749, 4.1) with PKCE (RFC 7636). */
#include "auth/base64url.h"
#include "auth/token.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "disk/codes.h"
#include "disk/users.h"
#include <evdb/user.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LIFETIME_MS = 60000, LIFETIME_MAX_MS = 600000, VERIFIER_MIN = 43, VERIFIER_MAX = 128 };
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* What is known of a request for a code. */
typedef struct request {
    evdb_code_options o;
    char stores[EVDB_STORE_SCOPES_BYTES]; /* asked for */
    client_row client;
    user_row user;
    uint32_t scopes; /* granted, with: */
    char granted[EVDB_STORE_SCOPES_BYTES];
} request;

typedef struct redirect_asked { const char *uri; bool allowed; } redirect_asked;

static evdb_status look_at_redirects(void *context, const client_row *row, const client_texts *texts, evdb_error *err)
{
    redirect_asked *a = context;
    (void)row, (void)err;
    a->allowed = evdb_auth_redirect_allowed(texts->redirects, a->uri);
    return EVDB_OK;
}

static evdb_status find_both(evdb *db, request *r, evdb_error *err)
{
    redirect_asked asked = { .uri = r->o.redirect_uri };
    bool client = false, user = false;
    evdb_status rc;
    if (r->o.client) TRY(clients_find(db->system, r->o.client, &r->client, &client, err));
    if (!client) TRY(error_set(err, EVDB_DENIED, "the client is unknown"));
    TRY(clients_each(db->system, r->o.client, look_at_redirects, &asked, err));
    if (!asked.allowed) TRY(error_set(err, EVDB_DENIED, "the redirect URI is none of client '%s'", r->client.id));
    if (!(r->client.grants & EVDB_GRANT_AUTHORIZATION_CODE))
        TRY(error_set(err, EVDB_UNSUPPORTED, "client '%s' may not use authorization_code", r->client.id));
    if (auth_name_good(r->o.user, EVDB_USER_NAME_MAX)) TRY(users_find(db->system, r->o.user, &r->user, &user, err));
    if (!user || (r->o.user_generation && r->o.user_generation != r->user.generation)) TRY(error_set(err, EVDB_DENIED, "the user is unknown"));
out:
    return rc;
}

/* What the client has of what it asks for, and the user of that. */
static evdb_status grant(request *r, evdb_error *err)
{
    bool all = !r->o.scopes && !*r->stores;
    evdb_status rc;
    TRY(auth_scopes_meet(r->client.scopes, r->client.stores, r->user.scopes, r->user.stores, &r->scopes, r->granted, err));
    if (!all) TRY(auth_scopes_meet(r->scopes, r->granted, auth_scopes_whole(r->o.scopes), r->stores, &r->scopes, r->granted, err));
    if (!r->scopes && !*r->granted)
        TRY(error_set(err, EVDB_INVALID, "of the scopes that client '%s' may ask for, user '%s' has none", r->client.id, r->user.name));
out:
    return rc;
}

static evdb_status take(evdb *db, const evdb_code_options *options, request *r, evdb_error *err)
{
    evdb_status rc;
    *r = (request){ .o = EVDB_CODE_OPTIONS };
    TRY(options_import(&r->o, sizeof(r->o), options, "evdb_code_options", err));
    TRY(auth_begin(db, err));
    TRY(find_both(db, r, err));
    TRY(auth_stores_take(r->o.stores, r->stores, err));
    rc = grant(r, err);
out:
    return rc;
}

evdb_status evdb_auth_code_scopes(evdb *db, const evdb_code_options *options, uint32_t *scopes, char *stores, evdb_error *err)
{
    request r;
    evdb_status rc = take(db, options, &r, err);
    if (rc != EVDB_OK) return rc;
    *scopes = r.scopes;
    memcpy(stores, r.granted, sizeof(r.granted));
    return EVDB_OK;
}

static evdb_status check_rest(request *r, evdb_error *err)
{
    const char *challenge = r->o.challenge;
    evdb_status rc = EVDB_OK;
    if (!challenge || strlen(challenge) != CODE_CHALLENGE_BYTES - 1 || strspn(challenge, UNRESERVED) != CODE_CHALLENGE_BYTES - 1)
        return error_set(err, EVDB_INVALID, "a challenge has %d letters of base64url: SHA-256 (S256) alone is supported", CODE_CHALLENGE_BYTES - 1);
    if (r->o.audience) TRY(auth_audience_check(r->o.audience, err));
    if (!r->o.lifetime_ms) r->o.lifetime_ms = LIFETIME_MS;
    if (r->o.lifetime_ms < 0 || r->o.lifetime_ms > LIFETIME_MAX_MS)
        TRY(error_set(err, EVDB_INVALID, "a code's lifetime is 1 ms to %d", LIFETIME_MAX_MS));
out:
    return rc;
}

evdb_status evdb_auth_code_issue(evdb *db, const evdb_code_options *options, char *out, evdb_error *err)
{
    char text[EVDB_SECRET_BYTES] = "";
    request r;
    evdb_status rc;
    TRY(take(db, options, &r, err));
    TRY(check_rest(&r, err));
    code_row row = { .client = r.client.id, .redirect = r.o.redirect_uri, .user = r.user.name, .client_generation = r.client.generation,
                     .user_generation = r.user.generation, .scopes = r.scopes, .expires_ms = auth_now_ms(db) + r.o.lifetime_ms };
    snprintf(row.subject, sizeof(row.subject), EVDB_SUBJECT_USER "%s", r.user.name);
    memcpy(row.challenge, r.o.challenge, CODE_CHALLENGE_BYTES);
    memcpy(row.stores, r.granted, sizeof(row.stores));
    if (r.o.audience) memcpy(row.audience, r.o.audience, strlen(r.o.audience) + 1);
    token_random(&db->platform, text);
    secret_mac(db->secrets, SECRET_FOR_CODES, text, strlen(text), row.hash);
    db->platform.random(db->platform.random_context, row.family, sizeof(row.family));
    TRY(codes_add(db->system, &row, auth_now_ms(db), err));
    memcpy(out, text, sizeof(text));
out:
    sodium_memzero(text, sizeof(text));
    return rc;
}

/* ---- redeeming ---- */

typedef struct proof { const char *redirect, *verifier, *audience; bool opaque; } proof;

/* base64url of the SHA-256 of a verifier; false when it can be none. */
static bool challenge_of(const char *verifier, char out[CODE_CHALLENGE_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    size_t length = verifier ? strlen(verifier) : 0;
    if (length < VERIFIER_MIN || length > VERIFIER_MAX || strspn(verifier, UNRESERVED ".~") != length) return false;
    crypto_hash_sha256(hash, (const unsigned char *)verifier, length);
    base64url_write(hash, sizeof(hash), out);
    return true;
}

static evdb_status check_proof(void *context, const code_row *code, evdb_error *err)
{
    const proof *p = context;
    char challenge[CODE_CHALLENGE_BYTES];
    if (!p->redirect || strcmp(code->redirect, p->redirect) != 0)
        return error_set(err, EVDB_GONE, "the redirect URI is not the one that the code was sent to");
    if (!challenge_of(p->verifier, challenge) || sodium_memcmp(challenge, code->challenge, sizeof(challenge)) != 0)
        return error_set(err, EVDB_GONE, "the code verifier is not the one of the code's challenge");
    if (p->opaque && *code->audience) /* it would be good for any */
        return error_set(err, EVDB_UNSUPPORTED, "the code is for '%s', and opaque tokens have no audience", code->audience);
    if (p->audience && *code->audience && !auth_words_within(code->audience, p->audience))
        return error_set(err, EVDB_INVALID, "the code is for no other audience than '%s'", code->audience);
    return EVDB_OK;
}

evdb_status evdb_auth_code_redeem(evdb *db, const char *client, const char *secret, const char *code, const char *redirect_uri,
                                  const char *verifier, const evdb_token_options *options, evdb_token *out, evdb_error *err)
{
    evdb_token_options o;
    client_row row;
    refresh_row what;
    signing_key key;
    evdb_token token = { .refresh = "" };
    unsigned char hash[REFRESH_HASH_BYTES];
    char stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc;
    TRY(auth_options_take(options, &o, stores, err));
    TRY(auth_client_admit(db, client, secret, &o, EVDB_GRANT_AUTHORIZATION_CODE, &row, err));
    if (!code) TRY(error_set(err, EVDB_GONE, "the code is missing"));
    secret_mac(db->secrets, SECRET_FOR_CODES, code, strlen(code), hash);
    auth_grant g = { .client = &row, .stores = "" }; /* the rest is the code's */
    bool renews = row.grants & EVDB_GRANT_REFRESH_TOKEN;
    auth_make_refresh(db, &g, o.refresh_lifetime_ms, token.refresh, &what);
    if (!renews) sodium_memzero(token.refresh, sizeof(token.refresh));
    what.idle_ms = auth_now_ms(db) + o.idle_lifetime_ms;
    if (o.format == EVDB_TOKEN_JWT) TRY(auth_active_key(db, o.lifetime_ms, o.key_lifetime_ms, &key, err)); /* before the code is used up */
    int64_t used_until = auth_now_ms(db) + (renews && o.refresh_lifetime_ms > o.lifetime_ms ? o.refresh_lifetime_ms : o.lifetime_ms);
    proof p = { redirect_uri, verifier, o.audience, o.format == EVDB_TOKEN_OPAQUE };
    TRY(codes_use(db->system, hash, check_proof, &p, &what, renews, auth_now_ms(db), used_until, err));
    g = (auth_grant){ .client = &row, .subject = what.subject, .scopes = what.scopes, .stores = what.stores,
                      .audience = o.audience ? o.audience : what.audience, .family = what.family, .user_generation = what.user_generation };
    TRY(auth_make_access(db, &g, &o, &token, err));
    *out = token;
out:
    sodium_memzero(&token, sizeof(token));
    return rc;
}
