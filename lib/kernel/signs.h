/* signs.h - one bit an element: on which side of a centre it lies, and rotations by signs. One const table per instruction set.
 *
 * Bit i is bit i % 8 of byte i / 8; bits behind the last are zero. Any alignment; nothing is read or written behind the last element. */
#ifndef EVDB_KERNEL_SIGNS_H
#define EVDB_KERNEL_SIGNS_H
#include <stddef.h>
#include <stdint.h>

typedef struct sign_kernel {
    /* Bit i: x[i] > centre[i]. */
    void (*above)(const float *x, const float *centre, size_t n, uint8_t *bits);
    /* x[i] = centre[i] + by where bit i is set, centre[i] - by where it is not. */
    void (*beside)(const uint8_t *bits, const float *centre, float by, size_t n, float *x);
    /* The sum of q[i] where bit i is set less where it is not. */
    float (*dot)(const float *q, const uint8_t *bits, size_t n);
    /* x = H (by . x): the Hadamard matrix of order n, a power of two, without scaling, behind a product element by element; ... */
    void (*hadamard)(const float *by, float *x, size_t n);
    /* ... and x = by . (H x). */
    void (*hadamard_back)(const float *by, float *x, size_t n);
    /* a = cosine . a + sine . b, b = sine . a - cosine . b, element by element; it is its own way back. */
    void (*mingle)(const float *cosine, const float *sine, float *a, float *b, size_t n);
} sign_kernel;

extern const sign_kernel signs_scalar;
#if defined(__x86_64__)
extern const sign_kernel signs_avx2, signs_avx512;
#elif defined(__aarch64__)
extern const sign_kernel signs_neon;
#endif

#endif
