/* test_codes.c - kernel/codes.h and codec/sq.h: every table sums as the scalar one does, and codes stand for their vectors. */
#include "codec/sq.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static float noise(void) { return (float)((double)(seed_next(&seed) >> 11) / (1ull << 52) - 1); }

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static void sums_over_codes_are_exact_in_every_table(void **state)
{
    (void)state;
    enum { ROWS = 9, LONG = 65536 };
    static const size_t lengths[] = { 64, 128, 192, 256, 320, 384, 832, 1536, LONG };
    uint8_t *base = malloc(ROWS * (LONG + CODE_HEADER));
    int8_t *q = malloc(LONG);
    uint8_t *a = malloc(LONG);
    uint32_t rows[ROWS] = { 8, 0, 3, 3, 1, 7, 2, 6, 5 };
    assert_true(base && q && a);
    for (int extreme = 0; extreme < 2; extreme++)
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
            size_t n = lengths[l], stride = n + CODE_HEADER;
            int32_t expected[ROWS], got[ROWS];
            for (size_t i = 0; i < ROWS * stride; i++) base[i] = extreme ? 255 : (uint8_t)(seed_next(&seed) >> 8);
            for (size_t i = 0; i < n; i++) a[i] = extreme ? 255 : (uint8_t)(seed_next(&seed) >> 8);
            EACH_KERNEL(k) {
                for (size_t i = 0; i < n; i++)
                    q[i] = (int8_t)(extreme ? CODE_QUERY_U8 : (int)(seed_next(&seed) % (2 * CODE_QUERY_U8 + 1)) - CODE_QUERY_U8);
                codes_scalar.dot_u8_at(q, base, stride, rows, ROWS, n, expected);
                k->codes->dot_u8_at(q, base, stride, rows, ROWS, n, got);
                assert_memory_equal(got, expected, sizeof(got));
                for (size_t i = 0; i < n; i++)
                    q[i] = (int8_t)(extreme ? -CODE_QUERY_U4 : (int)(seed_next(&seed) % (2 * CODE_QUERY_U4 + 1)) - CODE_QUERY_U4);
                codes_scalar.dot_u4_at(q, base, stride, rows, ROWS, n, expected);
                k->codes->dot_u4_at(q, base, stride, rows, ROWS, n, got);
                assert_memory_equal(got, expected, sizeof(got));
                codes_scalar.dot_u8u8_at(a, base, stride, rows, ROWS, n, expected);
                k->codes->dot_u8u8_at(a, base, stride, rows, ROWS, n, got);
                assert_memory_equal(got, expected, sizeof(got));
            }
        }
    free(base), free(q), free(a);
}

static double l2sq(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum;
}

/* Half a step an element is the most that rounding moves; the query moves likewise. */
static double slack(sq_bits bits, const float *x, const float *q, size_t n)
{
    float low = x[0], high = x[0], most = 0;
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, x[i]), high = fmaxf(high, x[i]);
        most = fmaxf(most, fabsf(q[i]));
    }
    double step = (high - low) / (bits == SQ_8 ? 255 : 15), scale = most / (bits == SQ_8 ? CODE_QUERY_U8 : CODE_QUERY_U4);
    /* 4 bits may give up 40 % of the range at the ends for finer steps where most elements are */
    return (bits == SQ_8 ? 0.51 : 3.2) * step * sqrt((double)n) + 0.51 * scale * sqrt((double)n);
}

static void distances_by_codes_are_near_the_exact_ones(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 2, 3, 63, 64, 65, 100, 128, 129, 384, 784, 1000 };
    for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++) {
        enum { ROWS = 20 };
        size_t dim = dims[d], stride8 = sq_stride(SQ_8, dim), stride4 = sq_stride(SQ_4, dim);
        float *x = malloc(ROWS * dim * sizeof(*x)), *q = malloc(dim * sizeof(*q)), out[ROWS], pairs[ROWS];
        uint8_t *c8 = malloc(ROWS * stride8), *c4 = malloc(ROWS * stride4);
        uint32_t rows[ROWS];
        int8_t *space = malloc(sq_padded(dim));
        for (size_t i = 0; i < dim; i++) q[i] = noise();
        for (uint32_t i = 0; i < ROWS; i++) {
            rows[i] = i;
            for (size_t j = 0; j < dim; j++) x[i * dim + j] = noise() * (float)(i + 1);
            sq_encode(SQ_8, x + i * dim, dim, c8 + i * stride8);
            sq_encode(SQ_4, x + i * dim, dim, c4 + i * stride4);
        }
        EACH_KERNEL(k)
            for (int bits = SQ_4; bits <= SQ_8; bits += SQ_8 - SQ_4) {
                sq_query query = { .at = space };
                sq_prepare((sq_bits)bits, q, dim, &query);
                sq_distances(k, (sq_bits)bits, &query, bits == SQ_8 ? c8 : c4, bits == SQ_8 ? stride8 : stride4, dim, rows, ROWS, out);
                for (uint32_t i = 0; i < ROWS; i++) {
                    double exact = sqrt(l2sq(q, x + i * dim, dim)), near = sqrt(fmax(out[i], 0));
                    if (fabs(exact - near) > slack((sq_bits)bits, x + i * dim, q, dim) + 1e-2 * exact)
                        fail_msg("%s, %d bits, dim %zu, row %u: %g for %g", k->name, bits, dim, i, near, exact);
                }
                sq_pair_distances(k, c8, stride8, dim, 3, rows, ROWS, pairs);
                for (uint32_t i = 0; i < ROWS; i++) {
                    double exact = sqrt(l2sq(x + 3 * dim, x + i * dim, dim)), near = sqrt(fmax(pairs[i], 0));
                    double room = slack(SQ_8, x + i * dim, x, dim) + slack(SQ_8, x + 3 * dim, x, dim);
                    if (fabs(exact - near) > room + 1e-2 * exact) fail_msg("%s pair, dim %zu: %g for %g", k->name, dim, near, exact);
                }
            }
        free(x), free(q), free(c8), free(c4), free(space);
    }
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

/* What a code is off by, times how long the other is. */
static void expect_dot(double got, const float *a, const float *b, size_t n, sq_bits bits, int line)
{
    double room = slack(bits, a, b, n) * (sqrt(dot(b, b, n)) + sqrt(dot(a, a, n))) + 1e-2;
    if (fabs(got - dot(a, b, n)) > room) fail_msg("line %d: dim %zu, %d bits: %g for %g", line, n, (int)bits, got, dot(a, b, n));
}

static void inner_products_by_codes_are_near_the_exact_ones_in_every_table(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 2, 3, 63, 65, 100, 129, 784 };
    for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++) {
        enum { ROWS = 12 };
        size_t dim = dims[d], strides[] = { sq_stride(SQ_4, dim), sq_stride(SQ_8, dim) };
        float *x = malloc(ROWS * dim * sizeof(*x)), *q = malloc(dim * sizeof(*q)), out[ROWS], plain[ROWS];
        uint8_t *codes[] = { malloc(ROWS * strides[0]), malloc(ROWS * strides[1]) };
        uint32_t rows[ROWS];
        int8_t *space = malloc(sq_padded(dim));
        for (size_t i = 0; i < dim; i++) q[i] = noise();
        for (uint32_t i = 0; i < ROWS; i++) {
            rows[i] = i;
            for (size_t j = 0; j < dim; j++) x[i * dim + j] = noise() * (float)(i + 1) + (i % 3 ? 0 : 2);
            sq_encode(SQ_4, x + i * dim, dim, codes[0] + i * strides[0]);
            sq_encode(SQ_8, x + i * dim, dim, codes[1] + i * strides[1]);
        }
        EACH_KERNEL(k) {
            for (int b = 0; b < 2; b++) {
                sq_bits bits = b ? SQ_8 : SQ_4;
                sq_query query = { .at = space };
                sq_prepare(bits, q, dim, &query);
                sq_dots(k, bits, &query, codes[b], strides[b], dim, rows, ROWS, out);
                sq_dots(&kernel_scalar, bits, &query, codes[b], strides[b], dim, rows, ROWS, plain);
                assert_memory_equal(out, plain, sizeof(out)); /* sums of integers: the same in every table */
                for (uint32_t i = 0; i < ROWS; i++) expect_dot(out[i], x + i * dim, q, dim, bits, __LINE__);
            }
            sq_pair_dots(k, codes[1], strides[1], dim, 3, rows, ROWS, out);
            for (uint32_t i = 0; i < ROWS; i++) {
                float back;
                sq_pair_dots(k, codes[1], strides[1], dim, i, &(uint32_t){ 3 }, 1, &back);
                assert_true(fabsf(back - out[i]) <= 1e-5f * fabsf(back) + 1e-5f);
                expect_dot(out[i], x + i * dim, x + 3 * dim, dim, SQ_8, __LINE__);
            }
        }
        free(x), free(q), free(codes[0]), free(codes[1]), free(space);
    }
}

static void inner_products_beyond_float_are_infinite_and_never_nan(void **state)
{
    (void)state;
    enum { DIM = 70, ROWS = 4 };
    float v[DIM], out[ROWS];
    size_t stride = sq_stride(SQ_8, DIM);
    uint8_t *codes = malloc(ROWS * stride);
    int8_t space[128];
    sq_query query = { .at = space };
    static const float sizes[ROWS] = { 0, 1, 1e30f, -1e30f };
    for (uint32_t r = 0; r < ROWS; r++) {
        for (int i = 0; i < DIM; i++) v[i] = sizes[r] * (float)(1 + i % 2);
        sq_encode(SQ_8, v, DIM, codes + r * stride);
    }
    sq_prepare(SQ_8, v, DIM, &query);
    sq_dots(kernel_best(), SQ_8, &query, codes, stride, DIM, (uint32_t[]){ 0, 1, 2, 3 }, ROWS, out);
    assert_true(out[0] == 0 && out[1] < -1e30f && out[2] == -INFINITY && out[3] == INFINITY);
    sq_pair_dots(kernel_best(), codes, stride, DIM, 2, (uint32_t[]){ 0, 1, 2, 3 }, ROWS, out);
    assert_true(out[0] == 0 && out[1] > 1e30f && out[2] == INFINITY && out[3] == -INFINITY);
    free(codes);
}

static void constant_and_huge_vectors_have_finite_distances(void **state)
{
    (void)state;
    enum { DIM = 70 };
    float constant[DIM], huge[DIM], q[DIM], out[2];
    size_t stride = sq_stride(SQ_4, DIM);
    uint8_t *codes = malloc(2 * stride);
    int8_t space[128];
    sq_query query = { .at = space };
    for (int i = 0; i < DIM; i++) constant[i] = 0.25f, huge[i] = i % 2 ? 1e18f : -1e18f, q[i] = 0.25f;
    sq_encode(SQ_4, constant, DIM, codes);
    sq_encode(SQ_4, huge, DIM, codes + stride);
    sq_prepare(SQ_4, q, DIM, &query);
    sq_distances(kernel_best(), SQ_4, &query, codes, stride, DIM, (uint32_t[]){ 0, 1 }, 2, out);
    assert_true(fabsf(out[0]) < 1e-3f);
    assert_true(isfinite(out[1]) && out[1] > 1e30f);
    free(codes);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_codes_are_exact_in_every_table),
        cmocka_unit_test(distances_by_codes_are_near_the_exact_ones),
        cmocka_unit_test(inner_products_by_codes_are_near_the_exact_ones_in_every_table),
        cmocka_unit_test(inner_products_beyond_float_are_infinite_and_never_nan),
        cmocka_unit_test(constant_and_huge_vectors_have_finite_distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
