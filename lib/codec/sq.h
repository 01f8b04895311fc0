/* sq.h - scalar quantisation: each element of a vector as one of 16 (4 bits) or 256 (8 bits) steps of that vector's own range.
 *
 * Nothing is trained: a row carries its range, so new vectors need no look at old ones (the idea of LVQ, Aguerrebere et al. 2023,
 * one level). Squared distances come from integer dot products: |x - q|^2 = |x|^2 + |q|^2 - 2 x.q with x = low + step * code; the
 * norms are those of what the codes stand for, so that rounding does not favour far ones. The query keeps 8 bits. Inner products
 * are the x.q alone. */
#ifndef EVDB_CODEC_SQ_H
#define EVDB_CODEC_SQ_H
#include "kernel/kernel.h"

/* Begins a row. */
typedef struct sq_header {
    float low, step; /* element = low + step * code */
    float square;    /* |x|^2 */
    int32_t sum;     /* of the codes */
} sq_header;

typedef enum sq_bits { SQ_4 = 4, SQ_8 = 8 } sq_bits;

/* Elements with the padding that kernels want, zeros in codes and queries. */
static inline size_t sq_padded(size_t dim) { return (dim + CODE_BLOCK - 1) / CODE_BLOCK * CODE_BLOCK; }
/* Bytes from row to row. */
size_t sq_stride(sq_bits bits, size_t dim);

/* Encodes dim finite floats. row has sq_stride() bytes. */
void sq_encode(sq_bits bits, const float *x, size_t dim, uint8_t *row);

typedef struct sq_query {
    int8_t *at;   /* sq_padded(dim) bytes, the caller's */
    float scale;  /* element = scale * at[i] */
    float sum;    /* of the elements */
    float square; /* |q|^2 */
} sq_query;

/* Fills q->at and the rest from dim finite floats. */
void sq_prepare(sq_bits bits, const float *x, size_t dim, sq_query *q);

enum { SQ_BATCH_MAX = 512 }; /* rows of one call */
/* Squared distances from q to rows of base. */
void sq_distances(const kernel *k, sq_bits bits, const sq_query *q, const uint8_t *base, size_t stride, size_t dim,
                  const uint32_t *rows, size_t count, float *out);
/* The same from one row of 8-bit codes to others. */
void sq_pair_distances(const kernel *k, const uint8_t *base, size_t stride, size_t dim, uint32_t from, const uint32_t *rows,
                       size_t count, float *out);

/* Inner products (sq_dot.c), infinite where they leave the range of float, never NaN: q with rows of base, ... */
void sq_dots(const kernel *k, sq_bits bits, const sq_query *q, const uint8_t *base, size_t stride, size_t dim, const uint32_t *rows,
             size_t count, float *out);
/* ... and one row of 8-bit codes with others. */
void sq_pair_dots(const kernel *k, const uint8_t *base, size_t stride, size_t dim, uint32_t from, const uint32_t *rows, size_t count,
                  float *out);

#endif
