/* avx2_codes.c - code kernels with AVX2.
 *
 * maddubs multiplies unsigned codes with the signed query and adds pairs into 16 bits, saturating: the query's range
 * (codes.h) keeps clear of that. */
#include "kernel/codes_rows.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define ISA __attribute__((target("avx2,fma")))
#define INLINE ISA static inline __attribute__((always_inline))

INLINE int32_t sum_of(__m256i v)
{
    __m128i x = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

INLINE __m256i load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

INLINE int32_t dot_u8(const int8_t *q, const uint8_t *c, size_t n)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    for (size_t i = 0; i < n; i += 64) {
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_maddubs_epi16(load(c + i), load(q + i)), one));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_maddubs_epi16(load(c + i + 32), load(q + i + 32)), one));
    }
    return sum_of(_mm256_add_epi32(s0, s1));
}

/* One load of 32 bytes of packed codes against the two stretches of the query that they belong to. */
INLINE __m256i products(__m256i packed, const int8_t *low, const int8_t *high)
{
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i l = _mm256_and_si256(packed, mask), h = _mm256_and_si256(_mm256_srli_epi16(packed, 4), mask);
    return _mm256_add_epi16(_mm256_maddubs_epi16(l, load(low)), _mm256_maddubs_epi16(h, load(high)));
}

INLINE int32_t dot_u4(const int8_t *q, const uint8_t *c, size_t n)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    size_t i = 0;
    while (n - i >= 128) {
        __m256i words = _mm256_setzero_si256(); /* eight products of 15 * 127 * 2 still fit */
        for (int two = 0; two < 2 && n - i >= 128; two++, i += 128, c += 64)
            words = _mm256_add_epi16(words, _mm256_add_epi16(products(load(c), q + i, q + i + 64),
                                                             products(load(c + 32), q + i + 32, q + i + 96)));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(words, one));
    }
    if (i < n) sum = _mm256_add_epi32(sum, _mm256_madd_epi16(products(load(c), q + i, q + i + 32), one));
    return sum_of(sum);
}

INLINE int32_t dot_u8u8(const uint8_t *a, const uint8_t *c, size_t n)
{
    const __m256i middle = _mm256_set1_epi16(128);
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    for (size_t i = 0; i < n; i += 32) {
        __m256i x = load(a + i), y = load(c + i);
        __m256i x0 = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(x)), x1 = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(x, 1));
        __m256i y0 = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(y)), y1 = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(y, 1));
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x0, _mm256_sub_epi16(y0, middle)));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x1, _mm256_sub_epi16(y1, middle)));
    }
    return sum_of(_mm256_add_epi32(s0, s1));
}

CODES_AT(ISA, dot_u8, int8_t)
CODES_AT(ISA, dot_u4, int8_t)
CODES_AT(ISA, dot_u8u8, uint8_t)

const code_kernel codes_avx2 = { dot_u8_at, dot_u4_at, dot_u8u8_at };
#endif
