/* metric_elements.c - metric_element_distances(): the formulas over rows of smaller elements. */
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
        for (size_t i = 0; i < rows; i++) out[i] = sqrtf(out[i]);
        break;
    case EVDB_MANHATTAN: sums->l1(q, base, stride, rows, n, out); break;
    case EVDB_IP:
        sums->dot(q, base, stride, rows, n, out);
        for (size_t i = 0; i < rows; i++) out[i] = 0 - out[i]; /* no -0 */
        break;
    case EVDB_HAMMING: sums->differ(q, base, stride, rows, n, out); break;
    }
}
