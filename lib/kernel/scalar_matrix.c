/* scalar_matrix.c - products and nearest vectors for any machine: vectors of four floats, which the compiler takes apart where there are
 * none. */
#include "kernel/matrix.h"
#include <string.h>

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_numbers __attribute__((vector_size(16)));

#define ISA
#define VECTOR four
#define NUMBERS four_numbers
#define LOAD(p) load(p)
#define STORE(p, v) store(p, v)
#define ZERO ((four){ 0 })
#define SPLAT(p) splat(*(p))
#define FMA(a, b, c) ((a) * (b) + (c))
#define FNMA(a, b, c) ((c) - (a) * (b))
#define FIRST_NUMBERS(n) ((four_numbers){ n, n, n, n })
#define ONE_NUMBER(v) ((v) + 1)
#define KEEP_LESS(best, at, v, number)                                                                                 \
    do {                                                                                                               \
        four_numbers less = (v) < (best);                                                                              \
        best = (four)(((four_numbers)(v) & less) | ((four_numbers)(best) & ~less));                                    \
        at = ((number) & less) | ((at) & ~less);                                                                       \
    } while (0)
#define LEAST(best, at) least(best, at)

enum { WIDTH = 4, TILE_ROWS = 4, TILE_VECTORS = 2, NEAREST_ROWS = 2, NEAREST_VECTORS = 4 };

static inline four load(const float *p)
{
    four v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void store(float *p, four v) { memcpy(p, &v, sizeof(v)); }
static inline four splat(float x) { return (four){ x, x, x, x }; }

static inline uint32_t least(four best, four_numbers at)
{
    uint32_t lane = 0;
    for (uint32_t i = 1; i < WIDTH; i++)
        if (best[i] < best[lane] || (best[i] == best[lane] && at[i] < at[lane])) lane = i;
    return ((uint32_t)at[lane] * WIDTH + lane) & 255;
}

#include "kernel/matrix_tiles.h"

MATRIX_KERNEL(matrix_scalar)
