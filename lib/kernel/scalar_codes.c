/* scalar_codes.c - code kernels in plain C: the reference for all others. */
#include "kernel/codes.h"

static int32_t dot_u8(const int8_t *q, const uint8_t *c, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += q[i] * c[i];
    return sum;
}

static int32_t dot_u4(const int8_t *q, const uint8_t *c, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n;) {
        size_t half = n - i >= 2 * CODE_BLOCK ? CODE_BLOCK : CODE_BLOCK / 2;
        for (size_t j = 0; j < half; j++) sum += q[i + j] * (c[j] & 15) + q[i + half + j] * (c[j] >> 4);
        i += 2 * half;
        c += half;
    }
    return sum;
}

static int32_t dot_u8u8(const uint8_t *a, const uint8_t *c, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * (c[i] - 128);
    return sum;
}

#define AT(name, type)                                                                                                 \
    static void name##_at(const type *q, const uint8_t *base, size_t stride, const uint32_t *rows, size_t count, size_t n, \
                          int32_t *out)                                                                                \
    {                                                                                                                  \
        for (size_t i = 0; i < count; i++) out[i] = name(q, base + rows[i] * stride + CODE_HEADER, n);                 \
    }

AT(dot_u8, int8_t)
AT(dot_u4, int8_t)
AT(dot_u8u8, uint8_t)

const code_kernel codes_scalar = { dot_u8_at, dot_u4_at, dot_u8u8_at };
