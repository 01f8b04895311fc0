/* test_filter.c - evdb/filter.h through searches: what is refused, what is remembered, and that matches are of the very state that
 * is searched, also while threads write. tests/python/test_filter.py has the language's oracle. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, ROWS = 300, SEARCHES = 60, WRITERS = 2, SEARCHERS = 3 };

static void put(evdb_store *store, int64_t id, const float *vector, const char *metadata)
{
    ok(evdb_record_upsert(store, num(id), vector, DIM, metadata, NULL, &why));
}

/* Ids found, as a sum of powers of two. */
static uint64_t found(evdb_store *store, const char *text)
{
    evdb_search_options o = { .size = sizeof(o), .k = 60, .filter = text };
    evdb_result *r = NULL;
    uint64_t ids = 0;
    ok(evdb_search(store, (float[DIM]){ 0 }, DIM, &o, &r, &why));
    for (size_t i = 0; i < r->count; i++) ids |= UINT64_C(1) << r->numbers[i];
    evdb_result_free(r);
    return ids;
}

static evdb_store *declared_store(scratch *t, uint32_t count, const char *const *fields)
{
    evdb_store_options o = { .size = sizeof(o), .dim = DIM, .metric = EVDB_EUCLIDEAN, .field_count = count, .fields = fields };
    evdb_store *store = NULL;
    ok(evdb_store_create(t->db, "s", &o, &store, &why));
    return store;
}

static uint64_t reads(evdb_store *store)
{
    evdb_store_stats s = EVDB_STORE_STATS;
    ok(evdb_store_get_stats(store, &s, &why));
    return s.filter_reads;
}

static void what_is_no_filter_is_refused_by_every_search_also_of_an_empty_store(void **state)
{
    evdb_store *store = scratch_store(*state, "s", DIM, EVDB_EUCLIDEAN);
    evdb_search_options o = { .size = sizeof(o), .filter = "{\"size\":{\"$above\":3}}" };
    float query[DIM] = { 0 };
    evdb_result *r = NULL;
    for (int full = 0; full < 2; full++) {
        refused(EVDB_INVALID, evdb_search(store, query, DIM, &o, &r, &why));
        expect_says("'$above' of 'size'");
        refused(EVDB_INVALID, evdb_search_range(store, query, DIM, 1, &o, &r, &why));
        refused(EVDB_INVALID, evdb_search_batch(store, query, 1, 0, DIM, &o, &r, &why));
        put(store, 1, query, "{\"size\":4}");
    }
    assert_null(r);
    assert_true(found(store, "{\"size\":{\"$gt\":3}}") == 2);
    evdb_store_close(store);
}

static void matches_follow_every_kind_of_change(void **state)
{
    static const char *const fields[] = { "n" };
    for (uint32_t declared = 0; declared < 2; declared++) {
        evdb_store *store = declared_store(*state, declared, fields);
        float v[DIM] = { 1 };
        const char *odd = "{\"n\":{\"$in\":[1,3,5]}}", *none = "{\"n\":{\"$exists\":false}}";
        assert_true(found(store, odd) == 0);
        for (int64_t i = 0; i < 6; i++) {
            char metadata[32];
            snprintf(metadata, sizeof(metadata), "{\"n\":%d}", (int)i);
            put(store, i, v, metadata);
        }
        assert_true(found(store, odd) == (2 | 8 | 32) && found(store, none) == 0);
        ok(evdb_record_update(store, num(1), NULL, 0, "{\"n\":2}", 0, NULL, &why));
        ok(evdb_record_update(store, num(2), NULL, 0, "{}", 0, NULL, &why));
        ok(evdb_record_update(store, num(3), v, DIM, NULL, 0, NULL, &why));
        assert_true(found(store, odd) == (8 | 32) && found(store, none) == 4);
        ok(evdb_record_delete(store, num(3), 0, &why)); /* its slot is the next record's */
        put(store, 9, v, "{\"n\":4}");
        assert_true(found(store, odd) == 32 && found(store, none) == 4);
        put(store, 9, v, "{\"n\":5}");
        put(store, 5, v, NULL);
        assert_true(found(store, odd) == 512 && found(store, none) == (4 | 32));
        assert_true((reads(store) == 0) == (declared == 1));
        evdb_store_close(store);
        ok(evdb_store_drop(((scratch *)*state)->db, "s", &why));
    }
}

static void matches_are_counted(void **state)
{
    evdb_store *store = scratch_store(*state, "s", DIM, EVDB_EUCLIDEAN);
    uint64_t count = 9;
    ok(evdb_filter_count(store, "{\"n\":1}", &count, &why));
    assert_int_equal(count, 0);
    for (int64_t i = 0; i < 50; i++) put(store, i, (float[DIM]){ 1 }, i % 5 ? "{\"n\":1}" : "{}");
    ok(evdb_filter_count(store, "{\"n\":1}", &count, &why));
    assert_int_equal(count, 40);
    ok(evdb_filter_count(store, NULL, &count, &why));
    assert_int_equal(count, 50);
    refused(EVDB_INVALID, evdb_filter_count(store, "{\"n\":[]}", &count, &why));
    assert_int_equal(count, 50);
    evdb_store_close(store);
}

static void only_changed_records_are_read_again(void **state)
{
    evdb_store *store = scratch_store(*state, "s", DIM, EVDB_EUCLIDEAN);
    float v[DIM] = { 1 };
    for (int64_t i = 0; i < 50; i++) put(store, i, v, "{\"n\":1}");
    for (int again = 0; again < 3; again++) assert_true(found(store, "{\"n\":1}") == (UINT64_C(1) << 50) - 1);
    assert_int_equal(reads(store), 50);
    ok(evdb_record_update(store, num(0), NULL, 0, "{}", 0, NULL, &why));
    assert_true(found(store, "{\"n\":1}") == (UINT64_C(1) << 50) - 2);
    assert_int_equal(reads(store), 51);
    evdb_store_close(store);
}

static void a_store_with_string_ids_is_filtered_alike(void **state)
{
    evdb_store *store = scratch_store(*state, "s", DIM, EVDB_COSINE);
    evdb_search_options o = { .size = sizeof(o), .k = 5, .filter = "{\"n\":2}", .flags = EVDB_SEARCH_METADATA };
    evdb_result *r = NULL;
    ok(evdb_record_insert(store, str("a"), (float[DIM]){ 1 }, DIM, "{\"n\":1}", NULL, &why));
    ok(evdb_record_insert(store, str("b"), (float[DIM]){ 0, 1 }, DIM, "{\"n\":2}", NULL, &why));
    ok(evdb_search(store, (float[DIM]){ 1 }, DIM, &o, &r, &why));
    assert_int_equal(r->count, 1);
    assert_string_equal(r->ids[0].text, "b");
    assert_string_equal(r->metadata[0], "{\"n\":2}");
    evdb_result_free(r);
    evdb_store_close(store);
}

/* ---- threads ---- */

typedef struct scene {
    evdb_store *store;
    atomic_bool stop;
    _Atomic uint64_t seed, wrong;
} scene;

static void *write_on(void *context)
{
    scene *s = context;
    uint64_t seed = atomic_fetch_add(&s->seed, 1);
    evdb_error err;
    while (!atomic_load(&s->stop)) {
        int64_t id = (int64_t)seed_below(&seed, ROWS);
        bool even = seed_below(&seed, 2), vector = seed_below(&seed, 2);
        float v[DIM];
        seed_floats(&seed, v, DIM);
        const char *metadata = even ? "{\"a\":0,\"b\":0}" : "{\"a\":1,\"b\":1}";
        if (evdb_record_update(s->store, num(id), vector ? v : NULL, vector ? DIM : 0, metadata, 0, NULL, &err) != EVDB_OK)
            atomic_fetch_add(&s->wrong, 1);
    }
    return NULL;
}

static bool all_say(const evdb_result *r, const char *metadata)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->metadata[i], metadata) != 0) return false;
    return true;
}

/* Whatever matches has the metadata that says so; and every record matches one of two. */
static void *search_on(void *context)
{
    static const char *const filters[] = { "{\"a\":0}", "{\"b\":0}", "{\"$or\":[{\"a\":0},{\"b\":1}]}" };
    scene *s = context;
    uint64_t seed = atomic_fetch_add(&s->seed, 1);
    evdb_error err;
    for (int i = 0; i < SEARCHES; i++) {
        float v[DIM];
        evdb_result *r = NULL;
        size_t which = seed_below(&seed, 3);
        evdb_search_options o = { .size = sizeof(o), .k = ROWS, .filter = filters[which], .flags = which < 2 ? EVDB_SEARCH_METADATA : 0 };
        seed_floats(&seed, v, DIM);
        if (evdb_search(s->store, v, DIM, &o, &r, &err) != EVDB_OK) {
            atomic_fetch_add(&s->wrong, 1);
            continue;
        }
        bool right = which < 2 ? all_say(r, "{\"a\":0,\"b\":0}") : r->count == ROWS;
        if (!right) atomic_fetch_add(&s->wrong, 1);
        evdb_result_free(r);
    }
    return NULL;
}

static void matches_are_of_the_state_that_is_searched_while_threads_write(void **state)
{
    static const char *const fields[] = { "a" };
    scene s = { .store = declared_store(*state, 1, fields) };
    pthread_t writers[WRITERS], searchers[SEARCHERS];
    atomic_store(&s.seed, seed_print());
    for (int64_t i = 0; i < ROWS; i++) put(s.store, i, (float[DIM]){ (float)i }, i % 2 ? "{\"a\":1,\"b\":1}" : "{\"a\":0,\"b\":0}");
    for (int i = 0; i < WRITERS; i++) assert_int_equal(pthread_create(&writers[i], NULL, write_on, &s), 0);
    for (int i = 0; i < SEARCHERS; i++) assert_int_equal(pthread_create(&searchers[i], NULL, search_on, &s), 0);
    for (int i = 0; i < SEARCHERS; i++) pthread_join(searchers[i], NULL);
    atomic_store(&s.stop, true);
    for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
    assert_int_equal(atomic_load(&s.wrong), 0);
    evdb_store_close(s.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_filter_is_refused_by_every_search_also_of_an_empty_store),
        TEST(matches_follow_every_kind_of_change),
        TEST(matches_are_counted),
        TEST(only_changed_records_are_read_again),
        TEST(a_store_with_string_ids_is_filtered_alike),
        TEST(matches_are_of_the_state_that_is_searched_while_threads_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
