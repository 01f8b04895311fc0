/* test_codec_pq.c - product quantisation: errors, padding, distances by tables, extremes, training that ends early.
 *
 * Also for the thread sanitizer. */
#include "codec/codec.h"
#include "codec_trial.h"
#include "expect.h"
#include "kernel/kernel.h"
#include "platform/platform.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

enum { COUNT = 1500 };

static void distances_are_those_to_decoded_vectors(void **state)
{
    static const char *const specs[] = { "pq:1", "pq:3", "pq:2,4", "pq:3,4", "pq" };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(specs) / sizeof(*specs); i++) {
        uint32_t dim = 3 + (uint32_t)seed_below(&seed, 60);
        float *x = malloc(COUNT * dim * sizeof(*x));
        trial_vectors(&seed, x, COUNT, dim);
        evdb_codec *c = trial_codec(specs[i / 2], dim, x, COUNT);
        trial_distances(c, x, 40, x + (COUNT - 1) * dim);
        evdb_codec_free(c);
        free(x);
    }
}

static void tables_score_many_rows_as_they_score_one(void **state)
{
    enum { DIM = 75, ROWS = 600 };
    static const char *const specs[] = { "pq:37", "pq:37,4" };
    float *x = malloc(COUNT * DIM * sizeof(*x)), all[ROWS], one;
    (void)state;
    trial_vectors(&seed, x, COUNT, DIM);
    for (size_t i = 0; i < 2; i++) {
        codec_training t = { .sample = x, .count = COUNT, .threads = 1 };
        codec *c;
        codec_query *q;
        ok(codec_create(&platform_real.mem, kernel_best(), specs[i], DIM, &t, &c, &why));
        size_t bytes = codec_code_bytes(c), stride = bytes + 3;
        uint8_t *codes = malloc(ROWS * stride);
        void *room = malloc(codec_room(c));
        codec_encode(c, x, ROWS, codes, stride, room);
        ok(codec_query_create(c, EVDB_EUCLIDEAN, x, &q, &why));
        codec_distances(q, codes, stride, ROWS, NULL, all);
        for (size_t r = 0; r < ROWS; r++) {
            codec_distances(q, codes + r * stride, stride, 1, NULL, &one);
            assert_true(one == all[r]);
        }
        codec_query_free(q);
        codec_free(c);
        free(codes), free(room);
    }
    free(x);
}

static void the_error_falls_with_more_parts_and_more_bits(void **state)
{
    enum { DIM = 24 };
    static const char *const specs[] = { "pq:3,4", "pq:6,4", "pq:6", "pq:12", "pq:24" };
    float *x = malloc(COUNT * DIM * sizeof(*x));
    double before = INFINITY;
    (void)state;
    trial_vectors(&seed, x, COUNT, DIM);
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        evdb_codec *c = trial_codec(specs[i], DIM, x, COUNT);
        double error = trial_error(c, x, COUNT);
        assert_true(error < before);
        before = error;
        evdb_codec_free(c);
    }
    assert_true(before < 1e-4);
    free(x);
}

static void every_dimension_can_be_cut_into_any_parts(void **state)
{
    enum { MOST = 13 };
    float *x = malloc(COUNT * MOST * sizeof(*x));
    char spec[32];
    (void)state;
    for (uint32_t dim = 1; dim <= seed_tries(MOST); dim += 1 + (uint32_t)seed_below(&seed, 3)) {
        trial_vectors(&seed, x, COUNT, dim);
        for (uint32_t parts = 1; parts <= dim; parts++) {
            snprintf(spec, sizeof(spec), seed_below(&seed, 2) ? "pq:%u" : "pq:%u,4", parts);
            evdb_codec *c = trial_codec(spec, dim, x, COUNT);
            assert_int_equal(evdb_codec_bound(c), strchr(spec, ',') ? (parts + 1) / 2 : parts);
            assert_true(trial_error(c, x, COUNT) < 0.7);
            trial_saved(c, x, 20);
            evdb_codec_free(c);
        }
    }
    free(x);
}

/* As many different vectors as there are centroids: each is one. */
static void vectors_that_are_few_come_back_as_they_are(void **state)
{
    enum { DIM = 6, DIFFERENT = 200 };
    float *x = malloc(COUNT * DIM * sizeof(*x));
    (void)state;
    trial_vectors(&seed, x, DIFFERENT, DIM);
    for (size_t i = DIFFERENT; i < COUNT; i++) memcpy(x + i * DIM, x + i % DIFFERENT * DIM, DIM * sizeof(*x));
    evdb_codec *c = trial_codec("pq:2", DIM, x, COUNT);
    assert_true(trial_error(c, x, COUNT) < 1e-12);
    evdb_codec_free(c);
    free(x);
}

static void constant_and_huge_and_tiny_vectors_stay_finite(void **state)
{
    enum { DIM = 10 };
    static const float sizes[] = { 0, 1, 1e30f, FLT_MAX, -FLT_MAX, 1e-30f, 1e-44f };
    float *x = malloc(COUNT * DIM * sizeof(*x)), *noise = malloc(COUNT * DIM * sizeof(*x));
    (void)state;
    seed_floats(&seed, noise, COUNT * DIM);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (int constant = 0; constant < 2; constant++) {
            for (size_t j = 0; j < COUNT * DIM; j++) x[j] = constant ? sizes[i] : sizes[i] * noise[j];
            evdb_codec *c = trial_codec("pq:5", DIM, x, COUNT);
            double error = trial_error(c, x, COUNT);
            assert_true(constant ? error <= 1e-12 : error < 0.1 || fabsf(sizes[i]) < 1e-40f);
            evdb_codec_free(c);
        }
    /* Far from all it was trained on. */
    for (size_t j = 0; j < COUNT * DIM; j++) x[j] = noise[j] * 1e-30f;
    evdb_codec *c = trial_codec("pq:5", DIM, x, COUNT);
    for (size_t j = 0; j < COUNT * DIM; j++) x[j] = noise[j] < 0 ? -FLT_MAX : FLT_MAX;
    assert_true(trial_error(c, x, COUNT) > 0.9);
    evdb_codec_free(c);
    free(x), free(noise);
}

static void the_same_seed_gives_the_same_codec_with_any_threads(void **state)
{
    enum { DIM = 12 };
    float *x = malloc(COUNT * DIM * sizeof(*x));
    uint64_t prints[4];
    (void)state;
    trial_vectors(&seed, x, COUNT, DIM);
    for (uint32_t i = 0; i < 4; i++) {
        codec_training t = { .sample = x, .count = COUNT, .threads = 1 + i % 3 * 40, .seed = i < 3 ? 1 : 2 };
        codec *c;
        ok(codec_create(&platform_real.mem, kernel_best(), "pq:4", DIM, &t, &c, &why));
        prints[i] = codec_fingerprint(c);
        codec_free(c);
    }
    assert_true(prints[0] == prints[1] && prints[0] == prints[2] && prints[0] != prints[3]);
    free(x);
}

static void training_can_be_ended_and_says_what_it_needs(void **state)
{
    enum { DIM = 8 };
    float *x = malloc(COUNT * DIM * sizeof(*x));
    atomic_bool stop = true;
    codec_training t = { .sample = x, .count = COUNT, .threads = 2, .stop = &stop };
    codec *c;
    (void)state;
    trial_vectors(&seed, x, COUNT, DIM);
    refused(EVDB_CANCELLED, codec_create(&platform_real.mem, kernel_best(), "pq:4", DIM, &t, &c, &why));
    stop = false;
    t.count = 1023;
    refused(EVDB_INVALID, codec_create(&platform_real.mem, kernel_best(), "pq:4", DIM, &t, &c, &why));
    expect_says("at least 1024 vectors, and there are 1023");
    t.count = 63;
    refused(EVDB_INVALID, codec_create(&platform_real.mem, kernel_best(), "pq:4,4", DIM, &t, &c, &why));
    expect_says("at least 64 vectors");
    free(x);
}

static void parameters_that_make_no_sense_are_refused(void **state)
{
    static const struct { const char *spec; uint32_t dim; evdb_status status; const char *says; } cases[] = {
        { "pq:0", 8, EVDB_INVALID, "number of parts is 1 to 8" }, { "pq:9", 8, EVDB_INVALID, "number of parts" },
        { "pq:4,5", 8, EVDB_INVALID, "4 or 8 bits" }, { "pq:4,8,1", 8, EVDB_INVALID, "takes PARTS[,BITS]" },
        { "pq:4,16", 8, EVDB_INVALID, "bits" }, { "pq:1", 513, EVDB_LIMIT, "at most 512 elements" }, { "pq:x", 8, EVDB_INVALID, "parts" },
    };
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    size_t sample;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        refused(cases[i].status, evdb_codec_check(cases[i].spec, cases[i].dim, NULL, NULL, &why));
        expect_says(cases[i].says);
    }
    ok(evdb_codec_check("product_quantization", 0, whole, &sample, &why));
    assert_string_equal(whole, "pq");
    assert_int_equal(sample, 1024);
    ok(evdb_codec_check("pq:4,8", 8, whole, NULL, &why));
    assert_string_equal(whole, "pq:4");
}

static void a_code_no_part_has_is_found(void **state)
{
    enum { DIM = 3 };
    float x[64 * DIM], y[DIM];
    unsigned char code[2];
    (void)state;
    trial_vectors(&seed, x, 64, DIM);
    evdb_codec *c = trial_codec("pq:3,4", DIM, x, 64);
    ok(evdb_codec_encode(c, x, 1, code, NULL, &why));
    code[1] |= 0x10;
    refused_item(EVDB_CORRUPT, 0, evdb_codec_decode(c, code, NULL, 1, y, &why));
    evdb_codec_free(c);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_to_decoded_vectors),
        cmocka_unit_test(tables_score_many_rows_as_they_score_one),
        cmocka_unit_test(the_error_falls_with_more_parts_and_more_bits),
        cmocka_unit_test(every_dimension_can_be_cut_into_any_parts),
        cmocka_unit_test(vectors_that_are_few_come_back_as_they_are),
        cmocka_unit_test(constant_and_huge_and_tiny_vectors_stay_finite),
        cmocka_unit_test(the_same_seed_gives_the_same_codec_with_any_threads),
        cmocka_unit_test(training_can_be_ended_and_says_what_it_needs),
        cmocka_unit_test(parameters_that_make_no_sense_are_refused),
        cmocka_unit_test(a_code_no_part_has_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
