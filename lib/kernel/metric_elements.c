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

static element_rows_fn *sum_of(const element_sums *sums, evdb_metric metric)
{
    switch (metric) {
    case EVDB_COSINE: case EVDB_IP: return sums->dot;
    case EVDB_EUCLIDEAN: return sums->l2sq;
    case EVDB_MANHATTAN: return sums->l1;
    case EVDB_HAMMING: return sums->differ;
    case EVDB_CUSTOM: break; /* of floats alone */
    }
    return NULL;
}

/* Of sums in `out`, distances. */
static void from_sums(evdb_metric metric, float q_inverse, const float *inverses, size_t rows, float *out)
{
    switch (metric) {
    case EVDB_COSINE: metric_cosines(q_inverse, inverses, rows, out); break;
    case EVDB_EUCLIDEAN:
        for (size_t i = 0; i < rows; i++) out[i] = sqrtf(out[i]);
        break;
    case EVDB_IP:
        for (size_t i = 0; i < rows; i++) out[i] = 0 - out[i]; /* no -0 */
        break;
    case EVDB_MANHATTAN: case EVDB_HAMMING: case EVDB_CUSTOM: break;
    }
}

void metric_element_distances(const kernel *k, evdb_metric metric, evdb_dtype dtype, const float *q, float q_inverse, const void *base,
                              size_t stride, size_t rows, size_t n, const float *inverses, float *out)
{
    sum_of(sums_of(k, dtype), metric)(q, base, stride, rows, n, out);
    from_sums(metric, q_inverse, inverses, rows, out);
}

void metric_bit_distances(const kernel *k, evdb_metric metric, const uint64_t *q, float q_inverse, const void *base, size_t stride,
                          size_t rows, size_t words, const float *inverses, float *out)
{
    bool both = metric == EVDB_COSINE || metric == EVDB_IP;
    (both ? k->elements->bits_both : k->elements->bits_differ)(q, base, stride, rows, words, out);
    from_sums(metric, q_inverse, inverses, rows, out);
}
