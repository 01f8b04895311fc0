/* metric_elements.c - the formulas of kernel/metric.h over rows of smaller elements. */
#include "kernel/metric.h"
#include <math.h>

static const element_sums *sums_of(const kernel *k, evdb_dtype dtype)
{
    switch (dtype) {
    case EVDB_F32: break;
    case EVDB_F16: return &k->elements->f16;
    case EVDB_I8: return &k->elements->i8;
    case EVDB_BIT: return &k->elements->bit;
    }
    return NULL;
}

static void roots(float *out, size_t rows)
{
    for (size_t i = 0; i < rows; i++) out[i] = sqrtf(out[i]);
}

static void negate(float *out, size_t rows)
{
    for (size_t i = 0; i < rows; i++) out[i] = 0 - out[i]; /* no -0 */
}

void metric_element_distances(const kernel *k, evdb_metric metric, evdb_dtype dtype, const float *q, float q_inverse, const void *base,
                              size_t stride, size_t rows, size_t n, const float *inverses, float *out)
{
    const element_sums *sums = sums_of(k, dtype);
    switch (metric) {
    case EVDB_COSINE:
        sums->dot(q, base, stride, rows, n, out);
        metric_cosines(q_inverse, inverses, rows, out);
        break;
    case EVDB_EUCLIDEAN:
        sums->l2sq(q, base, stride, rows, n, out);
        roots(out, rows);
        break;
    case EVDB_MANHATTAN: sums->l1(q, base, stride, rows, n, out); break;
    case EVDB_IP:
        sums->dot(q, base, stride, rows, n, out);
        negate(out, rows);
        break;
    case EVDB_HAMMING: sums->differ(q, base, stride, rows, n, out); break;
    case EVDB_CUSTOM: break; /* of floats alone */
    }
}

void metric_bit_distances(const kernel *k, evdb_metric metric, const uint64_t *q, float q_inverse, const void *base, size_t stride,
                          size_t rows, size_t words, const float *inverses, float *out)
{
    bool both = metric == EVDB_COSINE || metric == EVDB_IP;
    (both ? k->elements->bits_both : k->elements->bits_differ)(q, base, stride, rows, words, out);
    switch (metric) {
    case EVDB_COSINE: metric_cosines(q_inverse, inverses, rows, out); break;
    case EVDB_EUCLIDEAN: roots(out, rows); break;
    case EVDB_IP: negate(out, rows); break;
    case EVDB_MANHATTAN: case EVDB_HAMMING: case EVDB_CUSTOM: break;
    }
}
