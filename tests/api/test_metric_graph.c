/* test_metric_graph.c - graphs of a metric of the program's own. */
#include "expect.h"
#include "metric_weights.h"
#include "seed.h"
#include <math.h>

enum { DIM = INDEX_DIM, ROWS = 4000, K = INDEX_K };

static uint64_t seed;

static uint64_t calls_of(evdb_store *store, weights *w, uint32_t flags)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    float query[DIM];
    seed_floats(&seed, query, DIM);
    o.flags = flags;
    atomic_store(&w->calls, 0);
    ok(evdb_search(store, query, DIM, &o, &r, &why));
    assert_int_equal(r->count, K);
    evdb_result_free(r);
    return atomic_load(&w->calls);
}

static evdb *open_unwatched(scratch *t)
{
    evdb_options o = EVDB_OPTIONS;
    o.flags = EVDB_OPEN_NO_RECALL; /* which would call the function, too */
    evdb_close(t->db);
    t->db = NULL;
    ok(evdb_open(t->path, &o, &t->db, &why));
    return t->db;
}

static void a_graph_needs_the_flag_and_finds_nearly_all_with_fewer_calls(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    weights w;
    weights_draw(&w, &seed);
    ok(metric_register(open_unwatched(t), "weighted", weights_distance, &w, 0));
    store = metric_store(t, "weighted");
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, 0);
    assert_int_equal(calls_of(store, &w, 0), ROWS);
    evdb_store_close(store);

    ok(metric_register(open_unwatched(t), "weighted", weights_distance, &w, EVDB_METRIC_GRAPH));
    ok(evdb_store_open(t->db, "s", &store, &why));
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS);
    assert_true(index_recall(store, &seed, 400) >= 0.95);
    assert_true(calls_of(store, &w, 0) < ROWS / 2);
    assert_int_equal(calls_of(store, &w, EVDB_SEARCH_EXACT), ROWS);
    index_rows(store, &seed, ROWS, 100, EVDB_INSERT); /* seen before they are linked */
    index_rows(store, &seed, 0, 100, EVDB_DELETE);
    assert_true(index_recall(store, &seed, 400) >= 0.95);
    evdb_store_close(store);
}

static void a_saved_graph_serves_those_that_may_use_it(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    weights w;
    weights_draw(&w, &seed);
    ok(metric_register(open_unwatched(t), "weighted", weights_distance, &w, EVDB_METRIC_GRAPH));
    store = metric_store(t, "weighted");
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    evdb_store_close(store);
    for (int graph = 0; graph < 2; graph++)
        for (int late = 0; late < 2; late++) {
            if (!late) ok(metric_register(open_unwatched(t), "weighted", weights_distance, &w, graph ? EVDB_METRIC_GRAPH : 0));
            else (void)open_unwatched(t);
            ok(evdb_store_open(t->db, "s", &store, &why));
            ok(evdb_filter_count(store, "{\"even\":true}", &(uint64_t){ 0 }, &why)); /* loads the file, maybe before anything is known */
            if (late) ok(metric_register(t->db, "weighted", weights_distance, &w, graph ? EVDB_METRIC_GRAPH : 0));
            uint64_t calls = calls_of(store, &w, 0);
            assert_true(graph ? calls < ROWS / 2 : calls == ROWS);
            index_rows(store, &seed, 0, 10, EVDB_UPSERT);
            assert_true(index_recall(store, &seed, 400) >= 0.95);
            evdb_store_close(store);
        }
    evdb_verify_report report;
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

static void an_accuracy_can_be_asked_for(void **state)
{
    scratch *t = *state;
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    float query[DIM];
    weights w;
    weights_draw(&w, &seed);
    ok(metric_register(open_unwatched(t), "weighted", weights_distance, &w, EVDB_METRIC_GRAPH));
    evdb_store *store = metric_store(t, "weighted");
    index_rows(store, &seed, 0, ROWS, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    seed_floats(&seed, query, DIM);
    o.accuracy = 0.9f;
    for (int again = 0; again < 2; again++) {
        atomic_store(&w.calls, 0);
        ok(evdb_search(store, query, DIM, &o, &r, &why));
        assert_int_equal(r->count, K);
        evdb_result_free(r);
    }
    assert_true(atomic_load(&w.calls) < ROWS);
    evdb_store_close(store);
}

/* Nothing can be said of vectors on different sides. */
static float split(const float *a, const float *b, uint32_t dim, void *context)
{
    float sum = 0;
    (void)context;
    if ((a[0] < 0) != (b[0] < 0)) return NAN;
    for (uint32_t i = 0; i < dim; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static void a_metric_that_is_no_number_between_halves_leaves_a_sound_graph(void **state)
{
    scratch *t = *state;
    evdb_result *r;
    float query[DIM];
    ok(metric_register(t->db, "weighted", split, NULL, EVDB_METRIC_GRAPH));
    evdb_store *store = metric_store(t, "weighted");
    index_rows(store, &seed, 0, ROWS / 4, EVDB_INSERT);
    ok(evdb_index_build(store, 2, &why));
    assert_int_equal(index_status(store).linked, ROWS / 4);
    assert_string_equal(index_status(store).problem, "");
    seed_floats(&seed, query, DIM);
    ok(evdb_search(store, query, DIM, NULL, &r, &why));
    assert_int_equal(r->count, K);
    evdb_result_free(r);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        TEST(a_graph_needs_the_flag_and_finds_nearly_all_with_fewer_calls),
        TEST(a_saved_graph_serves_those_that_may_use_it),
        TEST(an_accuracy_can_be_asked_for),
        TEST(a_metric_that_is_no_number_between_halves_leaves_a_sound_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
