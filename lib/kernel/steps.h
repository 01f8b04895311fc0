/* steps.h - elements as numbered steps of a range, code c standing for low + step * c, one const table per instruction set.
 *
 * Codes are one a byte (u8), or two a byte (u4) in blocks of 32: byte i of a block holds element i in its low half and element
 * i + 16 in its high half; a last block of fewer, n, has (n + 1) / 2 bytes, element i with i + (n + 1) / 2. Any alignment; nothing is
 * read or written behind the last element. Codes are the same in every table, sums agree as those of kernel.h do. */
#ifndef EVDB_KERNEL_STEPS_H
#define EVDB_KERNEL_STEPS_H
#include <stddef.h>
#include <stdint.h>

enum { STEPS_BLOCK = 32 };

static inline size_t steps_bytes_u4(size_t n) { return (n + 1) / 2; }

/* low and step are of one range that all elements share, or of one for each. */
typedef struct steps_codes {
    /* The nearest steps. Of halves, so that no range is too wide for floats: offset = -low / 2, inverse = 2 / step. */
    void (*encode)(const float *x, size_t n, const float *offset, const float *inverse, uint8_t *codes);
    void (*decode)(const uint8_t *codes, size_t n, const float *low, const float *step, float *x);
    /* Of a query of floats and what codes stand for. */
    float (*dot)(const float *q, const uint8_t *codes, size_t n, const float *low, const float *step);
    float (*l2sq)(const float *q, const uint8_t *codes, size_t n, const float *low, const float *step);
} steps_codes;

/* Sums over the elements of c, the nearest step of 0..most, and e, how many steps above that an element lies. */
typedef struct steps_fit {
    float e, c, ee, ec, cc;
} steps_fit;

/* The ends, and sums of what lies above the first element and of its square: infinite or NaN where that is too much for a float. */
typedef struct steps_spread {
    float least, most, sum, square;
} steps_spread;

typedef struct steps_kernel {
    steps_codes u8, u4, each_u8, each_u4;
    void (*range)(const float *x, size_t n, float *least, float *most); /* n > 0 in all three */
    void (*spread)(const float *x, size_t n, steps_spread *out);
    void (*fit)(const float *x, size_t n, float offset, float inverse, float most, steps_fit *out);
} steps_kernel;

extern const steps_kernel steps_scalar;
#if defined(__x86_64__)
extern const steps_kernel steps_avx2, steps_avx512;
#elif defined(__aarch64__)
extern const steps_kernel steps_neon;
#endif

#endif
