/* neon.c - NEON, which every 64-bit ARM has, and the two tables of that processor.
 *
 * Four accumulators hide the cycles an FMA takes, as far as two loads for each let it go. There are no masked loads: the last
 * one to three elements are gathered lane by lane. */
#include "kernel/element_rows.h"
#include "kernel/halves_rows.h"
#include "kernel/kernel.h"
#include "kernel/signs_rows.h"
#include "kernel/steps_rows.h"
#include "kernel/whole_vectors.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>

#define INLINE static inline __attribute__((always_inline))

enum { WIDTH = 4, STEP = 4 * WIDTH, HAS_DOT = 1 << 20 /* HWCAP_ASIMDDP of Linux */ };

static bool usable(void) { return true; }
static bool usable_dot(void) { return (getauxval(AT_HWCAP) & HAS_DOT) != 0; }

#define LOAD(p) vld1q_f32(p)

/* 1 to 3 floats, then zeros. */
INLINE float32x4_t load_last(const float *p, size_t left)
{
    float32x4_t v = vld1q_lane_f32(p, vdupq_n_f32(0), 0);
    if (left > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (left > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
}

INLINE float32x4_t dot_step(float32x4_t acc, float32x4_t a, float32x4_t b) { return vfmaq_f32(acc, a, b); }

INLINE float32x4_t l2sq_step(float32x4_t acc, float32x4_t a, float32x4_t b)
{
    float32x4_t d = vsubq_f32(a, b);
    return vfmaq_f32(acc, d, d);
}

INLINE float32x4_t l1_step(float32x4_t acc, float32x4_t a, float32x4_t b) { return vaddq_f32(acc, vabdq_f32(a, b)); }

INLINE float32x4_t differ_step(float32x4_t acc, float32x4_t a, float32x4_t b)
{
    uint32x4_t one = vreinterpretq_u32_f32(vdupq_n_f32(1));
    return vaddq_f32(acc, vreinterpretq_f32_u32(vbicq_u32(one, vceqq_f32(a, b))));
}

#define KERNEL(name, step)                                                                                            \
    INLINE float name##_inline(const float *a, const float *b, size_t n)                                              \
    {                                                                                                                 \
        float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;                                                   \
        size_t i = 0;                                                                                                 \
        WHOLE_VECTORS(step, a, LOAD_FLOATS, b)                                                                        \
        if (i < n) s1 = step(s1, load_last(a + i, n - i), load_last(b + i, n - i));                                   \
        return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));                                           \
    }                                                                                                                 \
    static float name(const float *a, const float *b, size_t n) { return name##_inline(a, b, n); }                    \
    static void name##_rows(const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out)      \
    {                                                                                                                 \
        for (size_t i = 0; i < rows; i++) out[i] = name##_inline(q, base + i * stride, n);                            \
    }

KERNEL(dot_f32, dot_step)
KERNEL(l2sq_f32, l2sq_step)
KERNEL(l1_f32, l1_step)
KERNEL(differ_f32, differ_step)

static bool finite_f32(const float *a, size_t n)
{
    const uint32x4_t exponent = vdupq_n_u32(0x7f800000);
    uint32x4_t bad = vdupq_n_u32(0);
    for (size_t i = 0; i < n; i += WIDTH) {
        float32x4_t v = n - i < WIDTH ? load_last(a + i, n - i) : LOAD(a + i);
        bad = vorrq_u32(bad, vceqq_u32(vandq_u32(vreinterpretq_u32_f32(v), exponent), exponent));
    }
    return vmaxvq_u32(bad) == 0;
}

/* ---- smaller elements ---- */

#define VECTOR float32x4_t
#define ZERO vdupq_n_f32(0)
#define SUM(a, b, c, d) vaddvq_f32(vaddq_f32(vaddq_f32(a, b), vaddq_f32(c, d)))

INLINE float32x4_t load_f16(const unsigned char *row, size_t i)
{
    uint16_t halves[WIDTH];
    memcpy(halves, row + 2 * i, sizeof(halves)); /* any alignment */
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(halves)));
}

INLINE float32x4_t load_i8(const unsigned char *row, size_t i)
{
    uint32_t four;
    memcpy(&four, row + i, sizeof(four));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}

INLINE float32x4_t load_bit(const unsigned char *row, size_t i)
{
    static const uint32_t each[WIDTH] = { 1, 2, 4, 8 };
    uint32x4_t set = vtstq_u32(vdupq_n_u32((uint32_t)row[i / 8] >> i % 8), vld1q_u32(each));
    return vreinterpretq_f32_u32(vandq_u32(set, vreinterpretq_u32_f32(vdupq_n_f32(1))));
}

ELEMENT_KERNEL(, elements_neon)

/* ---- steps of a range ---- */

#define STORE(p, v) vst1q_f32(p, v)
#define SET(f) vdupq_n_f32(f)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define MUL(a, b) vmulq_f32(a, b)
#define LEAST(a, b) vminq_f32(a, b)
#define MOST(a, b) vmaxq_f32(a, b)
#define ROUND(v) vrndnq_f32(v)

#define sum_of(v) vaddvq_f32(v)
#define least_of(v) vminvq_f32(v)
#define most_of(v) vmaxvq_f32(v)

INLINE float32x4_t load_some(const float *p, size_t left) { return left == WIDTH ? LOAD(p) : left ? load_last(p, left) : ZERO; }

INLINE float32x4_t FIRST(float32x4_t v, size_t left)
{
    static const uint32_t lane[WIDTH] = { 0, 1, 2, 3 };
    return vreinterpretq_f32_u32(vandq_u32(vcltq_u32(vld1q_u32(lane), vdupq_n_u32((uint32_t)left)), vreinterpretq_u32_f32(v)));
}

INLINE uint8x8_t codes_at(const uint8_t *c)
{
    uint32_t four;
    memcpy(&four, c, sizeof(four));
    return vcreate_u8(four);
}

INLINE float32x4_t floats_of(uint8x8_t codes) { return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(codes)))); }
INLINE float32x4_t load_u8(const uint8_t *c) { return floats_of(codes_at(c)); }
INLINE float32x4_t load_low(const uint8_t *c) { return floats_of(vand_u8(codes_at(c), vdup_n_u8(15))); }
INLINE float32x4_t load_high(const uint8_t *c) { return floats_of(vshr_n_u8(codes_at(c), 4)); }

INLINE void put(uint8_t *c, uint32x4_t v)
{
    uint16x4_t words = vmovn_u32(v);
    vst1_lane_u32((uint32_t *)(void *)c, vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
}

INLINE void store_u8(uint8_t *c, float32x4_t v) { put(c, vcvtnq_u32_f32(v)); }

INLINE void store_u4(uint8_t *c, float32x4_t low, float32x4_t high)
{
    put(c, vorrq_u32(vcvtnq_u32_f32(low), vshlq_n_u32(vcvtnq_u32_f32(high), 4)));
}

STEPS_KERNEL(, steps_neon)

/* ---- floats of 16 bits ---- */

INLINE void put_halves(uint8_t *c, uint16x4_t v) { vst1_u8(c, vreinterpret_u8_u16(v)); }
INLINE void store_f16(uint8_t *c, float32x4_t v) { put_halves(c, vreinterpret_u16_f16(vcvt_f16_f32(v))); }

INLINE float32x4_t load_bf16(const uint8_t *c, size_t i)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(c + 2 * i)), 16));
}

INLINE void store_bf16(uint8_t *c, float32x4_t v)
{
    const uint32x4_t exponent = vdupq_n_u32(0x7f800000);
    uint32x4_t bits = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
    uint32x4_t infinite = vceqq_u32(vandq_u32(rounded, exponent), exponent);
    put_halves(c, vshrn_n_u32(vbslq_u32(infinite, bits, rounded), 16));
}

HALF_KERNEL(, halves_neon)

/* ---- signs ---- */

#define ADD(a, b) vaddq_f32(a, b)
#define SUB(a, b) vsubq_f32(a, b)

static const uint32_t bit_of_lane[WIDTH] = { 1, 2, 4, 8 };

INLINE uint32_t higher(float32x4_t x, float32x4_t y) { return vaddvq_u32(vandq_u32(vcgtq_f32(x, y), vld1q_u32(bit_of_lane))); }

INLINE float32x4_t signed_by(float32x4_t v, const uint8_t *bits, size_t i)
{
    uint32x4_t clear = vceqzq_u32(vandq_u32(vdupq_n_u32((uint32_t)bits[i / 8] >> i % 8), vld1q_u32(bit_of_lane)));
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(v), vshlq_n_u32(clear, 31)));
}

/* Each lane and the one that is 1, 2 beside it: their sum, or their difference in the second of the two. */
INLINE float32x4_t LANES(float32x4_t v)
{
    static const float ones[WIDTH] = { 1, -1, 1, -1 }, twos[WIDTH] = { 1, 1, -1, -1 };
    v = vfmaq_f32(vrev64q_f32(v), v, vld1q_f32(ones));
    return vfmaq_f32(vextq_f32(v, v, 2), v, vld1q_f32(twos));
}

SIGNS_KERNEL(, signs_neon)

const kernel kernel_neon = { "neon",       usable,        dot_f32,     l2sq_f32,        l1_f32,     differ_f32,
                             dot_f32_rows, l2sq_f32_rows, l1_f32_rows, differ_f32_rows, finite_f32, &codes_neon,
                             &elements_neon, &steps_neon, &matrix_neon, &signs_neon,
                             &halves_neon, NULL, NULL };
const kernel kernel_neon_dot = { "neon-dot",   usable_dot,    dot_f32,     l2sq_f32,        l1_f32,     differ_f32,
                                 dot_f32_rows, l2sq_f32_rows, l1_f32_rows, differ_f32_rows, finite_f32, &codes_neon_dot,
                                 &elements_neon, &steps_neon, &matrix_neon, &signs_neon,
                                 &halves_neon, NULL, NULL };
#endif
