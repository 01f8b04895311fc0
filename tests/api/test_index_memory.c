/* test_index_memory.c - evdb/index.h: what a graph takes is known before, is what the kernel says it is, and stays within bounds. */
#include "expect.h"
#include "index_rows.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = INDEX_DIM, ROWS = 6000, WIDE = 768, MANY = 30000, BATCH = 5000 };

static uint64_t seed;

/* Anonymous memory of this process that is there. */
static uint64_t memory_now(void)
{
    char line[256];
    unsigned long kb;
    uint64_t sum = 0;
    FILE *f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "Anonymous: %lu kB", &kb) == 1) sum += kb;
    fclose(f);
    return sum << 10;
}

static void wide_rows(evdb_store *store)
{
    float *vectors = malloc(sizeof(float) * BATCH * WIDE);
    int64_t *ids = malloc(sizeof(int64_t) * BATCH);
    for (int64_t at = 0; at < MANY; at += BATCH) {
        evdb_batch b = EVDB_BATCH;
        seed_floats(&seed, vectors, (size_t)BATCH * WIDE);
        for (int64_t i = 0; i < BATCH; i++) ids[i] = at + i;
        b.kind = EVDB_INSERT;
        b.count = BATCH;
        b.numbers = ids;
        b.vectors = vectors;
        b.dim = WIDE;
        ok(evdb_batch_write(store, &b, NULL, &why));
    }
    free(vectors), free(ids);
}

/* In memory, where vectors stay what they are when the graph is built. Large pages may be there though little of them is used. */
static void an_estimate_is_what_the_graph_takes(void **state)
{
    evdb *db;
    evdb_store *store;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_result *r;
    float query[WIDE] = { 1 };
    uint64_t estimated;
    (void)state;
    ok(evdb_open(":memory:", NULL, &db, &why));
    o.metric = EVDB_EUCLIDEAN;
    o.ef_construction = 16;
    ok(evdb_store_create(db, "s", &o, &store, &why));
    wide_rows(store);
    ok(evdb_search(store, query, WIDE, NULL, &r, &why)); /* loads */
    evdb_result_free(r);
    uint64_t before = memory_now();
    ok(evdb_index_build(store, 1, &why));
    double grown = (double)(memory_now() - before);
    ok(evdb_index_estimate(WIDE, MANY, 0, &estimated, &why));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    printf("sanitizers have memory of their own: not compared with the kernel's figure\n");
    grown = (double)estimated;
#endif
    double share = grown / (double)estimated, told = (double)index_status(store).memory_bytes / (double)estimated;
    printf("estimated %.1f MB, grown by %.1f MB\n", (double)estimated / 1e6, grown / 1e6);
    assert_true(share > 0.85 && share < 1.15);
    assert_true(told > 0.97 && told < 1.03);
    evdb_store_close(store);
    evdb_close(db);
}

static void what_no_store_can_have_is_not_estimated(void **state)
{
    uint64_t few, more;
    (void)state;
    refused(EVDB_INVALID, evdb_index_estimate(0, 1, 16, &few, &why));
    refused(EVDB_INVALID, evdb_index_estimate(EVDB_DIM_MAX + 1, 1, 16, &few, &why));
    refused(EVDB_INVALID, evdb_index_estimate(4, 1, 1, &few, &why));
    refused(EVDB_INVALID, evdb_index_estimate(4, 1, 129, &few, &why));
    refused(EVDB_INVALID, evdb_index_estimate(4, UINT32_MAX, 16, &few, &why));
    ok(evdb_index_estimate(128, 1000, 16, &few, &why));
    ok(evdb_index_estimate(128, 1000, 32, &more, &why));
    assert_true(more > few);
}

/* The same store, with that much memory for its graph. */
static evdb_store *open_with(scratch *t, uint64_t bytes)
{
    evdb_options o = EVDB_OPTIONS;
    evdb_store *store;
    evdb_close(t->db);
    o.index_memory_max = bytes;
    ok(evdb_open(t->path, &o, &t->db, &why));
    ok(evdb_store_open(t->db, "s", &store, &why));
    return store;
}

static void a_graph_that_would_take_too_much_is_not_built(void **state)
{
    scratch *t = *state;
    uint64_t bytes;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    evdb_store_close(store);
    ok(evdb_index_estimate(DIM, ROWS, 16, &bytes, &why));
    store = open_with(t, bytes - 1);
    refused(EVDB_LIMIT, evdb_index_build(store, 2, &why));
    assert_non_null(strstr(why.message, "index_memory_max"));
    assert_int_equal(index_status(store).linked, 0);
    assert_int_equal(index_status(store).state, EVDB_INDEX_NONE);
    assert_true(index_recall(store, &seed, INDEX_K) == 1);
    evdb_store_close(store);
    store = open_with(t, bytes);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS);
    index_rows(store, &seed, ROWS, 100, EVDB_INSERT); /* no room for these */
    refused(EVDB_LIMIT, evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS);
    assert_int_equal(index_status(store).waiting, 100);
    evdb_store_close(store);
}

static void a_saved_graph_that_is_too_large_is_not_loaded(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    evdb_store_close(store);
    store = open_with(t, 100000);
    assert_true(index_recall(store, &seed, INDEX_K) == 1);
    assert_int_equal(index_status(store).linked, 0);
    assert_int_equal(index_status(store).waiting, ROWS);
    evdb_store_close(store);
    store = open_with(t, 0);
    assert_true(index_recall(store, &seed, 300) > 0.97);
    assert_int_equal(index_status(store).linked, ROWS);
    evdb_store_close(store);
}

/* Nobody waits for a background build: why there is none is in the status. */
static void status_says_why_searches_do_not_bring_a_graph(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    evdb_store_close(store);
    store = open_with(t, 100000);
    while (!strstr(index_status(store).problem, "index_memory_max")) (void)index_recall(store, &seed, INDEX_K);
    assert_int_equal(index_status(store).linked, 0);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_what_the_graph_takes),
        cmocka_unit_test(what_no_store_can_have_is_not_estimated),
        TEST(a_graph_that_would_take_too_much_is_not_built),
        TEST(a_saved_graph_that_is_too_large_is_not_loaded),
        TEST(status_says_why_searches_do_not_bring_a_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
