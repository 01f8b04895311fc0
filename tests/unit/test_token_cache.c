/* test_token_cache.c - auth/token_cache.h: what is kept is found by its token alone, and the table has an end. */
#include "auth/token_cache.h"
#include "expect.h"
#include "seed.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static token_cache *cache;

static int create(void **state)
{
    (void)state;
    return sodium_init() < 0 || token_cache_create(&platform_real, &cache, NULL) != EVDB_OK ? -1 : 0;
}

static int drop(void **state)
{
    (void)state;
    token_cache_free(cache);
    return 0;
}

static void keep(const char *token, uint64_t seen)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    jwt_claims claims = { .generation = (int64_t)seen };
    snprintf(claims.client, sizeof(claims.client), "%s", token);
    token_cache_hash(cache, token, strlen(token), hash);
    token_cache_keep(cache, hash, &claims, seen);
}

/* 0 = it is not there. */
static uint64_t found(const char *token)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    jwt_claims claims;
    uint64_t seen;
    token_cache_hash(cache, token, strlen(token), hash);
    if (!token_cache_find(cache, hash, &claims, &seen)) return 0;
    assert_string_equal(claims.client, token);
    assert_true(claims.generation == (int64_t)seen);
    return seen;
}

static void what_is_kept_is_found_by_its_token(void **state)
{
    (void)state;
    assert_true(found("a") == 0);
    keep("a", 1);
    keep("b", 2);
    assert_true(found("a") == 1 && found("b") == 2 && found("c") == 0 && found("") == 0);
    keep("a", 3); /* confirmed anew */
    assert_true(found("a") == 3 && found("b") == 2);
}

static void the_table_has_an_end_and_what_is_used_stays_longest(void **state)
{
    enum { MANY = 20 * TOKEN_CACHE_SETS * TOKEN_CACHE_WAYS };
    char token[20];
    size_t there = 0;
    (void)state;
    for (unsigned i = 1; i <= MANY; i++) {
        snprintf(token, sizeof(token), "%u", i);
        keep(token, i);
        assert_true(found(token) == i);
        if (i > 1) assert_true(found("1") == 1);
    }
    for (unsigned i = 1; i <= MANY; i++) {
        snprintf(token, sizeof(token), "%u", i);
        there += found(token) != 0;
    }
    assert_true(there > TOKEN_CACHE_SETS && there <= TOKEN_CACHE_SETS * TOKEN_CACHE_WAYS);
}

static void no_two_caches_have_the_same_key(void **state)
{
    unsigned char here[TOKEN_HASH_BYTES], there[TOKEN_HASH_BYTES];
    token_cache *other;
    (void)state;
    ok(token_cache_create(&platform_real, &other, &why));
    token_cache_hash(cache, "a", 1, here);
    token_cache_hash(other, "a", 1, there);
    assert_memory_not_equal(here, there, sizeof(here));
    token_cache_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_is_found_by_its_token),
        TEST(the_table_has_an_end_and_what_is_used_stays_longest),
        TEST(no_two_caches_have_the_same_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
