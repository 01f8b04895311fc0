/* test_kernel_elements.c - kernels over smaller elements against sums in double, for every table this machine can run. */
#include "base/element.h"
#include "kernel/kernel.h"
#include "kernel/metric.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG = 65536, ROWS = 3 };

static const evdb_dtype dtypes[] = { EVDB_F16, EVDB_I8, EVDB_BIT };
enum { DTYPES = sizeof(dtypes) / sizeof(*dtypes) };
static uint64_t seed;

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static const element_sums *sums_of(const kernel *k, evdb_dtype dtype)
{
    return dtype == EVDB_F16 ? &k->elements->f16 : dtype == EVDB_I8 ? &k->elements->i8 : &k->elements->bit;
}

static float draw(evdb_dtype dtype)
{
    float x;
    if (dtype == EVDB_BIT) return (float)seed_below(&seed, 2);
    if (dtype == EVDB_I8) return (float)seed_below(&seed, 256) - 128;
    seed_floats(&seed, &x, 1);
    return element_from_half(element_half(x));
}

static void assert_near(double got, double expected, double terms, size_t n)
{
    if (!(fabs(got - expected) <= 1e-6 * sqrt((double)n) * terms)) fail_msg("n %zu: %.9g where %.9g was expected", n, got, expected);
}

/* Rows at a stride that leaves some unaligned. */
static void check(const kernel *k, evdb_dtype dtype, size_t n, const float *q, const float *v, const unsigned char *rows, size_t stride)
{
    const element_sums *sums = sums_of(k, dtype);
    float dot[ROWS], l2sq[ROWS], l1[ROWS], differ[ROWS], one;
    sums->dot(q, rows, stride, ROWS, n, dot);
    sums->l2sq(q, rows, stride, ROWS, n, l2sq);
    sums->l1(q, rows, stride, ROWS, n, l1);
    sums->differ(q, rows, stride, ROWS, n, differ);
    for (size_t r = 0; r < ROWS; r++) {
        double expected[4] = { 0 }, terms = 0;
        for (size_t i = 0; i < n; i++) {
            double x = q[i], y = v[r * n + i];
            expected[0] += x * y, terms += fabs(x * y), expected[1] += (x - y) * (x - y), expected[2] += fabs(x - y), expected[3] += x != y;
        }
        assert_near(dot[r], expected[0], terms, n);
        assert_near(l2sq[r], expected[1], expected[1], n);
        assert_near(l1[r], expected[2], expected[2], n);
        assert_true(differ[r] == expected[3]);
        if (dtype == EVDB_BIT) assert_true(dot[r] == expected[0] && l2sq[r] == expected[1] && l1[r] == expected[2]);
        sums->l2sq(q, rows + r * stride, stride, 1, n, &one);
        assert_true(one == l2sq[r]); /* whatever its neighbours */
    }
}

static void rows_of_every_length_agree_with_sums_in_double(void **state)
{
    static const size_t large[] = { 384, 768, 1000, 4099, LONG };
    enum { EVERY = 150 };
    float *q = malloc(LONG * sizeof(*q)), *v = malloc(ROWS * LONG * sizeof(*v));
    unsigned char *rows = malloc(ROWS * (2 * LONG + 1));
    (void)state;
    assert_true(q && v && rows);
    for (int d = 0; d < DTYPES; d++)
        for (size_t c = 0; c < EVERY + sizeof(large) / sizeof(*large); c++) {
            size_t n = c < EVERY ? c : large[c - EVERY], stride = element_bytes(dtypes[d], (uint32_t)n) + 1;
            for (size_t i = 0; i < n; i++) q[i] = draw(dtypes[d]);
            for (size_t i = 0; i < ROWS * n; i++) v[i] = seed_below(&seed, 3) ? draw(dtypes[d]) : q[i % n];
            memset(rows, 0xff, ROWS * stride);
            for (size_t r = 0; r < ROWS; r++) element_encode(dtypes[d], v + r * n, (uint32_t)n, rows + r * stride);
            EACH_KERNEL(k) check(k, dtypes[d], n, q, v, rows, stride);
        }
    free(q), free(v), free(rows);
}

static void nothing_is_read_behind_a_row(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    float q[300] = { 0 }, out;
    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    EACH_KERNEL(k)
        for (int d = 0; d < DTYPES; d++)
            for (size_t n = 0; n <= 300; n++) {
                const char *row = pages + page - element_bytes(dtypes[d], (uint32_t)n);
                sums_of(k, dtypes[d])->dot(q, row, 0, 1, n, &out);
                assert_true(out == 0);
                sums_of(k, dtypes[d])->differ(q, row, 0, 1, n, &out);
                assert_true(out == 0);
            }
    munmap(pages, 2 * page);
}

static void bits_are_counted_as_floats_are_added(void **state)
{
    enum { MOST = 400, WORDS = (MOST + 63) / 64, STRIDE = WORDS * 8 + 1 };
    (void)state;
    for (uint32_t n = 1; n <= MOST; n++) {
        float q[MOST], v[MOST], inverses[ROWS], counted[ROWS], added[ROWS];
        uint64_t bits[WORDS] = { 0 };
        unsigned char rows[ROWS * STRIDE] = { 0 };
        for (uint32_t i = 0; i < n; i++) q[i] = draw(EVDB_BIT);
        q[0] = 1;
        element_encode(EVDB_BIT, q, n, bits);
        for (size_t r = 0; r < ROWS; r++) {
            for (uint32_t i = 0; i < n; i++) v[i] = draw(EVDB_BIT);
            v[n - 1] = 1;
            element_encode(EVDB_BIT, v, n, rows + r * STRIDE);
            inverses[r] = metric_inverse_norm(v, n);
        }
        EACH_KERNEL(k)
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                float inverse = metric_inverse_norm(q, n);
                metric_bit_distances(k, m, bits, inverse, rows, STRIDE, ROWS, (n + 63) / 64, inverses, counted);
                metric_element_distances(k, m, EVDB_BIT, q, inverse, rows, STRIDE, ROWS, n, inverses, added);
                assert_memory_equal(counted, added, sizeof(counted));
            }
    }
}

static void distances_are_those_of_the_floats(void **state)
{
    enum { DIM = 77 };
    (void)state;
    EACH_KERNEL(k)
        for (int d = 0; d < DTYPES; d++)
            for (evdb_metric m = EVDB_COSINE; m <= EVDB_HAMMING; m++) {
                float q[DIM], v[DIM], got, wanted, same;
                unsigned char row[2 * DIM];
                for (int i = 0; i < DIM; i++) q[i] = draw(dtypes[d]), v[i] = draw(dtypes[d]);
                q[0] = v[0] = 1;
                float qi = metric_inverse_norm(q, DIM), vi = metric_inverse_norm(v, DIM);
                element_encode(dtypes[d], v, DIM, row);
                metric_element_distances(k, m, dtypes[d], q, qi, row, 0, 1, DIM, &vi, &got);
                metric_distances(k, m, q, qi, v, DIM, 1, DIM, &vi, &wanted);
                metric_element_distances(k, m, dtypes[d], v, vi, row, 0, 1, DIM, &vi, &same);
                assert_near(got, wanted, fabs((double)wanted) + (m == EVDB_COSINE ? 1 : m == EVDB_IP ? 1e5 : 0), DIM);
                if (m != EVDB_IP) assert_true(same >= 0 && same <= 1e-6f);
            }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_length_agree_with_sums_in_double),
        cmocka_unit_test(nothing_is_read_behind_a_row),
        cmocka_unit_test(bits_are_counted_as_floats_are_added),
        cmocka_unit_test(distances_are_those_of_the_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
