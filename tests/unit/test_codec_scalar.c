/* test_codec_scalar.c - i8 and i4: elements as steps of a range, the vector's own or a trained one. */
#include "codec/codec.h"
#include "codec/range.h"
#include "expect.h"
#include "made_codec.h"
#include "seed.h"
#include <evdb.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;
static const char *const specs[] = { "i8", "i4", "i8:trained", "i4:trained" };
enum { SPECS = 4, SAMPLE = 256 };

static float *draw(size_t count, float scale, float shift)
{
    float *x = malloc(count * sizeof(*x));
    assert_non_null(x);
    seed_floats(&seed, x, count);
    for (size_t i = 0; i < count; i++) x[i] = x[i] * scale + shift;
    return x;
}

static double square(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum;
}

static void elements_come_back_within_half_a_step_of_their_vectors_range(void **state)
{
    static const float scales[] = { 1e-30f, 1e-10f, 1, 1e10f, 1e30f };
    (void)state;
    for (int round = 0; round < 60; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 600);
        float scale = scales[round % 5], *x = draw(dim, scale, round % 2 ? scale * 3 : 0), low = INFINITY, high = -INFINITY;
        for (uint32_t i = 0; i < dim; i++) low = fminf(low, x[i]), high = fmaxf(high, x[i]);
        for (int i = 0; i < 2; i++) {
            evdb_codec *c = made_codec_on(specs[i], dim, NULL, 0);
            char *codes;
            float *y = made_round_trip(c, x, 1, &codes);
            double step = ((double)high - low) / (i ? 15 : 255);
            for (uint32_t j = 0; i == 0 && j < dim; j++)
                assert_true(fabs((double)x[j] - y[j]) <= 0.504 * step + 1e-7 * fabs(x[j]) + FLT_MIN); /* steps are rounded up to 8 bits */
            assert_true(square(x, y, dim) <= dim * (0.51 * step * 0.51 * step + 1e-13 * scale * scale));
            assert_int_equal(evdb_codec_bound(c), 6 + (i ? (dim + 1) / 2 : dim));
            free(codes), free(y);
            evdb_codec_free(c);
        }
        free(x);
    }
}

static void four_bits_are_no_worse_than_the_whole_range_would_be(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        uint32_t dim = 2 + (uint32_t)seed_below(&seed, 600);
        float *x = draw(dim, 1, 0);
        for (uint32_t i = 0; i < dim; i++) x[i] = round % 2 ? x[i] * x[i] * x[i] : fmaxf(x[i], 0);
        const kernel *k = kernel_best();
        code_range whole = range_of(k, x, dim, 15), fit = range_fit(k, x, dim, 15, 3);
        double errors[2] = { 0 };
        for (int i = 0; i < 2; i++) {
            code_range r = i ? fit : whole;
            uint8_t codes[300];
            float y[600], offset = range_offset(r), inverse = range_inverse(r);
            k->steps->u4.encode(x, dim, &offset, &inverse, codes);
            k->steps->u4.decode(codes, dim, &r.low, &r.step, y);
            errors[i] = square(x, y, dim);
        }
        assert_true(errors[1] <= errors[0] * (1 + 1e-5) + 1e-12);
        free(x);
    }
}

static void equal_elements_zeros_and_single_ones_come_back_as_they_were(void **state)
{
    static const float values[] = { 0, 1, -0.3f, 1e-45f, -1e-30f, 12345.678f, FLT_MAX, -FLT_MAX };
    (void)state;
    for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++)
        for (uint32_t dim = 1; dim < 40; dim += 1 + dim / 3)
            for (int i = 0; i < SPECS; i++) {
                float *x = malloc(SAMPLE * dim * sizeof(*x));
                char *codes;
                for (uint32_t j = 0; j < SAMPLE * dim; j++) x[j] = values[v];
                evdb_codec *c = made_codec_on(specs[i], dim, x, SAMPLE);
                float *y = made_round_trip(c, x, SAMPLE, &codes);
                assert_memory_equal(x, y, SAMPLE * dim * sizeof(*x));
                free(x), free(y), free(codes);
                evdb_codec_free(c);
            }
}

static void elements_as_large_as_floats_go_stay_finite(void **state)
{
    (void)state;
    for (uint32_t dim = 2; dim < 70; dim += 3)
        for (int i = 0; i < SPECS; i++) {
            float *x = draw(SAMPLE * dim, FLT_MAX, 0);
            char *codes;
            x[0] = FLT_MAX, x[1] = -FLT_MAX;
            evdb_codec *c = made_codec_on(specs[i], dim, x, SAMPLE);
            float *y = made_round_trip(c, x, SAMPLE, &codes), out[SAMPLE];
            for (uint32_t j = 0; j < SAMPLE * dim; j++) {
                double step = 2.0 * FLT_MAX / (i % 2 ? 15 : 255);
                assert_true(isfinite(y[j]) && (i != 0 || fabs((double)x[j] - y[j]) <= 2.5 * step));
            }
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                ok(evdb_codec_distances(c, m, x, codes, NULL, SAMPLE, out, &why));
                for (int j = 0; j < SAMPLE; j++) assert_false(isnan(out[j]));
            }
            free(x), free(y), free(codes);
            evdb_codec_free(c);
        }
}

static void distances_are_those_to_the_decoded_vectors(void **state)
{
    enum { ROWS = 300 };
    static const float scales[] = { 1, 1e-30f, 1e15f, 1e-12f, 30 };
    (void)state;
    for (int round = 0; round < 40; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 600);
        float scale = scales[round % 5], *x = draw(ROWS * dim, scale, round % 2 ? scale : 0), out[ROWS];
        for (int i = 0; i < SPECS; i++) {
            evdb_codec *c = made_codec_on(specs[i], dim, x, ROWS);
            char *codes;
            float *y = made_round_trip(c, x, ROWS, &codes), *q = x + (size_t)seed_below(&seed, ROWS) * dim, *near = y + (ROWS - 1) * dim;
            if (round % 3 == 0) q = near; /* a query that is a decoded vector itself */
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                ok(evdb_codec_distances(c, m, q, codes, NULL, ROWS, out, &why));
                for (int j = 0; j < ROWS; j++) {
                    float wanted;
                    if (m == EVDB_COSINE && (square(q, (float[600]){ 0 }, dim) == 0 || square(y + j * dim, (float[600]){ 0 }, dim) == 0)) continue;
                    ok(evdb_distance(m, q, y + j * dim, dim, &wanted, &why));
                    double terms = m == EVDB_IP ? sqrt(square(q, (float[600]){ 0 }, dim) * square(y + j * dim, (float[600]){ 0 }, dim))
                                                : m == EVDB_COSINE ? 1 : fabs(wanted);
                    if (!(fabs((double)out[j] - wanted) <= 4e-6 * terms + FLT_MIN))
                        fail_msg("%s dim %u metric %d: %.9g for %.9g", specs[i], dim, (int)m, out[j], wanted);
                }
            }
            free(y), free(codes);
            evdb_codec_free(c);
        }
        free(x);
    }
}

static void a_trained_range_beats_the_ends_of_the_sample_at_four_bits(void **state)
{
    enum { DIM = 20, ROWS = 4000 };
    float *x = draw(ROWS * DIM, 1, 0), *y;
    char *codes;
    double whole = 0;
    (void)state;
    for (int i = 0; i < ROWS * DIM; i++) x[i] = x[i] * x[i] * x[i] * (float)(1 + i % DIM); /* heavy tails, ranges that differ */
    evdb_codec *c = made_codec_on("i4:trained", DIM, x, ROWS);
    y = made_round_trip(c, x, ROWS, &codes);
    for (int d = 0; d < DIM; d++) {
        float low = INFINITY, high = -INFINITY;
        for (int i = 0; i < ROWS; i++) low = fminf(low, x[i * DIM + d]), high = fmaxf(high, x[i * DIM + d]);
        double step = ((double)high - low) / 15;
        for (int i = 0; i < ROWS; i++) {
            double e = x[i * DIM + d] - (low + step * rint((x[i * DIM + d] - low) / step));
            whole += e * e;
        }
    }
    assert_true(square(x, y, ROWS * DIM) < 0.9 * whole);
    assert_int_equal(evdb_codec_bound(c), DIM / 2);
    free(x), free(y), free(codes);
    evdb_codec_free(c);
}

static void a_trained_codec_is_the_same_again_and_when_it_is_loaded(void **state)
{
    (void)state;
    for (int i = 2; i < SPECS; i++) {
        enum { DIM = 33, ROWS = 700 };
        float *x = draw(ROWS * DIM, 5, 1), *y;
        evdb_codec *c = made_codec_on(specs[i], DIM, x, ROWS), *again = made_codec_on(specs[i], DIM, x, ROWS), *back;
        void *bytes, *same;
        char *codes, *others = malloc(ROWS * DIM);
        size_t size, same_size;
        ok(evdb_codec_save(c, &bytes, &size, &why));
        ok(evdb_codec_save(again, &same, &same_size, &why));
        assert_int_equal(size, same_size);
        assert_memory_equal(bytes, same, size);
        ok(evdb_codec_load(bytes, size, NULL, &back, &why));
        y = made_round_trip(c, x, ROWS, &codes);
        ok(evdb_codec_encode(back, x, ROWS, others, NULL, &why));
        assert_memory_equal(codes, others, ROWS * evdb_codec_bound(c));
        free(x), free(y), free(codes), free(others);
        evdb_bytes_free(bytes), evdb_bytes_free(same);
        evdb_codec_free(c), evdb_codec_free(again), evdb_codec_free(back);
    }
}

static void codes_that_nobody_made_are_refused_or_decoded_finite(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 50);
        evdb_codec *c = made_codec_on(specs[round % 2], dim, NULL, 0);
        uint8_t code[64];
        float y[50];
        for (size_t i = 0; i < sizeof(code); i++) code[i] = (uint8_t)seed_next(&seed);
        evdb_status rc = evdb_codec_decode(c, code, NULL, 1, y, &why);
        assert_true(rc == EVDB_OK || rc == EVDB_CORRUPT);
        for (uint32_t i = 0; rc == EVDB_OK && i < dim; i++) assert_true(isfinite(y[i]));
        memset(code, 0xff, sizeof(code)); /* NaN */
        refused_item(EVDB_CORRUPT, 0, evdb_codec_decode(c, code, NULL, 1, y, &why));
        evdb_codec_free(c);
    }
}

static void parameters_and_names_are_as_they_are_told(void **state)
{
    char text[EVDB_CODEC_SPEC_MAX + 1];
    size_t sample;
    (void)state;
    ok(evdb_codec_check("quantization_8bit", 7, text, &sample, &why));
    assert_string_equal(text, "i8");
    assert_int_equal(sample, 0);
    ok(evdb_codec_check("quantization_4bit:trained", 7, text, &sample, &why));
    assert_string_equal(text, "i4:trained");
    assert_int_equal(sample, SAMPLE);
    refused(EVDB_INVALID, evdb_codec_check("i8:nonsense", 7, NULL, NULL, &why));
    expect_says("takes trained");
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    evdb_codec *c;
    float few[3] = { 1, 2, 3 };
    o.spec = "i8:trained", o.dim = 1, o.sample = few, o.count = 3;
    refused(EVDB_INVALID, evdb_codec_create(&o, &c, &why));
    expect_says("at least 256");
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_back_within_half_a_step_of_their_vectors_range),
        cmocka_unit_test(four_bits_are_no_worse_than_the_whole_range_would_be),
        cmocka_unit_test(equal_elements_zeros_and_single_ones_come_back_as_they_were),
        cmocka_unit_test(elements_as_large_as_floats_go_stay_finite),
        cmocka_unit_test(distances_are_those_to_the_decoded_vectors),
        cmocka_unit_test(a_trained_range_beats_the_ends_of_the_sample_at_four_bits),
        cmocka_unit_test(a_trained_codec_is_the_same_again_and_when_it_is_loaded),
        cmocka_unit_test(codes_that_nobody_made_are_refused_or_decoded_finite),
        cmocka_unit_test(parameters_and_names_are_as_they_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
