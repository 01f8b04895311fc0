/* scalar_halves.c - kernels over floats of 16 bits in plain C, by the template of the others. */
#include "kernel/halves_rows.h"

enum { WIDTH = 1, STEP = 4 * WIDTH };
#define VECTOR float
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define SET(f) ((float)(f))
#define LEAST(a, b) smaller((a), (b))
#define MOST(a, b) larger((a), (b))

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

static inline uint16_t half_at(const uint8_t *codes, size_t i)
{
    uint16_t half;
    memcpy(&half, codes + HALF * i, HALF);
    return half;
}

static inline float load_f16(const uint8_t *codes, size_t i) { return element_from_half(half_at(codes, i)); }

static inline void store_f16(uint8_t *codes, float v)
{
    uint16_t half = element_half(v);
    memcpy(codes, &half, HALF);
}

static inline float load_bf16(const uint8_t *codes, size_t i)
{
    uint32_t bits = (uint32_t)half_at(codes, i) << 16;
    float v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static inline void store_bf16(uint8_t *codes, float v)
{
    uint32_t bits, rounded;
    memcpy(&bits, &v, sizeof(bits));
    rounded = bits + 0x7fff + (bits >> 16 & 1);
    if ((rounded & 0x7f800000u) == 0x7f800000u) rounded = bits;
    uint16_t upper = (uint16_t)(rounded >> 16);
    memcpy(codes, &upper, HALF);
}

HALF_KERNEL(, halves_scalar)
