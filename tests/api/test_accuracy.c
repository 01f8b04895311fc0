/* test_accuracy.c - evdb_search_options.accuracy: what is asked for is found. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 32, ROWS = 12000, CENTRES = 60, QUERIES = 500, K = 10, BATCH = 3000 };

static uint64_t seed;

/* Heaps of vectors around some centres, as real data has them. */
static void draw(float *out, size_t count)
{
    static float centres[CENTRES * DIM];
    if (centres[0] == 0) seed_floats(&seed, centres, CENTRES * DIM);
    seed_floats(&seed, out, count * DIM);
    for (size_t i = 0; i < count; i++) {
        const float *c = centres + seed_below(&seed, CENTRES) * DIM;
        for (int j = 0; j < DIM; j++) out[i * DIM + (size_t)j] = c[j] + out[i * DIM + (size_t)j] * 0.6f;
    }
}

static void write_rows(evdb_store *store, int64_t from, int64_t count)
{
    float *vectors = malloc(sizeof(float) * BATCH * DIM);
    int64_t *ids = malloc(sizeof(int64_t) * BATCH);
    for (int64_t at = from; at < from + count; at += BATCH) {
        evdb_batch b = EVDB_BATCH;
        draw(vectors, BATCH);
        for (int64_t i = 0; i < BATCH; i++) ids[i] = at + i;
        b.kind = EVDB_INSERT;
        b.count = BATCH;
        b.numbers = ids;
        b.vectors = vectors;
        b.dim = DIM;
        ok(evdb_batch_write(store, &b, NULL, &why));
    }
    free(vectors), free(ids);
}

/* Share of the exact answer that a search of that accuracy, or that effort, finds. */
static double found(evdb_store *store, float accuracy, uint32_t ef, uint32_t k)
{
    static float queries[QUERIES * DIM];
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *near, *exact;
    size_t good = 0;
    draw(queries, QUERIES);
    o.k = k;
    o.accuracy = accuracy;
    o.ef = ef;
    ok(evdb_search_batch(store, queries, QUERIES, 0, DIM, &o, &near, &why));
    o.flags = EVDB_SEARCH_EXACT;
    ok(evdb_search_batch(store, queries, QUERIES, 0, DIM, &o, &exact, &why));
    assert_int_equal(near->count, exact->count);
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t i = near->offsets[q]; i < near->offsets[q + 1]; i++)
            good += near->distances[i] <= exact->distances[exact->offsets[q + 1] - 1];
    double share = (double)good / (double)exact->count;
    evdb_result_free(near);
    evdb_result_free(exact);
    return share;
}

static void targets_are_met_on_queries_that_were_never_seen(evdb_metric metric)
{
    scratch *t;
    void *state;
    static const float targets[] = { 0.8f, 0.9f, 0.95f, 0.99f };
    assert_int_equal(scratch_open(&state), 0);
    t = state;
    evdb_store *store = scratch_store(t, "s", DIM, metric);
    write_rows(store, 0, ROWS);
    ok(evdb_index_build(store, 2, &why));
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        assert_true(found(store, targets[i], 0, K) >= (double)targets[i] - 0.01);
        assert_true(found(store, targets[i], 0, 1) >= (double)targets[i] - 0.01);
        assert_true(found(store, targets[i], 0, 100) >= (double)targets[i] - 0.01);
    }
    write_rows(store, ROWS, ROWS / 2); /* grown by more than a quarter */
    ok(evdb_index_build(store, 2, &why));
    assert_true(found(store, 0.95f, 0, K) >= 0.94);
    evdb_store_close(store);
    assert_int_equal(scratch_remove(&state), 0);
}

static void cosine_targets_are_met(void **state)
{
    (void)state;
    targets_are_met_on_queries_that_were_never_seen(EVDB_COSINE);
}

static void euclidean_targets_are_met(void **state)
{
    (void)state;
    targets_are_met_on_queries_that_were_never_seen(EVDB_EUCLIDEAN);
}

static void without_a_graph_everything_is_found(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_MANHATTAN);
    write_rows(store, 0, BATCH);
    assert_true(found(store, 0.5f, 0, K) == 1);
    evdb_store_close(store);
}

static void what_is_no_accuracy_is_refused(void **state)
{
    scratch *t = *state;
    static const float bad[] = { -1, 0.49f, 0.9995f, 1, NAN, INFINITY };
    float query[DIM] = { 1 };
    evdb_result *r;
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_COSINE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        o.accuracy = bad[i];
        refused(EVDB_INVALID, evdb_search(store, query, DIM, &o, &r, &why));
    }
    o.accuracy = 0.9f;
    o.ef = 100;
    refused(EVDB_INVALID, evdb_search(store, query, DIM, &o, &r, &why));
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosine_targets_are_met),
        cmocka_unit_test(euclidean_targets_are_met),
        TEST(without_a_graph_everything_is_found),
        TEST(what_is_no_accuracy_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
