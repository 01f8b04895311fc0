/* scalar.c - kernels in plain C: the reference for all others, and what unknown machines run.
 *
 * Eight running sums, because a compiler may not reorder one; it turns them into vectors where it can. */
#include "kernel/kernel.h"
#include <math.h>
#include <string.h>

enum { LANES = 8 };

static bool usable(void) { return true; }

/* Callers promise any alignment, C does not: reading through memcpy costs nothing. */
static float at(const float *p, size_t i)
{
    float v;
    memcpy(&v, (const char *)p + i * sizeof(v), sizeof(v));
    return v;
}

#define PAIR(name, TERM)                                                                           \
    static float name(const float *a, const float *b, size_t n)                                    \
    {                                                                                              \
        float sums[LANES] = { 0 }, sum = 0;                                                        \
        size_t i = 0;                                                                              \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (size_t j = 0; j < LANES; j++) {                                                   \
                float x = at(a, i + j), y = at(b, i + j);                                          \
                sums[j] += TERM;                                                                   \
            }                                                                                      \
        for (size_t j = 0; j < LANES; j++) sum += sums[j];                                         \
        for (; i < n; i++) {                                                                       \
            float x = at(a, i), y = at(b, i);                                                      \
            sum += TERM;                                                                           \
        }                                                                                          \
        return sum;                                                                                \
    }

#define ROWS(name, pair)                                                                           \
    static void name(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out) \
    {                                                                                              \
        for (size_t i = 0; i < rows; i++)                                                          \
            out[i] = pair(q, (const float *)(const void *)((const char *)base + i * stride * sizeof(float)), n); \
    }

PAIR(dot_f32, x * y)
PAIR(l2sq_f32, (x - y) * (x - y))
PAIR(l1_f32, fabsf(x - y))
PAIR(differ_f32, (float)(x != y))
ROWS(dot_f32_rows, dot_f32)
ROWS(l2sq_f32_rows, l2sq_f32)
ROWS(l1_f32_rows, l1_f32)
ROWS(differ_f32_rows, differ_f32)

static bool finite_f32(const float *a, size_t n)
{
    bool finite = true;
    for (size_t i = 0; i < n; i++) finite &= isfinite(at(a, i)) != 0;
    return finite;
}

const kernel kernel_scalar = { "scalar",     usable,        dot_f32,     l2sq_f32,        l1_f32,     differ_f32,
                               dot_f32_rows, l2sq_f32_rows, l1_f32_rows, differ_f32_rows, finite_f32, &codes_scalar,
                               &elements_scalar, &steps_scalar, &matrix_scalar, &signs_scalar,
                               &halves_scalar, NULL, NULL };
