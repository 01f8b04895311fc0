/* element.c - implements base/element.h. */
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include <math.h>
#include <string.h>

enum { BITS = 8 };

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

uint16_t element_half(float value)
{
    const uint32_t smallest = 113u << 23; /* 2^-14, the smallest normal half */
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size < smallest) return (uint16_t)(sign | (bits_of(fabsf(value) + 0.5f) - bits_of(0.5f))); /* 2^-24 is the last place of both */
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | (size - (112u << 23)) >> 13);
}

float element_from_half(uint16_t half)
{
    uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff, bits;
    float value;
    if (exponent == 0) { /* zero or denormal: fraction * 2^-24, exact in a float */
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    bits = sign | (exponent == 0x1f ? 0xffu : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

size_t element_bytes(evdb_dtype dtype, uint32_t dim)
{
    switch (dtype) {
    case EVDB_F32: break;
    case EVDB_F16: return (size_t)dim * sizeof(uint16_t);
    case EVDB_I8: return dim;
    case EVDB_BIT: return ((size_t)dim + BITS - 1) / BITS;
    }
    return (size_t)dim * sizeof(float);
}

const char *element_holds(evdb_dtype dtype)
{
    switch (dtype) {
    case EVDB_F32: break;
    case EVDB_F16: return "f16 holds numbers from -65504 to 65504";
    case EVDB_I8: return "i8 holds whole numbers from -128 to 127";
    case EVDB_BIT: return "bit holds 0 and 1";
    }
    return "f32 holds all";
}

uint32_t element_unfit(evdb_dtype dtype, const float *v, uint32_t dim)
{
    uint32_t i = 0;
    switch (dtype) {
    case EVDB_F32: return dim;
    case EVDB_F16:
        while (i < dim && fabsf(v[i]) <= ELEMENT_F16_MAX) i++;
        break;
    case EVDB_I8:
        while (i < dim && v[i] >= -128 && v[i] <= 127 && (float)(int)v[i] == v[i]) i++;
        break;
    case EVDB_BIT:
        while (i < dim && (v[i] == 0 || v[i] == 1)) i++;
        break;
    }
    return i;
}

static void encode_f16(const float *v, uint32_t dim, unsigned char *out)
{
    for (uint32_t i = 0; i < dim; i++) {
        uint16_t half = element_half(v[i]);
        memcpy(out + i * sizeof(half), &half, sizeof(half));
    }
}

void element_encode(evdb_dtype dtype, const float *v, uint32_t dim, void *out)
{
    unsigned char *to = out;
    switch (dtype) {
    case EVDB_F32: memcpy(out, v, (size_t)dim * sizeof(*v)); break;
    case EVDB_F16: encode_f16(v, dim, to); break;
    case EVDB_I8:
        for (uint32_t i = 0; i < dim; i++) to[i] = (unsigned char)(int)v[i];
        break;
    case EVDB_BIT:
        memset(out, 0, element_bytes(dtype, dim));
        for (uint32_t i = 0; i < dim; i++) to[i / BITS] |= (unsigned char)((v[i] != 0) << i % BITS);
        break;
    }
}

bool element_sound(evdb_dtype dtype, const void *bytes, uint32_t dim)
{
    const unsigned char *at = bytes;
    bool sound = true;
    switch (dtype) {
    case EVDB_F32: case EVDB_I8: break;
    case EVDB_F16: /* in the order of the machine, and so is the exponent of all ones */
        for (uint32_t i = 0; i < dim; i++) {
            uint16_t half;
            memcpy(&half, at + i * sizeof(half), sizeof(half));
            sound &= (half & 0x7c00) != 0x7c00;
        }
        break;
    case EVDB_BIT: return dim % BITS == 0 || at[dim / BITS] >> dim % BITS == 0;
    }
    return sound;
}

evdb_status element_check(evdb_dtype dtype, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, evdb_error *err)
{
    char shown[64];
    size_t wanted = element_bytes(dtype, dim);
    if (size != wanted)
        return error_set(err, EVDB_CORRUPT, "record %s: its vector has %zu bytes where %zu belong", id_show(id, shown, sizeof(shown)),
                         size, wanted);
    if (!element_sound(dtype, bytes, dim))
        return error_set(err, EVDB_CORRUPT, "record %s: its vector is none of %s elements", id_show(id, shown, sizeof(shown)),
                         evdb_dtype_name(dtype));
    return EVDB_OK;
}

void element_decode(evdb_dtype dtype, const void *bytes, uint32_t dim, float *out)
{
    const unsigned char *at = bytes;
    switch (dtype) {
    case EVDB_F32: memcpy(out, bytes, (size_t)dim * sizeof(*out)); break;
    case EVDB_F16:
        for (uint32_t i = 0; i < dim; i++) {
            uint16_t half;
            memcpy(&half, at + i * sizeof(half), sizeof(half));
            out[i] = element_from_half(half);
        }
        break;
    case EVDB_I8:
        for (uint32_t i = 0; i < dim; i++) out[i] = (int8_t)at[i];
        break;
    case EVDB_BIT:
        for (uint32_t i = 0; i < dim; i++) out[i] = (float)(at[i / BITS] >> i % BITS & 1);
        break;
    }
}
