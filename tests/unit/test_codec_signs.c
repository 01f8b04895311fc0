/* test_codec_signs.c - random rotations, and the quantisers of one bit an element behind them: rabitq and lsh. */
#include "codec/codec.h"
#include "expect.h"
#include "made_codec.h"
#include "seed.h"
#include <evdb.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

/* Normally distributed, so that directions are alike. */
static float *draw(size_t count, float scale, float shift)
{
    float *x = malloc((count + 1) * sizeof(*x));
    assert_non_null(x);
    for (size_t i = 0; i < count; i += 2) {
        double u = ((double)seed_below(&seed, 1 << 24) + 1) / (1 << 24), v = (double)seed_below(&seed, 1 << 24) / (1 << 24);
        x[i] = (float)(sqrt(-2 * log(u)) * cos(6.283185307 * v)) * scale + shift;
        x[i + 1] = (float)(sqrt(-2 * log(u)) * sin(6.283185307 * v)) * scale + shift;
    }
    return x;
}

static double product(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

static double apart(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

/* ---- rotate ---- */

static void rotations_keep_products_and_come_back(void **state)
{
    enum { ROWS = 5 };
    (void)state;
    for (int round = 0; round < 100; round++) {
        uint32_t dim = round < 40 ? (uint32_t)round + 1 : 1 + (uint32_t)seed_below(&seed, 1500);
        float scale = round % 4 ? 1 : round % 8 ? 1e-25f : 1e30f, *x = draw(ROWS * dim, scale, 0);
        evdb_codec *c = made_codec_on("rotate", dim, NULL, 0), *other = made_codec_on("rotate:1", dim, NULL, 0);
        char *codes, *others;
        float *y = made_round_trip(c, x, ROWS, &codes), *z = made_round_trip(other, x, ROWS, &others);
        for (int i = 0; i < ROWS; i++) {
            double norm = sqrt(product(x + i * dim, x + i * dim, dim));
            assert_true(apart(x + i * dim, y + i * dim, dim) <= 1e-6 * norm);
            for (int j = 0; j < ROWS; j++) {
                double there = product((float *)(void *)codes + i * dim, (float *)(void *)codes + j * dim, dim);
                assert_true(fabs(there - product(x + i * dim, x + j * dim, dim)) <= 2e-6 * norm * sqrt(product(x + j * dim, x + j * dim, dim)));
            }
        }
        assert_true(dim < 20 || memcmp(codes, others, ROWS * dim * sizeof(float)) != 0);
        free(x), free(y), free(z), free(codes), free(others);
        evdb_codec_free(c), evdb_codec_free(other);
    }
}

/* Wherever it was. */
static void one_element_becomes_all_of_about_the_same_size(void **state)
{
    static const uint32_t dims[] = { 64, 100, 255, 257, 384, 511, 512, 513, 768, 784, 1000, 1023 };
    (void)state;
    for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++)
        for (uint32_t at = 0; at < dims[d]; at += 1 + dims[d] / 29) {
            float x[1023] = { 0 };
            float y[1023];
            evdb_codec *c = made_codec_on("rotate", dims[d], NULL, 0);
            x[at] = 1;
            ok(evdb_codec_encode(c, x, 1, y, NULL, &why));
            for (uint32_t i = 0; i < dims[d]; i++) assert_true(fabsf(y[i]) <= 7 / sqrtf((float)dims[d]));
            evdb_codec_free(c);
        }
}

static void what_would_leave_the_floats_becomes_the_largest(void **state)
{
    (void)state;
    for (uint32_t dim = 1; dim < 200; dim += 1 + dim / 5) {
        float x[200], y[200], back[200];
        evdb_codec *c = made_codec_on("rotate", dim, NULL, 0);
        for (uint32_t i = 0; i < dim; i++) x[i] = seed_below(&seed, 2) ? FLT_MAX : -FLT_MAX;
        ok(evdb_codec_encode(c, x, 1, y, NULL, &why));
        ok(evdb_codec_decode(c, y, NULL, 1, back, &why));
        for (uint32_t i = 0; i < dim; i++) assert_true(isfinite(y[i]) && isfinite(back[i]));
        evdb_codec_free(c);
    }
}

/* ---- rabitq ---- */

static void rabitq_keeps_most_of_a_vector_in_a_bit_an_element(void **state)
{
    enum { ROWS = 60 };
    (void)state;
    for (int round = 0; round < 30; round++) {
        uint32_t dim = 60 + (uint32_t)seed_below(&seed, 540);
        float scale = round % 3 ? 1 : round % 2 ? 1e-20f : 1e20f, *x = draw(ROWS * dim, scale, scale * (float)(round % 4));
        evdb_codec *c = made_codec_on("rabitq", dim, round % 2 ? x : NULL, round % 2 ? ROWS : 0);
        char *codes;
        float *y = made_round_trip(c, x, ROWS, &codes), *mean = calloc(dim, sizeof(*mean));
        assert_string_equal(evdb_codec_spec(c), "rotate+rabitq");
        assert_int_equal(evdb_codec_bound(c), 8 + (dim + 7) / 8);
        for (uint32_t i = 0; round % 2 && i < ROWS * dim; i++) mean[i % dim] += x[i] / ROWS;
        double error = 0, whole = 0;
        for (int i = 0; i < ROWS; i++) error += pow(apart(x + i * dim, y + i * dim, dim), 2), whole += pow(apart(x + i * dim, mean, dim), 2);
        assert_true(error < 0.5 * whole); /* 1 - 2 / pi = 0.363 of normally distributed elements */
        free(x), free(y), free(codes), free(mean);
        evdb_codec_free(c);
    }
}

/* Over many rotations a distance is right on average, where decoded vectors are too near. */
static void rabitq_estimates_distances_without_bias(void **state)
{
    enum { DIM = 128, ROWS = 40, TURNS = 60 };
    (void)state;
    float *x = draw(ROWS * DIM, 1, 0.5f), *q = draw(DIM, 1, 0.5f);
    double sums[3][ROWS] = { { 0 } }, spread[3] = { 0 };
    static const evdb_metric metrics[] = { EVDB_EUCLIDEAN, EVDB_IP, EVDB_COSINE };
    for (uint32_t i = 0; i < DIM; i++) q[i] += x[i]; /* near the first row */
    for (int turn = 0; turn < TURNS; turn++) {
        char spec[40], *codes;
        snprintf(spec, sizeof(spec), "rotate:%u+rabitq", (unsigned)seed_below(&seed, 1u << 31));
        evdb_codec *c = made_codec_on(spec, DIM, turn % 2 ? x : NULL, turn % 2 ? ROWS : 0);
        float *y = made_round_trip(c, x, ROWS, &codes), out[ROWS];
        for (int m = 0; m < 3; m++) {
            ok(evdb_codec_distances(c, metrics[m], q, codes, NULL, ROWS, out, &why));
            for (int i = 0; i < ROWS; i++) sums[m][i] += m == 0 ? (double)out[i] * out[i] : out[i];
        }
        free(y), free(codes);
        evdb_codec_free(c);
    }
    for (int m = 0; m < 3; m++)
        for (int i = 0; i < ROWS; i++) {
            float exact;
            ok(evdb_distance(metrics[m], q, x + i * DIM, DIM, &exact, &why));
            double terms = m == 2 ? 1 : sqrt(product(q, q, DIM) * product(x + i * DIM, x + i * DIM, DIM));
            double off = (sums[m][i] / TURNS - (m == 0 ? (double)exact * exact : exact)) / terms;
            assert_true(fabs(off) < 0.09); /* one alone is off by about 0.1, and so the mean of 60 by 0.013 */
            spread[m] += off;
        }
    for (int m = 0; m < 3; m++) assert_true(fabs(spread[m] / ROWS) < 0.03);
    free(x), free(q);
}

/* ---- lsh ---- */

static void lsh_tells_angles_the_better_the_more_bits(void **state)
{
    static const struct { const char *spec; uint32_t dim; double room; } cases[] = {
        { "lsh", 512, 0.3 }, { "lsh:128", 512, 0.6 }, { "lsh:3001", 100, 0.13 }, { "rotate+lsh:4096", 64, 0.11 }, { "lsh:2000", 12, 0.2 },
    };
    enum { ROWS = 30 };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint32_t dim = cases[i].dim;
        float *x = draw(ROWS * dim, 3, 0), out[ROWS];
        evdb_codec *c = made_codec_on(cases[i].spec, dim, NULL, 0);
        char *codes;
        for (uint32_t j = 0; j < 10 * dim; j++) x[(ROWS - 10) * dim + j] = x[j % dim] + 0.1f * (float)(j / dim) * x[(ROWS - 10) * dim + j];
        float *y = made_round_trip(c, x, ROWS, &codes);
        ok(evdb_codec_distances(c, EVDB_COSINE, x, codes, NULL, ROWS, out, &why));
        assert_true(out[0] <= 1e-6f);
        for (int r = 0; r < ROWS; r++) {
            double norm = sqrt(product(x + r * dim, x + r * dim, dim));
            double angle = acos(fmin(1, product(x, x + r * dim, dim) / norm / sqrt(product(x, x, dim))));
            double told = acos(fmax(-1, 1 - out[r]));
            if (fabs(told - angle) > cases[i].room) fail_msg("%s of %u, row %d: %g for %g", cases[i].spec, dim, r, told, angle);
            assert_true(fabs(sqrt(product(y + r * dim, y + r * dim, dim)) - norm) <= 1e-5 * norm);
        }
        free(x), free(y), free(codes);
        evdb_codec_free(c);
    }
}

static void lsh_bits_are_the_sides_of_planes_whatever_their_number(void **state)
{
    (void)state;
    for (int round = 0; round < 80; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 90), bits = 1 + (uint32_t)seed_below(&seed, 300);
        char spec[40], *codes, opposite[64];
        snprintf(spec, sizeof(spec), "lsh:%u", bits);
        evdb_codec *c = made_codec_on(spec, dim, NULL, 0);
        float *x = draw(dim, 1, 0), *y = made_round_trip(c, x, 1, &codes), out[2];
        assert_int_equal(evdb_codec_bound(c), 4 + (bits + 7) / 8);
        for (uint32_t i = 0; i < dim; i++) x[i] = -x[i];
        ok(evdb_codec_encode(c, x, 1, opposite, NULL, &why));
        for (uint32_t i = 0; i < bits; i++) assert_int_equal((codes[4 + i / 8] ^ opposite[4 + i / 8]) >> i % 8 & 1, 1);
        for (uint32_t i = 0; i < dim; i++) x[i] = -x[i];
        ok(evdb_codec_distances(c, EVDB_EUCLIDEAN, x, codes, NULL, 1, out, &why));
        ok(evdb_codec_distances(c, EVDB_EUCLIDEAN, x, opposite, NULL, 1, out + 1, &why));
        double norm = sqrt(product(x, x, dim));
        assert_true(out[0] <= 1e-3 * norm && fabs(out[1] - 2 * norm) <= 1e-5 * norm);
        free(x), free(y), free(codes);
        evdb_codec_free(c);
    }
}

/* ---- all ---- */

static const char *const specs[] = { "rabitq", "lsh", "lsh:77", "lsh:500", "rotate:9+lsh:5", "rotate+rotate:3+rabitq" };
enum { SPECS = sizeof(specs) / sizeof(*specs) };

static void anything_finite_gives_what_is_finite(void **state)
{
    enum { ROWS = 7 };
    static const float scales[] = { 0, 1e-45f, 1e-30f, 1, 1e30f, FLT_MAX };
    (void)state;
    for (int round = 0; round < 60; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 300);
        float scale = scales[round % 6], *x = malloc(ROWS * dim * sizeof(*x)), out[ROWS];
        seed_floats(&seed, x, ROWS * dim);
        for (uint32_t i = 0; i < ROWS * dim; i++) x[i] = round % 5 ? x[i] * scale : scale; /* constants, too */
        for (int i = 0; i < SPECS; i++) {
            evdb_codec *c = made_codec_on(specs[i], dim, round % 2 ? x : NULL, round % 2 ? ROWS : 0);
            char *codes;
            float *y = made_round_trip(c, x, ROWS, &codes);
            for (uint32_t j = 0; j < ROWS * dim; j++) assert_true(isfinite(y[j]) && (scale > 0 || y[j] == 0));
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                ok(evdb_codec_distances(c, m, x, codes, NULL, ROWS, out, &why));
                for (int j = 0; j < ROWS; j++) assert_true(!isnan(out[j]) || (m == EVDB_COSINE && scale < 1e-40f)); /* zero has no angle */
            }
            free(y), free(codes);
            evdb_codec_free(c);
        }
        free(x);
    }
}

/* What may be added to it is told to the last bit: floats round up where half of one is left. */
static void a_centre_as_large_as_floats_leaves_room_for_what_is_around_it(void **state)
{
    enum { DIM = 8, ROWS = 4 };
    (void)state;
    for (int round = 0; round < 2000; round++) {
        float sample[DIM], x[ROWS * DIM];
        char *codes;
        seed_floats(&seed, sample, DIM);
        seed_floats(&seed, x, ROWS * DIM);
        for (int i = 0; i < DIM; i++) sample[i] *= 0.3f * FLT_MAX;
        for (int i = 0; i < ROWS * DIM; i++) x[i] = x[i] < 0 ? -FLT_MAX : FLT_MAX;
        evdb_codec *c = made_codec_on("rabitq", DIM, sample, 1);
        float *y = made_round_trip(c, x, ROWS, &codes);
        for (int i = 0; i < ROWS * DIM; i++) assert_true(isfinite(y[i]));
        free(y), free(codes);
        evdb_codec_free(c);
    }
}

static void a_loaded_codec_makes_the_same_codes_and_distances(void **state)
{
    enum { DIM = 43, ROWS = 50 };
    (void)state;
    for (int i = 0; i < SPECS; i++) {
        float *x = draw(ROWS * DIM, 1, 2), out[ROWS], again[ROWS];
        evdb_codec *c = made_codec_on(specs[i], DIM, x, ROWS), *back = NULL;
        void *bytes;
        size_t size;
        char *codes, others[ROWS * 100];
        float *y = made_round_trip(c, x, ROWS, &codes);
        ok(evdb_codec_save(c, &bytes, &size, &why));
        ok(evdb_codec_load(bytes, size, NULL, &back, &why));
        ok(evdb_codec_encode(back, x, ROWS, others, NULL, &why));
        assert_memory_equal(codes, others, ROWS * evdb_codec_bound(c));
        ok(evdb_codec_distances(c, EVDB_EUCLIDEAN, x, codes, NULL, ROWS, out, &why));
        ok(evdb_codec_distances(back, EVDB_EUCLIDEAN, x, codes, NULL, ROWS, again, &why));
        assert_memory_equal(out, again, sizeof(out));
        evdb_bytes_free(bytes);
        free(x), free(y), free(codes);
        evdb_codec_free(c), evdb_codec_free(back);
    }
}

static void codes_that_nobody_made_are_refused_or_decoded_finite(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 50);
        evdb_codec *c = made_codec_on(specs[round % SPECS], dim, NULL, 0);
        uint8_t code[100];
        float y[50], out;
        for (size_t i = 0; i < sizeof(code); i++) code[i] = (uint8_t)seed_next(&seed);
        evdb_status rc = evdb_codec_decode(c, code, NULL, 1, y, &why);
        assert_true(rc == EVDB_OK || rc == EVDB_CORRUPT);
        for (uint32_t i = 0; rc == EVDB_OK && i < dim; i++) assert_true(isfinite(y[i]));
        if (rc == EVDB_OK) ok(evdb_codec_distances(c, EVDB_IP, y, code, NULL, 1, &out, &why));
        memset(code, 0xff, sizeof(code));
        refused_item(EVDB_CORRUPT, 0, evdb_codec_decode(c, code, NULL, 1, y, &why));
        evdb_codec_free(c);
    }
}

static void parameters_are_as_they_are_told(void **state)
{
    char text[EVDB_CODEC_SPEC_MAX + 1];
    (void)state;
    ok(evdb_codec_check("rabitq", 7, text, NULL, &why));
    assert_string_equal(text, "rotate+rabitq");
    ok(evdb_codec_check("rotate:0+lsh:7", 7, text, NULL, &why));
    assert_string_equal(text, "rotate+lsh");
    ok(evdb_codec_check("lsh:64", 0, text, NULL, &why));
    assert_string_equal(text, "rotate+lsh:64");
    refused(EVDB_INVALID, evdb_codec_check("lsh:0", 7, NULL, NULL, &why));
    expect_says("the number of bits is 1 to 65536");
    refused(EVDB_INVALID, evdb_codec_check("rotate:x", 7, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_codec_check("rabitq:x", 7, NULL, NULL, &why));
    refused(EVDB_LIMIT, evdb_codec_check("lsh:9000", 5000, NULL, NULL, &why));
    ok(evdb_codec_check("lsh:4000", 5000, NULL, NULL, &why));
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotations_keep_products_and_come_back),
        cmocka_unit_test(one_element_becomes_all_of_about_the_same_size),
        cmocka_unit_test(what_would_leave_the_floats_becomes_the_largest),
        cmocka_unit_test(rabitq_keeps_most_of_a_vector_in_a_bit_an_element),
        cmocka_unit_test(rabitq_estimates_distances_without_bias),
        cmocka_unit_test(lsh_tells_angles_the_better_the_more_bits),
        cmocka_unit_test(lsh_bits_are_the_sides_of_planes_whatever_their_number),
        cmocka_unit_test(anything_finite_gives_what_is_finite),
        cmocka_unit_test(a_centre_as_large_as_floats_leaves_room_for_what_is_around_it),
        cmocka_unit_test(a_loaded_codec_makes_the_same_codes_and_distances),
        cmocka_unit_test(codes_that_nobody_made_are_refused_or_decoded_finite),
        cmocka_unit_test(parameters_are_as_they_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
