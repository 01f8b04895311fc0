/* avx2_matrix.c - products and nearest vectors with AVX2 and FMA. */
#include "kernel/matrix.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define ISA __attribute__((target("avx2,fma")))
#define VECTOR __m256
#define NUMBERS __m256i
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define ZERO _mm256_setzero_ps()
#define SPLAT(p) _mm256_set1_ps(*(p))
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define FIRST_NUMBERS(n) _mm256_set1_epi32(n)
#define ONE_NUMBER(v) _mm256_add_epi32(v, _mm256_set1_epi32(1))
#define KEEP_LESS(best, at, v, number)                                                                                 \
    do {                                                                                                               \
        __m256i less = _mm256_castps_si256(_mm256_cmp_ps(v, best, _CMP_LT_OQ));                                        \
        best = _mm256_min_ps(v, best);                                                                                 \
        at = _mm256_blendv_epi8(at, number, less);                                                                     \
    } while (0)
#define LEAST(best, at) least(best, at)

enum { WIDTH = 8, TILE_ROWS = 6, TILE_VECTORS = 2, NEAREST_ROWS = 2, NEAREST_VECTORS = 4 };

ISA static inline uint32_t least(__m256 best, __m256i at)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256 m = _mm256_min_ps(best, _mm256_permute2f128_ps(best, best, 1));
    m = _mm256_min_ps(m, _mm256_permute_ps(m, 0x4e));
    m = _mm256_min_ps(m, _mm256_permute_ps(m, 0xb1));
    __m256i equal = _mm256_castps_si256(_mm256_cmp_ps(best, m, _CMP_EQ_OQ));
    __m256i number = _mm256_add_epi32(_mm256_slli_epi32(at, 3), lanes);
    number = _mm256_blendv_epi8(_mm256_set1_epi32(INT32_MAX), number, equal);
    __m128i n = _mm_min_epu32(_mm256_castsi256_si128(number), _mm256_extracti128_si256(number, 1));
    n = _mm_min_epu32(n, _mm_shuffle_epi32(n, 0x4e));
    n = _mm_min_epu32(n, _mm_shuffle_epi32(n, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(n) & 255;
}

#include "kernel/matrix_tiles.h"

MATRIX_KERNEL(matrix_avx2)
#endif
