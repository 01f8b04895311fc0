/* halves_rows.h - the kernels of halves.h, the same for every instruction set but for its steps.
 *
 * The instruction set has VECTOR, WIDTH, LOAD(), STORE(), and of WIDTH elements load_f16(codes, i), load_bf16(codes, i) from the i-th on,
 * store_f16() of floats that fit, and store_bf16(). LEAST(), MOST() and SET() bring floats to where they fit.
 *
 * A last vector that is not whole shares elements with the one before, whose result is the same in either. */
#ifndef EVDB_KERNEL_HALVES_ROWS_H
#define EVDB_KERNEL_HALVES_ROWS_H
#include "base/element.h"
#include "kernel/halves.h"
#include <string.h>

enum { HALF = sizeof(uint16_t), HALF_EXPONENT_F16 = 0x7c00, HALF_EXPONENT_BF16 = 0x7f80 };

#define HALF_FIT_F16(v) LEAST(MOST(v, SET(-ELEMENT_F16_MAX)), SET(ELEMENT_F16_MAX))
#define HALF_FIT_BF16(v) (v)

#define HALF_CODES(isa, name, FIT, exponent)                                                                           \
    isa static void encode_##name(const float *x, size_t n, uint8_t *codes)                                            \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + STEP <= n; i += STEP) {                                                                             \
            VECTOR v0 = LOAD(x + i), v1 = LOAD(x + i + WIDTH), v2 = LOAD(x + i + 2 * WIDTH), v3 = LOAD(x + i + 3 * WIDTH);\
            store_##name(codes + HALF * i, FIT(v0));                                                                   \
            store_##name(codes + HALF * (i + WIDTH), FIT(v1));                                                         \
            store_##name(codes + HALF * (i + 2 * WIDTH), FIT(v2));                                                     \
            store_##name(codes + HALF * (i + 3 * WIDTH), FIT(v3));                                                     \
        }                                                                                                              \
        for (; i + WIDTH <= n; i += WIDTH) store_##name(codes + HALF * i, FIT(LOAD(x + i)));                           \
        if (i == n) return;                                                                                            \
        if (n >= WIDTH) {                                                                                              \
            store_##name(codes + HALF * (n - WIDTH), FIT(LOAD(x + n - WIDTH)));                                        \
            return;                                                                                                    \
        }                                                                                                              \
        float last[WIDTH] = { 0 };                                                                                     \
        uint8_t made[HALF * WIDTH];                                                                                    \
        memcpy(last, x, n * sizeof(float));                                                                            \
        store_##name(made, FIT(LOAD(last)));                                                                           \
        memcpy(codes, made, n * HALF);                                                                                 \
    }                                                                                                                  \
    isa static void decode_##name(const uint8_t *codes, size_t n, float *x)                                            \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + STEP <= n; i += STEP) {                                                                             \
            VECTOR v0 = load_##name(codes, i), v1 = load_##name(codes, i + WIDTH), v2 = load_##name(codes, i + 2 * WIDTH),\
                   v3 = load_##name(codes, i + 3 * WIDTH);                                                             \
            STORE(x + i, v0);                                                                                          \
            STORE(x + i + WIDTH, v1);                                                                                  \
            STORE(x + i + 2 * WIDTH, v2);                                                                              \
            STORE(x + i + 3 * WIDTH, v3);                                                                              \
        }                                                                                                              \
        for (; i + WIDTH <= n; i += WIDTH) STORE(x + i, load_##name(codes, i));                                        \
        if (i == n) return;                                                                                            \
        if (n >= WIDTH) {                                                                                              \
            STORE(x + n - WIDTH, load_##name(codes, n - WIDTH));                                                       \
            return;                                                                                                    \
        }                                                                                                              \
        uint8_t last[HALF * WIDTH] = { 0 };                                                                            \
        float made[WIDTH];                                                                                             \
        memcpy(last, codes, n * HALF);                                                                                 \
        STORE(made, load_##name(last, 0));                                                                             \
        memcpy(x, made, n * sizeof(float));                                                                            \
    }                                                                                                                  \
    isa static bool finite_##name(const uint8_t *codes, size_t n)                                                      \
    {                                                                                                                  \
        uint16_t bad = 0;                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                               \
            uint16_t half;                                                                                             \
            memcpy(&half, codes + HALF * i, HALF);                                                                     \
            bad |= (half & (exponent)) == (exponent);                                                                  \
        }                                                                                                              \
        return !bad;                                                                                                   \
    }

/* All that an instruction set has of them, as the table `table`. */
#define HALF_KERNEL(isa, table)                                                                                        \
    HALF_CODES(isa, f16, HALF_FIT_F16, HALF_EXPONENT_F16)                                                              \
    HALF_CODES(isa, bf16, HALF_FIT_BF16, HALF_EXPONENT_BF16)                                                           \
    const half_kernel table = { { encode_f16, decode_f16, finite_f16 }, { encode_bf16, decode_bf16, finite_bf16 } };

#endif
