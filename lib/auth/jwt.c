/* jwt.c - implements auth/jwt.h. */
#include "auth/jwt.h"
#include "auth/base64url.h"
#include "base/error.h"
#include "base/try.h"
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char type[] = "at+jwt", long_type[] = "application/at+jwt"; /* the same media type, RFC 7515, 4.1.9 */

/* ---- writing ---- */

/* "a" as a text, "a b" as an array. */
static json_t *audience_json(const char *audience)
{
    json_t *list = json_array();
    if (!strchr(audience, ' ')) {
        json_decref(list);
        return json_string(audience);
    }
    for (const char *at = audience; list && *at; at += strcspn(at, " "), at += *at == ' ')
        if (json_array_append_new(list, json_stringn(at, strcspn(at, " ")))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* A member that not all tokens have: wanted or not, false when it cannot be had. */
static bool add(json_t *all, bool wanted, const char *name, json_t *value)
{
    if (wanted) return json_object_set_new(all, name, value) == 0;
    json_decref(value);
    return true;
}

static json_t *claims_json(const jwt_claims *c)
{
    char id[JWT_ID_TEXT], family[JWT_ID_TEXT];
    base64url_write(c->id, sizeof(c->id), id);
    base64url_write(c->family, sizeof(c->family), family);
    json_t *audience = audience_json(c->audience);
    if (!audience) return NULL;
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:s, s:I}", "iss", c->issuer, "sub", c->subject, "client_id", c->client,
                            "aud", audience, "scope", c->scope, "iat", (json_int_t)c->issued_ms / 1000, "exp", (json_int_t)c->expires_ms / 1000,
                            "jti", id, "evdb_generation", (json_int_t)c->generation);
    if (all && add(all, c->not_before_ms != 0, "nbf", json_integer(c->not_before_ms / 1000)) &&
        add(all, !sodium_is_zero(c->family, sizeof(c->family)), "evdb_family", json_string(family))) return all;
    json_decref(all);
    return NULL;
}

evdb_status jwt_write(const char *kid, const unsigned char secret_key[JWS_SECRET_BYTES], const jwt_claims *claims, char out[JWT_BYTES],
                      evdb_error *err)
{
    char header[128], payload[JWT_BYTES];
    int header_size = snprintf(header, sizeof(header), "{\"typ\":\"%s\",\"alg\":\"" JWS_ALGORITHM "\",\"kid\":\"%s\"}", type, kid);
    json_t *all = claims_json(claims);
    if (!all) return error_no_memory(err, sizeof(payload), "the claims of a token");
    size_t size = json_dumpb(all, payload, sizeof(payload), JSON_COMPACT);
    json_decref(all);
    if (!size) return error_no_memory(err, sizeof(payload), "the claims of a token");
    if (size > sizeof(payload) || !jws_sign(secret_key, header, (size_t)header_size, payload, size, out, JWT_BYTES))
        return error_set(err, EVDB_LIMIT, "the token would have more than %d bytes: ask for fewer scopes or audiences", JWT_BYTES - 1);
    return EVDB_OK;
}

/* ---- reading ---- */

/* Letters as a JSON object in which no name comes twice; NULL with EVDB_OK for anything else. */
static evdb_status read_object(const char *letters, size_t length, json_t **out, evdb_error *err)
{
    char bytes[JWT_BYTES];
    json_error_t fault;
    size_t size;
    *out = NULL;
    if (!base64url_read(letters, length, bytes, sizeof(bytes), &size)) return EVDB_OK;
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
    if (!root && json_error_code(&fault) == json_error_out_of_memory) return error_no_memory(err, size, "reading a token");
    if (json_is_object(root)) *out = root;
    else json_decref(root);
    return EVDB_OK;
}

static evdb_status malformed(const char *part, evdb_error *err)
{
    return error_set(err, EVDB_DENIED, "the access token is malformed: its %s", part);
}

/* The key that the header names; its algorithm is the only one there is. */
static evdb_status read_header(const jws_parts *parts, jwt_key_fn *key, void *context, unsigned char public_key[JWS_PUBLIC_BYTES],
                               char key_id[JWS_KID_BYTES], evdb_error *err)
{
    json_t *root;
    evdb_status rc = read_object(parts->header, parts->header_length, &root, err);
    if (rc != EVDB_OK) return rc;
    const char *typ = json_string_value(json_object_get(root, "typ")), *kid = json_string_value(json_object_get(root, "kid"));
    const char *alg = json_string_value(json_object_get(root, "alg"));
    if (!typ || !alg || !kid) rc = malformed("header has not the texts typ, alg and kid", err);
    else if (json_object_get(root, "crit")) rc = malformed("header asks for extensions (crit)", err);
    else if (json_object_size(root) != 3) rc = malformed("header has more than typ, alg and kid", err);
    else if (strcmp(typ, type) != 0 && strcmp(typ, long_type) != 0) rc = malformed("typ is not at+jwt", err);
    else if (strlen(kid) >= JWS_KID_BYTES || !key(context, kid, public_key))
        rc = error_set(err, EVDB_DENIED, "the access token is signed by a key that is unknown or retired");
    else if (strcmp(alg, JWS_ALGORITHM) != 0) rc = malformed("alg is not the one of its key", err);
    else memcpy(key_id, kid, strlen(kid) + 1);
    json_decref(root);
    return rc;
}

/* Each takes a member that is there and right, and counts it. */
typedef struct members { json_t *root; size_t taken; } members;

static bool take_text(members *m, const char *name, char *out, size_t room)
{
    json_t *value = json_object_get(m->root, name);
    size_t length = json_string_length(value);
    if (!json_is_string(value) || !length || length >= room) return false;
    memcpy(out, json_string_value(value), length + 1);
    m->taken++;
    return true;
}

static bool take_integer(members *m, const char *name, int64_t most, int64_t *out)
{
    json_t *value = json_object_get(m->root, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > most) return false;
    *out = json_integer_value(value);
    m->taken++;
    return true;
}

static bool take_seconds(members *m, const char *name, int64_t *ms)
{
    if (!take_integer(m, name, INT64_MAX / 1000, ms)) return false;
    *ms *= 1000;
    return true;
}

static bool take_id(members *m, const char *name, unsigned char out[JWT_ID_BYTES])
{
    char text[JWT_ID_TEXT];
    size_t size;
    return take_text(m, name, text, sizeof(text)) && base64url_read(text, strlen(text), out, JWT_ID_BYTES, &size) && size == JWT_ID_BYTES;
}

static bool take_audience(members *m, char out[EVDB_AUDIENCE_MAX + 1])
{
    json_t *list = json_object_get(m->root, "aud"), *one;
    size_t i, used = 0;
    if (json_is_string(list)) return take_text(m, "aud", out, EVDB_AUDIENCE_MAX + 1) && !strchr(out, ' ');
    json_array_foreach(list, i, one) {
        size_t length = json_string_length(one);
        if (!length || used + (i > 0) + length > EVDB_AUDIENCE_MAX || strchr(json_string_value(one), ' ')) return false;
        if (i) out[used++] = ' ';
        memcpy(out + used, json_string_value(one), length + 1);
        used += length;
    }
    m->taken++;
    return used > 0;
}

static bool take_claims(members *m, jwt_claims *c)
{
    if (json_object_get(m->root, "nbf") && !take_seconds(m, "nbf", &c->not_before_ms)) return false;
    if (json_object_get(m->root, "evdb_family") && !take_id(m, "evdb_family", c->family)) return false;
    return take_text(m, "iss", c->issuer, sizeof(c->issuer)) && take_text(m, "sub", c->subject, sizeof(c->subject)) &&
           take_text(m, "client_id", c->client, sizeof(c->client)) && take_audience(m, c->audience) &&
           take_text(m, "scope", c->scope, sizeof(c->scope)) && take_seconds(m, "iat", &c->issued_ms) &&
           take_seconds(m, "exp", &c->expires_ms) && take_id(m, "jti", c->id) &&
           take_integer(m, "evdb_generation", INT64_MAX, &c->generation) && m->taken == json_object_size(m->root);
}

evdb_status jwt_read(const char *text, jwt_key_fn *key, void *context, jwt_claims *out, evdb_error *err)
{
    unsigned char public_key[JWS_PUBLIC_BYTES];
    members m = { 0 };
    jwt_claims claims = { 0 };
    jws_parts parts;
    evdb_status rc;
    size_t length = strnlen(text, JWT_BYTES);
    if (length == JWT_BYTES || !jws_split(text, length, &parts)) return error_set(err, EVDB_DENIED, "the access token is malformed");
    TRY(read_header(&parts, key, context, public_key, claims.kid, err));
    if (!jws_signed_by(&parts, public_key)) TRY(error_set(err, EVDB_DENIED, "the access token's signature is wrong"));
    TRY(read_object(parts.payload, parts.payload_length, &m.root, err)); /* before this, nothing was believed */
    if (!m.root || !take_claims(&m, &claims)) TRY(malformed("claims are not those of an access token", err));
    *out = claims;
out:
    json_decref(m.root);
    return rc;
}
