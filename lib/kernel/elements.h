/* elements.h - sums over a query of floats and rows of smaller elements (base/element.h), one const table per instruction set.
 *
 * Row i begins at base + i * stride bytes, of any alignment; q is aligned; bits behind the last element are zero. Nothing is read
 * behind a row's last byte. Tables agree as those of kernel.h do; sums of whole numbers below 2^24 are exact. */
#ifndef EVDB_KERNEL_ELEMENTS_H
#define EVDB_KERNEL_ELEMENTS_H
#include <stddef.h>
#include <stdint.h>

typedef void element_rows_fn(const float *q, const void *base, size_t stride, size_t rows, size_t n, float *out);

typedef struct element_sums {
    element_rows_fn *dot, *l2sq, *l1, *differ;
} element_sums;

/* Of two vectors of bits, as words with zeros behind the last element. */
typedef void bit_rows_fn(const uint64_t *q, const void *base, size_t stride, size_t rows, size_t words, float *out);

typedef struct element_kernel {
    element_sums f16, i8, bit;
    bit_rows_fn *bits_both, *bits_differ; /* how many are set in both; in one of the two */
} element_kernel;

extern const element_kernel elements_scalar;
#if defined(__x86_64__)
extern const element_kernel elements_avx2, elements_avx512;
#elif defined(__aarch64__)
extern const element_kernel elements_neon;
#endif

#endif
