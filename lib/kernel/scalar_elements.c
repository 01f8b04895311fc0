/* scalar_elements.c - kernels over smaller elements in plain C: one float at a time, by the template of the others. */
#include "base/element.h"
#include "kernel/element_rows.h"
#include <math.h>

enum { WIDTH = 1, STEP = 4 * WIDTH };
#define VECTOR float
#define ZERO 0
#define LOAD(p) (*(p))
#define SUM(a, b, c, d) (((a) + (b)) + ((c) + (d)))

static inline float dot_step(float acc, float a, float b) { return acc + a * b; }
static inline float l2sq_step(float acc, float a, float b) { return acc + (a - b) * (a - b); }
static inline float l1_step(float acc, float a, float b) { return acc + fabsf(a - b); }
static inline float differ_step(float acc, float a, float b) { return acc + (float)(a != b); }

static inline float load_f16(const unsigned char *row, size_t i)
{
    uint16_t half;
    memcpy(&half, row + i * sizeof(half), sizeof(half));
    return element_from_half(half);
}

static inline float load_i8(const unsigned char *row, size_t i) { return (int8_t)row[i]; }
static inline float load_bit(const unsigned char *row, size_t i) { return (float)(row[i / 8] >> i % 8 & 1); }

ELEMENT_KERNEL(, elements_scalar)
