/* matrix_tiles.h - the kernels of matrix.h, the same for every instruction set but for its vectors.
 *
 * A product is made of tiles of TILE_ROWS rows and TILE_VECTORS vectors of columns, which stay in registers for BLOCK_INNER steps
 * (K. Goto, R. van de Geijn: Anatomy of High-Performance Matrix Multiplication, 2008). Rows of a are copied into a block on the stack, whose
 * stride does not make them meet in one set of the cache. The instruction set has
 *   ISA                       what functions are declared with
 *   VECTOR, WIDTH             of floats
 *   LOAD(p), STORE(p, v), ZERO, SPLAT(p), FMA(a, b, c) = a b + c, FNMA(a, b, c) = c - a b
 *   TILE_ROWS, TILE_VECTORS   what fits its registers
 *   NUMBERS                   whole numbers beside a VECTOR; FIRST_NUMBERS(n) = n, n, ...; ONE_NUMBER(v) = v + 1;
 *   KEEP_LESS(best, at, v, number)  best, at = v, number where v < best
 *   LEAST(best, at, lane)     the number where best is least: at * WIDTH + lane
 *   NEAREST_ROWS, NEAREST_VECTORS   rows and vectors of choices at a time */
#ifndef EVDB_KERNEL_MATRIX_TILES_H
#define EVDB_KERNEL_MATRIX_TILES_H
#include "kernel/matrix.h"
#include <string.h>
#ifdef ISA

#define TILE_INLINE ISA static inline __attribute__((always_inline))
#define EACH(i, n) _Pragma("GCC unroll 16") for (size_t i = 0; i < (n); i++)

enum {
    BLOCK_INNER = 192,
    BLOCK_STRIDE = BLOCK_INNER + 16,
    BLOCK_ROWS = 60,
    TILE_COLUMNS = TILE_VECTORS * WIDTH,
    NARROW_VECTORS = NEAREST_STEP / WIDTH < NEAREST_VECTORS ? NEAREST_STEP / WIDTH : NEAREST_VECTORS,
    NARROW_ROWS = NEAREST_ROWS * NEAREST_VECTORS / NARROW_VECTORS
};

TILE_INLINE void tile(size_t rows, const float *a, const float *b, size_t inner, const float *start, size_t start_stride, float *c,
                      size_t c_stride)
{
    VECTOR s[TILE_ROWS][TILE_VECTORS];
    EACH(r, rows) EACH(v, TILE_VECTORS) s[r][v] = start ? LOAD(start + r * start_stride + v * WIDTH) : ZERO;
    for (size_t k = 0; k < inner; k++, b += MATRIX_PANEL) {
        VECTOR y[TILE_VECTORS];
        EACH(v, TILE_VECTORS) y[v] = LOAD(b + v * WIDTH);
        EACH(r, rows) {
            VECTOR x = SPLAT(a + r * BLOCK_STRIDE + k);
            EACH(v, TILE_VECTORS) s[r][v] = FMA(x, y[v], s[r][v]);
        }
    }
    EACH(r, rows) EACH(v, TILE_VECTORS) STORE(c + r * c_stride + v * WIDTH, s[r][v]);
}

/* The tile at the last columns, of which fewer than TILE_COLUMNS are there. */
#define TILE_EDGE(rows)                                                                                                \
    float edge[TILE_ROWS * TILE_COLUMNS];                                                                              \
    memset(edge, 0, sizeof(edge));                                                                                     \
    for (size_t r = 0; start && r < (rows); r++)                                                                       \
        memcpy(edge + r * TILE_COLUMNS, start + r * start_stride, columns * sizeof(*edge));                            \
    tile(rows, a, b, inner, edge, TILE_COLUMNS, edge, TILE_COLUMNS);                                                   \
    for (size_t r = 0; r < (rows); r++) memcpy(c + r * c_stride, edge + r * TILE_COLUMNS, columns * sizeof(*edge));

#define TILE_OF(name, rows)                                                                                            \
    ISA static void name(const float *a, const float *b, size_t inner, const float *start, size_t start_stride, float *c, \
                         size_t c_stride, size_t columns)                                                              \
    {                                                                                                                  \
        if (columns >= TILE_COLUMNS) {                                                                                 \
            tile(rows, a, b, inner, start, start_stride, c, c_stride);                                                 \
            return;                                                                                                    \
        }                                                                                                              \
        TILE_EDGE(rows)                                                                                                \
    }

TILE_OF(tile_all, TILE_ROWS)
TILE_OF(tile_4, 4)
TILE_OF(tile_2, 2)
TILE_OF(tile_1, 1)

/* As many rows of a block as one tile takes, of `left`. */
ISA static size_t tile_some(size_t left, const float *a, const float *b, size_t inner, const float *start, size_t start_stride, float *c,
                            size_t c_stride, size_t columns)
{
    size_t rows = left >= TILE_ROWS ? TILE_ROWS : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    (rows == TILE_ROWS ? tile_all : rows == 4 ? tile_4 : rows == 2 ? tile_2 : tile_1)(a, b, inner, start, start_stride, c, c_stride, columns);
    return rows;
}

ISA static void copy_block(const matrix_product *p, size_t row, size_t rows, size_t k, size_t inner, float *block)
{
    for (size_t r = 0; r < rows; r++, block += BLOCK_STRIDE) {
        memcpy(block, p->a + (row + r) * p->a_stride + k, inner * sizeof(*block));
        for (size_t i = 0; p->less && i < inner; i++) block[i] -= p->less[k + i];
    }
}

ISA static void product_block(const matrix_product *p, const float *block, size_t row, size_t rows, size_t k, size_t inner)
{
    const float *from = k ? p->c : p->start;
    size_t stride = k ? p->c_stride : p->start_stride;
    for (size_t j = 0; j < p->columns; j += TILE_COLUMNS) {
        const float *b = p->b + (j / MATRIX_PANEL * p->inner + k) * MATRIX_PANEL + j % MATRIX_PANEL;
        for (size_t r = 0; r < rows;) {
            const float *start = from ? from + (row + r) * stride + j : NULL;
            r += tile_some(rows - r, block + r * BLOCK_STRIDE, b, inner, start, stride, p->c + (row + r) * p->c_stride + j, p->c_stride,
                           p->columns - j);
        }
    }
}

ISA static void product(const matrix_product *p)
{
    float block[BLOCK_ROWS * BLOCK_STRIDE];
    for (size_t row = 0; row < p->rows; row += BLOCK_ROWS) {
        size_t rows = p->rows - row < BLOCK_ROWS ? p->rows - row : BLOCK_ROWS, k = 0;
        do {
            size_t inner = p->inner - k < BLOCK_INNER ? p->inner - k : BLOCK_INNER;
            copy_block(p, row, rows, k, inner, block);
            product_block(p, block, row, rows, k, inner);
            k += BLOCK_INNER;
        } while (k < p->inner);
    }
}

/* |x - y|^2 / 2 less what all y have in common, |x|^2 / 2, is |y|^2 / 2 - x y. */
TILE_INLINE void nearest_some(size_t rows, size_t vectors, const float *x, size_t stride, size_t n, const float *columns,
                              const float *halves, size_t many, uint8_t *out, size_t out_stride)
{
    VECTOR best[NARROW_ROWS];
    NUMBERS at[NARROW_ROWS], number = FIRST_NUMBERS(0);
    EACH(r, rows) best[r] = SPLAT(halves), at[r] = number;
    for (size_t i = 0; i < many; i += vectors * WIDTH) {
        VECTOR s[NARROW_ROWS][NEAREST_VECTORS];
        EACH(v, vectors) {
            VECTOR y = LOAD(halves + i + v * WIDTH);
            EACH(r, rows) s[r][v] = y;
        }
        for (size_t k = 0; k < n; k++) {
            VECTOR y[NEAREST_VECTORS];
            EACH(v, vectors) y[v] = LOAD(columns + k * many + i + v * WIDTH);
            EACH(r, rows) {
                VECTOR e = SPLAT(x + r * stride + k);
                EACH(v, vectors) s[r][v] = FNMA(e, y[v], s[r][v]);
            }
        }
        if (i == 0) EACH(r, rows) best[r] = s[r][0];
        EACH(v, vectors) {
            EACH(r, rows) KEEP_LESS(best[r], at[r], s[r][v], number);
            number = ONE_NUMBER(number);
        }
    }
    EACH(r, rows) out[r * out_stride] = (uint8_t)LEAST(best[r], at[r]);
}

#define NEAREST_OF(name, most, vectors)                                                                                \
    ISA static void name(const float *x, size_t stride, size_t count, size_t n, const float *columns, const float *halves, size_t many, \
                         uint8_t *out, size_t out_stride)                                                              \
    {                                                                                                                  \
        for (; count >= (most); count -= (most), x += (most) * stride, out += (most) * out_stride)                     \
            nearest_some(most, vectors, x, stride, n, columns, halves, many, out, out_stride);                         \
        for (; count; count--, x += stride, out += out_stride)                                                         \
            nearest_some(1, vectors, x, stride, n, columns, halves, many, out, out_stride);                            \
    }

NEAREST_OF(nearest_wide, NEAREST_ROWS, NEAREST_VECTORS)
NEAREST_OF(nearest_narrow, NARROW_ROWS, NARROW_VECTORS)

ISA static void nearest(const float *rows, size_t stride, size_t count, size_t n, const float *columns, const float *halves, size_t many,
                        uint8_t *out, size_t out_stride)
{
    (many % (NEAREST_VECTORS * WIDTH) ? nearest_narrow : nearest_wide)(rows, stride, count, n, columns, halves, many, out, out_stride);
}

#define MATRIX_KERNEL(table) const matrix_kernel table = { product, nearest };

#endif
#endif
