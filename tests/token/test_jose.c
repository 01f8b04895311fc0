/* test_jose.c - signatures of others: the vectors of the RFCs, and what nobody may get past them. */
#include "expect.h"
#include "seed.h"
#include "token/jose.h"
#include "token/jose_private.h"
#include "token/signer.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ES256, RS256, EDDSA, KINDS };
static const char *const names[KINDS] = { "ES256", "RS256", "EdDSA" };
static signer *signers[KINDS];

static const char claims[] = "{\"iss\":\"joe\",\"n\":1}";

static jose_keys *parsed(const char *text)
{
    jose_keys *keys;
    ok(jose_keys_parse(text, strlen(text), JOSE_EVERY_KEY, &keys, &why));
    return keys;
}

/* What becomes of the token with these keys. */
static evdb_status verdict(const char *token, const jose_keys *keys)
{
    jose_token t;
    expect_poison();
    evdb_status rc = jose_read(token, &t, &why);
    if (rc != EVDB_OK) return rc;
    rc = jose_verify(&t, keys, &why);
    jose_token_free(&t);
    return rc;
}

static evdb_status verdict_of(const char *token, const char *jwks)
{
    jose_keys *keys = parsed(jwks);
    evdb_status rc = verdict(token, keys);
    jose_keys_free(keys);
    return rc;
}

/* The same of a token that is signed now. */
static evdb_status verdict_of_signed(signer *s, const char *header, const char *body, const char *jwks)
{
    char *token = signer_token(s, header, body);
    evdb_status rc = verdict_of(token, jwks);
    free(token);
    return rc;
}

static const char *header_of(int kind, const char *more)
{
    static char text[256];
    snprintf(text, sizeof text, "{\"alg\":\"%s\"%s}", names[kind], more);
    return text;
}

/* ---- vectors ---- */

static const char rfc7515_claims[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

static void the_tokens_of_rfc_7515_are_good(void **state)
{
    static const char rsa[] = "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ"
                              "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KX"
                              "BdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk"
                              "2PAcDTW9gb54h4FRWyuXpoQ\"}";
    static const char ec[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                             "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
    static const char rs256[] = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ"
                                "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
                                "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    static const char es256[] = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    char token[2048];
    (void)state;
    snprintf(token, sizeof token, "eyJhbGciOiJSUzI1NiJ9.%s.%s", rfc7515_claims, rs256); /* A.2 */
    assert_int_equal(verdict_of(token, rsa), EVDB_OK);
    assert_int_equal(verdict_of(token, ec), EVDB_NOT_FOUND);
    snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9.%s.%s", rfc7515_claims, es256); /* A.3 */
    assert_int_equal(verdict_of(token, ec), EVDB_OK);
    assert_int_equal(verdict_of(token, rsa), EVDB_NOT_FOUND);
    snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9.%s.%s", rfc7515_claims, rs256);
    assert_int_equal(verdict_of(token, ec), EVDB_DENIED);
}

static void the_signature_of_rfc_8037_is_good(void **state)
{
    static const char signed_text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    static const char signature[] = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    unsigned char bytes[64];
    size_t size;
    (void)state;
    jose_keys *keys = parsed("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    assert_true(jose_base64url(signature, strlen(signature), bytes, sizeof bytes, &size));
    assert_true(jose_signature_good(&keys->at[0], signed_text, strlen(signed_text), bytes, size));
    assert_false(jose_signature_good(&keys->at[0], signed_text, strlen(signed_text) - 1, bytes, size));
    jose_keys_free(keys);
}

static void every_algorithm_checks_what_its_key_signed(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        assert_int_equal(verdict_of_signed(signers[i], header_of(i, ""), claims, signer_jwk(signers[i], NULL, NULL)), EVDB_OK);
        assert_int_equal(verdict_of_signed(signers[i], header_of(i, ",\"kid\":\"a\""), claims, signer_jwk(signers[i], "a", ",\"use\":\"sig\"")), EVDB_OK);
    }
}

static void what_a_token_says_is_read(void **state)
{
    jose_token t;
    (void)state;
    char *token = signer_token(signers[EDDSA], "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"JWT\"}", claims);
    ok(jose_read(token, &t, &why));
    assert_string_equal(t.algorithm, "EdDSA");
    assert_string_equal(t.kid, "k");
    assert_string_equal(json_string_value(json_object_get(t.claims, "iss")), "joe");
    assert_string_equal(json_string_value(json_object_get(t.header, "typ")), "JWT");
    jose_token_free(&t);
    free(token);
}

/* ---- forgeries ---- */

static void every_bit_of_a_signature_counts(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        jose_token t;
        jose_keys *keys = parsed(signer_jwk(signers[i], NULL, NULL));
        char *token = signer_token(signers[i], header_of(i, ""), claims);
        ok(jose_read(token, &t, &why));
        for (size_t bit = 0; bit < 8 * t.signature_size; bit++) {
            t.signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
            refused(EVDB_DENIED, jose_verify(&t, keys, &why));
            t.signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        ok(jose_verify(&t, keys, &why));
        jose_token_free(&t);
        free(token);
        jose_keys_free(keys);
    }
}

static void every_letter_of_a_token_counts(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
    uint64_t seed = seed_print();
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        jose_keys *keys = parsed(signer_jwk(signers[i], NULL, NULL));
        char *token = signer_token(signers[i], header_of(i, ""), claims);
        size_t length = strlen(token);
        for (size_t at = 0; at < length; at++) {
            char was = token[at];
            do token[at] = letters[seed_below(&seed, sizeof letters - 1)];
            while (token[at] == was);
            assert_int_not_equal(verdict(token, keys), EVDB_OK);
            token[at] = 0;
            assert_int_not_equal(verdict(token, keys), EVDB_OK);
            token[at] = was;
        }
        assert_int_equal(verdict(token, keys), EVDB_OK);
        free(token);
        jose_keys_free(keys);
    }
}

static void a_token_without_a_signature_is_refused(void **state)
{
    static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"\"}", "{\"alg\":\"none\",\"kid\":\"k\"}", "{}", "{\"alg\":null}" };
    char token[1024];
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char *head = signer_base64url(headers[i], strlen(headers[i])), *body = signer_base64url(claims, strlen(claims));
        for (int kind = 0; kind < KINDS; kind++)
            for (int full = 0; full < 2; full++) {
                snprintf(token, sizeof token, "%s.%s.%s", head, body, full ? "AAAA" : "");
                assert_int_not_equal(verdict_of(token, signer_jwk(signers[kind], "k", NULL)), EVDB_OK);
            }
        free(head), free(body);
    }
    char *whole = signer_token(signers[EDDSA], header_of(EDDSA, ""), claims);
    strrchr(whole, '.')[1] = 0;
    assert_int_equal(verdict_of(whole, signer_jwk(signers[EDDSA], NULL, NULL)), EVDB_DENIED);
    free(whole);
}

/* The classic: HS256 with the public key, which everybody knows, for a secret. */
static void a_public_key_is_no_secret_of_a_mac(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *jwk = signer_jwk(signers[RS256], named ? "k" : NULL, NULL), *header = named ? "{\"alg\":\"HS256\",\"kid\":\"k\"}" : "{\"alg\":\"HS256\"}";
        unsigned char mac[crypto_auth_hmacsha256_BYTES];
        crypto_auth_hmacsha256_state mine;
        char token[1024];
        char *head = signer_base64url(header, strlen(header)), *body = signer_base64url(claims, strlen(claims));
        int used = snprintf(token, sizeof token, "%s.%s", head, body);
        crypto_auth_hmacsha256_init(&mine, (const unsigned char *)jwk, strlen(jwk));
        crypto_auth_hmacsha256_update(&mine, (const unsigned char *)token, (size_t)used);
        crypto_auth_hmacsha256_final(&mine, mac);
        char *last = signer_base64url(mac, sizeof mac);
        snprintf(token + used, sizeof token - (size_t)used, ".%s", last);
        assert_int_equal(verdict_of(token, jwk), named ? EVDB_DENIED : EVDB_NOT_FOUND);
        free(head), free(body), free(last);
    }
}

static void a_key_is_used_with_its_own_algorithm_alone(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++)
        for (int other = 0; other < KINDS; other++) {
            if (i == other) continue;
            assert_int_equal(verdict_of_signed(signers[i], header_of(other, ",\"kid\":\"k\""), claims, signer_jwk(signers[i], "k", NULL)), EVDB_DENIED);
            assert_int_equal(verdict_of_signed(signers[i], header_of(i, ",\"kid\":\"k\""), claims, signer_jwk(signers[other], "k", NULL)), EVDB_DENIED);
            assert_int_equal(verdict_of_signed(signers[i], header_of(other, ""), claims, signer_jwk(signers[other], NULL, NULL)), EVDB_DENIED);
        }
    assert_int_equal(verdict_of_signed(signers[EDDSA], "{\"alg\":\"Ed25519\"}", claims, signer_jwk(signers[EDDSA], NULL, ",\"alg\":\"Ed25519\"")), EVDB_OK);
    assert_int_equal(verdict_of_signed(signers[RS256], "{\"alg\":\"rs256\"}", claims, signer_jwk(signers[RS256], NULL, NULL)), EVDB_NOT_FOUND);
    assert_int_equal(verdict_of_signed(signers[RS256], "{\"alg\":\"PS256\",\"kid\":\"k\"}", claims, signer_jwk(signers[RS256], "k", NULL)), EVDB_DENIED);
}

static void an_es256_signature_has_64_bytes(void **state)
{
    (void)state;
    jose_keys *keys = parsed(signer_jwk(signers[ES256], NULL, NULL));
    char *token = signer_token(signers[ES256], header_of(ES256, ""), claims);
    jose_token t;
    ok(jose_read(token, &t, &why));
    unsigned char right[64];
    memcpy(right, t.signature, 64);
    for (t.signature_size = 0; t.signature_size <= 130; t.signature_size++)
        if (t.signature_size != 64) refused(EVDB_DENIED, jose_verify(&t, keys, &why));
    /* 33 bytes each, with the same numbers */
    memset(t.signature, 0, sizeof t.signature);
    memcpy(t.signature + 1, right, 32);
    memcpy(t.signature + 34, right + 32, 32);
    t.signature_size = 66;
    refused(EVDB_DENIED, jose_verify(&t, keys, &why));
    /* numbers that no signature has */
    t.signature_size = 64;
    for (int which = 0; which < 3; which++) {
        memcpy(t.signature, right, 64);
        if (which != 1) memset(t.signature, 0, 32);
        if (which != 0) memset(t.signature + 32, 0, 32);
        refused(EVDB_DENIED, jose_verify(&t, keys, &why));
        for (size_t i = 0; i < 64; i++) t.signature[i] = t.signature[i] || (which != 1 && i < 32) || (which != 0 && i >= 32) ? 0xff : 0;
        refused(EVDB_DENIED, jose_verify(&t, keys, &why));
    }
    jose_token_free(&t);
    free(token);
    jose_keys_free(keys);
}

/* ---- what is no token ---- */

static void what_is_no_token_is_refused(void **state)
{
    static const char *const texts[] = {
        "", ".", "..", "...", "a.b.c", "e30", "e30.e30", "e30.e30.", "e30.e30.AA", ".e30.AA", "e30..AA", "e30.e30.AA.AA", "e30.e30.AA.AA.AA",
        "eyJhbGciOiJFUzI1NiJ9.W10.AA", "W10.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhbGciOiJFUzI1NiJ9.e30.AB", "eyJhbGciOiJFUzI1NiJ9.e30.AA==",
        "eyJhbGciOiJFUzI1NiJ9=.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30=.AA", " eyJhbGciOiJFUzI1NiJ9.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.AA ",
        "eyJhbGciOiJFUzI1NiJ9\n.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.+/AA", "eyJhbGciOiJFUzI1NiJ9.bnVsbA.AA", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA",
    };
    jose_token t;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) refused(EVDB_DENIED, jose_read(texts[i], &t, &why));
}

static void a_member_that_is_there_twice_is_refused(void **state)
{
    const char *jwk = signer_jwk(signers[EDDSA], NULL, NULL);
    (void)state;
    assert_int_equal(verdict_of_signed(signers[EDDSA], "{\"alg\":\"none\",\"alg\":\"EdDSA\"}", claims, jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{\"sub\":\"a\",\"sub\":\"b\"}", jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{\"sub\":\"a\",\"s\\u0075b\":\"b\"}", jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{\"a\":{\"b\":1,\"b\":1}}", jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{\"sub\":\"a\\u0000b\"}", jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{\"sub\":\"\xff\"}", jwk), EVDB_DENIED);
    assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, ""), "{} {}", jwk), EVDB_DENIED);
}

static void extensions_that_must_be_understood_are_refused(void **state)
{
    static const char *const more[] = { ",\"crit\":[\"exp\"]", ",\"crit\":[]", ",\"crit\":null", ",\"crit\":[\"b64\"],\"b64\":false" };
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        assert_int_equal(verdict_of_signed(signers[EDDSA], header_of(EDDSA, more[i]), claims, signer_jwk(signers[EDDSA], NULL, NULL)), EVDB_DENIED);
        expect_says("crit");
    }
    /* nor is anything done with a key that it brings along */
    signer *other = signer_make("EdDSA", 0);
    char with[512];
    snprintf(with, sizeof with, ",\"jwk\":%s,\"x5u\":\"http://127.0.0.1/\"", signer_jwk(other, NULL, NULL));
    char header[700];
    snprintf(header, sizeof header, "{\"alg\":\"EdDSA\"%s}", with);
    assert_int_equal(verdict_of_signed(other, header, claims, signer_jwk(signers[EDDSA], NULL, NULL)), EVDB_DENIED);
    signer_free(other);
}

static void tokens_headers_and_signatures_are_bounded(void **state)
{
    jose_token t;
    (void)state;
    for (size_t size = JOSE_TOKEN_MAX; size <= JOSE_TOKEN_MAX + 1; size++) {
        char *text = malloc(size + 1);
        assert_non_null(text);
        memset(text, 'A', size);
        text[size] = 0;
        refused(EVDB_DENIED, jose_read(text, &t, &why));
        expect_says(size > JOSE_TOKEN_MAX ? "too long" : "three parts");
        free(text);
    }
    char header[JOSE_HEADER_MAX + 64];
    for (int more = 0; more < 2; more++) {
        snprintf(header, sizeof header, "{\"alg\":\"EdDSA\"%*s}", JOSE_HEADER_MAX - 15 + more, "");
        char *token = signer_token(signers[EDDSA], header, claims);
        assert_int_equal(verdict_of(token, signer_jwk(signers[EDDSA], NULL, NULL)), more ? EVDB_DENIED : EVDB_OK);
        free(token);
    }
    char signature[800];
    memset(signature, 'A', sizeof signature);
    snprintf(header, sizeof header, "eyJhbGciOiJFUzI1NiJ9.e30.%.*s", 684, signature);
    refused(EVDB_DENIED, jose_read(header, &t, &why));
}

static int make_signers(void **state)
{
    (void)state;
    if (sodium_init() < 0) return -1;
    for (int i = 0; i < KINDS; i++) signers[i] = signer_make(names[i], 2048);
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) signer_free(signers[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tokens_of_rfc_7515_are_good),
        cmocka_unit_test(the_signature_of_rfc_8037_is_good),
        cmocka_unit_test(every_algorithm_checks_what_its_key_signed),
        cmocka_unit_test(what_a_token_says_is_read),
        cmocka_unit_test(every_bit_of_a_signature_counts),
        cmocka_unit_test(every_letter_of_a_token_counts),
        cmocka_unit_test(a_token_without_a_signature_is_refused),
        cmocka_unit_test(a_public_key_is_no_secret_of_a_mac),
        cmocka_unit_test(a_key_is_used_with_its_own_algorithm_alone),
        cmocka_unit_test(an_es256_signature_has_64_bytes),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(a_member_that_is_there_twice_is_refused),
        cmocka_unit_test(extensions_that_must_be_understood_are_refused),
        cmocka_unit_test(tokens_headers_and_signatures_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
