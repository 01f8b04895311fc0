/* test_index_control.c - evdb/index.h: what is built is stopped, dropped, and built again, as somebody wants it. */
#include "expect.h"
#include "index_rows.h"
#include "scratch.h"
#include "seed.h"
#include <pthread.h>
#include <sched.h>

enum { DIM = INDEX_DIM, ROWS = 6000, MANY = 20000, ENOUGH = 2000000 /* scans of rows that are worth a graph of ROWS */ };

static uint64_t seed;

static evdb_store *filled(scratch *t, int64_t rows)
{
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    for (int64_t at = 0; at < rows; at += ROWS / 2)
        index_rows(store, &seed, at, (size_t)(rows - at < ROWS / 2 ? rows - at : ROWS / 2), EVDB_INSERT);
    return store;
}

static void search_often(evdb_store *store)
{
    float queries[INDEX_QUERIES * DIM];
    seed_floats(&seed, queries, INDEX_QUERIES * DIM);
    for (int i = 0; i < ENOUGH / ROWS / INDEX_QUERIES + 1; i++) {
        evdb_result *r;
        ok(evdb_search_batch(store, queries, INDEX_QUERIES, 0, DIM, NULL, &r, &why));
        evdb_result_free(r);
    }
}

static void a_dropped_index_stays_away_until_somebody_asks_for_it(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t, ROWS);
    ok(evdb_index_build(store, 2, &why));
    ok(evdb_index_drop(store, &why));
    evdb_index_status s = index_status(store);
    assert_int_equal(s.state, EVDB_INDEX_DISABLED);
    assert_int_equal(s.linked, 0);
    assert_int_equal(s.disk_bytes, 0);
    assert_true(index_recall(store, &seed, INDEX_K) == 1); /* it scans */
    search_often(store);
    assert_int_equal(index_status(store).linked, 0);
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    assert_int_equal(index_status(store).state, EVDB_INDEX_DISABLED);
    ok(evdb_index_create(store, &why));
    while (index_status(store).state != EVDB_INDEX_READY) sched_yield();
    assert_int_equal(index_status(store).linked, ROWS);
    ok(evdb_index_drop(store, &why));
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS);
    evdb_store_close(store);
}

static void a_paused_index_is_not_built_by_searches_but_when_asked_for(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t, ROWS);
    ok(evdb_index_pause(store, &why));
    search_often(store);
    assert_int_equal(index_status(store).state, EVDB_INDEX_PAUSED);
    assert_int_equal(index_status(store).linked, 0);
    ok(evdb_index_resume(store, &why));
    assert_int_equal(index_status(store).state, EVDB_INDEX_NONE);
    while (!index_status(store).linked) search_often(store);
    ok(evdb_index_pause(store, &why));
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS);
    assert_int_equal(index_status(store).state, EVDB_INDEX_PAUSED);
    evdb_store_close(store);
}

static void a_rebuilt_index_is_as_good_as_the_first(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t, ROWS);
    ok(evdb_index_build(store, 2, &why));
    index_rows(store, &seed, 0, ROWS / 3, EVDB_DELETE);
    ok(evdb_index_rebuild(store, 2, &why));
    evdb_index_status s = index_status(store);
    assert_int_equal(s.linked, ROWS - ROWS / 3);
    assert_int_equal(s.waiting, 0);
    assert_int_equal(s.saved_sequence, ROWS + ROWS / 3);
    assert_true(index_recall(store, &seed, 300) > 0.97);
    evdb_store_close(store);
}

static void *build(void *context)
{
    static evdb_status answer;
    answer = evdb_index_build(context, 1, NULL);
    return &answer;
}

static void a_cancelled_build_ends_and_leaves_what_it_linked(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t, MANY);
    pthread_t builder;
    void *answer;
    ok(evdb_index_cancel(store, &why)); /* nothing is under way: nothing happens */
    assert_int_equal(pthread_create(&builder, NULL, build, store), 0);
    while (!index_status(store).linked) sched_yield();
    ok(evdb_index_cancel(store, &why));
    assert_int_equal(pthread_join(builder, &answer), 0);
    assert_int_equal(*(evdb_status *)answer, EVDB_CANCELLED);
    evdb_index_status s = index_status(store);
    assert_int_equal(s.linked + s.waiting, MANY);
    assert_true(s.linked > 0 && s.waiting > 0);
    assert_int_equal(s.disk_bytes, 0);
    assert_true(index_recall(store, &seed, 400) > 0.95);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, MANY);
    evdb_store_close(store);
}

static void a_store_in_memory_is_controlled_alike(void **state)
{
    evdb *db;
    evdb_store *store;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    (void)state;
    ok(evdb_open(":memory:", NULL, &db, &why));
    o.metric = EVDB_EUCLIDEAN;
    ok(evdb_store_create(db, "s", &o, &store, &why));
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).state, EVDB_INDEX_READY);
    ok(evdb_index_drop(store, &why));
    assert_int_equal(index_status(store).state, EVDB_INDEX_DISABLED);
    assert_int_equal(index_status(store).linked, 0);
    ok(evdb_index_build(store, 2, &why));
    ok(evdb_index_pause(store, &why));
    assert_int_equal(index_status(store).state, EVDB_INDEX_PAUSED);
    assert_int_equal(index_status(store).linked, ROWS);
    evdb_store_close(store);
    evdb_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        TEST(a_dropped_index_stays_away_until_somebody_asks_for_it),
        TEST(a_paused_index_is_not_built_by_searches_but_when_asked_for),
        TEST(a_rebuilt_index_is_as_good_as_the_first),
        TEST(a_cancelled_build_ends_and_leaves_what_it_linked),
        cmocka_unit_test(a_store_in_memory_is_controlled_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
