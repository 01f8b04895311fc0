/* jose_keys.c - implements token/jose.h: JSON Web Keys, alone and in sets. */
#include "op/op.h"
#include "token/jose_private.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool jose_base64url(const char *text, size_t text_size, void *out, size_t room, size_t *size)
{
    return sodium_base642bin(out, room, text, text_size, NULL, size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

bool jose_algorithm_is(jose_algorithm algorithm, const char *name)
{
    switch (algorithm) {
    case JOSE_ES256: return strcmp(name, "ES256") == 0;
    case JOSE_RS256: return strcmp(name, "RS256") == 0;
    case JOSE_EDDSA: return strcmp(name, "EdDSA") == 0 || strcmp(name, "Ed25519") == 0;
    }
    return false;
}

static const char *text_of(const json_t *object, const char *name) { return json_string_value(json_object_get(object, name)); }

static bool says(const json_t *jwk, const char *name, const char *value)
{
    const char *text = text_of(jwk, name);
    return text && strcmp(text, value) == 0;
}

static bool decode(const json_t *jwk, const char *name, void *out, size_t room, size_t *size)
{
    const char *text = text_of(jwk, name);
    return text && jose_base64url(text, strlen(text), out, room, size);
}

/* ---- one key: each answers what is wrong with it, or NULL ---- */

static const char *read_rsa(const json_t *jwk, jose_key *key)
{
    key->algorithm = JOSE_RS256;
    if (!decode(jwk, "n", key->n, sizeof key->n, &key->n_size)) return "n of an RSA key must be base64url of at most 4096 bits";
    if (!key->n_size || !key->n[0]) return "n of an RSA key must not begin with zeros";
    if (key->n_size < JOSE_RSA_MIN || (key->n_size == JOSE_RSA_MIN && key->n[0] < 0x80)) return "an RSA key must have 2048 bits or more";
    if (!decode(jwk, "e", key->e, sizeof key->e, &key->e_size)) return "e of an RSA key must be base64url of at most 64 bits";
    /* Small exponents make mistakes of others into forgeries. */
    bool small = key->e_size < 3 || (key->e_size == 3 && key->e[0] == 0) || !key->e[0] || !(key->e[key->e_size - 1] & 1);
    return small ? "e of an RSA key must be an odd number of 65537 or more" : NULL;
}

static const char *read_p256(const json_t *jwk, jose_key *key)
{
    size_t x, y;
    key->algorithm = JOSE_ES256;
    if (!says(jwk, "crv", "P-256")) return "the curve of an EC key must be P-256";
    if (!decode(jwk, "x", key->x, sizeof key->x, &x) || !decode(jwk, "y", key->y, sizeof key->y, &y) || x != sizeof key->x || y != sizeof key->y)
        return "x and y of a P-256 key must be base64url of 32 bytes each";
    return NULL;
}

static const char *read_ed25519(const json_t *jwk, jose_key *key)
{
    size_t x;
    key->algorithm = JOSE_EDDSA;
    if (!says(jwk, "crv", "Ed25519")) return "the curve of an OKP key must be Ed25519";
    return decode(jwk, "x", key->x, sizeof key->x, &x) && x == sizeof key->x ? NULL : "x of an Ed25519 key must be base64url of 32 bytes";
}

/* A key that is for something else must not check signatures (RFC 7517, 4.2 and 4.3). */
static const char *read_purpose(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *operations = json_object_get(jwk, "key_ops"), *one;
    size_t i;
    if (use && !says(jwk, "use", "sig")) return "use must be sig";
    if (!operations) return NULL;
    json_array_foreach(operations, i, one)
        if (json_is_string(one) && strcmp(json_string_value(one), "verify") == 0) return NULL;
    return "key_ops must have verify";
}

static const char *read_kid(const json_t *jwk, jose_key *key)
{
    const json_t *kid = json_object_get(jwk, "kid");
    if (!kid) return NULL;
    if (!json_is_string(kid) || json_string_length(kid) > JOSE_KID_MAX) return "kid must be a text of at most 256 bytes";
    memcpy(key->kid, json_string_value(kid), json_string_length(kid) + 1);
    key->named = true;
    return NULL;
}

static const char *read_key(const json_t *jwk, jose_key *key)
{
    const char *wrong;
    *key = (jose_key){ .named = false };
    if (!json_is_object(jwk)) return "it is no object";
    if (json_object_get(jwk, "d") || json_object_get(jwk, "k")) return "it is a secret: only public keys belong here";
    if (says(jwk, "kty", "RSA")) wrong = read_rsa(jwk, key);
    else if (says(jwk, "kty", "EC")) wrong = read_p256(jwk, key);
    else if (says(jwk, "kty", "OKP")) wrong = read_ed25519(jwk, key);
    else wrong = "kty must be RSA, EC or OKP";
    if (!wrong && json_object_get(jwk, "alg") && !(text_of(jwk, "alg") && jose_algorithm_is(key->algorithm, text_of(jwk, "alg"))))
        wrong = "alg must be RS256, ES256 or EdDSA, as kty has it";
    if (!wrong) wrong = read_purpose(jwk);
    if (!wrong) wrong = read_kid(jwk, key);
    return wrong || jose_key_sound(key) ? wrong : "it is no key that there can be";
}

/* ---- sets ---- */

static bool has_kid(const jose_keys *keys, const jose_key *key)
{
    for (size_t i = 0; key->named && i < keys->count; i++)
        if (keys->at[i].named && strcmp(keys->at[i].kid, key->kid) == 0) return true;
    return false;
}

static evdb_status add_key(const json_t *jwk, size_t number, jose_reading reading, jose_keys *keys, evdb_error *err)
{
    if (keys->count == JOSE_KEYS_MAX) return op_fail(err, EVDB_INVALID, "a set of keys may have %d keys", JOSE_KEYS_MAX);
    jose_key *key = &keys->at[keys->count];
    const char *wrong = read_key(jwk, key);
    /* Which of two would be meant is not said, so neither may be the other's mistake. */
    if (!wrong && has_kid(keys, key)) return op_fail(err, EVDB_INVALID, "two keys have the kid '%.80s'", key->kid);
    if (!wrong) keys->count++;
    return wrong && reading == JOSE_EVERY_KEY ? op_fail(err, EVDB_INVALID, "key %zu cannot be used: %s", number, wrong) : EVDB_OK;
}

static evdb_status add_keys(const json_t *set, jose_reading reading, jose_keys *keys, evdb_error *err)
{
    const json_t *list = json_object_get(set, "keys"), *one;
    evdb_status rc = EVDB_OK;
    size_t i;
    if (!list && json_object_get(set, "kty")) return add_key(set, 1, reading, keys, err);
    if (!json_is_array(list)) return op_fail(err, EVDB_INVALID, "a JWK set must have an array 'keys', and a JWK the member 'kty'");
    json_array_foreach(list, i, one)
        if (rc == EVDB_OK) rc = add_key(one, i + 1, reading, keys, err);
    return rc;
}

evdb_status jose_keys_parse(const char *text, size_t size, jose_reading reading, jose_keys **out, evdb_error *err)
{
    json_error_t where;
    *out = NULL;
    if (size > JOSE_KEYS_TEXT_MAX) return op_fail(err, EVDB_INVALID, "a set of keys may have %d bytes", JOSE_KEYS_TEXT_MAX);
    json_t *set = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!set) return op_fail(err, EVDB_INVALID, "keys must be JSON: line %d, column %d: %s", where.line, where.column, where.text);
    jose_keys *keys = calloc(1, sizeof *keys);
    evdb_status rc = keys ? add_keys(set, reading, keys, err) : op_fail(err, EVDB_NO_MEMORY, "out of memory for keys");
    json_decref(set);
    if (rc == EVDB_OK && !keys->count) rc = op_fail(err, EVDB_INVALID, "there is no key that can be used: RS256 of 2048 bits, ES256 or EdDSA");
    if (rc == EVDB_OK) *out = keys;
    else jose_keys_free(keys);
    return rc;
}

size_t jose_keys_count(const jose_keys *keys) { return keys->count; }
void jose_keys_free(jose_keys *keys) { free(keys); }
