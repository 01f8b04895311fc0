/* scalar_steps.c - kernels over steps of a range in plain C, by the template of the others. */
#include "kernel/steps_rows.h"

enum { WIDTH = 1, STEP = 4 * WIDTH };
#define VECTOR float
#define ZERO 0.0f
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define SET(f) ((float)(f))
#define SUM(a, b, c, d) (((a) + (b)) + ((c) + (d)))
#define FMA(a, b, c) ((float)((double)(a) * (b) + (c))) /* the product may be too large for a float where the sum is not */
#define MUL(a, b) ((a) * (b))
#define FIRST(v, left) ((left) ? (v) : 0)
#define sum_of(v) (v)
#define least_of(v) (v)
#define most_of(v) (v)
#define load_some(p, left) ((left) ? *(p) : 0)
#define LEAST(a, b) smaller((a), (b))
#define MOST(a, b) larger((a), (b))
#define ROUND(v) round_even(v)

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }
static inline float dot_step(float acc, float a, float b) { return acc + a * b; }
static inline float l2sq_step(float acc, float a, float b) { return acc + (a - b) * (a - b); }

/* Of 0..255: beside 1.5 * 2^23 a float has no room for a fraction. */
static inline float round_even(float v)
{
    float whole = v + 0x1.8p23f;
    return whole - 0x1.8p23f;
}

static inline float load_u8(const uint8_t *c) { return (float)*c; }
static inline float load_low(const uint8_t *c) { return (float)(*c & 15); }
static inline float load_high(const uint8_t *c) { return (float)(*c >> 4); }
static inline void store_u8(uint8_t *c, float v) { *c = (uint8_t)round_even(v); }
static inline void store_u4(uint8_t *c, float low, float high) { *c = (uint8_t)((int)round_even(low) | (int)round_even(high) << 4); }

STEPS_KERNEL(, steps_scalar)
