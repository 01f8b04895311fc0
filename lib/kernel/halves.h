/* halves.h - floats rounded to 16 bits, to the nearest and halves to even, and back, one const table per instruction set.
 *
 * f16 is IEEE 754's half: what it cannot hold becomes the largest it can. bf16 is the upper half of a float: what would round to
 * infinity is cut. Codes have any alignment; nothing is read or written behind the last element. Floats to encode are finite. Every table
 * makes the same bits of them, and of codes that are finite. */
#ifndef EVDB_KERNEL_HALVES_H
#define EVDB_KERNEL_HALVES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct half_codes {
    void (*encode)(const float *x, size_t n, uint8_t *codes);
    void (*decode)(const uint8_t *codes, size_t n, float *x);
    bool (*finite)(const uint8_t *codes, size_t n);
} half_codes;

typedef struct half_kernel {
    half_codes f16, bf16;
} half_kernel;

extern const half_kernel halves_scalar;
#if defined(__x86_64__)
extern const half_kernel halves_avx2, halves_avx512;
#elif defined(__aarch64__)
extern const half_kernel halves_neon;
#endif

#endif
