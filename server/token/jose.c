/* jose.c - implements token/jose.h: tokens, and which key is theirs. */
#include "token/jose.h"
#include "op/op.h"
#include "token/jose_private.h"
#include <stdlib.h>
#include <string.h>

static evdb_status denied(evdb_error *err, const char *why) { return op_fail(err, EVDB_DENIED, "the token %s", why); }

/* A part of a token: base64url of a JSON object. NULL when it is none. */
static json_t *read_object(const char *text, size_t text_size, size_t most, size_t *size)
{
    char *bytes = malloc(text_size + 1);
    json_t *object = NULL;
    if (bytes && jose_base64url(text, text_size, bytes, text_size, size) && *size <= most)
        object = json_loadb(bytes, *size, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    if (json_is_object(object)) return object;
    json_decref(object);
    return NULL;
}

static evdb_status read_header(jose_token *token, evdb_error *err)
{
    const json_t *kid = json_object_get(token->header, "kid");
    token->algorithm = json_string_value(json_object_get(token->header, "alg"));
    token->kid = json_string_value(kid);
    if (!token->algorithm) return denied(err, "does not say its alg");
    if (kid && (!token->kid || json_string_length(kid) > JOSE_KID_MAX)) return denied(err, "has a kid that none can be");
    /* Whoever signed it asks that nobody accepts it who does not know what that means (RFC 7515, 4.1.11). */
    if (json_object_get(token->header, "crit")) return denied(err, "asks for extensions (crit) that there are not");
    return EVDB_OK;
}

static evdb_status read_parts(jose_token *token, evdb_error *err)
{
    const char *text = token->text, *dot = strchr(text, '.'), *last = dot ? strchr(dot + 1, '.') : NULL;
    size_t size;
    if (!last || strchr(last + 1, '.')) return denied(err, "is no JSON Web Signature of three parts");
    token->signed_size = (size_t)(last - text);
    token->header = read_object(text, (size_t)(dot - text), JOSE_HEADER_MAX, &size);
    if (!token->header) return denied(err, "has no header that is base64url of a JSON object");
    token->claims = read_object(dot + 1, (size_t)(last - dot - 1), JOSE_TOKEN_MAX, &size);
    if (!token->claims) return denied(err, "has no claims that are base64url of a JSON object");
    if (!jose_base64url(last + 1, strlen(last + 1), token->signature, sizeof token->signature, &token->signature_size))
        return denied(err, "has no signature that is base64url of at most 512 bytes");
    return read_header(token, err);
}

evdb_status jose_read(const char *text, jose_token *out, evdb_error *err)
{
    *out = (jose_token){ .text = text };
    if (strnlen(text, JOSE_TOKEN_MAX + 1) > JOSE_TOKEN_MAX) return denied(err, "is too long");
    evdb_status rc = read_parts(out, err);
    if (rc != EVDB_OK) jose_token_free(out);
    return rc;
}

void jose_token_free(jose_token *token)
{
    json_decref(token->header);
    json_decref(token->claims);
    *token = (jose_token){ .header = NULL };
}

/* The header only picks among keys; what is done with the one it picks, the key says. NULL when there is none, or no single one. */
static const jose_key *pick(const jose_token *token, const jose_keys *keys)
{
    const jose_key *found = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const jose_key *key = &keys->at[i];
        bool fits = token->kid ? key->named && strcmp(key->kid, token->kid) == 0
                               : jose_algorithm_is(key->algorithm, token->algorithm);
        if (fits && found) return NULL;
        if (fits) found = key;
    }
    return found;
}

evdb_status jose_verify(const jose_token *token, const jose_keys *keys, evdb_error *err)
{
    const jose_key *key = pick(token, keys);
    if (!key && token->kid) return op_fail(err, EVDB_NOT_FOUND, "the token names a key that is not known");
    if (!key) return op_fail(err, EVDB_NOT_FOUND, "the token names no key, and there is not exactly one for its alg");
    if (!jose_algorithm_is(key->algorithm, token->algorithm)) return denied(err, "has another alg than its key");
    if (!jose_signature_good(key, token->text, token->signed_size, token->signature, token->signature_size))
        return denied(err, "has a signature that is not its key's");
    return EVDB_OK;
}
