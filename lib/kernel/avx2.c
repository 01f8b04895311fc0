/* avx2.c - AVX2 and FMA. Nothing here but usable() may run before usable() said yes.
 *
 * Four accumulators hide the four cycles an FMA takes; the tail is a masked load, so that no length is slow. Rows that
 * do not fill them go by in fours and share the adding up. Longer ones go one at a time: a scan of them waits for
 * memory, and reading it in four places is slower than in one. Both ways add in the same order, so a row's result does
 * not depend on its neighbours. */
#include "kernel/element_rows.h"
#include "kernel/halves_rows.h"
#include "kernel/kernel.h"
#include "kernel/past_caches.h"
#include "kernel/signs_rows.h"
#include "kernel/steps_rows.h"
#include "kernel/whole_vectors.h"
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define ISA __attribute__((target("avx2,fma,f16c")))
#define INLINE ISA static inline __attribute__((always_inline))

enum { WIDTH = 8, STEP = 4 * WIDTH, FOUR = 4, AHEAD_BYTES = 512 };

static bool usable(void)
{
    unsigned a, b, c = 0, d;
    /* Not __builtin_cpu_supports(): not every compiler that has it knows this name. */
    bool f16c = __get_cpuid(1, &a, &b, &c, &d) && ((c & bit_F16C) != 0);
    return f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

INLINE __m128 halves(__m256 v) { return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)); }

INLINE float sum_of(__m256 v)
{
    __m128 x = halves(v);
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/* sum_of() of each, in the same order of additions. */
INLINE __m128 sums_of(__m256 a, __m256 b, __m256 c, __m256 d)
{
    __m128 w = halves(a), x = halves(b), y = halves(c), z = halves(d);
    return _mm_hadd_ps(_mm_add_ps(_mm_movelh_ps(w, x), _mm_movehl_ps(x, w)),
                       _mm_add_ps(_mm_movelh_ps(y, z), _mm_movehl_ps(z, y)));
}

/* All ones in the first `left` of eight lanes. */
INLINE __m256i first_lanes(size_t left)
{
    static const int32_t mask[2 * WIDTH] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    return _mm256_loadu_si256((const __m256i *)(const void *)(mask + WIDTH - left));
}

/* Masked loads alone do not make a machine fetch what comes next, so rows that have no others are asked for ahead of
 * their turn. A hint: the address need not exist. */
INLINE void ask_ahead(const float *row) { _mm_prefetch((const char *)((uintptr_t)row + AHEAD_BYTES), _MM_HINT_T0); }

INLINE __m256 dot_step(__m256 acc, __m256 a, __m256 b) { return _mm256_fmadd_ps(a, b, acc); }

INLINE __m256 l2sq_step(__m256 acc, __m256 a, __m256 b)
{
    __m256 d = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(d, d, acc);
}

INLINE __m256 l1_step(__m256 acc, __m256 a, __m256 b)
{
    return _mm256_add_ps(acc, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(a, b)));
}

INLINE __m256 differ_step(__m256 acc, __m256 a, __m256 b)
{
    return _mm256_add_ps(acc, _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ), _mm256_set1_ps(1)));
}

#define LOAD(p) _mm256_loadu_ps(p)

#define KERNEL(name, step)                                                                                            \
    INLINE float name##_inline(const float *a, const float *b, size_t n)                                              \
    {                                                                                                                 \
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                                                   \
        size_t i = 0;                                                                                                 \
        WHOLE_VECTORS(step, a, LOAD_FLOATS, b)                                                                        \
        if (i < n) {                                                                                                  \
            __m256i m = first_lanes(n - i);                                                                           \
            s1 = step(s1, _mm256_maskload_ps(a + i, m), _mm256_maskload_ps(b + i, m));                                \
        }                                                                                                             \
        return sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));                                   \
    }                                                                                                                 \
    ISA static float name(const float *a, const float *b, size_t n) { return name##_inline(a, b, n); }                \
    /* Four rows of less than STEP elements. */                                                                       \
    INLINE __m128 name##_four(const float *q, const float *base, size_t stride, size_t n)                             \
    {                                                                                                                 \
        const float *b0 = base, *b1 = b0 + stride, *b2 = b1 + stride, *b3 = b2 + stride;                              \
        __m256 zero = _mm256_setzero_ps(), s0 = zero, s1 = zero, s2 = zero, s3 = zero;                                \
        size_t i = 0;                                                                                                 \
        if (n < WIDTH) ask_ahead(b0), ask_ahead(b2);                                                                  \
        for (; i + WIDTH <= n; i += WIDTH) {                                                                          \
            __m256 a = LOAD(q + i);                                                                                   \
            s0 = step(s0, a, LOAD(b0 + i));                                                                           \
            s1 = step(s1, a, LOAD(b1 + i));                                                                           \
            s2 = step(s2, a, LOAD(b2 + i));                                                                           \
            s3 = step(s3, a, LOAD(b3 + i));                                                                           \
        }                                                                                                             \
        if (i < n) {                                                                                                  \
            __m256i m = first_lanes(n - i);                                                                           \
            __m256 a = _mm256_maskload_ps(q + i, m);                                                                  \
            s0 = _mm256_add_ps(s0, step(zero, a, _mm256_maskload_ps(b0 + i, m)));                                     \
            s1 = _mm256_add_ps(s1, step(zero, a, _mm256_maskload_ps(b1 + i, m)));                                     \
            s2 = _mm256_add_ps(s2, step(zero, a, _mm256_maskload_ps(b2 + i, m)));                                     \
            s3 = _mm256_add_ps(s3, step(zero, a, _mm256_maskload_ps(b3 + i, m)));                                     \
        }                                                                                                             \
        return sums_of(s0, s1, s2, s3);                                                                               \
    }                                                                                                                 \
    ISA static void name##_rows(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out)  \
    {                                                                                                                 \
        size_t i = 0;                                                                                                 \
        if (n < STEP)                                                                                                 \
            for (; i + FOUR <= rows; i += FOUR) _mm_storeu_ps(out + i, name##_four(q, base + i * stride, stride, n)); \
        for (; i < rows; i++) out[i] = name##_inline(q, base + i * stride, n);                                        \
    }

KERNEL(dot_f32, dot_step)
KERNEL(l2sq_f32, l2sq_step)
KERNEL(l1_f32, l1_step)
KERNEL(differ_f32, differ_step)

ISA static bool finite_f32(const float *a, size_t n)
{
    const __m256i exponent = _mm256_set1_epi32(0x7f800000);
    __m256i bad = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += WIDTH) {
        __m256i m = first_lanes(n - i < WIDTH ? n - i : WIDTH);
        __m256i bits = _mm256_castps_si256(_mm256_maskload_ps(a + i, m));
        bad = _mm256_or_si256(bad, _mm256_cmpeq_epi32(_mm256_and_si256(bits, exponent), exponent));
    }
    return _mm256_testz_si256(bad, bad);
}

/* ---- smaller elements ---- */

#define VECTOR __m256
#define ZERO _mm256_setzero_ps()
#define SUM(a, b, c, d) sum_of(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)))

INLINE __m256 load_f16(const unsigned char *row, size_t i)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(row + 2 * i)));
}

INLINE __m256 load_i8(const unsigned char *row, size_t i)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(row + i))));
}

INLINE __m256 load_bit(const unsigned char *row, size_t i)
{
    const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(row[i / 8]), each), each);
    return _mm256_and_ps(_mm256_castsi256_ps(set), _mm256_set1_ps(1));
}

ELEMENT_KERNEL(ISA, elements_avx2)

/* ---- steps of a range ---- */

#define STORE(p, v) _mm256_storeu_ps(p, v)
#define SET(f) _mm256_set1_ps(f)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define LEAST(a, b) _mm256_min_ps(a, b)
#define MOST(a, b) _mm256_max_ps(a, b)
#define ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)

#define OF_LANES(name, of)                                                                                            \
    INLINE float name(__m256 v)                                                                                        \
    {                                                                                                                  \
        __m128 x = of(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));                                         \
        x = of(x, _mm_movehl_ps(x, x));                                                                                \
        return _mm_cvtss_f32(of(x, _mm_movehdup_ps(x)));                                                               \
    }
OF_LANES(least_of, _mm_min_ps)
OF_LANES(most_of, _mm_max_ps)

INLINE __m256 load_some(const float *p, size_t left) { return _mm256_maskload_ps(p, first_lanes(left)); }
#define FIRST(v, left) _mm256_and_ps(v, _mm256_castsi256_ps(first_lanes(left)))

INLINE __m128i codes_at(const uint8_t *c) { return _mm_loadl_epi64((const __m128i *)(const void *)c); }
INLINE __m256 floats_of(__m128i codes) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes)); }
INLINE __m256 load_u8(const uint8_t *c) { return floats_of(codes_at(c)); }
INLINE __m256 load_low(const uint8_t *c) { return floats_of(_mm_and_si128(codes_at(c), _mm_set1_epi8(15))); }
INLINE __m256 load_high(const uint8_t *c) { return floats_of(_mm_and_si128(_mm_srli_epi16(codes_at(c), 4), _mm_set1_epi8(15))); }

INLINE void put(uint8_t *c, __m256i v)
{
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)(void *)c, _mm_packus_epi16(words, words));
}

INLINE void store_u8(uint8_t *c, __m256 v) { put(c, _mm256_cvtps_epi32(v)); }

INLINE void store_u4(uint8_t *c, __m256 low, __m256 high)
{
    put(c, _mm256_or_si256(_mm256_cvtps_epi32(low), _mm256_slli_epi32(_mm256_cvtps_epi32(high), 4)));
}

STEPS_KERNEL(ISA, steps_avx2)

/* ---- floats of 16 bits ---- */

INLINE void put_halves(uint8_t *c, __m128i v) { _mm_storeu_si128((__m128i *)(void *)c, v); }
INLINE void store_f16(uint8_t *c, __m256 v) { put_halves(c, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); }

INLINE __m256 load_bf16(const uint8_t *c, size_t i)
{
    __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)(c + 2 * i));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

INLINE void store_bf16(uint8_t *c, __m256 v)
{
    const __m256i exponent = _mm256_set1_epi32(0x7f800000);
    __m256i bits = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    __m256i infinite = _mm256_cmpeq_epi32(_mm256_and_si256(rounded, exponent), exponent);
    __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, bits, infinite), 16);
    put_halves(c, _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1)));
}

HALF_KERNEL(ISA, halves_avx2)

#define PAST_STORE(p, v) _mm256_stream_ps(p, v)
#define PAST_FENCE() _mm_sfence()
PAST_CACHES(ISA)

/* ---- signs ---- */

#define ADD(a, b) _mm256_add_ps(a, b)
#define SUB(a, b) _mm256_sub_ps(a, b)

INLINE uint32_t higher(__m256 x, __m256 y) { return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, y, _CMP_GT_OQ)); }

INLINE __m256 signed_by(__m256 v, const uint8_t *bits, size_t i)
{
    const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i clear = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits[i / 8]), each), _mm256_setzero_si256());
    return _mm256_xor_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(clear, 31)));
}

/* Each lane and the one that is 1, 2, 4 beside it: their sum, or their difference in the second of the two. */
INLINE __m256 LANES(__m256 v)
{
    v = _mm256_fmadd_ps(v, _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1), _mm256_permute_ps(v, 0xb1));
    v = _mm256_fmadd_ps(v, _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1), _mm256_permute_ps(v, 0x4e));
    return _mm256_fmadd_ps(v, _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1), _mm256_permute2f128_ps(v, v, 1));
}

SIGNS_KERNEL(ISA, signs_avx2)

const kernel kernel_avx2 = { "avx2",       usable,        dot_f32,     l2sq_f32,        l1_f32,     differ_f32,
                             dot_f32_rows, l2sq_f32_rows, l1_f32_rows, differ_f32_rows, finite_f32, &codes_avx2,
                             &elements_avx2, &steps_avx2, &matrix_avx2, &signs_avx2,
                             &halves_avx2, copy_past_caches, end_past_caches };
#endif
