/* sq.c - implements codec/sq.h. */
#include "codec/sq.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { SHRINKS = 6 };
static const float SHRINK = 0.08f, STEP_MIN = 1e-30f;

size_t sq_stride(sq_bits bits, size_t dim)
{
    size_t bytes = CODE_HEADER + sq_padded(dim) * bits / 8, align = bits == SQ_4 ? 64 : 32; /* walks fetch whole lines */
    return (bytes + align - 1) / align * align;
}

static float clamp(float v, float most) { return !(v > 0) ? 0 : v > most ? most : v; } /* NaN is 0: the range was too wide for floats */

static double error_of(const float *x, size_t dim, float low, float step, float most)
{
    float inverse = 1 / step;
    double error = 0;
    for (size_t i = 0; i < dim; i++) {
        float d = rintf(clamp((x[i] - low) * inverse, most)) * step + low - x[i];
        error += (double)d * d;
    }
    return error;
}

/* Sixteen steps over the whole range waste some on outliers: the best of a few narrower ranges. */
static void choose_range(sq_bits bits, const float *x, size_t dim, float *low, float *step)
{
    float least = x[0], most = x[0], codes = (float)((1 << bits) - 1);
    for (size_t i = 1; i < dim; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    *low = least;
    *step = (most - least) / codes;
    if (!(*step > STEP_MIN)) *step = STEP_MIN; /* a constant vector: every code 0 */
    if (bits == SQ_8 || *step <= STEP_MIN) return;
    double best = DBL_MAX;
    for (int i = 0; i < SHRINKS; i++) {
        float width = (most - least) * (1 - SHRINK * (float)i), from = (least + most - width) / 2;
        double error = error_of(x, dim, from, width / codes, codes);
        if (error < best) best = error, *low = from, *step = width / codes;
    }
}

/* Where element i lies in a row of packed codes (kernel/codes.h). */
static void pack(uint8_t *codes, size_t padded, size_t i, uint8_t code)
{
    size_t block = i / (2 * CODE_BLOCK) * (2 * CODE_BLOCK), half = padded - block >= 2 * CODE_BLOCK ? CODE_BLOCK : CODE_BLOCK / 2;
    size_t at = i - block;
    codes[block / 2 + at % half] |= (uint8_t)(at < half ? code : code << 4);
}

void sq_encode(sq_bits bits, const float *x, size_t dim, uint8_t *row)
{
    sq_header h = { 0 };
    uint8_t *codes = row + CODE_HEADER;
    size_t padded = sq_padded(dim);
    float most = (float)((1 << bits) - 1);
    double square = 0;
    choose_range(bits, x, dim, &h.low, &h.step);
    float inverse = 1 / h.step;
    memset(row, 0, sq_stride(bits, dim));
    for (size_t i = 0; i < dim; i++) {
        int code = (int)rintf(clamp((x[i] - h.low) * inverse, most));
        double y = h.low + (double)h.step * code;
        square += y * y;
        h.sum += code;
        if (bits == SQ_8) codes[i] = (uint8_t)code;
        else pack(codes, padded, i, (uint8_t)code);
    }
    h.square = (float)square;
    memcpy(row, &h, sizeof(h));
}

/* The largest |x|. Without their sign floats order like their bits, and of integers the compiler makes vectors. */
static float largest(const float *x, size_t dim)
{
    uint32_t most = 0, bits;
    float out;
    for (size_t i = 0; i < dim; i++) {
        memcpy(&bits, &x[i], sizeof(bits));
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    memcpy(&out, &most, sizeof(out));
    return out;
}

/* Added to a small float it leaves the nearest whole number in the low bits: what rintf() does, but eight at a time. */
static const float TO_WHOLE = 0x1.8p23f;

void sq_prepare(sq_bits bits, const float *x, size_t dim, sq_query *q)
{
    float most = largest(x, dim), limit = bits == SQ_8 ? CODE_QUERY_U8 : CODE_QUERY_U4;
    int32_t sum = 0, zero;
    int64_t square = 0;
    memcpy(&zero, &TO_WHOLE, sizeof(zero));
    q->scale = most > STEP_MIN ? most / limit : STEP_MIN;
    float inverse = 1 / q->scale;
    for (size_t block = 0; block < dim; block += CODE_BLOCK) {
        size_t end = dim - block < CODE_BLOCK ? dim : block + CODE_BLOCK;
        int32_t part = 0;
        for (size_t i = block; i < end; i++) {
            float shifted = x[i] * inverse + TO_WHOLE;
            int32_t v;
            memcpy(&v, &shifted, sizeof(v));
            q->at[i] = (int8_t)((uint32_t)v - (uint32_t)zero); /* wraps where the range was too wide for floats */
            v = q->at[i];
            sum += v;
            part += v * v;
        }
        square += part;
    }
    memset(q->at + dim, 0, sq_padded(dim) - dim);
    q->sum = (float)sum * q->scale;
    q->square = (float)square * q->scale * q->scale;
}

void sq_distances(const kernel *k, sq_bits bits, const sq_query *q, const uint8_t *base, size_t stride, size_t dim,
                  const uint32_t *rows, size_t count, float *out)
{
    int32_t dots[SQ_BATCH_MAX];
    (bits == SQ_8 ? k->codes->dot_u8_at : k->codes->dot_u4_at)(q->at, base, stride, rows, count, sq_padded(dim), dots);
    for (size_t i = 0; i < count; i++) {
        const sq_header *h = (const sq_header *)(const void *)(base + rows[i] * stride);
        out[i] = h->square + q->square - 2 * (h->low * q->sum + h->step * q->scale * (float)dots[i]);
    }
}

void sq_pair_distances(const kernel *k, const uint8_t *base, size_t stride, size_t dim, uint32_t from, const uint32_t *rows,
                       size_t count, float *out)
{
    int32_t dots[SQ_BATCH_MAX];
    const sq_header *a = (const sq_header *)(const void *)(base + from * stride);
    k->codes->dot_u8u8_at(base + from * stride + CODE_HEADER, base, stride, rows, count, sq_padded(dim), dots);
    for (size_t i = 0; i < count; i++) {
        const sq_header *b = (const sq_header *)(const void *)(base + rows[i] * stride);
        float codes = (float)dots[i] + 128.0f * (float)a->sum; /* of the plain codes */
        float dot = a->step * b->step * codes + a->low * b->step * (float)b->sum + b->low * a->step * (float)a->sum +
                    a->low * b->low * (float)dim;
        out[i] = a->square + b->square - 2 * dot;
    }
}
