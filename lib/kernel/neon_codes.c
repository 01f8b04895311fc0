/* neon_codes.c - code kernels with NEON, and with its dot product instructions (ARMv8.2).
 *
 * Neither multiplies signed with unsigned bytes. So signed queries meet codes less 128, and unsigned rows meet plain codes; what
 * that adds or lacks is 128 times the query's sum, the same for all rows of a call. Sums wrap around on the way (hence uint32_t)
 * and are right at the end. */
#include "kernel/codes_rows.h"
#if defined(__aarch64__)
#include <arm_neon.h>

#define DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#define PLAIN
#define INLINE static inline __attribute__((always_inline))

enum { STEP = 16, FOUR = 4 * STEP };

INLINE int8x16_t less_128(const uint8_t *c) { return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(c), vdupq_n_u8(0x80))); }
INLINE int8x16_t low_codes(uint8x16_t packed) { return vreinterpretq_s8_u8(vandq_u8(packed, vdupq_n_u8(15))); }
INLINE int8x16_t high_codes(uint8x16_t packed) { return vreinterpretq_s8_u8(vshrq_n_u8(packed, 4)); }

/* ---- ARMv8.0: products in 16 bits, as many as fit, then into 32 ---- */

INLINE int32_t shifted_u8(const int8_t *q, const uint8_t *c, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n; i += FOUR) {
        int16x8_t low = vdupq_n_s16(0), high = low; /* four products of 63 * 128 fit */
        for (size_t j = i; j < i + FOUR; j += STEP) {
            int8x16_t a = vld1q_s8(q + j), b = less_128(c + j);
            low = vmlal_s8(low, vget_low_s8(a), vget_low_s8(b));
            high = vmlal_high_s8(high, a, b);
        }
        s0 = vpadalq_s16(s0, low);
        s1 = vpadalq_s16(s1, high);
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

INLINE int32_t dot_u4(const int8_t *q, const uint8_t *c, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n;) {
        size_t half = n - i >= 2 * CODE_BLOCK ? CODE_BLOCK : CODE_BLOCK / 2;
        int16x8_t low = vdupq_n_s16(0), high = low; /* eight products of 127 * 15 fit */
        for (size_t j = 0; j < half; j += STEP) {
            uint8x16_t packed = vld1q_u8(c + j);
            int8x16_t a = vld1q_s8(q + i + j), b = vld1q_s8(q + i + half + j), x = low_codes(packed), y = high_codes(packed);
            low = vmlal_s8(vmlal_s8(low, vget_low_s8(a), vget_low_s8(x)), vget_low_s8(b), vget_low_s8(y));
            high = vmlal_high_s8(vmlal_high_s8(high, a, x), b, y);
        }
        s0 = vpadalq_s16(s0, low);
        s1 = vpadalq_s16(s1, high);
        i += 2 * half;
        c += half;
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

INLINE int32_t plain_u8u8(const uint8_t *a, const uint8_t *c, size_t n)
{
    uint32x4_t s0 = vdupq_n_u32(0), s1 = s0;
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16_t x = vld1q_u8(a + i), y = vld1q_u8(c + i);
        s0 = vpadalq_u16(s0, vmull_u8(vget_low_u8(x), vget_low_u8(y)));
        s1 = vpadalq_u16(s1, vmull_high_u8(x, y));
    }
    return (int32_t)vaddvq_u32(vaddq_u32(s0, s1));
}

/* ---- ARMv8.2: four products added into 32 bits by one instruction ---- */

DOT INLINE int32_t shifted_dot_u8(const int8_t *q, const uint8_t *c, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n; i += 2 * STEP) {
        s0 = vdotq_s32(s0, vld1q_s8(q + i), less_128(c + i));
        s1 = vdotq_s32(s1, vld1q_s8(q + i + STEP), less_128(c + i + STEP));
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

DOT INLINE int32_t dot_dot_u4(const int8_t *q, const uint8_t *c, size_t n)
{
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
    for (size_t i = 0; i < n;) {
        size_t half = n - i >= 2 * CODE_BLOCK ? CODE_BLOCK : CODE_BLOCK / 2;
        for (size_t j = 0; j < half; j += STEP) {
            uint8x16_t packed = vld1q_u8(c + j);
            s0 = vdotq_s32(s0, vld1q_s8(q + i + j), low_codes(packed));
            s1 = vdotq_s32(s1, vld1q_s8(q + i + half + j), high_codes(packed));
        }
        i += 2 * half;
        c += half;
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

DOT INLINE int32_t plain_dot_u8u8(const uint8_t *a, const uint8_t *c, size_t n)
{
    uint32x4_t s0 = vdupq_n_u32(0), s1 = s0;
    for (size_t i = 0; i < n; i += 2 * STEP) {
        s0 = vdotq_u32(s0, vld1q_u8(a + i), vld1q_u8(c + i));
        s1 = vdotq_u32(s1, vld1q_u8(a + i + STEP), vld1q_u8(c + i + STEP));
    }
    return (int32_t)vaddvq_u32(vaddq_u32(s0, s1));
}

/* ---- over rows ---- */

/* Defines name_at() from inner_at(), whose results lack `times` times the sum of the query. */
#define ADDING_SUM(name, inner, type, times)                                                                           \
    static void name##_at(const type *q, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count,       \
                          size_t n, int32_t *out)                                                                      \
    {                                                                                                                  \
        int32_t sum = 0;                                                                                               \
        for (size_t i = 0; i < n; i++) sum += q[i];                                                                    \
        inner##_at(q, base, stride, rows, count, n, out);                                                              \
        for (size_t i = 0; i < count; i++) out[i] = (int32_t)((uint32_t)out[i] + (uint32_t)(sum * (times)));           \
    }

CODES_AT(PLAIN, shifted_u8, int8_t)
CODES_AT(PLAIN, dot_u4, int8_t)
CODES_AT(PLAIN, plain_u8u8, uint8_t)
CODES_AT(DOT, shifted_dot_u8, int8_t)
CODES_AT(DOT, dot_dot_u4, int8_t)
CODES_AT(DOT, plain_dot_u8u8, uint8_t)
ADDING_SUM(dot_u8, shifted_u8, int8_t, 128)
ADDING_SUM(dot_u8u8, plain_u8u8, uint8_t, -128)
ADDING_SUM(dot_dot_u8, shifted_dot_u8, int8_t, 128)
ADDING_SUM(dot_dot_u8u8, plain_dot_u8u8, uint8_t, -128)

const code_kernel codes_neon = { dot_u8_at, dot_u4_at, dot_u8u8_at };
const code_kernel codes_neon_dot = { dot_dot_u8_at, dot_dot_u4_at, dot_dot_u8u8_at };
#endif
