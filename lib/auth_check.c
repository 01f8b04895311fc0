/* auth_check.c - whom a token of evdb/auth.h speaks for, and whether it still does. */
#include "auth/api_key.h"
#include "auth/token.h"
#include "auth_private.h"
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "disk/revoked.h"
#include <evdb/auth.h>
#include <sodium.h>
#include <string.h>

_Static_assert((int)REVOKED_ID_BYTES == (int)JWT_ID_BYTES && (int)REFRESH_FAMILY_BYTES == (int)JWT_ID_BYTES &&
               (int)TOKEN_ID_BYTES == (int)JWT_ID_BYTES, "one kind of id is revoked");

typedef struct key_asked { evdb *db; int64_t now_ms; } key_asked;

static bool find_key(void *context, const char *kid, unsigned char public_key[JWS_PUBLIC_BYTES])
{
    const key_asked *a = context;
    return signing_public(a->db->signing, kid, a->now_ms, public_key);
}

static evdb_status read_opaque(evdb *db, const char *token, jwt_claims *out, evdb_error *err)
{
    token_claims c;
    if (!token_read(db->secrets, token, &c)) return error_set(err, EVDB_DENIED, "the access token is malformed");
    *out = (jwt_claims){ .expires_ms = c.expires_ms, .generation = c.generation, .scopes = c.scopes };
    memcpy(out->client, c.client, sizeof(out->client));
    memcpy(out->subject, *c.subject ? c.subject : c.client, sizeof(out->subject));
    memcpy(out->stores, c.stores, sizeof(out->stores));
    memcpy(out->id, c.id, sizeof(out->id));
    return EVDB_OK;
}

/* What the text says, if it is of ours. */
static evdb_status read_token(evdb *db, const char *token, jwt_claims *claims, evdb_error *err)
{
    evdb_status rc;
    if (token_is_opaque(token)) return read_opaque(db, token, claims, err);
    TRY(auth_keys_read(db, err));
    TRY(jwt_read(token, find_key, &(key_asked){ db, auth_now_ms(db) }, claims, err));
    TRY(evdb_auth_scopes_split(claims->scope, &claims->scopes, claims->stores, err));
out:
    return rc;
}

static evdb_status check_clock(const jwt_claims *c, int64_t now, evdb_error *err)
{
    if (c->expires_ms <= now) return error_set(err, EVDB_DENIED, "the access token has expired");
    if (c->not_before_ms > now) return error_set(err, EVDB_DENIED, "the access token is not valid yet");
    return EVDB_OK;
}

/* Of a token that was read before: what may have changed since in system.db. */
static evdb_status check_unrevoked(evdb *db, const jwt_claims *c, const client_row *client, evdb_error *err)
{
    unsigned char unused[JWS_PUBLIC_BYTES];
    int64_t user = 0;
    bool revoked = false, found;
    evdb_status rc;
    TRY(auth_user_generation(db, c->subject, &user, &found, err));
    if (!found || (client->generation ^ user) != c->generation) TRY(error_set(err, EVDB_DENIED, "the access token was revoked"));
    if (*c->kid) TRY(auth_keys_read(db, err));
    if (*c->kid && !signing_public(db->signing, c->kid, auth_now_ms(db), unused))
        TRY(error_set(err, EVDB_DENIED, "the access token is signed by a key that is unknown or retired"));
    TRY(revoked_find(db->system, c->id, c->family, &revoked, err));
    if (revoked) TRY(error_set(err, EVDB_DENIED, "the access token was revoked"));
out:
    return rc;
}

evdb_status auth_believe(evdb *db, const char *token, jwt_claims *claims, client_row *row, evdb_error *err)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    uint64_t seen = 0, now_seen;
    bool found;
    evdb_status rc;
    TRY(auth_begin(db, err));
    size_t length = token ? strnlen(token, EVDB_TOKEN_BYTES) : 0;
    if (!length || length == EVDB_TOKEN_BYTES) TRY(error_set(err, EVDB_DENIED, "the access token is malformed"));
    token_cache_hash(db->tokens, token, length, hash);
    now_seen = system_seen(db->system); /* before anything is read of it */
    if (!token_cache_find(db->tokens, hash, claims, &seen)) TRY(read_token(db, token, claims, err));
    TRY(check_clock(claims, auth_now_ms(db), err));
    TRY(clients_find(db->system, claims->client, row, &found, err));
    if (!found) TRY(error_set(err, EVDB_DENIED, "the access token was revoked"));
    if (now_seen && seen == now_seen) return EVDB_OK;
    TRY(check_unrevoked(db, claims, row, err));
    token_cache_keep(db->tokens, hash, claims, now_seen);
out:
    return rc;
}

/* ---- issuer and audience ---- */

static bool has_word(const char *list, const char *word, size_t length)
{
    for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && memcmp(at, word, length) == 0) return true;
    return false;
}

/* How many words of the first are in the second; *count: of how many. */
static size_t words_in(const char *words, const char *list, size_t *count)
{
    size_t found = 0;
    *count = 0;
    for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ', ++*count) found += has_word(list, at, strcspn(at, " "));
    return found;
}

bool auth_words_within(const char *held, const char *asked)
{
    size_t count;
    return words_in(asked, held, &count) == count;
}

static evdb_status check_addressee(const jwt_claims *c, const evdb_check_options *o, evdb_error *err)
{
    size_t count;
    if (!*c->kid) return EVDB_OK; /* an opaque one is for whomever this database serves */
    if (o->issuer && strcmp(o->issuer, c->issuer) != 0) return error_set(err, EVDB_DENIED, "the access token is of the issuer '%s'", c->issuer);
    if (o->whole && has_word(c->audience, c->issuer, strlen(c->issuer))) return EVDB_OK;
    if (o->audience && !words_in(o->audience, c->audience, &count))
        return error_set(err, EVDB_DENIED, "the access token is for '%s' and not for this", c->audience);
    return EVDB_OK;
}

evdb_status evdb_auth_token_check(evdb *db, const char *token, const evdb_check_options *options, evdb_principal *out, evdb_error *err)
{
    evdb_check_options o = EVDB_CHECK_OPTIONS;
    jwt_claims claims;
    client_row row;
    evdb_status rc;
    TRY(options_import(&o, sizeof(o), options, "evdb_check_options", err));
    if (token && api_key_looks_so(token)) return auth_api_key_check(db, token, out, err); /* for whomever this database serves */
    TRY(auth_believe(db, token, &claims, &row, err));
    TRY(check_addressee(&claims, &o, err));
    *out = (evdb_principal){ .scopes = claims.scopes & row.scopes, .expires_ms = claims.expires_ms,
                             .quota = row.quota };
    memcpy(out->client, claims.client, sizeof(out->client));
    memcpy(out->subject, claims.subject, sizeof(out->subject));
    memcpy(out->stores, claims.stores, sizeof(out->stores));
out:
    return rc;
}
