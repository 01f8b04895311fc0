/* test_secret.c - auth/secret.h: what is kept of a secret stays what it is, good answers are remembered, hashing is bounded. */
#include "auth/secret.h"
#include "expect.h"
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const platform *const real = &platform_real;

static secrets *made_with(unsigned char first)
{
    unsigned char key[SECRET_KEY_BYTES];
    secrets *s;
    assert_true(sodium_init() >= 0);
    for (size_t i = 0; i < sizeof(key); i++) key[i] = (unsigned char)(first + i);
    ok(secrets_create(real, &s, &why));
    assert_false(secrets_ready(s));
    secrets_set_key(s, key);
    assert_true(secrets_ready(s));
    return s;
}

static bool matches(secrets *s, secret_kind kind, const char *secret, const unsigned char *hash)
{
    bool right = kind == SECRET_CHOSEN; /* whatever it was before */
    ok(secret_matches(s, kind, secret, hash, &right, &why));
    return right;
}

static void assert_hex(const unsigned char *bytes, size_t size, const char *wanted)
{
    char text[2 * SECRET_HASH_BYTES + 1];
    assert_true(size <= SECRET_HASH_BYTES);
    assert_string_equal(sodium_bin2hex(text, sizeof(text), bytes, size), wanted);
}

/* Of other implementations: Python's hashlib.blake2b (salt = purpose, person = "evdbauth"), and the reference argon2. What
 * databases hold depends on these never changing. */
static void hashes_are_those_of_other_implementations(void **state)
{
    static const char *const macs[] = { "37a915b646f4e467b63974f670044e939fee0707933da2cddd674d62be8f5bcd",
                                        "ac50ae897ed3ba2cf0fae7428cd304959a2b684563a0b807ec0dc3cb865a77e7",
                                        "0443d2b9dad144a2c429b9cdb29fec7af859cf25d75741580fa99d66950f087a" };
    static const char chosen[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                                 "d51509e86a41f0ed985e677149d61c94e4eb86d6fe6766b67f347f1be85a3d74";
    unsigned char out[SECRET_HASH_BYTES];
    secrets *s = made_with(0);
    (void)state;
    for (int purpose = SECRET_FOR_CLIENTS; purpose <= SECRET_FOR_REFRESH; purpose++) {
        secret_mac(s, (secret_purpose)purpose, "a secret", 8, out);
        assert_hex(out, 32, macs[purpose - 1]);
    }
    ok(secret_hash(s, SECRET_GENERATED, "a secret", out, &why));
    assert_hex(out, 32, macs[0]);
    assert_int_equal(sodium_hex2bin(out, sizeof(out), chosen, strlen(chosen), NULL, NULL, NULL), 0);
    assert_true(matches(s, SECRET_CHOSEN, "chosen by me", out));
    assert_false(matches(s, SECRET_CHOSEN, "chosen by me ", out));
    secrets_free(s);
}

static void a_generated_secret_matches_under_its_own_key_alone(void **state)
{
    secrets *s = made_with(0), *same = made_with(0), *other = made_with(1);
    unsigned char hash[SECRET_HASH_BYTES];
    (void)state;
    ok(secret_hash(s, SECRET_GENERATED, "generated", hash, &why));
    assert_true(matches(s, SECRET_GENERATED, "generated", hash));
    assert_true(matches(same, SECRET_GENERATED, "generated", hash));
    assert_false(matches(other, SECRET_GENERATED, "generated", hash));
    assert_false(matches(s, SECRET_GENERATED, "generateD", hash));
    assert_false(matches(s, SECRET_GENERATED, "", hash));
    hash[31] ^= 1;
    assert_false(matches(s, SECRET_GENERATED, "generated", hash));
    secrets_free(s);
    secrets_free(same);
    secrets_free(other);
    secrets_free(NULL);
}

static void the_first_key_stays(void **state)
{
    static const unsigned char other[SECRET_KEY_BYTES] = { 9 };
    secrets *s = made_with(0);
    unsigned char out[32];
    (void)state;
    secrets_set_key(s, other);
    secret_mac(s, SECRET_FOR_CLIENTS, "a secret", 8, out);
    assert_hex(out, 32, "37a915b646f4e467b63974f670044e939fee0707933da2cddd674d62be8f5bcd");
    secrets_free(s);
}

/* ---- secrets chosen by people ---- */

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t cost_of(secrets *s, const char *secret, const unsigned char *hash, bool right)
{
    int64_t before = cpu_ns();
    assert_int_equal(matches(s, SECRET_CHOSEN, secret, hash), right);
    return cpu_ns() - before;
}

static void a_good_answer_is_remembered_and_a_bad_one_is_not(void **state)
{
    secrets *s = made_with(0);
    unsigned char one[SECRET_HASH_BYTES], two[SECRET_HASH_BYTES];
    (void)state;
    ok(secret_hash(s, SECRET_CHOSEN, "chosen by me", one, &why));
    ok(secret_hash(s, SECRET_CHOSEN, "chosen by me", two, &why));
    assert_memory_not_equal(one, two, SECRET_HASH_BYTES); /* each has its salt */
    int64_t first = cost_of(s, "chosen by me", one, true);
    for (int i = 0; i < 3; i++) assert_true(cost_of(s, "chosen by me", one, true) < first / 10); /* it is some 10000th */
    for (int i = 0; i < 2; i++) assert_true(cost_of(s, "chosen by you", one, false) > first / 10);
    assert_true(cost_of(s, "chosen by me", two, true) > first / 10); /* remembered for that hash only */
    two[SECRET_HASH_BYTES - 1] ^= 1;
    assert_false(matches(s, SECRET_CHOSEN, "chosen by me", two)); /* of whose bytes each counts */
    secrets_free(s);
    s = made_with(0);
    assert_true(cost_of(s, "chosen by me", one, true) > first / 10); /* in memory only */
    secrets_free(s);
}

/* ---- two at a time ---- */

static void *hash_one(void *context)
{
    unsigned char hash[SECRET_HASH_BYTES];
    return (void *)(uintptr_t)secret_hash(context, SECRET_CHOSEN, "chosen by me", hash, NULL);
}

/* The most memory a process had while so many threads hashed, in KB. */
static long peak_of(size_t threads)
{
    struct rusage used;
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pthread_t running[16];
        void *failed = NULL, *result;
        secrets *s = made_with(0);
        for (size_t i = 0; i < threads; i++)
            if (pthread_create(&running[i], NULL, hash_one, s)) _exit(2);
        for (size_t i = 0; i < threads; i++) {
            pthread_join(running[i], &result);
            if (result) failed = result;
        }
        secrets_free(s);
        _exit(failed ? 1 : 0);
    }
    assert_int_equal(wait4(child, &status, 0, &used), child);
    assert_int_equal(status, 0);
    return used.ru_maxrss;
}

static void no_more_than_two_hashes_are_computed_at_a_time(void **state)
{
    enum { HASH_KB = 64 << 10 };
    (void)state;
    long one = peak_of(1), many = peak_of(8);
    assert_true(one > HASH_KB); /* it can be seen */
    assert_true(many < one + (SECRET_AT_ONCE - 1) * HASH_KB + HASH_KB / 2);
}

/* ---- and few that wait ---- */

enum { GUESSERS = 12 };

typedef struct guesses {
    secrets *s;
    const unsigned char *hash;
    pthread_barrier_t barrier;
    atomic_int wrong, busy, other;
} guesses;

static void *guess_one(void *context)
{
    guesses *g = context;
    evdb_error err;
    bool right;
    pthread_barrier_wait(&g->barrier);
    evdb_status rc = secret_matches(g->s, SECRET_CHOSEN, "chosen by you", g->hash, &right, &err);
    if (rc == EVDB_OK && !right) atomic_fetch_add(&g->wrong, 1);
    else if (rc == EVDB_BUSY && err.retry_s) atomic_fetch_add(&g->busy, 1);
    else atomic_fetch_add(&g->other, 1);
    rc = secret_matches(g->s, SECRET_CHOSEN, "chosen by me", g->hash, &right, &err);
    if (rc != EVDB_OK || !right) atomic_fetch_add(&g->other, 1); /* what is remembered needs no place */
    return NULL;
}

static void who_comes_while_others_wait_is_refused_at_once(void **state)
{
    pthread_t running[GUESSERS];
    unsigned char hash[SECRET_HASH_BYTES];
    guesses g = { .s = made_with(0), .hash = hash };
    (void)state;
    ok(secret_hash(g.s, SECRET_CHOSEN, "chosen by me", hash, &why));
    assert_true(matches(g.s, SECRET_CHOSEN, "chosen by me", hash));
    pthread_barrier_init(&g.barrier, NULL, GUESSERS);
    for (int i = 0; i < GUESSERS; i++) assert_int_equal(pthread_create(&running[i], NULL, guess_one, &g), 0);
    for (int i = 0; i < GUESSERS; i++) pthread_join(running[i], NULL);
    pthread_barrier_destroy(&g.barrier);
    assert_int_equal(atomic_load(&g.other), 0);
    assert_int_equal(atomic_load(&g.wrong) + atomic_load(&g.busy), GUESSERS);
    assert_true(atomic_load(&g.busy) > 0); /* a hash takes longer than a thread to come from a barrier */
    secrets_free(g.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_other_implementations),
        cmocka_unit_test(a_generated_secret_matches_under_its_own_key_alone),
        cmocka_unit_test(the_first_key_stays),
        cmocka_unit_test(a_good_answer_is_remembered_and_a_bad_one_is_not),
        cmocka_unit_test(no_more_than_two_hashes_are_computed_at_a_time),
        cmocka_unit_test(who_comes_while_others_wait_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
