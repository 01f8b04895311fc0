/* codes.h - integer dot products over scalar codes (codec/sq.h), one const table per instruction set.
 *
 * A row of codes is CODE_HEADER bytes that kernels leave alone, then its codes: one a byte (u8), or two a byte (u4) in blocks
 * of 128: byte i of a block holds element i in its low half and element i + 64 in its high half; a last block of 64 has 32 bytes,
 * element i with i + 32. n is a multiple of 64. Sums are exact, so every table equals the scalar one. `_at` kernels take rows by
 * number and fetch them ahead: a graph walk meets rows that no hardware foresees. */
#ifndef EVDB_KERNEL_CODES_H
#define EVDB_KERNEL_CODES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CODE_HEADER = 16,
    CODE_BLOCK = 64,      /* n is a multiple of it */
    CODE_QUERY_U8 = 63,   /* largest |q[i]| against u8: two products fit 16 bits */
    CODE_QUERY_U4 = 127   /* against u4: eight sums of two products do */
};

typedef struct code_kernel {
    /* out[i] = sum of q[j] * code j of row rows[i], whose header begins at base + rows[i] * stride */
    void (*dot_u8_at)(const int8_t *q, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count, size_t n,
                      int32_t *out);
    void (*dot_u4_at)(const int8_t *q, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count, size_t n,
                      int32_t *out);
    /* out[i] = sum of a[j] * (code j of row rows[i] - 128) */
    void (*dot_u8u8_at)(const uint8_t *a, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count, size_t n,
                        int32_t *out);
} code_kernel;

extern const code_kernel codes_scalar;
#if defined(__x86_64__)
extern const code_kernel codes_avx2, codes_avx512;
#elif defined(__aarch64__)
extern const code_kernel codes_neon, codes_neon_dot;
#endif

#endif
