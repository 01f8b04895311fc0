/* matrix.h - products of matrices of floats, and which of many short vectors is nearest; one const table per instruction set.
 *
 * The right factor of a product is packed once, into panels of MATRIX_PANEL columns: all rows of the first, then of the second, with zeros
 * behind the last column. Each element of a result is summed in the order of the inner dimension, so a row's result does not depend
 * on its neighbours. Rows may have any alignment. */
#ifndef EVDB_KERNEL_MATRIX_H
#define EVDB_KERNEL_MATRIX_H
#include <stddef.h>
#include <stdint.h>

enum {
    MATRIX_PANEL = 32, /* columns of a panel */
    NEAREST_STEP = 16, /* nearest() takes multiples of that many vectors to choose from */
    MATRIX_ALIGN = 64  /* bytes: packed factors and columns are read faster from such addresses */
};

/* c = start + (a - less) b; a and c are rows of floats, `stride` apart. */
typedef struct matrix_product {
    const float *a;
    size_t a_stride;
    const float *less;  /* taken away from each row of a; NULL = nothing */
    const float *b;     /* packed, inner x columns */
    const float *start; /* row 0 of what results begin with, may be c itself; NULL = zeros */
    size_t start_stride;
    float *c;
    size_t c_stride;
    size_t rows, inner, columns;
} matrix_product;

typedef struct matrix_kernel {
    void (*product)(const matrix_product *p);
    /* Of each of count rows of n floats, the vector y_i that is nearest, the first of equals: out[r * out_stride] = i. Of the vectors, `many`
     * (NEAREST_STEP .. 256), columns holds element 0 of all, then element 1 of all, ...; halves |y_i|^2 / 2. */
    void (*nearest)(const float *rows, size_t stride, size_t count, size_t n, const float *columns, const float *halves, size_t many,
                    uint8_t *out, size_t out_stride);
} matrix_kernel;

extern const matrix_kernel matrix_scalar;
#if defined(__x86_64__)
extern const matrix_kernel matrix_avx2, matrix_avx512;
#elif defined(__aarch64__)
extern const matrix_kernel matrix_neon;
#endif

/* The next such address. */
static inline float *matrix_aligned(void *at) { return (float *)(((uintptr_t)at + MATRIX_ALIGN - 1) / MATRIX_ALIGN * MATRIX_ALIGN); }

/* Floats that a packed right factor takes. */
size_t matrix_packed(size_t inner, size_t columns);
/* Packs b, inner rows of `columns` floats; or, transposed, what lies there as `columns` rows of inner floats. */
void matrix_pack(const float *b, size_t stride, size_t inner, size_t columns, float *packed);
void matrix_pack_transposed(const float *b, size_t stride, size_t inner, size_t columns, float *packed);
#endif
