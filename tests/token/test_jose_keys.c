/* test_jose_keys.c - JSON Web Keys: which can be used, which of a set is meant, and which are refused. */
#include "expect.h"
#include "token/jose.h"
#include "token/signer.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"

static signer *ed, *ec;

static evdb_status parse(const char *text, jose_reading reading, jose_keys **keys)
{
    return jose_keys_parse(text, strlen(text), reading, keys, &why);
}

/* Refused alone; left out of a set that an issuer publishes. */
static void is_no_key(const char *jwk, const char *because)
{
    jose_keys *keys;
    size_t room = strlen(jwk) + sizeof EC + 64;
    char *set = malloc(room);
    assert_non_null(set);
    refused(EVDB_INVALID, parse(jwk, JOSE_EVERY_KEY, &keys));
    expect_says(because);
    assert_null(keys);
    snprintf(set, room, "{\"keys\":[%s," EC "]}", jwk);
    refused(EVDB_INVALID, parse(set, JOSE_EVERY_KEY, &keys));
    expect_says(because);
    expect_says("key 1");
    ok(parse(set, JOSE_USABLE_KEYS, &keys));
    assert_int_equal(jose_keys_count(keys), 1);
    jose_keys_free(keys);
    free(set);
}

static void a_key_must_be_whole_and_of_a_kind_that_there_is(void **state)
{
    (void)state;
    is_no_key("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "secret");
    is_no_key("{\"kty\":\"oct\"}", "kty");
    is_no_key("{\"kty\":1}", "kty");
    is_no_key("{\"kty\":\"ec\"}", "kty");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "x and y");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "=\"}", "x and y");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"AAAA\"}", "x and y");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2}", "x and y");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "P-256");
    is_no_key("{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "P-256");
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}", "Ed25519");
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32 bytes");
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "32 bytes");
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", "secret");
}

static void a_point_must_be_on_its_curve(void **state)
{
    (void)state;
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "no key that there can be");
    is_no_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
              "no key that there can be");
    /* of small order */
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "no key that there can be");
    is_no_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "no key that there can be");
}

static void a_key_for_something_else_is_refused(void **state)
{
    (void)state;
    is_no_key("{\"use\":\"enc\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "use");
    is_no_key("{\"use\":1,\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "use");
    is_no_key("{\"key_ops\":[\"sign\"],\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "key_ops");
    is_no_key("{\"key_ops\":\"verify\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "key_ops");
    is_no_key("{\"alg\":\"ES384\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "alg");
    is_no_key("{\"alg\":\"EdDSA\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "alg");
    is_no_key("{\"kid\":1,\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "kid");
    jose_keys *keys;
    ok(parse("{\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"ES256\",\"use\":\"sig\",\"x5c\":[],\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
             JOSE_EVERY_KEY, &keys));
    jose_keys_free(keys);
}

/* An RSA key of `size` bytes whose first and last are given. */
static const char *rsa_jwk(size_t size, unsigned char first, unsigned char last, const char *e)
{
    static char jwk[2048];
    unsigned char n[520];
    memset(n, 0x5a, sizeof n);
    n[0] = first;
    n[size - 1] = last;
    char *text = signer_base64url(n, size);
    snprintf(jwk, sizeof jwk, "{\"kty\":\"RSA\",\"e\":\"%s\",\"n\":\"%s\"}", e, text);
    free(text);
    return jwk;
}

static void an_rsa_key_has_2048_to_4096_bits_and_no_small_exponent(void **state)
{
    static const struct { size_t size; unsigned char first; bool good; } sizes[] = {
        { 128, 0xff, false }, { 255, 0xff, false }, { 256, 0x7f, false }, { 256, 0x80, true }, { 257, 1, true }, { 384, 0x80, true }, { 512, 0xff, true },
        { 513, 1, false },
    };
    static const char *const exponents[] = { "", "AQ", "Aw", "AAEAAQ", "AQAA", "_w", "__8", "AQAA____________", "AQAB=", "AQA" };
    jose_keys *keys;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *jwk = rsa_jwk(sizes[i].size, sizes[i].first, 0xff, "AQAB");
        if (!sizes[i].good) {
            is_no_key(jwk, "RSA key");
            continue;
        }
        ok(parse(jwk, JOSE_EVERY_KEY, &keys));
        jose_keys_free(keys);
    }
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) is_no_key(rsa_jwk(256, 0xff, 0xff, exponents[i]), "e of an RSA key");
    is_no_key(rsa_jwk(257, 0, 0xff, "AQAB"), "zeros");
    is_no_key(rsa_jwk(256, 0xff, 0xfe, "AQAB"), "no key that there can be");
    is_no_key("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"\"}", "RSA key");
    is_no_key("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "RSA key");
}

/* A signature of 1024 bits that is right, by a key of that size. */
static void small_rsa_keys_check_nothing(void **state)
{
    jose_keys *keys;
    signer *small = signer_make("RS256", 1024);
    (void)state;
    is_no_key(signer_jwk(small, NULL, NULL), "2048 bits");
    refused(EVDB_INVALID, parse(signer_jwk(small, NULL, NULL), JOSE_USABLE_KEYS, &keys));
    expect_says("no key that can be used");
    signer_free(small);
}

static void what_is_no_set_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "null", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}", "{\"keys\":[1]}", "{\"keys\":[", "{\"keys\":[" EC "],\"keys\":[]}",
        "{\"keys\":[" EC "]} x", "[" EC "]", "{\"keys\":[{\"kty\":\"EC\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}]}",
    };
    jose_keys *keys;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int reading = JOSE_EVERY_KEY; reading <= JOSE_USABLE_KEYS; reading++)
            refused(EVDB_INVALID, parse(texts[i], (jose_reading)reading, &keys));
    char *large = malloc(JOSE_KEYS_TEXT_MAX + 2);
    assert_non_null(large);
    memset(large, ' ', JOSE_KEYS_TEXT_MAX + 1);
    memcpy(large, EC, sizeof EC - 1);
    large[JOSE_KEYS_TEXT_MAX] = 0;
    ok(parse(large, JOSE_EVERY_KEY, &keys));
    jose_keys_free(keys);
    large[JOSE_KEYS_TEXT_MAX] = ' ', large[JOSE_KEYS_TEXT_MAX + 1] = 0;
    refused(EVDB_INVALID, parse(large, JOSE_EVERY_KEY, &keys));
    free(large);
}

static void a_set_has_64_keys_at_most(void **state)
{
    enum { ROOM = (JOSE_KEYS_MAX + 1) * 200 };
    char *set = malloc(ROOM);
    jose_keys *keys;
    (void)state;
    assert_non_null(set);
    for (size_t count = JOSE_KEYS_MAX; count <= JOSE_KEYS_MAX + 1; count++) {
        size_t used = (size_t)snprintf(set, ROOM, "{\"keys\":[");
        for (size_t i = 0; i < count; i++) used += (size_t)snprintf(set + used, ROOM - used, "%s%s", i ? "," : "", EC);
        snprintf(set + used, ROOM - used, "]}");
        if (count > JOSE_KEYS_MAX) refused(EVDB_INVALID, parse(set, JOSE_USABLE_KEYS, &keys));
        else ok(parse(set, JOSE_USABLE_KEYS, &keys));
        if (keys) assert_int_equal(jose_keys_count(keys), count);
        jose_keys_free(keys);
    }
    free(set);
}

/* ---- which key is meant ---- */

static evdb_status verdict(signer *s, const char *header, const char *set)
{
    jose_keys *keys;
    jose_token t;
    char *token = signer_token(s, header, "{}");
    ok(parse(set, JOSE_EVERY_KEY, &keys));
    ok(jose_read(token, &t, &why));
    expect_poison();
    evdb_status rc = jose_verify(&t, keys, &why);
    jose_token_free(&t);
    jose_keys_free(keys);
    free(token);
    return rc;
}

static char *set_of(const char *one, const char *other)
{
    char *set;
    assert_true(asprintf(&set, "{\"keys\":[%s,%s]}", one, other) > 0);
    return set;
}

static void a_kid_picks_the_key(void **state)
{
    signer *other = signer_make("EdDSA", 0);
    char *set = set_of(signer_jwk(ed, "a", NULL), signer_jwk(other, "b", NULL));
    (void)state;
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"a\"}", set), EVDB_OK);
    assert_int_equal(verdict(other, "{\"alg\":\"EdDSA\",\"kid\":\"b\"}", set), EVDB_OK);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"b\"}", set), EVDB_DENIED);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"c\"}", set), EVDB_NOT_FOUND);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", set), EVDB_NOT_FOUND);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\"}", set), EVDB_NOT_FOUND); /* two could be meant */
    free(set);
    /* a key without a name has none */
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"a\"}", signer_jwk(ed, NULL, NULL)), EVDB_NOT_FOUND);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", signer_jwk(ed, NULL, NULL)), EVDB_NOT_FOUND);
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", signer_jwk(ed, "", NULL)), EVDB_OK);
    signer_free(other);
}

static void without_a_kid_there_must_be_one_key_that_fits(void **state)
{
    char *set = set_of(signer_jwk(ed, "a", NULL), signer_jwk(ec, "b", NULL));
    (void)state;
    assert_int_equal(verdict(ed, "{\"alg\":\"EdDSA\"}", set), EVDB_OK);
    assert_int_equal(verdict(ec, "{\"alg\":\"ES256\"}", set), EVDB_OK);
    assert_int_equal(verdict(ed, "{\"alg\":\"ES256\"}", set), EVDB_DENIED);
    assert_int_equal(verdict(ed, "{\"alg\":\"RS256\"}", set), EVDB_NOT_FOUND);
    free(set);
}

static void two_keys_of_a_set_never_have_the_same_kid(void **state)
{
    jose_keys *keys;
    char *set = set_of(signer_jwk(ed, "a", NULL), signer_jwk(ec, "a", NULL));
    (void)state;
    refused(EVDB_INVALID, parse(set, JOSE_EVERY_KEY, &keys));
    expect_says("'a'");
    refused(EVDB_INVALID, parse(set, JOSE_USABLE_KEYS, &keys));
    free(set);
}

static void a_kid_has_256_bytes_at_most(void **state)
{
    char kid[JOSE_KID_MAX + 2], header[JOSE_KID_MAX + 64];
    jose_keys *keys;
    jose_token t;
    (void)state;
    memset(kid, 'k', sizeof kid);
    kid[JOSE_KID_MAX] = 0;
    snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    assert_int_equal(verdict(ed, header, signer_jwk(ed, kid, NULL)), EVDB_OK);
    kid[JOSE_KID_MAX] = 'k', kid[JOSE_KID_MAX + 1] = 0;
    refused(EVDB_INVALID, parse(signer_jwk(ed, kid, NULL), JOSE_EVERY_KEY, &keys));
    snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    char *token = signer_token(ed, header, "{}");
    refused(EVDB_DENIED, jose_read(token, &t, &why));
    free(token);
}

static int make_signers(void **state)
{
    (void)state;
    if (sodium_init() < 0) return -1;
    ed = signer_make("EdDSA", 0);
    ec = signer_make("ES256", 0);
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    signer_free(ed);
    signer_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_must_be_whole_and_of_a_kind_that_there_is),
        cmocka_unit_test(a_point_must_be_on_its_curve),
        cmocka_unit_test(a_key_for_something_else_is_refused),
        cmocka_unit_test(an_rsa_key_has_2048_to_4096_bits_and_no_small_exponent),
        cmocka_unit_test(small_rsa_keys_check_nothing),
        cmocka_unit_test(what_is_no_set_is_refused),
        cmocka_unit_test(a_set_has_64_keys_at_most),
        cmocka_unit_test(a_kid_picks_the_key),
        cmocka_unit_test(without_a_kid_there_must_be_one_key_that_fits),
        cmocka_unit_test(two_keys_of_a_set_never_have_the_same_kid),
        cmocka_unit_test(a_kid_has_256_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
