/* test_kernel_signs.c - kernels over signs and Hadamard's transform, for every table this machine can run. */
#include "kernel/kernel.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 1100 };
static uint64_t seed;

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static size_t length(size_t round) { return round < 150 ? round + 1 : 1 + seed_below(&seed, MOST); }
static int bit(const uint8_t *bits, size_t i) { return bits[i / 8] >> i % 8 & 1; }

static void bits_tell_the_side_and_give_it_back(void **state)
{
    (void)state;
    for (size_t round = 0; round < 170; round++) {
        size_t n = length(round), bytes = (n + 7) / 8;
        float x[MOST], centre[MOST], back[MOST + 1];
        uint8_t bits[MOST / 8 + 2];
        seed_floats(&seed, x, n);
        seed_floats(&seed, centre, n);
        for (size_t i = 0; i < n; i += 7) x[i] = centre[i];
        EACH_KERNEL(k) {
            memset(bits, 0xff, sizeof(bits));
            back[n] = 42;
            k->signs->above(x, centre, n, bits);
            k->signs->beside(bits, centre, 0.25f, n, back);
            assert_true(bits[bytes] == 0xff && back[n] == 42);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(bit(bits, i), x[i] > centre[i]);
                assert_true(back[i] == centre[i] + (bit(bits, i) ? 0.25f : -0.25f));
            }
            for (size_t i = n; i < 8 * bytes; i++) assert_int_equal(bit(bits, i), 0);
        }
    }
}

static void sums_by_signs_agree_with_sums_in_double(void **state)
{
    (void)state;
    for (size_t round = 0; round < 170; round++) {
        size_t n = length(round);
        float q[MOST], zero[MOST] = { 0 }, x[MOST];
        uint8_t bits[MOST / 8 + 1];
        double sum = 0, terms = 0;
        seed_floats(&seed, q, n);
        seed_floats(&seed, x, n);
        kernel_scalar.signs->above(x, zero, n, bits);
        for (size_t i = 0; i < n; i++) sum += bit(bits, i) ? q[i] : -q[i], terms += fabs(q[i]);
        EACH_KERNEL(k) assert_true(fabs(k->signs->dot(q, bits, n) - sum) <= 1e-6 * sqrt((double)n) * terms);
    }
}

static void hadamards_transform_is_sums_by_the_parity_of_common_bits(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 1024; n *= 2) {
        float x[1024], by[1024], y[1024], z[1024];
        seed_floats(&seed, x, n);
        seed_floats(&seed, by, n);
        EACH_KERNEL(k) {
            memcpy(y, x, n * sizeof(*x));
            memcpy(z, x, n * sizeof(*x));
            k->signs->hadamard(by, y, n);
            k->signs->hadamard_back(by, z, n);
            for (size_t i = 0; i < n; i++) {
                double forward = 0, back = 0;
                for (size_t j = 0; j < n; j++) {
                    int sign = __builtin_popcountll(i & j) % 2 ? -1 : 1;
                    forward += sign * (double)x[j] * by[j];
                    back += sign * (double)x[j];
                }
                assert_true(fabs(y[i] - forward) <= 1e-6 * (double)n);
                assert_true(fabs(z[i] - back * by[i]) <= 1e-6 * (double)n);
            }
        }
    }
}

static void what_mingles_twice_is_as_it_was(void **state)
{
    (void)state;
    for (size_t n = 0; n < 100; n++) {
        float x[201], y[201], cosine[100], sine[100];
        seed_floats(&seed, x, 201);
        for (size_t i = 0; i < n; i++) cosine[i] = cosf(x[i]), sine[i] = sinf(x[i]);
        EACH_KERNEL(k) {
            memcpy(y, x, sizeof(x));
            k->signs->mingle(cosine, sine, y, y + n + 1, n);
            for (size_t i = 0; i < n; i++) assert_true(fabs(y[i] - ((double)cosine[i] * x[i] + (double)sine[i] * x[i + n + 1])) < 1e-6);
            assert_true(y[n] == x[n]);
            k->signs->mingle(cosine, sine, y, y + n + 1, n);
            for (size_t i = 0; i < 201; i++) assert_true(fabsf(x[i] - y[i]) < 1e-6f);
        }
    }
}

static void nothing_is_read_behind_the_last_element(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    float back[200];
    uint8_t bits[25];
    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    EACH_KERNEL(k)
        for (size_t n = 1; n <= 200; n++) {
            const float *x = (const float *)(const void *)(pages + page) - n;
            const uint8_t *row = (const uint8_t *)pages + page - (n + 7) / 8;
            k->signs->above(x, x, n, bits);
            assert_int_equal(bits[0], 0);
            k->signs->beside(row, x, 0, n, back);
            assert_true(k->signs->dot(x, row, n) == 0);
        }
    munmap(pages, 2 * page);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_tell_the_side_and_give_it_back),
        cmocka_unit_test(sums_by_signs_agree_with_sums_in_double),
        cmocka_unit_test(hadamards_transform_is_sums_by_the_parity_of_common_bits),
        cmocka_unit_test(what_mingles_twice_is_as_it_was),
        cmocka_unit_test(nothing_is_read_behind_the_last_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
