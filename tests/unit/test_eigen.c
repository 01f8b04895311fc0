/* test_eigen.c - eigenvectors, polar factors, covariances: what they promise of any matrix.
 *
 * Also for the thread sanitizer. */
#include "codec/covariance.h"
#include "codec/eigen.h"
#include "codec/polar.h"
#include "expect.h"
#include "platform/platform.h"
#include "seed.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static double noise(void) { return (double)(seed_next(&seed) >> 11) / (1ull << 52) - 1; }

enum { RANDOM, SAME, IDENTITY, ZERO, TWO_DIRECTIONS, STEEP, KINDS };

static double element(int kind, const double *u, uint32_t i, uint32_t j, uint32_t n)
{
    switch (kind) {
    case RANDOM: return noise();
    case SAME: return 1;
    case IDENTITY: return i == j;
    case ZERO: return 0;
    case TWO_DIRECTIONS: return u[i] * u[j] + u[n - 1 - i] * u[n - 1 - j];
    default: return pow(0.5, j - i) * pow(0.01, i);
    }
}

static void try_eigen(int kind, uint32_t n, uint32_t threads)
{
    double *a = calloc(n * n, sizeof(*a)), *b = calloc(n * n, sizeof(*b)), *v = calloc(n * n, sizeof(*v)), *values = calloc(2 * n, sizeof(*values));
    double *u = values + n, trace = 0, size = 0;
    const codec_training t = { .threads = threads };
    for (uint32_t i = 0; i < n; i++) u[i] = noise();
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i; j < n; j++) {
            a[i * n + j] = b[i * n + j] = b[j * n + i] = element(kind, u, i, j, n);
            size += fabs(a[i * n + j]);
        }
    ok(eigen_symmetric(&platform_real.mem, &t, a, n, values, v, &why));
    for (uint32_t i = 0; i < n; i++) {
        trace += values[i] - b[i * n + i];
        assert_true(i == 0 || values[i] <= values[i - 1]);
        for (uint32_t j = 0; j < n; j++) {
            double product = 0, image = 0;
            for (uint32_t k = 0; k < n; k++) product += v[i * n + k] * v[j * n + k], image += b[j * n + k] * v[i * n + k];
            assert_true(fabs(product - (i == j)) < 1e-12);
            assert_true(fabs(image - values[i] * v[i * n + j]) <= 1e-12 * (size + 1));
        }
    }
    assert_true(fabs(trace) <= 1e-12 * (size + 1));
    free(a), free(b), free(v), free(values);
}

static void eigenvectors_are_orthonormal_and_what_they_should_be(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        for (uint32_t n = 1; n < 12; n++) try_eigen(kind, n, 1 + n % 3);
        try_eigen(kind, 30 + (uint32_t)seed_below(&seed, 60), 3);
    }
}

/* Rows with singular values down to `least`, which tells what the polar factor is: that of the rows they are made of. */
static void try_polar(uint32_t count, uint32_t dim, double least)
{
    const codec_training t = { .threads = 2 };
    float *rows = malloc(count * dim * sizeof(*rows)), *mixed = calloc(count * dim, sizeof(*mixed));
    double *mix = calloc(count * count, sizeof(*mix)), worst = 0;
    seed_floats(&seed, rows, count * dim);
    ok(polar_rows(&platform_real.mem, kernel_best(), &t, rows, count, dim, &why));
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++) {
            double product = 0;
            for (uint32_t k = 0; k < dim; k++) product += (double)rows[i * dim + k] * rows[j * dim + k];
            worst = fmax(worst, fabs(product - (i == j)));
        }
    assert_true(worst < 1e-5);
    /* A symmetric positive matrix times orthonormal rows: these are its polar factor. */
    for (uint32_t i = 0; i < count; i++) mix[i * count + i] = 30 * (i + 1 == count ? least : 1 - 0.5 * i / count);
    for (uint32_t i = 0; i + 1 < count; i++) mix[i * count + i + 1] = mix[(i + 1) * count + i] = i + 2 < count ? 1 : 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            for (uint32_t k = 0; k < dim; k++) mixed[i * dim + k] += (float)(mix[i * count + j] * rows[j * dim + k]);
    ok(polar_rows(&platform_real.mem, kernel_best(), &t, mixed, count, dim, &why));
    for (uint32_t i = 0; i < count * dim; i++) assert_true(fabsf(mixed[i] - rows[i]) < 1e-3f);
    free(rows), free(mixed), free(mix);
}

static void the_polar_factor_of_stretched_rows_are_the_rows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        uint32_t dim = 2 + (uint32_t)seed_below(&seed, 70);
        try_polar(1 + (uint32_t)seed_below(&seed, dim / 2), dim, i % 2 ? 1 : 1e-3);
    }
}

static void a_covariance_agrees_with_sums_in_double(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 140);
        size_t count = 1 + seed_below(&seed, 700);
        float *x = malloc(count * dim * sizeof(*x)), *mean = malloc(dim * sizeof(*mean)), most = 0;
        double *sums = malloc(dim * dim * sizeof(*sums));
        seed_floats(&seed, x, count * dim);
        const codec_training t = { .sample = x, .count = count, .threads = 1 + (uint32_t)seed_below(&seed, 3) };
        ok(covariance(&platform_real.mem, kernel_best(), &t, dim, mean, sums, &why));
        for (size_t k = 0; k < count * dim; k++) most = fmaxf(most, fabsf(x[k] - mean[k % dim]));
        double unit = 0; /* a power of two */
        for (uint32_t r = 0; r < dim; r++)
            for (uint32_t c = r; c < dim; c++) {
                double sum = 0;
                for (size_t k = 0; k < count; k++) sum += ((double)x[k * dim + r] - mean[r]) * ((double)x[k * dim + c] - mean[c]);
                if (r == 0 && c == 0 && sum > 0) unit = exp2(round(log2(sums[0] / sum)));
                assert_true(fabs(sums[r * dim + c] - sum * unit) <= 1e-5 * (double)count * unit * most * most);
            }
        free(x), free(mean), free(sums);
    }
}

static void they_end_when_they_shall(void **state)
{
    atomic_bool stop = true;
    float rows[4] = { 1, 2, 3, 4 }, mean[2];
    double a[4] = { 1, 2, 2, 1 }, values[2], vectors[4];
    const codec_training t = { .threads = 1, .stop = &stop, .sample = rows, .count = 2 };
    (void)state;
    refused(EVDB_CANCELLED, polar_rows(&platform_real.mem, kernel_best(), &t, rows, 2, 2, &why));
    refused(EVDB_CANCELLED, eigen_symmetric(&platform_real.mem, &t, a, 2, values, vectors, &why));
    refused(EVDB_CANCELLED, covariance(&platform_real.mem, kernel_best(), &t, 2, mean, a, &why));
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvectors_are_orthonormal_and_what_they_should_be),
        cmocka_unit_test(the_polar_factor_of_stretched_rows_are_the_rows),
        cmocka_unit_test(a_covariance_agrees_with_sums_in_double),
        cmocka_unit_test(they_end_when_they_shall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
