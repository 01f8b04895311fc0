/* test_kernel.c - every kernel table against sums in double, and metrics at the ends of float. */
#include "kernel/kernel.h"
#include "kernel/metric.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t seed;

static float noise(void) { return (float)((double)(seed_next(&seed) >> 11) / (1ull << 52) - 1); }

typedef struct sums { double dot, l2sq, l1, terms_dot, differ; } sums;

static sums reference(const float *a, const float *b, size_t n)
{
    sums s = { 0 };
    for (size_t i = 0; i < n; i++) {
        double x = a[i], y = b[i];
        s.dot += x * y;
        s.terms_dot += fabs(x * y);
        s.l2sq += (x - y) * (x - y);
        s.l1 += fabs(x - y);
        s.differ += x != y;
    }
    return s;
}

static void assert_near(double got, double expected, double terms, size_t n)
{
    if (!(fabs(got - expected) <= 1e-6 * sqrt((double)n) * terms + FLT_MIN))
        fail_msg("n %zu: %.9g where %.9g was expected (terms %.9g)", n, got, expected, terms);
}

/* Each test runs for all tables this machine can run. */
#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static void pairs_of_every_length_and_alignment_agree_with_sums_in_double(void **state)
{
    (void)state;
    enum { LONG = 65536, EVERY = 301 };
    static const size_t large[] = { 384, 768, 784, 1000, 1536, 4096, 4099, LONG };
    float *a = malloc(LONG * sizeof(*a)), *b = malloc(LONG * sizeof(*b));
    char *shifted = malloc((LONG + 1) * sizeof(float));
    assert_true(a && b && shifted);
    for (size_t i = 0; i < LONG; i++) a[i] = noise(), b[i] = seed_next(&seed) % 3 ? noise() : a[i];
    EACH_KERNEL(k)
        for (size_t i = 0; i < EVERY + sizeof(large) / sizeof(*large); i++) {
            size_t n = i < EVERY ? i : large[i - EVERY];
            sums s = reference(a, b, n);
            for (size_t shift = 0; shift < sizeof(float); shift++) {
                memcpy(shifted + shift, b, n * sizeof(float));
                const float *y = (const float *)(const void *)(shifted + shift);
                assert_near(k->dot_f32(a, y, n), s.dot, s.terms_dot, n);
                assert_near(k->l2sq_f32(a, y, n), s.l2sq, s.l2sq, n);
                assert_near(k->l1_f32(y, a, n), s.l1, s.l1, n);
                assert_true(k->differ_f32(a, y, n) == s.differ);
            }
            assert_near(k->dot_f32(a, b, n), kernel_scalar.dot_f32(a, b, n), s.terms_dot, n);
            assert_near(k->l2sq_f32(a, b, n), kernel_scalar.l2sq_f32(a, b, n), s.l2sq, n);
            assert_near(k->l1_f32(a, b, n), kernel_scalar.l1_f32(a, b, n), s.l1, n);
        }
    free(a), free(b), free(shifted);
}

static void rows_agree_with_pairs_bit_for_bit(void **state)
{
    (void)state;
    enum { DIM = 200, ROWS = 11, STRIDE = DIM + 5 };
    float base[ROWS * STRIDE], q[DIM], out[ROWS + 1];
    for (size_t i = 0; i < ROWS * STRIDE; i++) base[i] = noise();
    for (size_t i = 0; i < DIM; i++) q[i] = noise();
    EACH_KERNEL(k)
        for (size_t n = 0; n <= DIM; n++)
            for (size_t rows = 0; rows <= ROWS; rows++) {
                out[rows] = 42;
                k->dot_f32_rows(q, base, STRIDE, rows, n, out);
                for (size_t r = 0; r < rows; r++) assert_true(out[r] == k->dot_f32(q, base + r * STRIDE, n));
                k->l2sq_f32_rows(q, base, STRIDE, rows, n, out);
                for (size_t r = 0; r < rows; r++) assert_true(out[r] == k->l2sq_f32(q, base + r * STRIDE, n));
                k->l1_f32_rows(q, base, STRIDE, rows, n, out);
                for (size_t r = 0; r < rows; r++) assert_true(out[r] == k->l1_f32(q, base + r * STRIDE, n));
                k->differ_f32_rows(q, base, STRIDE, rows, n, out);
                for (size_t r = 0; r < rows; r++) assert_true(out[r] == k->differ_f32(q, base + r * STRIDE, n));
                assert_true(out[rows] == 42);
            }
}

static void nothing_is_read_beyond_the_last_element(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    EACH_KERNEL(k)
        for (size_t n = 0; n <= 200; n++) {
            const float *end = (const float *)(const void *)(pages + page) - n;
            assert_true(k->dot_f32(end, end, n) == 0);
            assert_true(k->l2sq_f32(end, end, n) == 0);
            assert_true(k->l1_f32(end, end, n) == 0);
            assert_true(k->differ_f32(end, end, n) == 0);
            assert_true(k->finite_f32(end, n));
        }
    munmap(pages, 2 * page);
}

static void one_value_that_is_not_finite_is_found_wherever_it_is(void **state)
{
    (void)state;
    const float bad[] = { NAN, -NAN, INFINITY, -INFINITY };
    float v[41];
    EACH_KERNEL(k)
        for (size_t n = 0; n <= 40; n++) {
            for (size_t i = 0; i <= 40; i++) v[i] = i % 2 ? FLT_MAX : -FLT_TRUE_MIN;
            v[n] = NAN; /* behind the end */
            assert_true(k->finite_f32(v, n));
            for (size_t i = 0; i < n; i++) {
                v[i] = bad[i % 4];
                assert_false(k->finite_f32(v, n));
                v[i] = 0;
            }
        }
}

static void the_best_kernel_is_the_first_that_is_usable_and_scalar_always_is(void **state)
{
    (void)state;
    const kernel *last = NULL, *first = NULL;
    for (size_t i = 0; kernels[i]; i++) {
        last = kernels[i];
        if (!first && last->usable()) first = last;
    }
    assert_ptr_equal(last, &kernel_scalar);
    assert_true(kernel_scalar.usable());
    assert_ptr_equal(kernel_best(), first);
    assert_ptr_equal(kernel_best(), kernel_best());
    const char *expected = getenv("EVDB_KERNEL"); /* set by whoever chose the processor */
    if (expected) assert_string_equal(kernel_best()->name, expected);
}

/* ---- metrics ---- */

static double exact(evdb_metric metric, const float *a, const float *b, size_t n)
{
    sums s = reference(a, b, n);
    switch (metric) {
    case EVDB_COSINE:
        return 1 - s.dot / (sqrt(reference(a, a, n).dot) * sqrt(reference(b, b, n).dot));
    case EVDB_EUCLIDEAN: return sqrt(s.l2sq);
    case EVDB_MANHATTAN: return s.l1;
    case EVDB_IP: return -s.dot;
    case EVDB_HAMMING: case EVDB_CUSTOM: break;
    }
    return s.differ;
}

static float measured(const kernel *k, evdb_metric metric, const float *a, const float *b, size_t n)
{
    float inverse = metric_inverse_norm(b, n), out;
    metric_distances(k, metric, a, metric_inverse_norm(a, n), b, n, 1, n, &inverse, &out);
    return out;
}

static void metrics_are_right_at_every_scale_a_float_can_have(void **state)
{
    (void)state;
    enum { DIM = 19 };
    static const float scales[] = { 1e-44f, 1e-40f, 1e-38f, 1e-30f, 1e-22f, 1e-16f, 1e-10f, 1, 1e10f, 1e15f, 1e17f,
                                    1e19f, 1e30f, 3.4e38f };
    enum { SCALES = sizeof(scales) / sizeof(*scales) };
    float a[DIM], b[DIM];
    EACH_KERNEL(k)
        for (size_t i = 0; i < SCALES * SCALES; i++) {
            for (size_t j = 0; j < DIM; j++) a[j] = noise() * scales[i / SCALES], b[j] = noise() * scales[i % SCALES];
            a[0] = scales[i / SCALES], b[0] = -scales[i % SCALES]; /* neither is all zeros */
            double ip_terms = reference(a, b, DIM).terms_dot;
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                double expected = exact(m, a, b, DIM);
                float got = measured(k, m, a, b, DIM);
                assert_false(isnan(got));
                double terms = m == EVDB_COSINE ? 2 : m == EVDB_IP ? ip_terms : expected;
                if (fabs(expected) + 1e-5 * terms < FLT_MAX) assert_near(got, expected, terms, DIM);
                else if (fabs(expected) > 1.0001 * FLT_MAX) assert_true(isinf(got) && (got > 0) == (expected > 0));
            }
        }
}

static void sums_that_cancel_beyond_float_are_not_lost(void **state)
{
    (void)state;
    const float a[] = { 3e38f, 3e38f, 2 }, b[] = { 3e38f, -3e38f, 3 };
    EACH_KERNEL(k) {
        assert_true(measured(k, EVDB_IP, a, b, 3) == -6);
        assert_true(measured(k, EVDB_COSINE, a, b, 3) == 1);
        assert_true(measured(k, EVDB_COSINE, a, a, 3) == 0);
        assert_true(measured(k, EVDB_EUCLIDEAN, a, a, 3) == 0);
        assert_true(measured(k, EVDB_EUCLIDEAN, a, b, 3) == INFINITY);
        assert_true(measured(k, EVDB_MANHATTAN, a, b, 3) == INFINITY);
        assert_true(measured(k, EVDB_IP, b, b, 3) == -INFINITY);
    }
}

static void a_cosine_distance_stays_within_0_and_2_and_an_orthogonal_product_is_plain_zero(void **state)
{
    (void)state;
    float a[100], b[100];
    EACH_KERNEL(k) {
        for (size_t n = 1; n <= 100; n++) {
            for (size_t i = 0; i < n; i++) a[i] = noise(), b[i] = -a[i];
            float same = measured(k, EVDB_COSINE, a, a, n), opposite = measured(k, EVDB_COSINE, a, b, n);
            assert_true(same >= 0 && same <= 1e-6f);
            assert_true(opposite <= 2 && opposite >= 2 - 1e-6f);
        }
        const float x[] = { 1, 0 }, y[] = { 0, 1 };
        assert_true(measured(k, EVDB_IP, x, y, 2) == 0);
        assert_false(signbit(measured(k, EVDB_IP, x, y, 2)));
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_every_length_and_alignment_agree_with_sums_in_double),
        cmocka_unit_test(rows_agree_with_pairs_bit_for_bit),
        cmocka_unit_test(nothing_is_read_beyond_the_last_element),
        cmocka_unit_test(one_value_that_is_not_finite_is_found_wherever_it_is),
        cmocka_unit_test(the_best_kernel_is_the_first_that_is_usable_and_scalar_always_is),
        cmocka_unit_test(metrics_are_right_at_every_scale_a_float_can_have),
        cmocka_unit_test(sums_that_cancel_beyond_float_are_not_lost),
        cmocka_unit_test(a_cosine_distance_stays_within_0_and_2_and_an_orthogonal_product_is_plain_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
