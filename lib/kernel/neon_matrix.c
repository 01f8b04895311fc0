/* neon_matrix.c - products and nearest vectors with NEON. */
#include "kernel/matrix.h"
#if defined(__aarch64__)
#include <arm_neon.h>

#define ISA
#define VECTOR float32x4_t
#define NUMBERS uint32x4_t
#define LOAD(p) vld1q_f32(p)
#define STORE(p, v) vst1q_f32(p, v)
#define ZERO vdupq_n_f32(0)
#define SPLAT(p) vld1q_dup_f32(p)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define FNMA(a, b, c) vfmsq_f32(c, a, b)
#define FIRST_NUMBERS(n) vdupq_n_u32(n)
#define ONE_NUMBER(v) vaddq_u32(v, vdupq_n_u32(1))
#define KEEP_LESS(best, at, v, number)                                                                                 \
    do {                                                                                                               \
        uint32x4_t less = vcltq_f32(v, best);                                                                          \
        best = vbslq_f32(less, v, best);                                                                               \
        at = vbslq_u32(less, number, at);                                                                              \
    } while (0)
#define LEAST(best, at) least(best, at)

enum { WIDTH = 4, TILE_ROWS = 8, TILE_VECTORS = 2, NEAREST_ROWS = 4, NEAREST_VECTORS = 4 };

static inline uint32_t least(float32x4_t best, uint32x4_t at)
{
    static const uint32_t each[WIDTH] = { 0, 1, 2, 3 };
    uint32x4_t number = vaddq_u32(vshlq_n_u32(at, 2), vld1q_u32(each));
    uint32x4_t equal = vceqq_f32(best, vdupq_n_f32(vminvq_f32(best)));
    return vminvq_u32(vbslq_u32(equal, number, vdupq_n_u32(UINT32_MAX))) & 255;
}

#include "kernel/matrix_tiles.h"

MATRIX_KERNEL(matrix_neon)
#endif
