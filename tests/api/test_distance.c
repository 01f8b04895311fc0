/* test_distance.c - evdb/distance.h. */
#include "seed.h"
#include <evdb.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static float noise(void) { return (float)((double)(seed_next(&seed) >> 11) / (1ull << 52) - 1); }

static float distance(evdb_metric metric, const float *a, const float *b, uint32_t dim)
{
    evdb_error err;
    float out;
    evdb_status rc = evdb_distance(metric, a, b, dim, &out, &err);
    if (rc != EVDB_OK) fail_msg("%s", err.message);
    return out;
}

static void every_name_and_alias_is_parsed_and_shown(void **state)
{
    (void)state;
    static const struct { const char *name; evdb_metric metric; const char *shown; } metrics[] = {
        { "cosine", EVDB_COSINE, "cosine" }, { "euclidean", EVDB_EUCLIDEAN, "euclidean" },
        { "l2", EVDB_EUCLIDEAN, "euclidean" },
        { "manhattan", EVDB_MANHATTAN, "manhattan" }, { "l1", EVDB_MANHATTAN, "manhattan" }, { "ip", EVDB_IP, "ip" },
        { "dot", EVDB_IP, "ip" }, { "hamming", EVDB_HAMMING, "hamming" } };
    static const struct { const char *name; evdb_dtype dtype; } dtypes[] = { { "f32", EVDB_F32 }, { "f16", EVDB_F16 },
                                                                            { "i8", EVDB_I8 }, { "bit", EVDB_BIT } };
    for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++) {
        evdb_metric metric = 0;
        assert_int_equal(evdb_metric_parse(metrics[i].name, &metric, NULL), EVDB_OK);
        assert_int_equal(metric, metrics[i].metric);
        assert_string_equal(evdb_metric_name(metric), metrics[i].shown);
    }
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++) {
        evdb_dtype dtype = 0;
        assert_int_equal(evdb_dtype_parse(dtypes[i].name, &dtype, NULL), EVDB_OK);
        assert_int_equal(dtype, dtypes[i].dtype);
        assert_string_equal(evdb_dtype_name(dtype), dtypes[i].name);
    }
    assert_null(evdb_metric_name((evdb_metric)0));
    assert_null(evdb_metric_name((evdb_metric)7));
    assert_null(evdb_dtype_name((evdb_dtype)0));
    assert_null(evdb_dtype_name((evdb_dtype)-1));
}

static void an_unknown_name_is_refused_with_the_list_of_those_there_are(void **state)
{
    (void)state;
    static const char *const unknown[] = { "", "COSINE", "cosine ", "l3", "cosinecosinecosinecosinecosinecosine" };
    static const char *const listed[] = { "cosine", "euclidean", "l2", "manhattan", "l1", "ip", "dot", "hamming" };
    static const char *const types[] = { "f32", "f16", "i8", "bit" };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        evdb_metric metric = EVDB_IP;
        evdb_dtype dtype = EVDB_BIT;
        evdb_error err;
        assert_int_equal(evdb_metric_parse(unknown[i], &metric, &err), EVDB_INVALID);
        assert_int_equal(metric, EVDB_IP); /* untouched */
        for (size_t j = 0; j < sizeof(listed) / sizeof(*listed); j++) assert_non_null(strstr(err.message, listed[j]));
        assert_int_equal(evdb_dtype_parse(unknown[i], &dtype, &err), EVDB_INVALID);
        assert_int_equal(dtype, EVDB_BIT);
        for (size_t j = 0; j < sizeof(types) / sizeof(*types); j++) assert_non_null(strstr(err.message, types[j]));
    }
    assert_int_equal(evdb_metric_parse(NULL, &(evdb_metric){ 0 }, NULL), EVDB_INVALID);
    assert_int_equal(evdb_dtype_parse(NULL, &(evdb_dtype){ 0 }, NULL), EVDB_INVALID);
}

static void distances_are_those_of_the_textbook(void **state)
{
    (void)state;
    const float a[] = { 1, 2, 2 }, b[] = { 2, 0, -1 };
    assert_true(distance(EVDB_EUCLIDEAN, a, b, 3) == sqrtf(14));
    assert_true(distance(EVDB_MANHATTAN, a, b, 3) == 6);
    assert_true(distance(EVDB_HAMMING, a, b, 3) == 3);
    assert_true(distance(EVDB_HAMMING, a, a, 3) == 0);
    assert_true(distance(EVDB_IP, a, a, 3) == -9);
    assert_true(distance(EVDB_IP, a, b, 3) == 0);
    assert_false(signbit(distance(EVDB_IP, a, b, 3)));
    assert_true(distance(EVDB_COSINE, a, b, 3) == 1);
    const float east[] = { 3, 0 }, north_east[] = { 5, 5 }, west[] = { -0.5f, 0 };
    assert_float_equal(distance(EVDB_COSINE, east, north_east, 2), 1 - sqrt(0.5), 1e-6);
    assert_float_equal(distance(EVDB_COSINE, east, west, 2), 2, 1e-6);
    assert_float_equal(distance(EVDB_COSINE, east, east, 2), 0, 1e-6);
}

static void a_score_is_larger_for_what_is_nearer(void **state)
{
    (void)state;
    assert_true(evdb_distance_score(EVDB_COSINE, 0.25f) == 0.75f);
    assert_true(evdb_distance_score(EVDB_IP, -3) == 3);
    assert_true(evdb_distance_score(EVDB_EUCLIDEAN, 3) == 0.25f);
    assert_true(evdb_distance_score(EVDB_MANHATTAN, 0) == 1);
    assert_true(evdb_distance_score(EVDB_HAMMING, 1) == 0.5f);
}

static void assert_refused(evdb_status status, evdb_metric metric, const float *a, const float *b, uint32_t dim,
                           const char *because)
{
    evdb_error err;
    float out = 42;
    assert_int_equal(evdb_distance(metric, a, b, dim, &out, &err), status);
    assert_int_equal(err.status, status);
    assert_true(err.item == EVDB_NO_ITEM);
    if (!strstr(err.message, because)) fail_msg("'%s' does not say '%s'", err.message, because);
    assert_true(out == 42);
    assert_int_equal(evdb_distance(metric, a, b, dim, &out, NULL), status);
}

static void what_has_no_distance_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    const float good[] = { 1, 2 }, nan[] = { 1, NAN }, inf[] = { -INFINITY, 0 }, zero[] = { 0, -0.0f };
    const float huge[] = { FLT_MAX, FLT_MAX }, minus[] = { -FLT_MAX, -FLT_MAX };
    for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
        assert_refused(EVDB_INVALID, m, nan, good, 2, "not finite");
        assert_refused(EVDB_INVALID, m, good, inf, 2, "not finite");
        assert_refused(EVDB_INVALID, m, good, good, 0, "1 to 65536");
        assert_refused(EVDB_INVALID, m, good, good, EVDB_DIM_MAX + 1, "65537");
        assert_refused(EVDB_INVALID, m, NULL, good, 2, "missing");
        assert_refused(EVDB_INVALID, m, good, NULL, 2, "missing");
        if (m != EVDB_COSINE && m != EVDB_HAMMING) {
            assert_refused(EVDB_INVALID, m, huge, minus, 2, "beyond what a float holds");
            assert_true(isfinite(distance(m, zero, good, 2)));
        }
    }
    assert_refused(EVDB_INVALID, EVDB_COSINE, zero, good, 2, "query is all zeros");
    assert_refused(EVDB_INVALID, EVDB_COSINE, good, zero, 2, "vector is all zeros");
    assert_true(distance(EVDB_COSINE, huge, minus, 2) == 2); /* a direction is all cosine needs */
    assert_refused(EVDB_INVALID, (evdb_metric)0, good, good, 2, "no metric 0");
    assert_refused(EVDB_INVALID, (evdb_metric)77, good, good, 2, "no metric 77");
}

static void a_batch_gives_what_single_calls_give_at_any_stride_and_alignment(void **state)
{
    (void)state;
    enum { DIM = 37, COUNT = 20, STRIDE = DIM * 4 + 7 };
    float query[DIM], row[DIM], packed[COUNT * DIM], out[COUNT], strided_out[COUNT];
    char strided[COUNT * STRIDE];
    for (size_t i = 0; i < DIM; i++) query[i] = noise();
    for (size_t i = 0; i < COUNT * DIM; i++) packed[i] = noise();
    for (size_t i = 0; i < COUNT; i++) memcpy(strided + i * STRIDE, packed + i * DIM, sizeof(row));
    for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
        assert_int_equal(evdb_distance_batch(m, query, packed, COUNT, 0, DIM, out, NULL), EVDB_OK);
        assert_int_equal(evdb_distance_batch(m, query, (const float *)(const void *)strided, COUNT, STRIDE, DIM,
                                             strided_out, NULL), EVDB_OK);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(out[i] == distance(m, query, packed + i * DIM, DIM));
            assert_true(out[i] == strided_out[i]);
        }
    }
    assert_int_equal(evdb_distance_batch(EVDB_IP, query, NULL, 0, 0, DIM, out, NULL), EVDB_OK);
}

static void a_batch_names_the_vector_at_fault_and_then_writes_none(void **state)
{
    (void)state;
    const float query[] = { FLT_MAX, 1 };
    const float bad[][2] = { { NAN, 0 }, { 0, INFINITY }, { -FLT_MAX, 0 } };
    for (size_t b = 0; b < sizeof(bad) / sizeof(*bad); b++)
        for (uint64_t at = 0; at < 3; at++) {
            float vectors[3][2] = { { 0, 1 }, { 0, 2 }, { 0, 3 } }, out[3] = { 42, 42, 42 };
            evdb_error err;
            memcpy(vectors[at], bad[b], sizeof(bad[b]));
            assert_int_equal(evdb_distance_batch(EVDB_EUCLIDEAN, query, vectors[0], 3, 0, 2, out, &err), EVDB_INVALID);
            assert_true(err.item == at);
            for (size_t i = 0; i < 3; i++) assert_true(out[i] == 42);
            /* one vector is a batch, too */
            assert_int_equal(evdb_distance_batch(EVDB_EUCLIDEAN, query, bad[b], 1, 0, 2, out, &err), EVDB_INVALID);
            assert_true(err.item == 0);
        }
    evdb_error err;
    const float nan[] = { 1, NAN };
    assert_int_equal(evdb_distance_batch(EVDB_IP, nan, query, 1, 0, 2, &(float){ 0 }, &err), EVDB_INVALID);
    assert_true(err.item == EVDB_NO_ITEM); /* the query's fault, no vector's */
}

static void a_search_reports_the_same_distances_bit_for_bit(void **state)
{
    (void)state;
    enum { DIM = 29, ROWS = 40 };
    static const float scales[] = { 1, 1e-20f, 1e18f }; /* of rows: sums in and out of the range of float */
    float rows[ROWS][DIM], query[DIM];
    evdb *db;
    assert_int_equal(evdb_open(":memory:", NULL, &db, NULL), EVDB_OK);
    for (size_t i = 0; i < DIM; i++) query[i] = noise();
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < DIM; i++) rows[r][i] = noise() * scales[r % 3];
    for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
        evdb_store_options options = EVDB_STORE_OPTIONS;
        evdb_search_options how = EVDB_SEARCH_OPTIONS;
        evdb_store *store;
        evdb_result *result;
        options.metric = m;
        how.k = ROWS;
        assert_int_equal(evdb_store_create(db, evdb_metric_name(m), &options, &store, NULL), EVDB_OK);
        for (int64_t r = 0; r < ROWS; r++)
            assert_int_equal(evdb_record_insert(store, (evdb_id){ .number = r }, rows[r], DIM, NULL, NULL, NULL),
                             EVDB_OK);
        assert_int_equal(evdb_search(store, query, DIM, &how, &result, NULL), EVDB_OK);
        assert_int_equal(result->count, ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            assert_true(result->distances[i] == distance(m, query, rows[result->numbers[i]], DIM));
            assert_true(result->scores[i] == evdb_distance_score(m, result->distances[i]));
        }
        evdb_result_free(result);
        evdb_store_close(store);
    }
    evdb_close(db);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_and_alias_is_parsed_and_shown),
        cmocka_unit_test(an_unknown_name_is_refused_with_the_list_of_those_there_are),
        cmocka_unit_test(distances_are_those_of_the_textbook),
        cmocka_unit_test(a_score_is_larger_for_what_is_nearer),
        cmocka_unit_test(what_has_no_distance_is_refused_and_nothing_is_written),
        cmocka_unit_test(a_batch_gives_what_single_calls_give_at_any_stride_and_alignment),
        cmocka_unit_test(a_batch_names_the_vector_at_fault_and_then_writes_none),
        cmocka_unit_test(a_search_reports_the_same_distances_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
