/* test_index.c - evdb/index.h: searches by the graph, as users have them. */
#include "expect.h"
#include "index_rows.h"
#include "scratch.h"
#include "seed.h"

enum { DIM = INDEX_DIM, ROWS = 6000, FAR = 500, K = INDEX_K, QUERIES = INDEX_QUERIES };

static uint64_t seed;

static void write_rows(evdb_store *store, int64_t from, size_t count, evdb_write kind) { index_rows(store, &seed, from, count, kind); }
static evdb_index_status status_of(evdb_store *store) { return index_status(store); }
static double recall(evdb_store *store, uint32_t ef) { return index_recall(store, &seed, ef); }

static void a_built_index_finds_nearly_all_and_more_effort_more(void **state)
{
    static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_MANHATTAN, EVDB_IP };
    scratch *t = *state;
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
        evdb_store *store = scratch_store(t, (const char *[]){ "c", "e", "m", "i" }[m], DIM, metrics[m]);
        write_rows(store, 0, ROWS, EVDB_INSERT);
        evdb_index_status before = status_of(store);
        assert_int_equal(before.linked, 0);
        assert_int_equal(before.state, EVDB_INDEX_NONE);
        assert_int_equal(before.total, ROWS);
        ok(evdb_index_build(store, 2, &why));
        evdb_index_status s = status_of(store);
        assert_int_equal(s.linked, ROWS);
        assert_int_equal(s.waiting, 0);
        assert_int_equal(s.state, EVDB_INDEX_READY);
        assert_true(s.progress == 1);
        assert_int_equal(s.saved_sequence, ROWS);
        assert_true(s.disk_bytes > ROWS * DIM * sizeof(float));
        assert_string_equal(s.problem, "");
        assert_true(s.memory_bytes > ROWS * DIM);
        double little = recall(store, K), much = recall(store, 400);
        assert_true(much >= 0.97);
        assert_true(much >= little);
        evdb_store_close(store);
    }
}

static void writes_are_seen_at_once_and_deletes_never_come_back(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    evdb_result *r;
    float v[DIM];
    write_rows(store, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 0, &why));
    for (int64_t id = ROWS; id < ROWS + 50; id++) {
        seed_floats(&seed, v, DIM);
        ok(evdb_record_insert(store, num(id), v, DIM, NULL, NULL, &why));
        ok(evdb_search(store, v, DIM, NULL, &r, &why));
        assert_int_equal(r->numbers[0], id);
        evdb_result_free(r);
        ok(evdb_record_delete(store, num(id), 0, &why));
        ok(evdb_search(store, v, DIM, NULL, &r, &why));
        assert_int_equal(r->count, K);
        for (size_t i = 0; i < r->count; i++) assert_true(r->numbers[i] < ROWS);
        evdb_result_free(r);
    }
    evdb_store_close(store);
}

static void replacing_everything_keeps_recall(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    write_rows(store, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    double before = recall(store, 200);
    write_rows(store, 0, ROWS / 2, EVDB_UPSERT);
    ok(evdb_index_build(store, 2, &why));
    write_rows(store, ROWS / 2, ROWS / 2, EVDB_UPSERT);
    ok(evdb_index_build(store, 2, &why));
    assert_true(recall(store, 200) > before - 0.03);
    write_rows(store, 0, ROWS - 3, EVDB_DELETE);
    ok(evdb_index_build(store, 2, &why));
    assert_true(recall(store, 200) == 1); /* three records for ten neighbours: all three */
    evdb_store_close(store);
}

static void a_store_that_is_searched_much_gets_a_graph_by_itself(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_COSINE);
    write_rows(store, 0, ROWS, EVDB_INSERT);
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    float queries[QUERIES * DIM];
    seed_floats(&seed, queries, QUERIES * DIM);
    for (int i = 0; i < 100000 && !status_of(store).linked; i++) {
        evdb_result *r;
        ok(evdb_search_batch(store, queries, QUERIES, 0, DIM, &o, &r, &why));
        evdb_result_free(r);
    }
    assert_true(status_of(store).linked > 0);
    evdb_store_close(store); /* while it may still be building */
}

static evdb_store_stats stats_of(evdb_store *store)
{
    evdb_store_stats s = EVDB_STORE_STATS;
    ok(evdb_store_get_stats(store, &s, &why));
    return s;
}

/* With little effort much is missed, and that is seen. */
static void the_recall_of_searches_is_watched(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    write_rows(store, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(stats_of(store).recall_samples, 0);
    double found = 0;
    int rounds = 0;
    for (; stats_of(store).recall_samples < 40; rounds++) found += recall(store, K);
    double told = (double)stats_of(store).recall;
    found /= rounds;
    assert_true(found < 0.99);
    assert_true(told > found - 0.15 && told < found + 0.15); /* forty searches tell no more */
    evdb_store_close(store);
    evdb_options o = EVDB_OPTIONS;
    o.flags = EVDB_OPEN_NO_RECALL;
    evdb_close(t->db);
    ok(evdb_open(t->path, &o, &t->db, &why));
    ok(evdb_store_open(t->db, "s", &store, &why));
    for (int i = 0; i < 200; i++) (void)recall(store, K);
    assert_int_equal(stats_of(store).recall_samples, 0);
    evdb_store_close(store);
}

/* Each is finite, and hardly one distance is: half of them lie at one end of what a float can say, half at the other. */
static void write_far_apart(evdb_store *store)
{
    static float vectors[FAR * DIM];
    seed_floats(&seed, vectors, FAR * DIM);
    for (size_t i = 0; i < FAR * DIM; i++) vectors[i] += i / DIM % 2 ? 3e38f : -3e38f;
    ok(index_write(store, 0, FAR, vectors, EVDB_INSERT, &why));
}

static void a_graph_of_distances_beyond_floats_is_sound(void **state)
{
    static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_MANHATTAN, EVDB_IP };
    scratch *t = *state;
    for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
        const char *name = (const char *[]){ "c", "e", "m", "i" }[m];
        evdb_store *store = scratch_store(t, name, DIM, metrics[m]);
        evdb_result *r;
        float query[DIM];
        write_far_apart(store);
        ok(evdb_index_build(store, 2, &why));
        evdb_store_close(store);
        scratch_reopen(t);
        ok(evdb_store_open(t->db, name, &store, &why));
        for (size_t i = 0; i < DIM; i++) query[i] = -3e38f;
        ok(evdb_search(store, query, DIM, NULL, &r, &why));
        assert_int_equal(r->count, K);
        evdb_result_free(r);
        assert_string_equal(status_of(store).problem, "");
        assert_int_equal(status_of(store).linked, FAR);
        evdb_store_close(store);
    }
}

static void an_empty_store_has_nothing_to_link(void **state)
{
    scratch *t = *state;
    evdb_store *empty = scratch_store(t, "e", 0, 0);
    ok(evdb_index_build(empty, 0, &why));
    assert_int_equal(status_of(empty).linked, 0);
    refused(EVDB_LIMIT, evdb_index_build(empty, 1025, &why));
    evdb_store_close(empty);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

static void count_problem(void *context, const char *store, const char *text)
{
    (void)store;
    print_message("%s\n", text);
    ++*(int *)context;
}

static void an_index_of_records_that_are_all_gone_is_sound(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    evdb_verify_report report;
    int problems = 0;
    for (int64_t rows = 1; rows <= 3; rows++) { /* as many as fill a page, or none */
        write_rows(store, 0, (size_t)rows, EVDB_INSERT);
        ok(evdb_index_rebuild(store, 1, &why));
        for (int64_t id = 0; id < rows; id++) ok(evdb_record_delete(store, num(id), 0, &why));
        ok(evdb_index_build(store, 1, &why));
        ok(evdb_index_rebuild(store, 1, &why));
        ok(evdb_verify(t->db, NULL, count_problem, &problems, &report, &why));
        assert_int_equal(problems, 0);
    }
    evdb_store_close(store);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        TEST(a_built_index_finds_nearly_all_and_more_effort_more),
        TEST(writes_are_seen_at_once_and_deletes_never_come_back),
        TEST(replacing_everything_keeps_recall),
        TEST(a_store_that_is_searched_much_gets_a_graph_by_itself),
        TEST(the_recall_of_searches_is_watched),
        TEST(a_graph_of_distances_beyond_floats_is_sound),
        TEST(an_empty_store_has_nothing_to_link),
        TEST(an_index_of_records_that_are_all_gone_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
