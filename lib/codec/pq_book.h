/* pq_book.h - product quantisation (H. Jegou, M. Douze, C. Schmid: Product Quantization for Nearest Neighbor Search, 2011): a vector
 * is cut into parts, and each part is replaced by the number of the nearest of 256 centroids, or of 16.
 *
 * Parts that do not divide the dimension differ by one element: the longer ones are the first, and centroids of the others end with a
 * zero that stands for nothing. So each part has elements, and the bytes are spent evenly. */
#ifndef EVDB_CODEC_PQ_BOOK_H
#define EVDB_CODEC_PQ_BOOK_H
#include "codec/codec.h"

enum { PQ_WIDTH_MAX = 512 /* elements of a part */, PQ_BITS = 8, PQ_BITS_FEW = 4 };

typedef struct pq_shape {
    uint32_t dim, parts, bits;
    uint32_t many;  /* centroids of a part */
    uint32_t width; /* elements of the longest part, and of a centroid */
} pq_shape;

pq_shape pq_shape_of(uint32_t dim, uint32_t parts, uint32_t bits);
static inline uint32_t pq_size(const pq_shape *s, uint32_t part) { return s->dim / s->parts + (part < s->dim % s->parts); }
static inline uint32_t pq_begin(const pq_shape *s, uint32_t part)
{
    uint32_t more = s->dim % s->parts;
    return part * (s->dim / s->parts) + (part < more ? part : more);
}
static inline size_t pq_code_bytes(const pq_shape *s) { return ((size_t)s->parts * s->bits + 7) / 8; }
/* Floats of all centroids: those of part 0, of part 1, ... */
static inline size_t pq_floats(const pq_shape *s) { return (size_t)s->parts * s->many * s->width; }
static inline const float *pq_centroids(const pq_shape *s, const float *book, uint32_t part) { return book + (size_t)part * s->many * s->width; }

typedef struct pq_training {
    const evdb_allocator *mem;
    const kernel *kernel;
    pq_shape shape;
    const float *x;       /* packed rows of shape.dim floats */
    const uint32_t *rows; /* which of them, in an order of chance */
    size_t count;
    uint32_t rounds;      /* of k-means */
    bool warm;            /* begins with the centroids that are there */
    uint64_t seed;
    const codec_training *training;
} pq_training;

evdb_status pq_train(const pq_training *t, float *book, evdb_error *err);

/* What makes codes: centroids of each part moved and scaled to what squares of floats can hold, as kernels take them. */
typedef struct pq_coder {
    const kernel *kernel;
    pq_shape shape;
    float *scale, *shift;    /* of each element: (x - shift) * scale */
    float *columns, *halves; /* of the centroids; see kernel/matrix.h */
} pq_coder;

/* The coder is one block, to be freed with mem_free(). */
evdb_status pq_coder_make(const evdb_allocator *mem, const kernel *k, const pq_shape *s, const float *book, pq_coder **out, evdb_error *err);
void pq_encode(const pq_coder *c, const float *x, size_t count, uint8_t *codes, size_t stride);
void pq_decode(const pq_shape *s, const float *book, const uint8_t *codes, size_t stride, size_t count, float *x);
#endif
