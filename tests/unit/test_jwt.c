/* test_jwt.c - auth/jwt.h: what a token claims comes back, and nothing is believed that another one could have written. */
#include "auth/base64url.h"
#include "auth/jwt.h"
#include "expect.h"
#include "seed.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static unsigned char public_key[JWS_PUBLIC_BYTES], secret_key[JWS_SECRET_BYTES];
static char kid[JWS_KID_BYTES];

static int make_key(void **state)
{
    static const unsigned char seed[JWS_SEED_BYTES] = { 1, 2, 3 };
    (void)state;
    if (sodium_init() < 0) return -1;
    jws_key(seed, public_key, secret_key);
    jws_kid(public_key, kid);
    return 0;
}

static bool our_key(void *context, const char *name, unsigned char out[JWS_PUBLIC_BYTES])
{
    (void)context;
    if (strcmp(name, kid) != 0) return false;
    memcpy(out, public_key, JWS_PUBLIC_BYTES);
    return true;
}

static evdb_status read_text(const char *text, jwt_claims *out) { return jwt_read(text, our_key, NULL, out, &why); }

static jwt_claims some(void)
{
    return (jwt_claims){ .issuer = "https://evdb.example", .subject = "alice", .client = "app", .scope = "read write:docs",
                         .audience = "https://evdb.example/mcp", .id = { 1, 2, 3 }, .issued_ms = 1700000000000, .expires_ms = 1700003600000,
                         .generation = INT64_C(0x0123456789abcdef) };
}

static void same(const jwt_claims *a, const jwt_claims *b)
{
    assert_string_equal(a->issuer, b->issuer);
    assert_string_equal(a->subject, b->subject);
    assert_string_equal(a->client, b->client);
    assert_string_equal(a->scope, b->scope);
    assert_string_equal(a->audience, b->audience);
    assert_memory_equal(a->id, b->id, JWT_ID_BYTES);
    assert_true(a->issued_ms == b->issued_ms && a->expires_ms == b->expires_ms && a->not_before_ms == b->not_before_ms);
    assert_true(a->generation == b->generation);
    assert_memory_equal(a->family, b->family, JWT_ID_BYTES);
}

static void what_a_token_claims_comes_back(void **state)
{
    static const char *const audiences[] = { "a", "a b", "https://one.example/x https://two.example/y urn:three" };
    static const int64_t numbers[] = { 1000, 2000, INT64_MAX / 1000 * 1000 };
    char text[JWT_BYTES];
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t length = 1; length <= EVDB_CLIENT_ID_MAX; length++) {
            jwt_claims claims = some(), read;
            memset(claims.client, 'a' + (int)length % 26, length);
            claims.client[length] = 0;
            memcpy(claims.audience, audiences[i], strlen(audiences[i]) + 1);
            claims.issued_ms = numbers[i];
            claims.expires_ms = numbers[2 - i];
            claims.not_before_ms = length % 2 ? numbers[i] : 0;
            claims.family[length % JWT_ID_BYTES] = (unsigned char)(length % 3);
            ok(jwt_write(kid, secret_key, &claims, text, &why));
            memset(&read, 0x5a, sizeof(read));
            ok(read_text(text, &read));
            same(&read, &claims);
            assert_string_equal(read.kid, kid);
        }
}

static void the_largest_claims_fit_into_a_token(void **state)
{
    char text[JWT_BYTES];
    jwt_claims claims = some(), read;
    (void)state;
    memset(claims.issuer, 'i', EVDB_ISSUER_MAX);
    memset(claims.subject, 's', EVDB_CLIENT_ID_MAX);
    memset(claims.client, 'c', EVDB_CLIENT_ID_MAX);
    memset(claims.scope, 'o', (EVDB_SCOPES_BYTES - 1));
    for (size_t i = 0; i < EVDB_AUDIENCE_MAX; i++) claims.audience[i] = i % 2 ? ' ' : 'a'; /* each costs three letters more */
    claims.not_before_ms = claims.issued_ms = claims.expires_ms = INT64_MAX / 1000 * 1000;
    claims.generation = INT64_MAX;
    claims.family[0] = 1;
    ok(jwt_write(kid, secret_key, &claims, text, &why));
    assert_true(strlen(text) < JWT_BYTES);
    ok(read_text(text, &read));
    same(&read, &claims);
    memset(claims.scope, '"', (EVDB_SCOPES_BYTES - 1)); /* nobody has such a scope */
    memset(claims.issuer, '"', EVDB_ISSUER_MAX);
    refused(EVDB_LIMIT, jwt_write(kid, secret_key, &claims, text, &why));
}

/* Header and claims as they are given, under a signature of our key. */
static const char *signed_by_us(const char *header, const char *claims)
{
    static char text[2 * JWT_BYTES];
    assert_true(jws_sign(secret_key, header, strlen(header), claims, strlen(claims), text, sizeof(text)));
    return text;
}

static const char good_claims[] = "{\"iss\":\"i\",\"sub\":\"s\",\"client_id\":\"c\",\"aud\":\"a\",\"scope\":\"read\",\"iat\":1,\"exp\":2,"
                                  "\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"evdb_generation\":7}";

/* The header with the name of the key for KID. */
static const char *header_of(const char *format)
{
    static char header[2000];
    const char *at = strstr(format, "KID");
    if (!at) snprintf(header, sizeof(header), "%s", format);
    else snprintf(header, sizeof(header), "%.*s%s%s", (int)(at - format), format, kid, at + 3);
    return header;
}

static void a_header_that_is_not_ours_is_refused_in_spite_of_its_signature(void **state)
{
    static const char *const good[] = { "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}",
                                        " { \"kid\" : \"KID\", \"alg\":\"EdDSA\", \"typ\":\"application/at+jwt\" } " };
    static const char *const bad[] = {
        "{\"typ\":\"at+jwt\",\"alg\":\"none\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"alg\":\"HS256\",\"kid\":\"KID\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"eddsa\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"alg\":\"Ed25519\",\"kid\":\"KID\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"alg\":[\"EdDSA\"],\"kid\":\"KID\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "{\"alg\":\"EdDSA\",\"kid\":\"KID\"}",
        "{\"typ\":\"JWT\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}", "{\"typ\":\"jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}",
        "{\"typ\":\"at+jwt \",\"alg\":\"EdDSA\",\"kid\":\"KID\"}", "{\"typ\":7,\"alg\":\"EdDSA\",\"kid\":\"KID\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"other\"}", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\"}", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":null}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\",\"crit\":[]}", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\",\"b64\":false}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\",\"jku\":\"https://evil.example\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"other\",\"kid\":\"KID\"}",
        "{\"typ\":\"JWT\",\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}{}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"", "[\"at+jwt\",\"EdDSA\",\"KID\"]", "\"at+jwt\"", "null", "7", " ", "{}", "[",
    };
    jwt_claims read;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) ok(read_text(signed_by_us(header_of(good[i]), good_claims), &read));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memset(&read, 0x5a, sizeof(read));
        refused(EVDB_DENIED, read_text(signed_by_us(header_of(bad[i]), good_claims), &read));
        assert_int_equal(read.generation, INT64_C(0x5a5a5a5a5a5a5a5a)); /* untouched */
    }
}

static void claims_that_are_not_ours_are_refused_in_spite_of_their_signature(void **state)
{
    static const struct { const char *from, *to; } changes[] = {
        { "\"iss\":\"i\",", "" }, { "\"iss\":\"i\"", "\"iss\":\"\"" }, { "\"iss\":\"i\"", "\"iss\":7" }, { "\"sub\":\"s\",", "" },
        { "\"sub\":\"s\"", "\"sub\":null" }, { "\"client_id\":\"c\",", "" }, { "\"client_id\":\"c\"", "\"client_id\":[\"c\"]" },
        { "\"aud\":\"a\",", "" }, { "\"aud\":\"a\"", "\"aud\":[]" }, { "\"aud\":\"a\"", "\"aud\":[\"a\",7]" }, { "\"aud\":\"a\"", "\"aud\":{}" },
        { "\"aud\":\"a\"", "\"aud\":\"a b\"" }, { "\"aud\":\"a\"", "\"aud\":[\"a b\"]" }, { "\"aud\":\"a\"", "\"aud\":[\"\"]" },
        { "\"scope\":\"read\",", "" }, { "\"scope\":\"read\"", "\"scope\":[\"read\"]" }, { "\"iat\":1,", "" }, { "\"iat\":1", "\"iat\":-1" },
        { "\"exp\":2,", "" }, { "\"exp\":2", "\"exp\":\"2\"" }, { "\"exp\":2", "\"exp\":2.5" }, { "\"exp\":2", "\"exp\":-2" },
        { "\"exp\":2", "\"exp\":9223372036854775807" }, { "\"exp\":2", "\"exp\":1e300" }, { "\"exp\":2", "\"exp\":99999999999999999999" },
        { "\"exp\":2", "\"exp\":1,\"exp\":2" }, { "\"sub\":\"s\"", "\"sub\":\"other\",\"sub\":\"s\"" }, { "\"exp\":2", "\"exp\":2,\"nbf\":\"1\"" },
        { "\"exp\":2", "\"exp\":2,\"nbf\":-1" }, { "\"exp\":2", "\"exp\":2,\"cnf\":{}" },
        { "\"exp\":2", "\"exp\":2,\"evdb_family\":7" }, { "\"exp\":2", "\"exp\":2,\"evdb_family\":\"AAAA\"" }, { "\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\",", "" },
        { "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA" }, { "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA" },
        { "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB" }, { ",\"evdb_generation\":7", "" }, { "\"evdb_generation\":7", "\"evdb_generation\":-7" },
        { "\"s\"", "\"s\\u0000t\"" }, { "{", "[{" }, { "}", "" }, { "}", "}," },
    };
    const char *header = "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}";
    char changed[1000];
    jwt_claims read;
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        const char *at = strstr(good_claims, changes[i].from);
        assert_non_null(at);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - good_claims), good_claims, changes[i].to, at + strlen(changes[i].from));
        if (read_text(signed_by_us(header_of(header), changed), &read) != EVDB_DENIED) fail_msg("%s was taken", changed);
        expect_says("claims");
    }
}

/* The classic: the public key, which everybody may have, as the secret of a MAC; and no signature at all. */
static void neither_no_algorithm_nor_a_mac_with_the_public_key_is_a_signature(void **state)
{
    char body[JWT_BYTES], text[JWT_BYTES];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    jwt_claims read;
    (void)state;
    static const char *const algorithms[] = { "none", "HS256", "EdDSA" };
    for (size_t i = 0; i < 3; i++) {
        char header[200], signature[BASE64URL_LENGTH(sizeof(mac)) + 1];
        snprintf(header, sizeof(header), "{\"typ\":\"at+jwt\",\"alg\":\"%s\",\"kid\":\"%s\"}", algorithms[i], kid);
        base64url_write(header, strlen(header), body);
        size_t used = strlen(body);
        body[used] = '.';
        base64url_write(good_claims, strlen(good_claims), body + used + 1);
        crypto_auth_hmacsha256(mac, (unsigned char *)body, strlen(body), public_key);
        base64url_write(mac, sizeof(mac), signature);
        snprintf(text, sizeof(text), "%s.%s", body, signature);
        refused(EVDB_DENIED, read_text(text, &read));
        snprintf(text, sizeof(text), "%s.", body);
        refused(EVDB_DENIED, read_text(text, &read));
        refused(EVDB_DENIED, read_text(body, &read));
    }
}

static void every_flipped_bit_and_every_cut_is_refused(void **state)
{
    char text[JWT_BYTES];
    jwt_claims claims = some(), read;
    (void)state;
    ok(jwt_write(kid, secret_key, &claims, text, &why));
    for (size_t at = 0, length = strlen(text); at < length; at++) {
        char was = text[at];
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(was ^ 1 << bit);
            if (text[at]) refused(EVDB_DENIED, read_text(text, &read));
        }
        text[at] = 0;
        refused(EVDB_DENIED, read_text(text, &read));
        text[at] = was;
    }
    ok(read_text(text, &read));
}

static void what_is_too_long_is_refused_unread(void **state)
{
    static char text[3 * JWT_BYTES];
    jwt_claims claims = some(), read;
    (void)state;
    ok(jwt_write(kid, secret_key, &claims, text, &why));
    for (size_t length = strlen(text); length < sizeof(text) - 1; length = length * 3 / 2) {
        memset(text + strlen(text), 'A', length - strlen(text));
        if (length > strlen(text)) refused(EVDB_DENIED, read_text(text, &read));
    }
    memset(text, '.', sizeof(text) - 1);
    refused(EVDB_DENIED, read_text(text, &read));
    for (size_t i = 0; i < JWT_BYTES - 8; i += 4) memcpy(text + i, "W1tb", 4); /* "[[[", nested deep */
    memcpy(text + JWT_BYTES - 8, ".e30.AA", 8);
    refused(EVDB_DENIED, read_text(text, &read));
}

static void random_text_is_no_token(void **state)
{
    uint64_t seed = seed_print();
    char text[600];
    jwt_claims read;
    (void)state;
    for (size_t i = 0; i < seed_tries(5000); i++) {
        size_t size = (size_t)seed_below(&seed, sizeof(text) - 1);
        for (size_t at = 0; at < size; at++) text[at] = i % 2 ? (char)(1 + seed_below(&seed, 255)) : "ey.JAb"[seed_below(&seed, 6)];
        text[size] = 0;
        refused(EVDB_DENIED, read_text(text, &read));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_token_claims_comes_back),
        cmocka_unit_test(the_largest_claims_fit_into_a_token),
        cmocka_unit_test(a_header_that_is_not_ours_is_refused_in_spite_of_its_signature),
        cmocka_unit_test(claims_that_are_not_ours_are_refused_in_spite_of_their_signature),
        cmocka_unit_test(neither_no_algorithm_nor_a_mac_with_the_public_key_is_a_signature),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused_unread),
        cmocka_unit_test(random_text_is_no_token),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
