/* test_indexed_metrics.c - graphs under every metric, where their data makes it hard: lengths that vary, few dimensions, zeros.
 *
 * The oracle is the exact scan. Rows at equal distance are equally right, so distances are compared and not rows. */
#include "index/indexed.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { K = 10, QUERIES = 200, EF = 100, HIDDEN = 6 };

static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_COSINE, EVDB_MANHATTAN, EVDB_IP, EVDB_CUSTOM };
enum { METRICS = sizeof(metrics) / sizeof(*metrics) };
static uint64_t seed;

/* As a metric of the program's own: differences by their cubes (Minkowski), where elements have three different weights. */
static float cubes(const float *a, const float *b, uint32_t dim, void *context)
{
    float sum = 0;
    (void)context;
    for (uint32_t i = 0; i < dim; i++) {
        float apart = (float)(1 + i % 3) * fabsf(a[i] - b[i]);
        sum += apart * apart * apart;
    }
    return cbrtf(sum);
}
static custom_metric own = { .name = "cubes", .flags = EVDB_METRIC_GRAPH, .distance = cubes };

static indexed_options options_of(evdb_metric metric, size_t dim)
{
    return (indexed_options){ .flat = { .mem = &platform_real.mem, .kernel = kernel_best(), .dim = (uint32_t)dim, .metric = metric,
                                        .custom = &own },
                              .m = 12, .ef_construction = 100, .seed = 7 };
}

/* Normally distributed (Box and Muller). */
static float normal(void)
{
    double a = ((double)(seed_next(&seed) >> 11) + 1) / 9007199254740993.0, b = (double)(seed_next(&seed) >> 11) / 9007199254740992.0;
    return (float)(sqrt(-2 * log(a)) * cos(6.283185307179586 * b));
}

/* All directions are alike; lengths are log-normal. */
static void spread(float *out, size_t dim, float sigma)
{
    float length = expf(sigma * normal());
    for (size_t i = 0; i < dim; i++) out[i] = length * normal();
}

/* As images are: no element is negative, so all point the same way by and large. */
static void cone(float *out, size_t dim, float sigma)
{
    float length = expf(sigma * normal());
    for (size_t i = 0; i < dim; i++) out[i] = length * fmaxf(0, normal() + 0.5f);
}

/* As much real data is: a few hidden numbers say nearly all. */
static void hidden(float *out, size_t dim, float sigma)
{
    float of[HIDDEN];
    for (int j = 0; j < HIDDEN; j++) of[j] = normal();
    for (size_t i = 0; i < dim; i++) {
        out[i] = sigma * normal();
        for (int j = 0; j < HIDDEN; j++) out[i] += of[j] * sinf((float)((i + 1) * (size_t)(2 * j + 1)));
    }
}

static void put(indexed *x, uint64_t slot, uint64_t sequence, const float *v)
{
    assert_int_equal(indexed_put(x, slot, sequence, &(evdb_id){ .number = (int64_t)slot }, v, NULL), EVDB_OK);
}

static void link_all(indexed *x)
{
    atomic_bool stop = false;
    for (bool more = true; more;) {
        assert_int_equal(indexed_begin(x, &more, NULL), EVDB_OK);
        if (!more) break;
        assert_int_equal(indexed_work(x, 1, &stop, NULL), EVDB_OK);
        indexed_end(x);
    }
}

typedef void maker(float *out, size_t dim, float sigma);

/* Rows 0 .. count - 1, linked. */
static indexed *build(evdb_metric metric, size_t dim, size_t count, maker *make, float sigma)
{
    indexed_options o = options_of(metric, dim);
    indexed *x;
    float *v = malloc(dim * sizeof(*v));
    assert_non_null(v);
    assert_int_equal(indexed_create(&o, &x, NULL), EVDB_OK);
    for (size_t i = 0; i < count; i++) make(v, dim, sigma), put(x, i, i + 1, v);
    flat_publish(indexed_flat(x), count);
    link_all(x);
    free(v);
    return x;
}

/* The share of hits that are as near as the exact scan's k-th. */
static double recall(indexed *x, size_t dim, const float *queries)
{
    static hit near[QUERIES * K], exact[QUERIES * K];
    size_t found[QUERIES], wanted[QUERIES], good = 0, all = 0;
    flat_snapshot s;
    flat_query q = { .queries = queries, .count = QUERIES, .stride = dim, .k = K, .radius = INFINITY, .threads = 1 };
    flat_begin(indexed_flat(x), &s);
    assert_int_equal(flat_search(&s, &q, exact, wanted, NULL, NULL), EVDB_OK);
    assert_int_equal(indexed_search(x, &s, &q, EF, near, found, NULL), EVDB_OK);
    flat_end(&s);
    for (size_t i = 0; i < QUERIES; i++) {
        assert_int_equal(found[i], wanted[i]);
        all += wanted[i];
        for (size_t j = 0; j < found[i]; j++) good += near[i * K + j].distance <= exact[i * K + wanted[i] - 1].distance;
    }
    return all ? (double)good / (double)all : 1;
}

static float *queries_of(size_t dim, maker *make)
{
    float *q = malloc(QUERIES * dim * sizeof(*q));
    assert_non_null(q);
    for (size_t i = 0; i < QUERIES; i++) make(q + i * dim, dim, 0);
    return q;
}

static void expect(indexed *x, size_t dim, const float *queries, double least, const char *what, evdb_metric metric)
{
    double got = recall(x, dim, queries);
    if (got < least) fail_msg("%s, metric %d, dim %zu: recall %.4f is below %.4f", what, (int)metric, dim, got, least);
}

static void inner_products_are_found_however_lengths_vary(void **state)
{
    (void)state;
    static maker *const makers[] = { spread, cone };
    enum { DIM = 24, ROWS = 2500 };
    for (int m = 0; m < 2; m++)
        for (float sigma = 0; sigma <= 1.5f; sigma += 0.75f) {
            float *q = queries_of(DIM, makers[m]);
            indexed *x = build(EVDB_IP, DIM, ROWS, makers[m], sigma);
            expect(x, DIM, q, 0.95, m ? "cone" : "spread", EVDB_IP);
            indexed_free(x);
            free(q);
        }
}

static void one_dimension_and_odd_ones_are_no_trouble(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 2, 3, 7, 17, 65, 131 };
    for (size_t m = 0; m < METRICS; m++)
        for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++) {
            float *q = queries_of(dims[d], hidden);
            indexed *x = build(metrics[m], dims[d], 700, hidden, 0.1f);
            /* on a line, by cosine, there are two directions and hundreds of rows in each: which are found is rounding's choice */
            if (dims[d] > 1 || metrics[m] != EVDB_COSINE) expect(x, dims[d], q, 0.95, "odd", metrics[m]);
            else (void)recall(x, dims[d], q);
            indexed_free(x);
            free(q);
        }
}

static void zero_vectors_and_equal_ones_are_found_like_others(void **state)
{
    (void)state;
    enum { DIM = 20, ROWS = 1500, MORE = 30 };
    for (size_t m = 0; m < METRICS; m++) {
        float *q = queries_of(DIM, cone), v[DIM] = { 0 };
        indexed *x = build(metrics[m], DIM, ROWS, cone, 0.5f);
        for (uint64_t i = 0; i < MORE; i++) {
            if (metrics[m] == EVDB_COSINE || i % 2) v[3] = 2; /* cosine has no zeros: refused at the door */
            else v[3] = 0;
            put(x, ROWS + i, ROWS + i + 1, v);
        }
        flat_publish(indexed_flat(x), ROWS + MORE);
        link_all(x);
        expect(x, DIM, q, 0.95, "zeros", metrics[m]);
        if (metrics[m] != EVDB_COSINE) {
            memset(q, 0, DIM * sizeof(*q)); /* a query of zeros, too */
            expect(x, DIM, q, 0.95, "a query of zeros", metrics[m]);
        }
        indexed_free(x);
        free(q);
    }
}

static void the_longest_by_far_are_found_by_inner_product(void **state)
{
    (void)state;
    enum { DIM = 20, ROWS = 1500, LONG = 40 };
    static const float lengths[] = { 1e6f, 1e18f, 1e37f };
    for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
        float *q = queries_of(DIM, spread), v[DIM];
        indexed *x = build(EVDB_IP, DIM, ROWS, spread, 0);
        for (uint64_t i = 0; i < LONG; i++) {
            spread(v, DIM, 0);
            for (int j = 0; j < DIM; j++) v[j] *= lengths[l];
            put(x, ROWS + i, ROWS + i + 1, v);
        }
        flat_publish(indexed_flat(x), ROWS + LONG);
        link_all(x);
        expect(x, DIM, q, 0.95, "huge", EVDB_IP);
        indexed_free(x);
        free(q);
    }
}

static void replacing_half_is_as_good_as_a_fresh_build(void **state)
{
    (void)state;
    enum { DIM = 24, ROWS = 3000, ROUNDS = 2 };
    for (size_t m = 0; m < METRICS; m++) {
        double got = 0, fresh = 0;
        float v[DIM], *q = queries_of(DIM, cone);
        uint64_t sequence = ROWS;
        indexed *x = build(metrics[m], DIM, ROWS, cone, 0.5f), *again;
        for (int round = 0; round < ROUNDS; round++) {
            for (uint64_t i = 0; i < ROWS; i++)
                if (seed_next(&seed) % 2) cone(v, DIM, 0.5f), put(x, i, ++sequence, v);
            flat_publish(indexed_flat(x), sequence);
            link_all(x), link_all(x);
        }
        got = recall(x, DIM, q);
        indexed_options o = options_of(metrics[m], DIM);
        assert_int_equal(indexed_create(&o, &again, NULL), EVDB_OK);
        for (uint64_t i = 0; i < ROWS; i++) put(again, i, i + 1, flat_vector(indexed_flat(x), flat_row(indexed_flat(x), i), NULL));
        flat_publish(indexed_flat(again), ROWS);
        link_all(again);
        fresh = recall(again, DIM, q);
        if (got < fresh - 0.01) fail_msg("metric %d: recall %.4f where a fresh build has %.4f", (int)metrics[m], got, fresh);
        indexed_free(x);
        indexed_free(again);
        free(q);
    }
}

static void one_thread_makes_the_same_graph_again(void **state)
{
    (void)state;
    enum { DIM = 24, ROWS = 2500 };
    for (size_t m = 0; m < METRICS; m++) {
        hit first[K], second[K];
        uint64_t from = seed;
        for (int turn = 0; turn < 2; turn++) {
            size_t found;
            flat_snapshot s;
            seed = from;
            float *q = queries_of(DIM, spread);
            indexed *x = build(metrics[m], DIM, ROWS, spread, 0.5f);
            flat_query one = { .queries = q, .count = 1, .stride = DIM, .k = K, .radius = INFINITY, .threads = 1 };
            flat_begin(indexed_flat(x), &s);
            assert_int_equal(indexed_search(x, &s, &one, K, turn ? second : first, &found, NULL), EVDB_OK);
            flat_end(&s);
            indexed_free(x);
            free(q);
        }
        assert_memory_equal(first, second, sizeof(first));
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_products_are_found_however_lengths_vary),
        cmocka_unit_test(one_dimension_and_odd_ones_are_no_trouble),
        cmocka_unit_test(zero_vectors_and_equal_ones_are_found_like_others),
        cmocka_unit_test(the_longest_by_far_are_found_by_inner_product),
        cmocka_unit_test(replacing_half_is_as_good_as_a_fresh_build),
        cmocka_unit_test(one_thread_makes_the_same_graph_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
