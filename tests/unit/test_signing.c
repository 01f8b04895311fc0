/* test_signing.c - auth/signing.h: which key signs, which are believed, and which are published, from a key's first day to its last. */
#include "auth/signing.h"
#include "expect.h"
#include <sodium.h>
#include <string.h>

static signing_keys *keys;

static int create(void **state)
{
    (void)state;
    return sodium_init() < 0 || signing_create(&platform_real, &keys, NULL) != EVDB_OK ? -1 : 0;
}

static int drop(void **state)
{
    (void)state;
    signing_free(keys);
    return 0;
}

typedef struct made { unsigned char seed[JWS_SEED_BYTES], public_key[JWS_PUBLIC_BYTES]; signing_key key; } made;

static made key_of(unsigned char number, signing_state state, int64_t changed_ms, int64_t lifetime_ms)
{
    made m = { .seed = { number }, .key = { .state = state, .created_ms = number, .changed_ms = changed_ms, .lifetime_ms = lifetime_ms } };
    unsigned char unused[JWS_SECRET_BYTES];
    jws_key(m.seed, m.public_key, unused);
    jws_kid(m.public_key, m.key.kid);
    return m;
}

static void read_keys(const made *list, size_t count, uint64_t seen)
{
    signing_reading(keys);
    for (size_t i = 0; i < count; i++) ok(signing_take(keys, &list[i].key, list[i].seed, &why));
    signing_read(keys, true, seen);
}

static evdb_status sign(const made *m, char text[JWT_BYTES])
{
    jwt_claims claims = { .issuer = "i", .subject = "s", .client = "c", .scope = "read", .audience = "a", .expires_ms = 9000 };
    return signing_sign(keys, m->key.kid, &claims, text, &why);
}

typedef struct asked { int64_t now_ms; } asked;

static bool find_key(void *context, const char *kid, unsigned char public_key[JWS_PUBLIC_BYTES])
{
    return signing_public(keys, kid, ((asked *)context)->now_ms, public_key);
}

static bool believed(const char *text, int64_t now_ms)
{
    jwt_claims claims;
    return jwt_read(text, find_key, &(asked){ now_ms }, &claims, NULL) == EVDB_OK;
}

static void a_key_signs_while_it_is_active_and_is_believed_until_its_last_token_expires(void **state)
{
    made m = key_of(1, SIGNING_NEXT, 0, 0), successor = key_of(2, SIGNING_ACTIVE, 0, 0);
    char text[JWT_BYTES];
    (void)state;
    read_keys((made[]){ m, successor }, 2, 1);
    assert_int_equal(sign(&m, text), EVDB_NOT_FOUND);
    ok(sign(&successor, text));
    assert_true(believed(text, 0));

    m.key.state = SIGNING_ACTIVE;
    successor.key.state = SIGNING_NEXT;
    read_keys((made[]){ m, successor }, 2, 2);
    assert_false(believed(text, 0)); /* a key that has not signed yet is believed nothing */
    ok(sign(&m, text));
    assert_true(believed(text, INT64_MAX)); /* the token's own expiry is not the key's */

    m.key = (signing_key){ .state = SIGNING_RETIRING, .changed_ms = 1000, .lifetime_ms = 500 };
    memcpy(m.key.kid, key_of(1, 0, 0, 0).key.kid, sizeof(m.key.kid));
    successor.key.state = SIGNING_ACTIVE;
    read_keys((made[]){ m, successor }, 2, 3);
    assert_true(believed(text, 1000 + 500 + SIGNING_SLACK_MS - 1));
    assert_false(believed(text, 1000 + 500 + SIGNING_SLACK_MS));
    char other[JWT_BYTES];
    assert_int_equal(sign(&m, other), EVDB_NOT_FOUND);

    read_keys(&successor, 1, 4);
    assert_false(believed(text, 0));
}

static void keys_are_published_active_first_and_not_beyond_their_end(void **state)
{
    const made all[] = { key_of(1, SIGNING_RETIRING, 0, 100), key_of(2, SIGNING_RETIRING, 100, 100), key_of(3, SIGNING_ACTIVE, 5, 0),
                         key_of(4, SIGNING_NEXT, 5, 0) };
    signing_key list[SIGNING_KEYS_MAX];
    (void)state;
    read_keys(all, 4, 5);
    assert_int_equal(signing_list(keys, 0, list), 4);
    const int order[] = { 2, 3, 0, 1 };
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(list[i].kid, all[order[i]].key.kid);
        assert_memory_equal(list[i].public_key, all[order[i]].public_key, JWS_PUBLIC_BYTES);
    }
    assert_int_equal(signing_list(keys, 100 + SIGNING_SLACK_MS, list), 3);
    assert_int_equal(signing_list(keys, 200 + SIGNING_SLACK_MS, list), 2);
    assert_true(signing_end(&(signing_key){ .changed_ms = INT64_MAX - 5, .lifetime_ms = 10 }) == INT64_MAX);
}

static void keys_that_are_read_again_are_as_they_were(void **state)
{
    made list[SIGNING_KEYS_MAX + 1];
    char text[JWT_BYTES];
    (void)state;
    for (size_t i = 0; i <= SIGNING_KEYS_MAX; i++) list[i] = key_of((unsigned char)(i + 1), i ? SIGNING_RETIRING : SIGNING_ACTIVE, 0, 1000);
    for (size_t count = 1; count <= SIGNING_KEYS_MAX; count += 7) {
        read_keys(list, count, count);
        assert_true(signing_seen(keys) == count);
        ok(sign(&list[0], text));
        assert_true(believed(text, 0));
    }
    read_keys(list, SIGNING_KEYS_MAX, 8);
    signing_reading(keys);
    for (size_t i = 0; i < SIGNING_KEYS_MAX; i++) ok(signing_take(keys, &list[i].key, list[i].seed, &why));
    refused(EVDB_CORRUPT, signing_take(keys, &list[SIGNING_KEYS_MAX].key, list[SIGNING_KEYS_MAX].seed, &why));
    signing_read(keys, false, 7);
}

static void a_seed_that_is_not_of_its_name_is_corrupt_and_leaves_no_key(void **state)
{
    made good = key_of(1, SIGNING_ACTIVE, 0, 0), bad = key_of(2, SIGNING_NEXT, 0, 0);
    signing_key active;
    (void)state;
    read_keys(&good, 1, 1);
    assert_true(signing_active(keys, &active));
    signing_reading(keys);
    ok(signing_take(keys, &good.key, good.seed, &why));
    bad.seed[1] = 1;
    refused(EVDB_CORRUPT, signing_take(keys, &bad.key, bad.seed, &why));
    signing_read(keys, false, 7);
    assert_false(signing_active(keys, &active));
    assert_true(signing_seen(keys) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_signs_while_it_is_active_and_is_believed_until_its_last_token_expires),
        TEST(keys_are_published_active_first_and_not_beyond_their_end),
        TEST(keys_that_are_read_again_are_as_they_were),
        TEST(a_seed_that_is_not_of_its_name_is_corrupt_and_leaves_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
