/* scalar_signs.c - kernels over signs in plain C, by the template of the others. */
#include "kernel/signs_rows.h"

enum { WIDTH = 1, STEP = 4 * WIDTH };
#define VECTOR float
#define ZERO 0.0f
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define SET(f) ((float)(f))
#define SUM(a, b, c, d) (((a) + (b)) + ((c) + (d)))
#define MUL(a, b) ((a) * (b))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define LANES(v) (v)
#define load_some(p, left) ((left) ? *(p) : 0)

static inline uint32_t higher(float x, float y) { return x > y; }
static inline float signed_by(float v, const uint8_t *bits, size_t i) { return bits[i / 8] >> i % 8 & 1 ? v : -v; }

SIGNS_KERNEL(, signs_scalar)
