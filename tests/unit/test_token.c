/* test_token.c - auth/token.h: what an access token says comes back, and nothing else is believed, be its MAC as good as it may. */
#include "auth/token.h"
#include "expect.h"
#include "seed.h"
#include <sodium.h>
#include <string.h>

static secrets *keys;

static int make_keys(void **state)
{
    unsigned char key[SECRET_KEY_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(key); i++) key[i] = (unsigned char)i;
    if (sodium_init() < 0 || secrets_create(&platform_real, &keys, NULL) != EVDB_OK) return -1;
    secrets_set_key(keys, key);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    secrets_free(keys);
    return 0;
}

/* Any bytes, as a token whose MAC is right. */
static const char *signed_by_us(const unsigned char *body, size_t size)
{
    static char text[6 + 1000];
    unsigned char raw[500];
    memcpy(raw, body, size);
    secret_mac(keys, SECRET_FOR_ACCESS, raw, size, raw + size);
    memcpy(text, "evdb1.", 6);
    sodium_bin2base64(text + 6, sizeof(text) - 6, raw, size + 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text;
}

static void what_a_token_says_comes_back(void **state)
{
    static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(0x0123456789abcdef) };
    char text[EVDB_TOKEN_BYTES];
    token_claims read;
    (void)state;
    for (size_t length = 1; length <= EVDB_CLIENT_ID_MAX; length++)
        for (size_t i = 0; i < 6; i++) {
            token_claims claims = { .scopes = 1 + (uint32_t)length % 7, .expires_ms = numbers[i], .generation = numbers[5 - i] };
            memset(claims.client, 'a' + (int)length % 26, length);
            token_write(&platform_real, keys, &claims, text);
            assert_true(strlen(text) < EVDB_TOKEN_BYTES);
            memset(&read, 0x5a, sizeof(read));
            assert_true(token_read(keys, text, &read));
            assert_string_equal(read.client, claims.client);
            assert_int_equal(read.scopes, claims.scopes);
            assert_true(read.expires_ms == claims.expires_ms && read.generation == claims.generation);
        }
}

/* Made with Python's hashlib and base64: tokens handed out must outlive an upgrade. */
static void a_token_is_what_another_implementation_makes(void **state)
{
    token_claims read;
    (void)state;
    assert_true(token_read(keys, "evdb1.AQMAAAGLz-VoAAEjRWeJq83vsLGys7S1trdjbGllbnQtMbx0QN5diTQKLlHbywPXiPcbijLpPZP383VvakDj_rRR",
                           &read));
    assert_string_equal(read.client, "client-1");
    assert_int_equal(read.scopes, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE);
    assert_true(read.expires_ms == INT64_C(1700000000000));
    assert_true(read.generation == INT64_C(0x0123456789abcdef));
}

static void a_body_that_makes_no_sense_is_refused_in_spite_of_its_mac(void **state)
{
    unsigned char body[400] = { 1, 3 };
    token_claims read;
    (void)state;
    memset(body + 26, 'c', sizeof(body) - 26);
    for (size_t size = 0; size <= sizeof(body); size++) {
        bool right = size > 26 && size <= 26 + EVDB_CLIENT_ID_MAX;
        read.scopes = 77;
        assert_int_equal(token_read(keys, signed_by_us(body, size), &read), right);
        if (right) assert_int_equal(strlen(read.client), size - 26);
        else assert_int_equal(read.scopes, 77); /* untouched */
    }
    for (unsigned version = 0; version < 256; version++) {
        body[0] = (unsigned char)version;
        assert_int_equal(token_read(keys, signed_by_us(body, 30), &read), version == 1);
    }
}

static void a_mac_of_another_purpose_or_key_is_refused(void **state)
{
    static const secret_purpose others[] = { SECRET_FOR_CLIENTS, SECRET_FOR_REFRESH };
    static const unsigned char key[SECRET_KEY_BYTES] = { 1 };
    unsigned char raw[30 + 32] = { 1, 3 };
    char text[EVDB_TOKEN_BYTES] = "evdb1.";
    token_claims claims = { .client = "c", .scopes = 1 }, read;
    secrets *foreign;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        secret_mac(keys, others[i], raw, 30, raw + 30);
        sodium_bin2base64(text + 6, sizeof(text) - 6, raw, sizeof(raw), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_false(token_read(keys, text, &read));
    }
    ok(secrets_create(&platform_real, &foreign, &why));
    secrets_set_key(foreign, key);
    token_write(&platform_real, foreign, &claims, text);
    assert_true(token_read(foreign, text, &read));
    assert_false(token_read(keys, text, &read));
    secrets_free(foreign);
}

static void random_text_is_no_token(void **state)
{
    uint64_t seed = seed_print();
    char text[600] = "evdb1.";
    token_claims read;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t size = (size_t)seed_below(&seed, sizeof(text) - 7);
        for (size_t at = 6; at < 6 + size; at++) text[at] = (char)(1 + seed_below(&seed, i % 2 ? 255 : 127));
        text[6 + size] = 0;
        assert_false(token_read(keys, text, &read));
    }
}

static void random_texts_are_43_characters(void **state)
{
    char text[EVDB_SECRET_BYTES], other[EVDB_SECRET_BYTES];
    (void)state;
    token_random(&platform_real, text);
    token_random(&platform_real, other);
    assert_int_equal(strlen(text), 43);
    assert_string_not_equal(text, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_token_says_comes_back),
        cmocka_unit_test(a_token_is_what_another_implementation_makes),
        cmocka_unit_test(a_body_that_makes_no_sense_is_refused_in_spite_of_its_mac),
        cmocka_unit_test(a_mac_of_another_purpose_or_key_is_refused),
        cmocka_unit_test(random_text_is_no_token),
        cmocka_unit_test(random_texts_are_43_characters),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
