/* sq_dot.c - inner products by codes (codec/sq.h). In double: a product of two floats may leave their range, and what is infinite of
 * either sign would add up to NaN. */
#include "codec/sq.h"

static const sq_header *header_of(const uint8_t *base, size_t stride, uint32_t row)
{
    return (const sq_header *)(const void *)(base + row * stride);
}

void sq_dots(const kernel *k, sq_bits bits, const sq_query *q, const uint8_t *base, size_t stride, size_t dim, const uint32_t *rows,
             size_t count, float *out)
{
    int32_t dots[SQ_BATCH_MAX];
    (bits == SQ_8 ? k->codes->dot_u8_at : k->codes->dot_u4_at)(q->at, base, stride, rows, count, sq_padded(dim), dots);
    for (size_t i = 0; i < count; i++) {
        const sq_header *h = header_of(base, stride, rows[i]);
        out[i] = (float)((double)h->low * q->sum + (double)h->step * q->scale * dots[i]);
    }
}

void sq_pair_dots(const kernel *k, const uint8_t *base, size_t stride, size_t dim, uint32_t from, const uint32_t *rows, size_t count,
                  float *out)
{
    int32_t dots[SQ_BATCH_MAX];
    const sq_header *a = header_of(base, stride, from);
    double low = a->low, step = a->step, sum = a->sum;
    k->codes->dot_u8u8_at(base + from * stride + CODE_HEADER, base, stride, rows, count, sq_padded(dim), dots);
    for (size_t i = 0; i < count; i++) {
        const sq_header *b = header_of(base, stride, rows[i]);
        double codes = dots[i] + 128 * sum; /* of the plain codes */
        out[i] = (float)(step * b->step * codes + low * b->step * b->sum + b->low * (step * sum + low * (double)dim));
    }
}
