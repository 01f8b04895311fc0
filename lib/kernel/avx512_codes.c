/* avx512_codes.c - code kernels with AVX-512 VNNI: one instruction multiplies 64 codes and adds fours of them into 32 bits. */
#include "kernel/codes_rows.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define INLINE ISA static inline __attribute__((always_inline))

INLINE __m512i load(const void *p) { return _mm512_loadu_si512(p); }

INLINE int32_t dot_u8(const int8_t *q, const uint8_t *c, size_t n)
{
    __m512i s0 = _mm512_setzero_si512(), s1 = s0;
    size_t i = 0;
    for (; i + 128 <= n; i += 128) {
        s0 = _mm512_dpbusd_epi32(s0, load(c + i), load(q + i));
        s1 = _mm512_dpbusd_epi32(s1, load(c + i + 64), load(q + i + 64));
    }
    if (i < n) s0 = _mm512_dpbusd_epi32(s0, load(c + i), load(q + i));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

INLINE int32_t dot_u4(const int8_t *q, const uint8_t *c, size_t n)
{
    const __m512i mask = _mm512_set1_epi8(15);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0;
    size_t i = 0;
    for (; i + 128 <= n; i += 128, c += 64) {
        __m512i packed = load(c);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(packed, mask), load(q + i));
        s1 = _mm512_dpbusd_epi32(s1, _mm512_and_si512(_mm512_srli_epi16(packed, 4), mask), load(q + i + 64));
    }
    if (i < n) {
        __m256i packed = _mm256_loadu_si256((const __m256i *)(const void *)c);
        __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(packed), _mm256_srli_epi16(packed, 4), 1);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(both, mask), load(q + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

INLINE int32_t dot_u8u8(const uint8_t *a, const uint8_t *c, size_t n)
{
    const __m512i middle = _mm512_set1_epi8((char)0x80); /* u8 - 128 as s8 is the same bits with the highest flipped */
    __m512i s0 = _mm512_setzero_si512(), s1 = s0;
    size_t i = 0;
    for (; i + 128 <= n; i += 128) {
        s0 = _mm512_dpbusd_epi32(s0, load(a + i), _mm512_xor_si512(load(c + i), middle));
        s1 = _mm512_dpbusd_epi32(s1, load(a + i + 64), _mm512_xor_si512(load(c + i + 64), middle));
    }
    if (i < n) s0 = _mm512_dpbusd_epi32(s0, load(a + i), _mm512_xor_si512(load(c + i), middle));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

CODES_AT(ISA, dot_u8, int8_t)
CODES_AT(ISA, dot_u4, int8_t)
CODES_AT(ISA, dot_u8u8, uint8_t)

const code_kernel codes_avx512 = { dot_u8_at, dot_u4_at, dot_u8u8_at };
#endif
