/* avx512.c - AVX-512 for floats that have many elements. Nothing here but usable() may run before usable() said yes.
 *
 * Twice as fast as AVX2 on rows in the first-level cache, one and a half times in the second (a batch of queries meets a tile
 * there), a tenth at most from memory. Below WIDE elements nothing is gained: those are AVX2's. */
#include "kernel/element_rows.h"
#include "kernel/halves_rows.h"
#include "kernel/kernel.h"
#include "kernel/past_caches.h"
#include "kernel/signs_rows.h"
#include "kernel/steps_rows.h"
#include "kernel/whole_vectors.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl")))
#define INLINE ISA static inline __attribute__((always_inline))

enum { WIDTH = 16, STEP = 4 * WIDTH, WIDE = 128 };

static bool usable(void)
{
    return kernel_avx2.usable() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

INLINE __m512 dot_step(__m512 acc, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, acc); }

INLINE __m512 l2sq_step(__m512 acc, __m512 a, __m512 b)
{
    __m512 d = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(d, d, acc);
}

INLINE __m512 l1_step(__m512 acc, __m512 a, __m512 b) { return _mm512_add_ps(acc, _mm512_abs_ps(_mm512_sub_ps(a, b))); }

INLINE __m512 differ_step(__m512 acc, __m512 a, __m512 b)
{
    return _mm512_mask_add_ps(acc, _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ), acc, _mm512_set1_ps(1));
}

#define LOAD(p) _mm512_loadu_ps(p)

#define KERNEL(name, step)                                                                                            \
    INLINE float name##_wide(const float *a, const float *b, size_t n)                                                \
    {                                                                                                                 \
        __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                                                   \
        size_t i = 0;                                                                                                 \
        WHOLE_VECTORS(step, a, LOAD_FLOATS, b)                                                                        \
        if (i < n) {                                                                                                  \
            __mmask16 m = (__mmask16)((1u << (n - i)) - 1);                                                           \
            s1 = step(s1, _mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i));                          \
        }                                                                                                             \
        return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));                     \
    }                                                                                                                 \
    ISA static float name(const float *a, const float *b, size_t n)                                                   \
    {                                                                                                                 \
        return n < WIDE ? kernel_avx2.name(a, b, n) : name##_wide(a, b, n);                                           \
    }                                                                                                                 \
    ISA static void name##_rows(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out)  \
    {                                                                                                                 \
        if (n < WIDE) kernel_avx2.name##_rows(q, base, stride, rows, n, out);                                         \
        else                                                                                                          \
            for (size_t i = 0; i < rows; i++) out[i] = name##_wide(q, base + i * stride, n);                          \
    }

KERNEL(dot_f32, dot_step)
KERNEL(l2sq_f32, l2sq_step)
KERNEL(l1_f32, l1_step)
KERNEL(differ_f32, differ_step)

ISA static bool finite_f32(const float *a, size_t n)
{
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    __mmask16 bad = 0;
    for (size_t i = 0; i < n; i += WIDTH) {
        __mmask16 m = n - i < WIDTH ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)-1;
        __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(m, a + i));
        bad |= _mm512_cmpeq_epi32_mask(_mm512_and_si512(bits, exponent), exponent);
    }
    return !bad;
}

/* ---- smaller elements ---- */

#define VECTOR __m512
#define ZERO _mm512_setzero_ps()
#define SUM(a, b, c, d) _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)))

INLINE __m512 load_f16(const unsigned char *row, size_t i)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(row + 2 * i)));
}

INLINE __m512 load_i8(const unsigned char *row, size_t i)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(row + i))));
}

INLINE __m512 load_bit(const unsigned char *row, size_t i)
{
    uint16_t set;
    memcpy(&set, row + i / 8, sizeof(set));
    return _mm512_maskz_mov_ps(set, _mm512_set1_ps(1));
}

ELEMENT_KERNEL(ISA, elements_avx512)

/* ---- steps of a range ---- */

#define STORE(p, v) _mm512_storeu_ps(p, v)
#define SET(f) _mm512_set1_ps(f)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MUL(a, b) _mm512_mul_ps(a, b)
#define LEAST(a, b) _mm512_min_ps(a, b)
#define MOST(a, b) _mm512_max_ps(a, b)
#define ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)

INLINE float sum_of(__m512 v) { return _mm512_reduce_add_ps(v); }
INLINE float least_of(__m512 v) { return _mm512_reduce_min_ps(v); }
INLINE float most_of(__m512 v) { return _mm512_reduce_max_ps(v); }
INLINE __mmask16 first_lanes(size_t left) { return (__mmask16)((1u << left) - 1); }
INLINE __m512 load_some(const float *p, size_t left) { return _mm512_maskz_loadu_ps(first_lanes(left), p); }
#define FIRST(v, left) _mm512_maskz_mov_ps(first_lanes(left), v)

INLINE __m128i codes_at(const uint8_t *c) { return _mm_loadu_si128((const __m128i *)(const void *)c); }
INLINE __m512 floats_of(__m128i codes) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes)); }
INLINE __m512 load_u8(const uint8_t *c) { return floats_of(codes_at(c)); }
INLINE __m512 load_low(const uint8_t *c) { return floats_of(_mm_and_si128(codes_at(c), _mm_set1_epi8(15))); }
INLINE __m512 load_high(const uint8_t *c) { return floats_of(_mm_and_si128(_mm_srli_epi16(codes_at(c), 4), _mm_set1_epi8(15))); }
INLINE void put(uint8_t *c, __m512i v) { _mm_storeu_si128((__m128i *)(void *)c, _mm512_cvtepi32_epi8(v)); }
INLINE void store_u8(uint8_t *c, __m512 v) { put(c, _mm512_cvtps_epi32(v)); }

INLINE void store_u4(uint8_t *c, __m512 low, __m512 high)
{
    put(c, _mm512_or_si512(_mm512_cvtps_epi32(low), _mm512_slli_epi32(_mm512_cvtps_epi32(high), 4)));
}

STEPS_KERNEL(ISA, steps_avx512)

/* ---- floats of 16 bits ---- */

INLINE void put_halves(uint8_t *c, __m256i v) { _mm256_storeu_si256((__m256i *)(void *)c, v); }
INLINE void store_f16(uint8_t *c, __m512 v) { put_halves(c, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); }

INLINE __m512 load_bf16(const uint8_t *c, size_t i)
{
    __m256i halves = _mm256_loadu_si256((const __m256i *)(const void *)(c + 2 * i));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

INLINE void store_bf16(uint8_t *c, __m512 v)
{
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    __m512i bits = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    __mmask16 infinite = _mm512_cmpeq_epi32_mask(_mm512_and_si512(rounded, exponent), exponent);
    put_halves(c, _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, infinite, bits), 16)));
}

HALF_KERNEL(ISA, halves_avx512)

#define PAST_STORE(p, v) _mm512_stream_ps(p, v)
#define PAST_FENCE() _mm_sfence()
PAST_CACHES(ISA)

/* ---- signs ---- */

#define ADD(a, b) _mm512_add_ps(a, b)
#define SUB(a, b) _mm512_sub_ps(a, b)

INLINE uint32_t higher(__m512 x, __m512 y) { return _mm512_cmp_ps_mask(x, y, _CMP_GT_OQ); }

INLINE __m512 signed_by(__m512 v, const uint8_t *bits, size_t i)
{
    uint16_t set;
    memcpy(&set, bits + i / 8, sizeof(set));
    __m512i plain = _mm512_castps_si512(v);
    return _mm512_castsi512_ps(_mm512_mask_xor_epi32(plain, (__mmask16)~set, plain, _mm512_set1_epi32(INT32_MIN)));
}

/* Each lane and the one that is 1, 2, 4, 8 beside it: their sum, or their difference in the second of the two. */
INLINE __m512 LANES(__m512 v)
{
    const __m512 one = _mm512_set1_ps(1), less = _mm512_set1_ps(-1);
    v = _mm512_fmadd_ps(v, _mm512_mask_mov_ps(one, 0xaaaa, less), _mm512_permute_ps(v, 0xb1));
    v = _mm512_fmadd_ps(v, _mm512_mask_mov_ps(one, 0xcccc, less), _mm512_permute_ps(v, 0x4e));
    v = _mm512_fmadd_ps(v, _mm512_mask_mov_ps(one, 0xf0f0, less), _mm512_shuffle_f32x4(v, v, 0xb1));
    return _mm512_fmadd_ps(v, _mm512_mask_mov_ps(one, 0xff00, less), _mm512_shuffle_f32x4(v, v, 0x4e));
}

SIGNS_KERNEL(ISA, signs_avx512)

const kernel kernel_avx512 = { "avx512",     usable,        dot_f32,     l2sq_f32,        l1_f32,     differ_f32,
                               dot_f32_rows, l2sq_f32_rows, l1_f32_rows, differ_f32_rows, finite_f32, &codes_avx512,
                               &elements_avx512, &steps_avx512, &matrix_avx512, &signs_avx512,
                               &halves_avx512, copy_past_caches, end_past_caches };
#endif
