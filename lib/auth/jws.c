/* jws.c - implements auth/jws.h. */
#include "auth/jws.h"
#include "auth/base64url.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

_Static_assert(JWS_SEED_BYTES == crypto_sign_SEEDBYTES && JWS_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES &&
               JWS_SECRET_BYTES == crypto_sign_SECRETKEYBYTES && JWS_SIGNATURE_BYTES == crypto_sign_BYTES &&
               JWS_KID_BYTES == BASE64URL_LENGTH(crypto_hash_sha256_BYTES) + 1, "libsodium's Ed25519 and SHA-256");

void jws_key(const unsigned char seed[JWS_SEED_BYTES], unsigned char public_key[JWS_PUBLIC_BYTES],
             unsigned char secret_key[JWS_SECRET_BYTES])
{
    crypto_sign_seed_keypair(public_key, secret_key, seed);
}

void jws_kid(const unsigned char public_key[JWS_PUBLIC_BYTES], char out[JWS_KID_BYTES])
{
    char x[BASE64URL_LENGTH(JWS_PUBLIC_BYTES) + 1], jwk[128];
    unsigned char hash[crypto_hash_sha256_BYTES];
    base64url_write(public_key, JWS_PUBLIC_BYTES, x);
    int length = snprintf(jwk, sizeof(jwk), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    crypto_hash_sha256(hash, (const unsigned char *)jwk, (unsigned long long)length);
    base64url_write(hash, sizeof(hash), out);
}

bool jws_sign(const unsigned char secret_key[JWS_SECRET_BYTES], const char *header, size_t header_size, const char *payload,
              size_t payload_size, char *out, size_t room)
{
    unsigned char signature[JWS_SIGNATURE_BYTES];
    size_t first = BASE64URL_LENGTH(header_size), second = BASE64URL_LENGTH(payload_size), body = first + 1 + second;
    if (body + 1 + BASE64URL_LENGTH(sizeof(signature)) + 1 > room) return false;
    base64url_write(header, header_size, out);
    out[first] = '.';
    base64url_write(payload, payload_size, out + first + 1);
    crypto_sign_detached(signature, NULL, (const unsigned char *)out, body, secret_key);
    out[body] = '.';
    base64url_write(signature, sizeof(signature), out + body + 1);
    return true;
}

bool jws_split(const char *text, size_t length, jws_parts *out)
{
    const char *end = text + length, *first = memchr(text, '.', length);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1))) return false;
    *out = (jws_parts){ text, first + 1, second + 1, (size_t)(first - text), (size_t)(second - first - 1), (size_t)(end - second - 1) };
    return out->header_length && out->payload_length && out->signature_length;
}

/* libsodium refuses keys and points of small order and values that are not reduced: a text has one signature of a key. */
bool jws_signed_by(const jws_parts *parts, const unsigned char public_key[JWS_PUBLIC_BYTES])
{
    unsigned char signature[JWS_SIGNATURE_BYTES];
    size_t size;
    if (!base64url_read(parts->signature, parts->signature_length, signature, sizeof(signature), &size) || size != sizeof(signature))
        return false;
    return crypto_sign_verify_detached(signature, (const unsigned char *)parts->header, parts->header_length + 1 + parts->payload_length,
                                       public_key) == 0;
}
