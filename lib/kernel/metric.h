/* metric.h - from kernels to distances: the one place that knows the formulas of evdb/distance.h. */
#ifndef EVDB_KERNEL_METRIC_H
#define EVDB_KERNEL_METRIC_H
#include "kernel/kernel.h"
#include <evdb/distance.h>

/* 1 / |v|, computed in double. NaN for a norm outside 1e-15 .. 1e15, where float products would
 * overflow or lose their digits: distances to such a vector then take the exact path. */
float metric_inverse_norm(const float *v, size_t n);
/* The same of |v|. */
float metric_inverse_of(double norm);

/* Distances from q to `rows` rows, row i at base + i * stride floats. q_inverse and inverses (one a row) are inverse
 * norms, used by COSINE only. Sums that leave the range of float are repeated in double: a result may be infinite,
 * never NaN or -0. */
void metric_distances(const kernel *k, evdb_metric metric, const float *q, float q_inverse, const float *base,
                      size_t stride, size_t rows, size_t n, const float *inverses, float *out);

/* The same from rows of F16, I8 or BIT, row i at base + i * stride bytes, to a query that such a row could be: no sum of these leaves
 * the range of float. */
void metric_element_distances(const kernel *k, evdb_metric metric, evdb_dtype dtype, const float *q, float q_inverse, const void *base,
                              size_t stride, size_t rows, size_t n, const float *inverses, float *out);

/* The same, to the bit, of rows of BIT to a query that was made such a row: whole words, with zeros behind the last element. */
void metric_bit_distances(const kernel *k, evdb_metric metric, const uint64_t *q, float q_inverse, const void *base, size_t stride,
                          size_t rows, size_t words, const float *inverses, float *out);

/* Of dot products in `out`, cosine distances. */
void metric_cosines(float q_inverse, const float *inverses, size_t rows, float *out);

#endif
