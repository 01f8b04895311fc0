/* test_search.c - evdb/search.h against an oracle that computes every distance in double.
 *
 * Also for the thread sanitizer. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_MANHATTAN, EVDB_IP };

static double oracle(evdb_metric metric, const float *a, const float *b, uint32_t dim)
{
    double dot = 0, aa = 0, bb = 0, square = 0, sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        double d = (double)a[i] - b[i];
        dot += (double)a[i] * b[i], aa += (double)a[i] * a[i], bb += (double)b[i] * b[i];
        square += d * d, sum += fabs(d);
    }
    if (metric == EVDB_COSINE) return 1 - dot / sqrt(aa * bb);
    if (metric == EVDB_EUCLIDEAN) return sqrt(square);
    return metric == EVDB_MANHATTAN ? sum : -dot;
}

/* A store of random vectors and a copy of them; some were replaced, some deleted. */
typedef struct world {
    evdb_metric metric;
    uint32_t dim, count;
    evdb_store *store;
    float *vectors;
    bool *gone;
    uint64_t seed;
} world;

static float *vector_of(const world *w, uint32_t i) { return w->vectors + (size_t)i * w->dim; }

static world world_make(scratch *t, const char *name, evdb_metric metric, uint32_t dim, uint32_t count, uint64_t seed)
{
    world w = { .metric = metric, .dim = dim, .count = count, .seed = seed };
    int64_t *numbers = malloc(count * sizeof(*numbers));
    w.vectors = malloc((size_t)count * dim * sizeof(float));
    w.gone = calloc(count, sizeof(*w.gone));
    assert_true(numbers && w.vectors && w.gone);
    w.store = scratch_store(t, name, dim, metric);
    seed_floats(&w.seed, w.vectors, (size_t)count * dim);
    for (uint32_t i = 0; i < count; i++) numbers[i] = i;
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = count, .numbers = numbers, .vectors = w.vectors, .dim = dim };
    ok(evdb_batch_write(w.store, &b, NULL, &why));
    free(numbers);
    return w;
}

static void world_stir(world *w, int changes)
{
    while (changes--) {
        uint32_t i = (uint32_t)seed_below(&w->seed, w->count);
        if (seed_below(&w->seed, 3) == 0 && !w->gone[i]) {
            ok(evdb_record_delete(w->store, num(i), 0, &why));
            w->gone[i] = true;
            continue;
        }
        seed_floats(&w->seed, vector_of(w, i), w->dim);
        ok(evdb_record_upsert(w->store, num(i), vector_of(w, i), w->dim, NULL, NULL, &why));
        w->gone[i] = false;
    }
}

static void world_free(world *w)
{
    evdb_store_close(w->store);
    free(w->vectors);
    free(w->gone);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Hits of query q are the k nearest within radius: each where the oracle has it, none missing, none twice. */
static void assert_nearest(const world *w, const evdb_result *r, size_t q, const float *query, size_t k, double radius)
{
    double *all = malloc(w->count * sizeof(*all));
    size_t living = 0, from = r->offsets[q], found = r->offsets[q + 1] - from;
    bool *seen = calloc(w->count, sizeof(*seen));
    double scale = w->metric == EVDB_COSINE ? 1 : w->dim;
    assert_true(all && seen);
    for (uint32_t i = 0; i < w->count; i++) {
        double d = w->gone[i] ? INFINITY : oracle(w->metric, query, vector_of(w, i), w->dim);
        if (d <= radius && !w->gone[i]) all[living++] = d;
    }
    qsort(all, living, sizeof(*all), by_value);
    assert_int_equal(found, living < k ? living : k);
    for (size_t i = 0; i < found; i++) {
        int64_t id = r->numbers[from + i];
        float distance = r->distances[from + i];
        assert_in_range(id, 0, w->count - 1);
        assert_false(seen[id] || w->gone[id]);
        seen[id] = true;
        assert_true(r->ids[from + i].number == id && !r->ids[from + i].text);
        assert_true(fabs(distance - oracle(w->metric, query, vector_of(w, (uint32_t)id), w->dim)) < 1e-5 * scale);
        assert_true(fabs(distance - all[i]) < 1e-5 * scale);
        if (i) assert_true(r->distances[from + i - 1] <= distance);
        assert_true(r->scores[from + i] == evdb_distance_score(w->metric, distance));
    }
    free(all);
    free(seen);
}

static void search(const world *w, uint32_t k)
{
    float *query = malloc(w->dim * sizeof(float));
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *found;
    uint64_t seed = w->seed;
    assert_non_null(query);
    seed_floats(&seed, query, w->dim);
    o.k = k;
    ok(evdb_search(w->store, query, w->dim, &o, &found, &why));
    assert_int_equal(found->queries, 1);
    assert_int_equal(found->offsets[0], 0);
    assert_int_equal(found->offsets[1], found->count);
    assert_true(found->complete && found->stop == EVDB_STOP_COMPLETE && !found->metadata);
    assert_nearest(w, found, 0, query, k ? k : 10, INFINITY);
    evdb_result_free(found);
    free(query);
}

static void the_nearest_are_found_under_every_metric(void **state)
{
    static const uint32_t dims[] = { 1, 3, 8, 17, 100 };
    scratch *t = *state;
    uint64_t seed = seed_print();
    char name[] = "s00";
    for (size_t m = 0; m < 4; m++)
        for (size_t d = 0; d < 5; d++) {
            name[1] = (char)('0' + m), name[2] = (char)('0' + d);
            world w = world_make(t, name, metrics[m], dims[d], 1500, seed_next(&seed));
            const uint32_t ks[] = { 0, 1, 10, 1499, 1500, EVDB_K_MAX };
            for (size_t i = 0; i < 6; i++) search(&w, ks[i]);
            world_free(&w);
        }
}

static void a_search_sees_every_write_before_it(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    world w = world_make(t, "s", EVDB_EUCLIDEAN, 20, 300, seed);
    for (int round = 0; round < 40; round++) {
        world_stir(&w, 10);
        search(&w, 25);
    }
    evdb_store_close(w.store); /* and what was there before it was opened */
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &w.store, &why));
    search(&w, 300);
    world_free(&w);
}

static void a_range_holds_all_within_the_radius_up_to_k(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    char name[] = "s0";
    for (size_t m = 0; m < 4; m++) {
        name[1] = (char)('0' + m);
        world w = world_make(t, name, metrics[m], 6, 500, seed_next(&seed));
        evdb_search_options o = EVDB_SEARCH_OPTIONS;
        evdb_result *found;
        float query[6];
        seed_floats(&w.seed, query, 6);
        double middle = oracle(metrics[m], query, vector_of(&w, 7), 6) + 1e-4; /* no vector so near the edge: likely */
        ok(evdb_search_range(w.store, query, 6, (float)middle, NULL, &found, &why));
        assert_true(found->count >= 1 && found->complete && found->stop == EVDB_STOP_COMPLETE);
        for (size_t i = 0; i < found->count; i++) assert_true(found->distances[i] <= (float)middle);
        assert_nearest(&w, found, 0, query, EVDB_K_MAX, middle);
        size_t within = found->count;
        evdb_result_free(found);
        o.k = (uint32_t)within;
        ok(evdb_search_range(w.store, query, 6, (float)middle, &o, &found, &why));
        assert_true(found->complete && found->count == within);
        evdb_result_free(found);
        if (within > 1) {
            o.k = (uint32_t)within - 1;
            ok(evdb_search_range(w.store, query, 6, (float)middle, &o, &found, &why));
            assert_false(found->complete);
            assert_int_equal(found->stop, EVDB_STOP_LIMIT);
            assert_nearest(&w, found, 0, query, within - 1, middle);
            evdb_result_free(found);
        }
        ok(evdb_search_range(w.store, query, 6, INFINITY, NULL, &found, &why));
        assert_int_equal(found->count, 500);
        evdb_result_free(found);
        if (metrics[m] != EVDB_IP) refused(EVDB_INVALID, evdb_search_range(w.store, query, 6, -0.5f, NULL, &found, &why));
        refused(EVDB_INVALID, evdb_search_range(w.store, query, 6, NAN, NULL, &found, &why));
        world_free(&w);
    }
}

static void a_batch_answers_like_its_queries_one_by_one(void **state)
{
    enum { QUERIES = 37, DIM = 12, STRIDE = DIM * sizeof(float) + 5 };
    scratch *t = *state;
    uint64_t seed = seed_print();
    world w = world_make(t, "s", EVDB_COSINE, DIM, 1000, seed);
    float queries[QUERIES][DIM];
    char spread[QUERIES * STRIDE + 3];
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *found;
    memset(spread, 0xff, sizeof(spread));
    for (int i = 0; i < QUERIES; i++) {
        seed_floats(&w.seed, queries[i], DIM);
        memcpy(spread + 3 + i * STRIDE, queries[i], sizeof(queries[i]));
    }
    o.k = 7;
    for (uint32_t threads = 0; threads <= EVDB_SEARCH_THREADS_MAX; threads = threads ? threads * 4 : 1) {
        o.threads = threads;
        for (int strided = 0; strided < 2; strided++) {
            const float *from = strided ? (const float *)(const void *)(spread + 3) : queries[0];
            ok(evdb_search_batch(w.store, from, QUERIES, strided ? STRIDE : 0, DIM, &o, &found, &why));
            assert_int_equal(found->queries, QUERIES);
            assert_int_equal(found->count, QUERIES * 7);
            for (int i = 0; i < QUERIES; i++) assert_nearest(&w, found, (size_t)i, queries[i], 7, INFINITY);
            evdb_result_free(found);
        }
    }
    ok(evdb_search_batch(w.store, NULL, 0, 0, DIM, &o, &found, &why));
    assert_true(found->queries == 0 && found->count == 0 && found->offsets[0] == 0);
    evdb_result_free(found);
    world_free(&w);
}

static void the_query_at_fault_is_named_and_nothing_returned(void **state)
{
    scratch *t = *state;
    world w = world_make(t, "s", EVDB_COSINE, 3, 10, seed_print());
    float queries[3][3] = { { 1, 2, 3 }, { 4, NAN, 6 }, { 0, 0, 0 } };
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *found = NULL;
    refused_item(EVDB_INVALID, 1, evdb_search_batch(w.store, queries[0], 3, 0, 3, NULL, &found, &why));
    refused_item(EVDB_INVALID, 0, evdb_search_batch(w.store, queries[2], 1, 0, 3, NULL, &found, &why));
    refused(EVDB_INVALID, evdb_search(w.store, queries[2], 3, NULL, &found, &why));
    refused(EVDB_INVALID, evdb_search(w.store, queries[0], 2, NULL, &found, &why));
    refused(EVDB_INVALID, evdb_search(w.store, queries[0], 0, NULL, &found, &why));
    refused(EVDB_INVALID, evdb_search(w.store, queries[0], EVDB_DIM_MAX + 1, NULL, &found, &why));
    refused(EVDB_INVALID, evdb_search(w.store, NULL, 3, NULL, &found, &why));
    o.k = EVDB_K_MAX + 1;
    refused(EVDB_LIMIT, evdb_search(w.store, queries[0], 3, &o, &found, &why));
    expect_says("10001");
    refused(EVDB_LIMIT, evdb_search_range(w.store, queries[0], 3, 1, &o, &found, &why));
    o = (evdb_search_options){ .size = sizeof(o), .threads = EVDB_SEARCH_THREADS_MAX + 1 };
    refused(EVDB_LIMIT, evdb_search(w.store, queries[0], 3, &o, &found, &why));
    o = (evdb_search_options){ .size = sizeof(o), .filter = "a = 1" };
    refused(EVDB_INVALID, evdb_search(w.store, queries[0], 3, &o, &found, &why));
    refused(EVDB_LIMIT, evdb_search_batch(w.store, queries[0], EVDB_QUERIES_MAX + 1, 0, 3, NULL, &found, &why));
    assert_null(found);
    evdb_result_free(NULL);
    world_free(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_nearest_are_found_under_every_metric),
        TEST(a_search_sees_every_write_before_it),
        TEST(a_range_holds_all_within_the_radius_up_to_k),
        TEST(a_batch_answers_like_its_queries_one_by_one),
        TEST(the_query_at_fault_is_named_and_nothing_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
