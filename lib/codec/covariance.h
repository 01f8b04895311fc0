/* covariance.h - what elements of vectors have to do with each other. */
#ifndef EVDB_CODEC_COVARIANCE_H
#define EVDB_CODEC_COVARIANCE_H
#include "codec/codec.h"

/* p->rows shared by threads. */
void product_shared(const kernel *k, const matrix_product *p, uint32_t threads);

/* mean: dim floats. sums: dim rows of dim doubles, those on and right of the diagonal, of products of what differs from the mean, in a
 * unit that lets none overflow. */
evdb_status covariance(const evdb_allocator *mem, const kernel *k, const codec_training *t, uint32_t dim, float *mean, double *sums,
                       evdb_error *err);
#endif
