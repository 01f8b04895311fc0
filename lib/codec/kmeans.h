/* kmeans.h - centroids of short vectors (S. P. Lloyd: Least Squares Quantization in PCM, 1982), seeded by k-means++ (D. Arthur, S.
 * Vassilvitskii, 2007) among some of them. */
#ifndef EVDB_CODEC_KMEANS_H
#define EVDB_CODEC_KMEANS_H
#include "codec/codec.h"

enum { KMEANS_MOST = 256, KMEANS_POINTS = 256 /* vectors a centroid that are enough */ };

typedef struct kmeans {
    const evdb_allocator *mem;
    const kernel *kernel;
    const float *x; /* count packed rows of n floats, finite and of no size that overflows when squared */
    size_t count, n;
    uint32_t many;  /* centroids: 16 or 256 */
    uint32_t rounds;
    bool warm;      /* begins with the centroids that are there */
    uint64_t seed;
    const codec_training *training;
} kmeans;

/* centroids: many rows of n floats. EVDB_CANCELLED. */
evdb_status kmeans_train(const kmeans *k, float *centroids, evdb_error *err);
#endif
