/* signer.c - implements signer.h: GnuTLS's and libsodium's private keys. */
#include "token/signer.h"
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { COORDINATE = 32, JWK_MAX = 4096 };

struct signer {
    gnutls_privkey_t key; /* NULL for EdDSA */
    int rsa;
    unsigned char secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
    char jwk[JWK_MAX];
};

signer *signer_make(const char *algorithm, unsigned bits)
{
    signer *s = calloc(1, sizeof *s);
    assert_non_null(s);
    if (strcmp(algorithm, "EdDSA") == 0) {
        assert_int_equal(crypto_sign_keypair(s->public, s->secret), 0);
        return s;
    }
    s->rsa = strcmp(algorithm, "RS256") == 0;
    assert_int_equal(gnutls_privkey_init(&s->key), 0);
    if (s->rsa) assert_int_equal(gnutls_privkey_generate(s->key, GNUTLS_PK_RSA, bits, 0), 0);
    else assert_int_equal(gnutls_privkey_generate(s->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    return s;
}

void signer_free(signer *s)
{
    if (s && s->key) gnutls_privkey_deinit(s->key);
    free(s);
}

char *signer_base64url(const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(room);
    assert_non_null(text);
    return sodium_bin2base64(text, room, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* `,"NAME":"VALUE"`, of a number of at least `least` bytes. */
static void add_number(char *jwk, const char *name, const gnutls_datum_t *number, size_t least)
{
    unsigned char padded[JWK_MAX] = { 0 };
    size_t zeros = number->size < least ? least - number->size : 0, used = strlen(jwk);
    memcpy(padded + zeros, number->data, number->size);
    char *text = signer_base64url(padded, zeros + number->size);
    snprintf(jwk + used, JWK_MAX - used, ",\"%s\":\"%s\"", name, text);
    free(text);
}

const char *signer_jwk(signer *s, const char *kid, const char *more)
{
    gnutls_datum_t a, b;
    gnutls_ecc_curve_t curve;
    const char *kind = !s->key ? "\"OKP\",\"crv\":\"Ed25519\"" : s->rsa ? "\"RSA\"" : "\"EC\",\"crv\":\"P-256\"";
    snprintf(s->jwk, JWK_MAX, "{\"kty\":%s", kind);
    if (!s->key) add_number(s->jwk, "x", &(gnutls_datum_t){ s->public, sizeof s->public }, 0);
    else if (s->rsa) {
        gnutls_pubkey_t public;
        assert_int_equal(gnutls_pubkey_init(&public), 0);
        assert_int_equal(gnutls_pubkey_import_privkey(public, s->key, 0, 0), 0);
        assert_int_equal(gnutls_pubkey_export_rsa_raw2(public, &a, &b, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
        gnutls_pubkey_deinit(public);
        add_number(s->jwk, "n", &a, 0);
        add_number(s->jwk, "e", &b, 0);
    } else {
        gnutls_datum_t k;
        assert_int_equal(gnutls_privkey_export_ecc_raw2(s->key, &curve, &a, &b, &k, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
        gnutls_free(k.data);
        add_number(s->jwk, "x", &a, COORDINATE);
        add_number(s->jwk, "y", &b, COORDINATE);
    }
    if (s->key) {
        gnutls_free(a.data);
        gnutls_free(b.data);
    }
    size_t used = strlen(s->jwk);
    used += (size_t)snprintf(s->jwk + used, JWK_MAX - used, kid ? ",\"kid\":\"%s\"" : "%s", kid ? kid : "");
    snprintf(s->jwk + used, JWK_MAX - used, "%s}", more ? more : "");
    return s->jwk;
}

static void put_number(const gnutls_datum_t *number, unsigned char *out)
{
    const unsigned char *at = number->data;
    size_t size = number->size;
    for (; size > COORDINATE; size--) assert_int_equal(*at++, 0);
    memset(out, 0, COORDINATE);
    memcpy(out + COORDINATE - size, at, size);
}

size_t signer_sign(signer *s, const void *bytes, size_t size, unsigned char *out)
{
    const gnutls_datum_t what = { (unsigned char *)(uintptr_t)bytes, (unsigned)size };
    gnutls_datum_t made, r, n;
    if (!s->key) {
        assert_int_equal(crypto_sign_detached(out, NULL, bytes, size, s->secret), 0);
        return crypto_sign_BYTES;
    }
    assert_int_equal(gnutls_privkey_sign_data2(s->key, s->rsa ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256, 0, &what, &made), 0);
    size_t count = 2 * COORDINATE;
    if (s->rsa) memcpy(out, made.data, count = made.size);
    else {
        assert_int_equal(gnutls_decode_rs_value(&made, &r, &n), 0);
        put_number(&r, out);
        put_number(&n, out + COORDINATE);
        gnutls_free(r.data);
        gnutls_free(n.data);
    }
    gnutls_free(made.data);
    return count;
}

char *signer_token(signer *s, const char *header, const char *claims)
{
    unsigned char signature[512];
    char *head = signer_base64url(header, strlen(header)), *body = signer_base64url(claims, strlen(claims));
    size_t room = strlen(head) + strlen(body) + 800, used;
    char *token = malloc(room);
    assert_non_null(token);
    used = (size_t)snprintf(token, room, "%s.%s", head, body);
    char *last = signer_base64url(signature, signer_sign(s, token, used, signature));
    snprintf(token + used, room - used, ".%s", last);
    free(last), free(body), free(head);
    return token;
}
