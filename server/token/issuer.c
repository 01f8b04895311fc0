/* issuer.c - implements token/issuer.h: from claims to a principal. */
#include "token/issuer.h"
#include "op/op.h"
#include "token/claims.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    NAME_HASH = 32,
    NAME_HASH_TEXT = 43, /* in base64url */
    HOST_MAX = EVDB_CLIENT_ID_MAX - NAME_HASH_TEXT - 2
};

struct issuer {
    issuer_options o;
    keyring *keys;
    char host[HOST_MAX + 1];
};

static int64_t system_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- who ---- */

static bool is_name(const char *name)
{
    if (*name == ':') return false; /* hashes begin so */
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\') return false;
    return true;
}

static void put_name(const issuer *i, const char *name, char out[EVDB_CLIENT_ID_MAX + 1])
{
    unsigned char hash[NAME_HASH];
    char text[NAME_HASH_TEXT + 1];
    size_t used = (size_t)snprintf(out, EVDB_CLIENT_ID_MAX + 1, "%s:", i->host), length = strlen(name);
    if (is_name(name) && used + length <= EVDB_CLIENT_ID_MAX) {
        memcpy(out + used, name, length + 1);
        return;
    }
    crypto_generichash(hash, sizeof hash, (const unsigned char *)name, length, NULL, 0);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out + used, EVDB_CLIENT_ID_MAX + 1 - used, ":%s", text);
}

/* ---- with which scopes ---- */

enum { SCOPES_MAX = 4096 }; /* bytes of those that are ours */

typedef struct scopes {
    char text[SCOPES_MAX + 1];
    size_t size;
    bool too_many;
} scopes;

/* Words that are no scopes of ours are other services'. */
static void add_scope(const issuer *i, const char *word, size_t size, scopes *out)
{
    char stores[EVDB_STORE_SCOPES_BYTES], *at = out->text + out->size;
    size_t prefix = strlen(i->o.scope_prefix), blank = out->size > 0;
    uint32_t bits;
    if (size <= prefix || strncmp(word, i->o.scope_prefix, prefix) != 0) return;
    size -= prefix;
    if (out->size + blank + size > SCOPES_MAX) {
        out->too_many = true;
        return;
    }
    memcpy(at + blank, word + prefix, size);
    at[blank + size] = 0;
    if (evdb_auth_scopes_split(at + blank, &bits, stores, NULL) == EVDB_OK) {
        if (blank) *at = ' ';
        out->size += blank + size;
    } else *at = 0;
}

static void add_scopes(const issuer *i, const char *text, scopes *out)
{
    while (*(text += strspn(text, " "))) {
        size_t size = strcspn(text, " ");
        add_scope(i, text, size, out);
        text += size;
    }
}

static evdb_status read_scopes(const issuer *i, const json_t *claims, evdb_principal *out, evdb_error *err)
{
    const json_t *scope = json_object_get(claims, i->o.scope_claim), *one;
    scopes all = { .size = 0 };
    size_t at;
    if (json_is_string(scope)) add_scopes(i, json_string_value(scope), &all);
    json_array_foreach(scope, at, one)
        if (json_is_string(one)) add_scopes(i, json_string_value(one), &all);
    if (!all.size) return EVDB_OK; /* somebody who may do nothing */
    evdb_status rc = all.too_many ? EVDB_LIMIT : evdb_auth_scopes_split(all.text, &out->scopes, out->stores, NULL);
    return rc == EVDB_LIMIT ? op_fail(err, EVDB_DENIED, "the token has scopes of too many stores") : rc;
}

/* ---- the token ---- */

static evdb_status denied(evdb_error *err, const char *why) { return op_fail(err, EVDB_DENIED, "the token %s", why); }

/* Of a kind that is good for whoever carries it, and for asking us? */
static evdb_status check_kind(const jose_token *t, evdb_error *err)
{
    const json_t *type = json_object_get(t->header, "typ");
    const char *text = json_string_value(type);
    if (type && !(text && (strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0 || strcasecmp(text, "application/at+jwt") == 0)))
        return denied(err, "is no access token by its typ");
    if (json_object_get(t->claims, "cnf")) return denied(err, "is bound to a key (cnf), and is not good as a bearer token");
    if (json_object_get(t->claims, "at_hash") || json_object_get(t->claims, "c_hash")) return denied(err, "is an ID token: send the access token");
    return EVDB_OK;
}

static evdb_status read_claims(const issuer *i, const jose_token *t, evdb_principal *out, evdb_error *err)
{
    claims_times times;
    evdb_status rc = check_kind(t, err);
    if (rc == EVDB_OK && !claims_audience_has(t->claims, i->o.audience)) rc = denied(err, "is for others: its aud is not oidc_audience");
    if (rc == EVDB_OK) rc = claims_read_times(t->claims, i->o.now_ms ? i->o.now_ms() : system_ms(), &times, err);
    if (rc != EVDB_OK) return rc;
    const char *name = claims_text(t->claims, i->o.name_claim);
    if (!name) return op_fail(err, EVDB_DENIED, "the token does not say who it is of: it has no text '%.80s'", i->o.name_claim);
    *out = (evdb_principal){ .expires_ms = times.expires };
    put_name(i, name, out->client);
    memcpy(out->subject, out->client, sizeof out->subject);
    return read_scopes(i, t->claims, out, err);
}

evdb_status issuer_identify(void *context, const char *token, evdb_principal *out, evdb_error *err)
{
    const issuer *i = context;
    jose_token t;
    if (jose_read(token, &t, NULL) != EVDB_OK) return op_fail(err, EVDB_NOT_FOUND, "the token is no JSON Web Token");
    const char *from = claims_text(t.claims, "iss");
    evdb_status rc = from && strcmp(from, i->o.keys.issuer) == 0 ? EVDB_OK : op_fail(err, EVDB_NOT_FOUND, "the token is not of the issuer '%.200s'", i->o.keys.issuer);
    if (rc == EVDB_OK) rc = keyring_verify(i->keys, &t, err);
    if (rc == EVDB_OK) rc = read_claims(i, &t, out, err);
    jose_token_free(&t);
    return rc;
}

evdb_status issuer_open(const issuer_options *options, issuer **out, evdb_error *err)
{
    const char *host = strstr(options->keys.issuer, "://");
    size_t length = host ? strcspn(host + 3, "/") : 0;
    char url[KEYRING_URL_MAX];
    *out = NULL;
    keyring_discovery_url(options->keys.issuer, url);
    if (!length || length > HOST_MAX || !*url)
        return op_fail(err, EVDB_INVALID, "oidc_issuer '%.200s' is no URL whose host has at most %d letters", options->keys.issuer, HOST_MAX);
    issuer *i = calloc(1, sizeof *i);
    if (!i) return op_fail(err, EVDB_NO_MEMORY, "out of memory for the issuer '%.200s'", options->keys.issuer);
    i->o = *options;
    memcpy(i->host, host + 3, length);
    evdb_status rc = keyring_open(&options->keys, &i->keys, err);
    if (rc == EVDB_OK) *out = i;
    else free(i);
    return rc;
}

void issuer_close(issuer *i)
{
    if (!i) return;
    keyring_close(i->keys);
    free(i);
}
