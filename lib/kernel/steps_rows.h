/* steps_rows.h - the kernels of steps.h, the same for every instruction set but for its steps.
 *
 * The instruction set has VECTOR, WIDTH (a divisor of 16), LOAD(), STORE(), ZERO, SET(), SUM(), FMA(a, b, c) = a * b + c, MUL(), LEAST(),
 * MOST(), ROUND() to the nearest whole number, halves to even, sum_of(), least_of() and most_of() lanes, load_some(p, n) with zeros behind n floats, FIRST(v, n) with
 * zeros there, and of WIDTH codes: load_u8(), load_low(), load_high() to floats,
 * store_u8() and store_u4(low, high) of whole floats. */
#ifndef EVDB_KERNEL_STEPS_ROWS_H
#define EVDB_KERNEL_STEPS_ROWS_H
#include "kernel/steps.h"
#include <string.h>

enum { STEPS_HALF = STEPS_BLOCK / 2 };

/* How a kernel reads low and step at element i: of all, or of each; or only `some` of a vector's, zeros behind, where they are of each. */
#define STEPS_ONE(of, i) of##_one
#define STEPS_EACH(of, i) LOAD(of + (i))
#define STEPS_ONE_SOME(of, i, some) of##_one
#define STEPS_EACH_SOME(of, i, some) load_some(of + (i), some)

/* The steps that x is nearest to, as floats. */
#define STEPS_NEAR(x, offset, inverse) LEAST(MOST(MUL(FMA(x, SET(0.5f), offset), inverse), ZERO), most)

/* Of n elements, how many are in the vector at j. */
static inline size_t steps_some(size_t n, size_t j, size_t width) { return n < j ? 0 : n - j < width ? n - j : width; }

/* ---- one a byte ----
 *
 * A last vector that is not whole shares elements with the one before: that is faster than part of one, and an element's result is the
 * same in either. Stores come in fours: where they are not aligned, memory takes a whole line's at once. */

#define STEPS_U8(isa, name, AT)                                                                                        \
    isa static void encode_##name(const float *x, size_t n, const float *offset, const float *inverse, uint8_t *codes) \
    {                                                                                                                  \
        VECTOR offset_one = SET(*offset), inverse_one = SET(*inverse), most = SET(255);                                \
        uint8_t last[WIDTH];                                                                                           \
        size_t i = 0;                                                                                                  \
        (void)offset_one, (void)inverse_one;                                                                           \
        for (; i + WIDTH <= n; i += WIDTH) store_u8(codes + i, STEPS_NEAR(LOAD(x + i), AT(offset, i), AT(inverse, i)));\
        if (i == n) return;                                                                                            \
        if (n >= WIDTH) {                                                                                              \
            i = n - WIDTH;                                                                                             \
            store_u8(codes + i, STEPS_NEAR(LOAD(x + i), AT(offset, i), AT(inverse, i)));                               \
            return;                                                                                                    \
        }                                                                                                              \
        store_u8(last, STEPS_NEAR(load_some(x, n), AT##_SOME(offset, 0, n), AT##_SOME(inverse, 0, n)));                \
        memcpy(codes, last, n);                                                                                        \
    }                                                                                                                  \
    isa static void decode_##name(const uint8_t *codes, size_t n, const float *low, const float *step, float *x)       \
    {                                                                                                                  \
        VECTOR low_one = SET(*low), step_one = SET(*step);                                                             \
        float whole[WIDTH];                                                                                            \
        size_t i = 0;                                                                                                  \
        (void)low_one, (void)step_one;                                                                                 \
        for (; i + STEP <= n; i += STEP) {                                                                             \
            VECTOR v0 = STEPS_VALUE_U8(AT, i), v1 = STEPS_VALUE_U8(AT, i + WIDTH), v2 = STEPS_VALUE_U8(AT, i + 2 * WIDTH),\
                   v3 = STEPS_VALUE_U8(AT, i + 3 * WIDTH);                                                             \
            STORE(x + i, v0);                                                                                          \
            STORE(x + i + WIDTH, v1);                                                                                  \
            STORE(x + i + 2 * WIDTH, v2);                                                                              \
            STORE(x + i + 3 * WIDTH, v3);                                                                              \
        }                                                                                                              \
        for (; i + WIDTH <= n; i += WIDTH) STORE(x + i, STEPS_VALUE_U8(AT, i));                                        \
        if (i == n) return;                                                                                            \
        if (n >= WIDTH) {                                                                                              \
            STORE(x + n - WIDTH, STEPS_VALUE_U8(AT, n - WIDTH));                                                       \
            return;                                                                                                    \
        }                                                                                                              \
        STORE(whole, STEPS_LAST_U8(AT, 0));                                                                            \
        memcpy(x, whole, n * sizeof(float));                                                                           \
    }                                                                                                                  \
    STEPS_SUM_U8(isa, dot_##name, dot_step, AT)                                                                        \
    STEPS_SUM_U8(isa, l2sq_##name, l2sq_step, AT)

#define STEPS_SUM_U8(isa, name, sum_step, AT)                                                                          \
    isa static float name(const float *q, const uint8_t *codes, size_t n, const float *low, const float *step)         \
    {                                                                                                                  \
        VECTOR low_one = SET(*low), step_one = SET(*step), s0 = ZERO, s1 = s0, s2 = s0, s3 = s0;                       \
        size_t i = 0;                                                                                                  \
        (void)low_one, (void)step_one;                                                                                 \
        for (; i + STEP <= n; i += STEP) {                                                                             \
            s0 = sum_step(s0, LOAD(q + i), STEPS_VALUE_U8(AT, i));                                                     \
            s1 = sum_step(s1, LOAD(q + i + WIDTH), STEPS_VALUE_U8(AT, i + WIDTH));                                     \
            s2 = sum_step(s2, LOAD(q + i + 2 * WIDTH), STEPS_VALUE_U8(AT, i + 2 * WIDTH));                             \
            s3 = sum_step(s3, LOAD(q + i + 3 * WIDTH), STEPS_VALUE_U8(AT, i + 3 * WIDTH));                             \
        }                                                                                                              \
        for (; i + WIDTH <= n; i += WIDTH) s0 = sum_step(s0, LOAD(q + i), STEPS_VALUE_U8(AT, i));                      \
        if (i < n) s1 = sum_step(s1, load_some(q + i, n - i), FIRST(STEPS_LAST_U8(AT, i), n - i));                     \
        return SUM(s0, s1, s2, s3);                                                                                    \
    }
#define STEPS_VALUE_U8(AT, i) FMA(load_u8(codes + (i)), AT(step, i), AT(low, i))
#define STEPS_LAST_U8(AT, i)                                                                                           \
    FMA(load_u8(memcpy((uint8_t[WIDTH]){ 0 }, codes + i, n - i)), AT##_SOME(step, i, n - i), AT##_SOME(low, i, n - i))

/* ---- two a byte ---- */

#define STEPS_U4(isa, name, AT)                                                                                        \
    isa static void encode_##name(const float *x, size_t n, const float *offset, const float *inverse, uint8_t *codes) \
    {                                                                                                                  \
        VECTOR offset_one = SET(*offset), inverse_one = SET(*inverse), most = SET(15);                                 \
        uint8_t last[STEPS_HALF];                                                                                      \
        size_t i = 0;                                                                                                  \
        (void)offset_one, (void)inverse_one;                                                                           \
        for (; i + STEPS_BLOCK <= n; i += STEPS_BLOCK, codes += STEPS_HALF)                                            \
            for (size_t j = i, k = i + STEPS_HALF; j < i + STEPS_HALF; j += WIDTH, k += WIDTH)                         \
                store_u4(codes + j - i, STEPS_NEAR(LOAD(x + j), AT(offset, j), AT(inverse, j)),                        \
                         STEPS_NEAR(LOAD(x + k), AT(offset, k), AT(inverse, k)));                                      \
        if (i == n) return;                                                                                            \
        STEPS_EACH_LAST                                                                                                \
            store_u4(last + j, STEPS_NEAR(load_some(x + at, some), AT##_SOME(offset, at, some), AT##_SOME(inverse, at, some)), \
                     FIRST(STEPS_NEAR(load_some(x + up, more), AT##_SOME(offset, up, more), AT##_SOME(inverse, up, more)), more)); \
        }                                                                                                              \
        memcpy(codes, last, half);                                                                                     \
    }                                                                                                                  \
    isa static void decode_##name(const uint8_t *codes, size_t n, const float *low, const float *step, float *x)       \
    {                                                                                                                  \
        VECTOR low_one = SET(*low), step_one = SET(*step);                                                             \
        float whole[STEPS_BLOCK];                                                                                      \
        size_t i = 0;                                                                                                  \
        (void)low_one, (void)step_one;                                                                                 \
        for (; i + STEPS_BLOCK <= n; i += STEPS_BLOCK, codes += STEPS_HALF)                                            \
            for (size_t j = i, k = i + STEPS_HALF; j < i + STEPS_HALF; j += WIDTH, k += WIDTH) {                       \
                STORE(x + j, FMA(load_low(codes + j - i), AT(step, j), AT(low, j)));                                   \
                STORE(x + k, FMA(load_high(codes + j - i), AT(step, k), AT(low, k)));                                  \
            }                                                                                                          \
        if (i == n) return;                                                                                            \
        STEPS_LAST_CODES                                                                                               \
        STEPS_EACH_LAST                                                                                                \
            STORE(whole + j, STEPS_LAST_LOW(AT));                                                                      \
            STORE(whole + j + STEPS_HALF, STEPS_LAST_HIGH(AT));                                                        \
        }                                                                                                              \
        memcpy(x + i, whole, half * sizeof(float));                                                                    \
        memcpy(x + i + half, whole + STEPS_HALF, (left - half) * sizeof(float));                                       \
    }                                                                                                                  \
    STEPS_SUM_U4(isa, dot_##name, dot_step, AT)                                                                        \
    STEPS_SUM_U4(isa, l2sq_##name, l2sq_step, AT)

#define STEPS_SUM_U4(isa, name, sum_step, AT)                                                                          \
    isa static float name(const float *q, const uint8_t *codes, size_t n, const float *low, const float *step)         \
    {                                                                                                                  \
        VECTOR low_one = SET(*low), step_one = SET(*step), s0 = ZERO, s1 = s0, s2 = s0, s3 = s0;                       \
        size_t i = 0;                                                                                                  \
        (void)low_one, (void)step_one;                                                                                 \
        for (; i + 2 * STEPS_BLOCK <= n; i += 2 * STEPS_BLOCK, codes += STEPS_BLOCK) {                                 \
            STEPS_BLOCK_U4(sum_step, AT, s0, s1, i, codes)                                                             \
            STEPS_BLOCK_U4(sum_step, AT, s2, s3, i + STEPS_BLOCK, codes + STEPS_HALF)                                  \
        }                                                                                                              \
        if (i + STEPS_BLOCK <= n) {                                                                                    \
            STEPS_BLOCK_U4(sum_step, AT, s0, s1, i, codes)                                                             \
            i += STEPS_BLOCK, codes += STEPS_HALF;                                                                     \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            STEPS_LAST_CODES                                                                                           \
            STEPS_EACH_LAST                                                                                            \
                s2 = sum_step(s2, load_some(q + at, some), FIRST(STEPS_LAST_LOW(AT), some));                           \
                s3 = sum_step(s3, load_some(q + up, more), FIRST(STEPS_LAST_HIGH(AT), more));                          \
            }                                                                                                          \
        }                                                                                                              \
        return SUM(s0, s1, s2, s3);                                                                                    \
    }
#define STEPS_BLOCK_U4(sum_step, AT, even, odd, from, packed)                                                          \
    for (size_t j = 0; j < STEPS_HALF; j += WIDTH) {                                                                   \
        even = sum_step(even, LOAD(q + (from) + j), FMA(load_low((packed) + j), AT(step, (from) + j), AT(low, (from) + j))); \
        odd = sum_step(odd, LOAD(q + (from) + STEPS_HALF + j),                                                         \
                       FMA(load_high((packed) + j), AT(step, (from) + STEPS_HALF + j), AT(low, (from) + STEPS_HALF + j))); \
    }

/* The last block of less than STEPS_BLOCK elements, from i on: its `half` bytes with zeros behind, and each vector of both halves, j
 * bytes on: `some` elements from `at` on, `more` from `up` on. */
#define STEPS_LAST_CODES                                                                                               \
    uint8_t last[STEPS_HALF] = { 0 };                                                                                  \
    memcpy(last, codes, (n - i + 1) / 2);
#define STEPS_EACH_LAST                                                                                                \
    size_t left = n - i, half = (left + 1) / 2;                                                                        \
    for (size_t j = 0; j < half; j += WIDTH) {                                                                         \
        size_t some = steps_some(half, j, WIDTH), more = steps_some(left - half, j, WIDTH), at = i + j, up = i + half + j; \
        (void)some, (void)more, (void)at, (void)up;
#define STEPS_LAST_LOW(AT) FMA(load_low(last + j), AT##_SOME(step, at, some), AT##_SOME(low, at, some))
#define STEPS_LAST_HIGH(AT) FMA(load_high(last + j), AT##_SOME(step, up, more), AT##_SOME(low, up, more))

/* ---- ranges ---- */

/* The last vector of n floats, which may share some with the one before. */
#define STEPS_LAST_ENDS                                                                                                \
    if (i < n && n >= WIDTH) low = LEAST(low, LOAD(x + n - WIDTH)), high = MOST(high, LOAD(x + n - WIDTH));            \
    for (; i < n && n < WIDTH; i++) low = LEAST(low, SET(x[i])), high = MOST(high, SET(x[i]));

#define STEPS_RANGE(isa)                                                                                               \
    isa static void range(const float *x, size_t n, float *least, float *most)                                         \
    {                                                                                                                  \
        VECTOR low = SET(*x), high = low;                                                                              \
        size_t i = 0;                                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) low = LEAST(low, LOAD(x + i)), high = MOST(high, LOAD(x + i));              \
        STEPS_LAST_ENDS                                                                                                \
        *least = least_of(low);                                                                                        \
        *most = most_of(high);                                                                                         \
    }                                                                                                                  \
    isa static void spread(const float *x, size_t n, steps_spread *out)                                                \
    {                                                                                                                  \
        VECTOR first = SET(*x), low = first, high = low, sum = ZERO, square = sum;                                     \
        size_t i = 0;                                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) {                                                                           \
            VECTOR v = LOAD(x + i), d = FMA(first, SET(-1), v);                                                        \
            low = LEAST(low, v), high = MOST(high, v);                                                                 \
            sum = FMA(d, SET(1), sum);                                                                                 \
            square = FMA(d, d, square);                                                                                \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            VECTOR d = FIRST(FMA(first, SET(-1), load_some(x + i, n - i)), n - i);                                     \
            sum = FMA(d, SET(1), sum);                                                                                 \
            square = FMA(d, d, square);                                                                                \
        }                                                                                                              \
        STEPS_LAST_ENDS                                                                                                \
        *out = (steps_spread){ least_of(low), most_of(high), sum_of(sum), sum_of(square) };                                       \
    }                                                                                                                  \
    isa static void fit(const float *x, size_t n, float offset, float inverse, float most, steps_fit *out)           \
    {                                                                                                                  \
        VECTOR e_sum = ZERO, c_sum = e_sum, ee = e_sum, ec = e_sum, cc = e_sum, from = SET(offset), scale = SET(inverse), \
               top = SET(most), half = SET(0.5f);                                                                      \
        size_t i = 0;                                                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) STEPS_FIT(MUL(FMA(LOAD(x + i), half, from), scale))                         \
        if (i < n) STEPS_FIT(FIRST(MUL(FMA(load_some(x + i, n - i), half, from), scale), n - i))                       \
        *out = (steps_fit){ sum_of(e_sum), sum_of(c_sum), sum_of(ee), sum_of(ec), sum_of(cc) };                        \
    }

#define STEPS_FIT(in_steps)                                                                                            \
    {                                                                                                                  \
        VECTOR t = in_steps, c = ROUND(LEAST(MOST(t, ZERO), top)), e = FMA(c, SET(-1), t);                             \
        e_sum = FMA(e, SET(1), e_sum);                                                                                 \
        c_sum = FMA(c, SET(1), c_sum);                                                                                 \
        ee = FMA(e, e, ee);                                                                                            \
        ec = FMA(e, c, ec);                                                                                            \
        cc = FMA(c, c, cc);                                                                                            \
    }

#define STEPS_TABLE(name) { encode_##name, decode_##name, dot_##name, l2sq_##name }

/* All that an instruction set has of them, as the table `table`. */
#define STEPS_KERNEL(isa, table)                                                                                       \
    STEPS_U8(isa, u8, STEPS_ONE)                                                                       \
    STEPS_U4(isa, u4, STEPS_ONE)                                                                       \
    STEPS_U8(isa, each_u8, STEPS_EACH)                                                                \
    STEPS_U4(isa, each_u4, STEPS_EACH)                                                                \
    STEPS_RANGE(isa)                                                                                                   \
    const steps_kernel table = { STEPS_TABLE(u8), STEPS_TABLE(u4), STEPS_TABLE(each_u8), STEPS_TABLE(each_u4), range, spread, fit };

#endif
