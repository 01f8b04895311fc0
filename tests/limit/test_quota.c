/* test_quota.c - how much a client may ask and write, second by second and day by day. */
#include "limit/quota.h"
#include "seed.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <cmocka.h>

enum { DAY_MS = 86400000 };
static const int64_t SECOND_NS = 1000000000;

typedef struct world {
    quotas *q;
    int64_t ns, unix_ms;
    uint64_t random;
} world;

static int64_t now_ns(void *context) { return ((world *)context)->ns; }
static int64_t unix_ms(void *context) { return ((world *)context)->unix_ms; }

static const evdb_quota nothing_of_its_own = { 0, 0, 0 };

static void begin(world *w, evdb_quota defaults)
{
    quotas_options o = { .defaults = defaults, .now_ns = now_ns, .unix_ms = unix_ms, .context = w };
    *w = (world){ .random = seed_print() };
    w->ns = (int64_t)seed_below(&w->random, 1000000) * SECOND_NS;
    w->unix_ms = (int64_t)seed_below(&w->random, 30000) * DAY_MS + DAY_MS / 2;
    for (size_t i = 0; i < sizeof o.seed; i++) o.seed[i] = (unsigned char)seed_next(&w->random);
    w->q = quotas_create(&o);
    assert_non_null(w->q);
}

static quota_verdict take(world *w, const char *client, uint64_t records, uint64_t bytes)
{
    return quotas_take(w->q, client, &nothing_of_its_own, (quota_use){ records, bytes }).verdict;
}

static quota_verdict request(world *w, const char *client)
{
    return quotas_request(w->q, client, &nothing_of_its_own).verdict;
}

static void without_limits_everything_is_fine_and_nothing_is_counted(void **state)
{
    world w;
    (void)state;
    begin(&w, nothing_of_its_own);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(request(&w, "app"), QUOTA_FINE);
        assert_int_equal(take(&w, "app", 1u << 30, UINT64_C(1) << 50), QUOTA_FINE);
    }
    assert_int_equal(quotas_used(w.q, "app").records, 0);
    quotas_free(w.q);
}

static void a_seconds_worth_of_requests_may_come_at_once(void **state)
{
    world w;
    (void)state;
    begin(&w, (evdb_quota){ .requests = 10 });
    for (int i = 0; i < 10; i++) assert_int_equal(request(&w, "app"), QUOTA_FINE);
    quota_answer a = quotas_request(w.q, "app", &nothing_of_its_own);
    assert_int_equal(a.verdict, QUOTA_LATER);
    assert_int_equal(a.limit, 10);
    assert_int_equal(a.wait_ms, 100);
    assert_int_equal(request(&w, "other"), QUOTA_FINE);
    w.ns += SECOND_NS / 10;
    assert_int_equal(request(&w, "app"), QUOTA_FINE);
    assert_int_equal(request(&w, "app"), QUOTA_LATER);
    quotas_free(w.q);
}

static void in_the_long_run_as_many_requests_pass_as_the_rate_says(void **state)
{
    world w;
    (void)state;
    begin(&w, nothing_of_its_own);
    for (int trial = 0; trial < 20; trial++) {
        evdb_quota own = { .requests = 1 + (int64_t)seed_below(&w.random, 200) };
        char client[16];
        int passed = 0, seconds = 20;
        snprintf(client, sizeof client, "app%d", trial);
        for (int64_t until = w.ns + seconds * SECOND_NS; w.ns < until; w.ns += 1 + (int64_t)seed_below(&w.random, 2000000))
            passed += quotas_request(w.q, client, &own).verdict == QUOTA_FINE;
        assert_in_range(passed, own.requests * seconds - 1, own.requests * (seconds + 1) + 1);
    }
    quotas_free(w.q);
}

static void what_is_written_is_taken_whole_or_not_at_all(void **state)
{
    world w;
    (void)state;
    begin(&w, (evdb_quota){ .records = 100, .bytes = 1000 });
    assert_int_equal(take(&w, "app", 60, 500), QUOTA_FINE);
    assert_int_equal(take(&w, "app", 41, 1), QUOTA_LATER);
    assert_int_equal(take(&w, "app", 1, 501), QUOTA_LATER);
    assert_int_equal(take(&w, "app", 40, 500), QUOTA_FINE);
    assert_int_equal(quotas_used(w.q, "app").records, 100);
    assert_int_equal(quotas_used(w.q, "app").bytes, 1000);
    assert_int_equal(take(&w, "app", 1, 0), QUOTA_LATER);
    assert_int_equal(take(&w, "other", 100, 0), QUOTA_FINE);
    quotas_free(w.q);
}

static void more_than_a_day_allows_is_never_fine(void **state)
{
    world w;
    (void)state;
    begin(&w, (evdb_quota){ .records = 100, .bytes = 1000 });
    quota_answer a = quotas_take(w.q, "app", &nothing_of_its_own, (quota_use){ 101, 1 });
    assert_int_equal(a.verdict, QUOTA_NEVER);
    assert_false(a.bytes);
    a = quotas_take(w.q, "app", &nothing_of_its_own, (quota_use){ 1, UINT64_MAX });
    assert_int_equal(a.verdict, QUOTA_NEVER);
    assert_true(a.bytes);
    assert_int_equal(quotas_used(w.q, "app").records, 0);
    quotas_free(w.q);
}

static void a_new_day_begins_at_midnight_in_utc(void **state)
{
    world w;
    (void)state;
    begin(&w, (evdb_quota){ .records = 100 });
    assert_int_equal(take(&w, "app", 100, 0), QUOTA_FINE);
    quota_answer a = quotas_take(w.q, "app", &nothing_of_its_own, (quota_use){ 1, 0 });
    assert_int_equal(a.verdict, QUOTA_LATER);
    assert_int_equal(a.wait_ms, DAY_MS / 2);
    w.unix_ms += DAY_MS / 2 - 1;
    assert_int_equal(take(&w, "app", 1, 0), QUOTA_LATER);
    w.unix_ms++;
    assert_int_equal(quotas_used(w.q, "app").records, 0);
    assert_int_equal(take(&w, "app", 100, 0), QUOTA_FINE);
    quotas_free(w.q);
}

static void a_limit_of_its_own_outranks_the_default(void **state)
{
    world w;
    const evdb_quota none = { EVDB_QUOTA_NONE, EVDB_QUOTA_NONE, EVDB_QUOTA_NONE }, more = { .records = 500 };
    (void)state;
    begin(&w, (evdb_quota){ 1, 100, 1000 });
    for (int i = 0; i < 100; i++) assert_int_equal(quotas_request(w.q, "free", &none).verdict, QUOTA_FINE);
    assert_int_equal(quotas_take(w.q, "free", &none, (quota_use){ 5000, 50000 }).verdict, QUOTA_FINE);
    assert_int_equal(quotas_take(w.q, "big", &more, (quota_use){ 500, 1000 }).verdict, QUOTA_FINE);
    assert_int_equal(quotas_take(w.q, "big", &more, (quota_use){ 0, 1 }).verdict, QUOTA_LATER);
    quotas_free(w.q);
}

static void records_that_were_not_written_are_given_back(void **state)
{
    world w;
    (void)state;
    begin(&w, (evdb_quota){ .records = 100 });
    assert_int_equal(take(&w, "app", 100, 0), QUOTA_FINE);
    quotas_give_back(w.q, "app", 30);
    assert_int_equal(take(&w, "app", 30, 0), QUOTA_FINE);
    quotas_give_back(w.q, "app", 1000);
    quotas_give_back(w.q, "nobody", 1000);
    assert_int_equal(quotas_used(w.q, "app").records, 0);
    quotas_free(w.q);
}

static void as_many_clients_as_there_may_be_are_told_apart(void **state)
{
    world w;
    char client[16];
    (void)state;
    begin(&w, (evdb_quota){ .records = 2 * EVDB_CLIENTS_MAX });
    for (uint32_t i = 0; i < EVDB_CLIENTS_MAX; i++) {
        snprintf(client, sizeof client, "app%u", i);
        assert_int_equal(take(&w, client, i, 0), QUOTA_FINE);
    }
    for (uint32_t i = 0; i < EVDB_CLIENTS_MAX; i++) {
        snprintf(client, sizeof client, "app%u", i);
        assert_int_equal(quotas_used(w.q, client).records, i);
    }
    quotas_free(w.q);
}

enum { THREADS = 4, ROUNDS = 20000 };
typedef struct crowd { quotas *q; atomic_uint passed, taken; } crowd;

static void *ask_at_once(void *context)
{
    crowd *c = context;
    for (int i = 0; i < ROUNDS; i++) {
        if (quotas_request(c->q, "app", &nothing_of_its_own).verdict == QUOTA_FINE) atomic_fetch_add(&c->passed, 1);
        if (quotas_take(c->q, "app", &nothing_of_its_own, (quota_use){ 3, 0 }).verdict == QUOTA_FINE) atomic_fetch_add(&c->taken, 3);
    }
    return NULL;
}

static void threads_together_get_no_more_than_one(void **state)
{
    world w;
    crowd c = { 0 };
    pthread_t thread[THREADS];
    (void)state;
    begin(&w, (evdb_quota){ .requests = 1000, .records = 10000 });
    c.q = w.q;
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, ask_at_once, &c), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    assert_int_equal(c.passed, 1000);
    assert_int_equal(c.taken, 9999);
    quotas_free(w.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_everything_is_fine_and_nothing_is_counted),
        cmocka_unit_test(a_seconds_worth_of_requests_may_come_at_once),
        cmocka_unit_test(in_the_long_run_as_many_requests_pass_as_the_rate_says),
        cmocka_unit_test(what_is_written_is_taken_whole_or_not_at_all),
        cmocka_unit_test(more_than_a_day_allows_is_never_fine),
        cmocka_unit_test(a_new_day_begins_at_midnight_in_utc),
        cmocka_unit_test(a_limit_of_its_own_outranks_the_default),
        cmocka_unit_test(records_that_were_not_written_are_given_back),
        cmocka_unit_test(as_many_clients_as_there_may_be_are_told_apart),
        cmocka_unit_test(threads_together_get_no_more_than_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
