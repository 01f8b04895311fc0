/* signs_rows.h - the kernels of signs.h, the same for every instruction set but for its steps.
 *
 * The instruction set has what steps_rows.h and element_rows.h want of it, and higher(x, y): a bit for each lane of x above y's,
 * signed_by(v, bits, i): v's lanes negated where the bits from i on are not set, ADD(), SUB(), and LANES(v): the Hadamard matrix of order
 * WIDTH times v. */
#ifndef EVDB_KERNEL_SIGNS_ROWS_H
#define EVDB_KERNEL_SIGNS_ROWS_H
#include "kernel/signs.h"
#include <string.h>

/* Writes the WIDTH bits `set` of elements from i on: whole bytes, or a part of one that is zero before. */
static inline void signs_put(uint8_t *bits, size_t i, size_t width, uint32_t set)
{
    for (size_t b = 0; b < (width + 7) / 8; b++) bits[i / 8 + b] |= (uint8_t)((width < 8 ? set << i % 8 : set >> 8 * b) & 0xff);
}

#define SIGNS_BITS(isa)                                                                                                \
    isa static void above(const float *x, const float *centre, size_t n, uint8_t *bits)                                \
    {                                                                                                                  \
        uint8_t last[WIDTH] = { 0 };                                                                                   \
        size_t i = 0;                                                                                                  \
        memset(bits, 0, (n + 7) / 8);                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) signs_put(bits, i, WIDTH, higher(LOAD(x + i), LOAD(centre + i)));           \
        if (i == n) return;                                                                                            \
        signs_put(last, i % 8, WIDTH, higher(load_some(x + i, n - i), load_some(centre + i, n - i)));                  \
        for (size_t b = 0; b < (i % 8 + n - i + 7) / 8; b++) bits[i / 8 + b] |= last[b];                               \
    }                                                                                                                  \
    isa static void beside(const uint8_t *bits, const float *centre, float by, size_t n, float *x)                     \
    {                                                                                                                  \
        VECTOR step = SET(by);                                                                                         \
        uint8_t rest[WIDTH] = { 0 };                                                                                   \
        float last[WIDTH];                                                                                             \
        size_t i = 0;                                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) STORE(x + i, ADD(LOAD(centre + i), signed_by(step, bits, i)));              \
        if (i == n) return;                                                                                            \
        memcpy(rest, bits + i / 8, (n + 7) / 8 - i / 8);                                                               \
        STORE(last, ADD(load_some(centre + i, n - i), signed_by(step, rest, i % 8)));                                  \
        memcpy(x + i, last, (n - i) * sizeof(float));                                                                  \
    }                                                                                                                  \
    isa static float dot_signs(const float *q, const uint8_t *bits, size_t n)                                          \
    {                                                                                                                  \
        VECTOR s0 = ZERO, s1 = s0, s2 = s0, s3 = s0;                                                                   \
        uint8_t rest[WIDTH] = { 0 };                                                                                   \
        size_t i = 0;                                                                                                  \
        for (; i + STEP <= n; i += STEP) {                                                                             \
            s0 = ADD(s0, signed_by(LOAD(q + i), bits, i));                                                             \
            s1 = ADD(s1, signed_by(LOAD(q + i + WIDTH), bits, i + WIDTH));                                             \
            s2 = ADD(s2, signed_by(LOAD(q + i + 2 * WIDTH), bits, i + 2 * WIDTH));                                     \
            s3 = ADD(s3, signed_by(LOAD(q + i + 3 * WIDTH), bits, i + 3 * WIDTH));                                     \
        }                                                                                                              \
        for (; i + WIDTH <= n; i += WIDTH) s0 = ADD(s0, signed_by(LOAD(q + i), bits, i));                              \
        if (i < n) {                                                                                                   \
            memcpy(rest, bits + i / 8, (n + 7) / 8 - i / 8);                                                           \
            s1 = ADD(s1, signed_by(load_some(q + i, n - i), rest, i % 8));                                             \
        }                                                                                                              \
        return SUM(s0, s1, s2, s3);                                                                                    \
    }

/* ---- Hadamard's matrix: sums and differences of what lies 1, 2, 4, ... apart, in any order ---- */

#define SIGNS_HADAMARD(isa)                                                                                            \
    /* Shorter than a vector. */                                                                                       \
    isa static void hadamard_short(float *x, size_t n)                                                                 \
    {                                                                                                                  \
        for (size_t h = 1; h < n; h *= 2)                                                                              \
            for (size_t i = 0; i < n; i++)                                                                             \
                if (!(i & h)) {                                                                                        \
                    float a = x[i], b = x[i + h];                                                                      \
                    x[i] = a + b, x[i + h] = a - b;                                                                    \
                }                                                                                                      \
    }                                                                                                                  \
    /* Of vectors, two distances in one go through memory. */                                                          \
    isa static void hadamard_far(float *x, size_t n)                                                                   \
    {                                                                                                                  \
        size_t h = WIDTH;                                                                                              \
        for (; 4 * h <= n; h *= 4)                                                                                     \
            for (float *from = x; from < x + n; from += 4 * h)                                                         \
                for (float *p = from; p < from + h; p += WIDTH) {                                                      \
                    VECTOR a = LOAD(p), b = LOAD(p + h), c = LOAD(p + 2 * h), d = LOAD(p + 3 * h);                     \
                    VECTOR e = ADD(a, b), f = SUB(a, b), g = ADD(c, d), k = SUB(c, d);                                 \
                    STORE(p, ADD(e, g));                                                                               \
                    STORE(p + h, ADD(f, k));                                                                           \
                    STORE(p + 2 * h, SUB(e, g));                                                                       \
                    STORE(p + 3 * h, SUB(f, k));                                                                       \
                }                                                                                                      \
        for (; 2 * h <= n; h *= 2)                                                                                     \
            for (float *from = x; from < x + n; from += 2 * h)                                                         \
                for (float *p = from; p < from + h; p += WIDTH) {                                                      \
                    VECTOR a = LOAD(p), b = LOAD(p + h);                                                               \
                    STORE(p, ADD(a, b));                                                                               \
                    STORE(p + h, SUB(a, b));                                                                           \
                }                                                                                                      \
    }                                                                                                                  \
    isa static void hadamard(const float *by, float *x, size_t n)                                                      \
    {                                                                                                                  \
        if (n < WIDTH) {                                                                                               \
            for (size_t i = 0; i < n; i++) x[i] *= by[i];                                                              \
            hadamard_short(x, n);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        for (size_t i = 0; i < n; i += WIDTH) {                                                                        \
            VECTOR v = MUL(LOAD(x + i), LOAD(by + i));                                                                 \
            STORE(x + i, LANES(v));                                                                                    \
        }                                                                                                              \
        hadamard_far(x, n);                                                                                            \
    }                                                                                                                  \
    isa static void hadamard_back(const float *by, float *x, size_t n)                                                 \
    {                                                                                                                  \
        if (n < WIDTH) {                                                                                               \
            hadamard_short(x, n);                                                                                      \
            for (size_t i = 0; i < n; i++) x[i] *= by[i];                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        hadamard_far(x, n);                                                                                            \
        for (size_t i = 0; i < n; i += WIDTH) {                                                                        \
            VECTOR v = LOAD(x + i);                                                                                    \
            STORE(x + i, MUL(LANES(v), LOAD(by + i)));                                                                 \
        }                                                                                                              \
    }

#define SIGNS_MINGLE(isa)                                                                                              \
    isa static void mingle(const float *cosine, const float *sine, float *a, float *b, size_t n)                       \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) {                                                                           \
            VECTOR x = LOAD(a + i), y = LOAD(b + i), c = LOAD(cosine + i), s = LOAD(sine + i);                         \
            STORE(a + i, ADD(MUL(c, x), MUL(s, y)));                                                                   \
            STORE(b + i, SUB(MUL(s, x), MUL(c, y)));                                                                   \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            float x = a[i], y = b[i];                                                                                  \
            a[i] = cosine[i] * x + sine[i] * y, b[i] = sine[i] * x - cosine[i] * y;                                    \
        }                                                                                                              \
    }

/* All that an instruction set has of them, as the table `table`. */
#define SIGNS_KERNEL(isa, table)                                                                                       \
    SIGNS_BITS(isa)                                                                                                    \
    SIGNS_HADAMARD(isa)                                                                                                \
    SIGNS_MINGLE(isa)                                                                                                  \
    const sign_kernel table = { above, beside, dot_signs, hadamard, hadamard_back, mingle };

#endif
