/* elements.c - implements format/elements.h. */
#include "format/elements.h"
#include "base/element.h"
#include <math.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { SWAP = 1 };
#else
enum { SWAP = 0 };
#endif

uint32_t elements_u32(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return SWAP ? __builtin_bswap32(value) : value;
}

uint64_t elements_u64(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return SWAP ? __builtin_bswap64(value) : value;
}

void elements_put_u32(uint32_t value, char out[4])
{
    if (SWAP) value = __builtin_bswap32(value);
    memcpy(out, &value, sizeof(value));
}

const float *elements_f32(const char *bytes, uint32_t dim, float *copy)
{
    if (!SWAP && (uintptr_t)bytes % _Alignof(float) == 0) return (const float *)(const void *)bytes;
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t bits = elements_u32(bytes + (size_t)i * 4);
        memcpy(copy + i, &bits, sizeof(bits));
    }
    return copy;
}

uint32_t elements_from_f16(const char *bytes, uint32_t dim, float *out)
{
    const unsigned char *p = (const unsigned char *)bytes;
    for (uint32_t i = 0; i < dim; i++, p += 2) out[i] = element_from_half((uint16_t)(p[0] | p[1] << 8));
    return dim;
}

uint32_t elements_from_f64(const char *bytes, uint32_t dim, float *out)
{
    for (uint32_t i = 0; i < dim; i++) {
        uint64_t bits = elements_u64(bytes + (size_t)i * 8);
        double value;
        memcpy(&value, &bits, sizeof(value));
        out[i] = (float)value;
        if (isinf(out[i]) && !isinf(value)) return i;
    }
    return dim;
}

uint32_t elements_from_u8(const char *bytes, uint32_t dim, float *out)
{
    for (uint32_t i = 0; i < dim; i++) out[i] = (unsigned char)bytes[i];
    return dim;
}

uint32_t elements_from_i8(const char *bytes, uint32_t dim, float *out)
{
    for (uint32_t i = 0; i < dim; i++) out[i] = (signed char)bytes[i];
    return dim;
}
