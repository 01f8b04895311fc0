/* avx512_matrix.c - products and nearest vectors with AVX-512. */
#include "kernel/matrix.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl")))
#define VECTOR __m512
#define NUMBERS __m512i
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define ZERO _mm512_setzero_ps()
#define SPLAT(p) _mm512_set1_ps(*(p))
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define FIRST_NUMBERS(n) _mm512_set1_epi32(n)
#define ONE_NUMBER(v) _mm512_add_epi32(v, _mm512_set1_epi32(1))
#define KEEP_LESS(best, at, v, number)                                                                                 \
    do {                                                                                                               \
        __mmask16 less = _mm512_cmp_ps_mask(v, best, _CMP_LT_OQ);                                                      \
        best = _mm512_min_ps(v, best);                                                                                 \
        at = _mm512_mask_mov_epi32(at, less, number);                                                                  \
    } while (0)
#define LEAST(best, at) least(best, at)

enum { WIDTH = 16, TILE_ROWS = 12, TILE_VECTORS = 2, NEAREST_ROWS = 4, NEAREST_VECTORS = 4 };

ISA static inline uint32_t least(__m512 best, __m512i at)
{
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __mmask16 equal = _mm512_cmp_ps_mask(best, _mm512_set1_ps(_mm512_reduce_min_ps(best)), _CMP_EQ_OQ);
    return _mm512_mask_reduce_min_epu32(equal, _mm512_add_epi32(_mm512_slli_epi32(at, 4), lanes)) & 255;
}

#include "kernel/matrix_tiles.h"

MATRIX_KERNEL(matrix_avx512)
#endif
