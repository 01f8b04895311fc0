/* metric.c - implements kernel/metric.h. */
#include "kernel/metric.h"
#include <math.h>
#include <string.h>

/* A smaller sum of squares may have lost terms to underflow; 65,536 equal ones that add up to this are still normal
 * floats. */
static const float SQUARES_MIN = 1e-30f;

static double at(const float *p, size_t i)
{
    float v;
    memcpy(&v, (const char *)p + i * sizeof(v), sizeof(v)); /* any alignment */
    return v;
}

static double square_sum(const float *v, size_t n)
{
    double sums[4] = { 0 };
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++) sums[j] += at(v, i + j) * at(v, i + j);
    for (; i < n; i++) sums[0] += at(v, i) * at(v, i);
    return sums[0] + sums[1] + sums[2] + sums[3];
}

float metric_inverse_norm(const float *v, size_t n)
{
    return metric_inverse_of(sqrt(square_sum(v, n)));
}

float metric_inverse_of(double norm) { return norm >= 1e-15 && norm <= 1e15 ? (float)(1 / norm) : NAN; }

/* In double no sum of 65,536 products of floats overflows. */
static float exactly(evdb_metric metric, const float *a, const float *b, size_t n)
{
    double dot = 0, l2 = 0, l1 = 0;
    for (size_t i = 0; i < n; i++) {
        double x = at(a, i), y = at(b, i);
        dot += x * y;
        l2 += (x - y) * (x - y);
        l1 += fabs(x - y);
    }
    switch (metric) {
    case EVDB_COSINE: {
        double norms = sqrt(square_sum(a, n)) * sqrt(square_sum(b, n));
        if (norms == 0) return 1; /* a vector is refused at the door; what a code stands for may be zero */
        return (float)fmin(fmax(1 - dot / norms, 0), 2);
    }
    case EVDB_EUCLIDEAN: return (float)sqrt(l2);
    case EVDB_MANHATTAN: return (float)l1;
    case EVDB_IP: return (float)(0 - dot); /* no -0 */
    case EVDB_HAMMING: case EVDB_CUSTOM: break; /* a count never leaves the range of float; of kernel/custom.h */
    }
    return NAN;
}

void metric_cosines(float q_inverse, const float *inverses, size_t rows, float *out)
{
    for (size_t i = 0; i < rows; i++) {
        float d = 1 - out[i] * q_inverse * inverses[i];
        d = d < 0 ? 0 : d; /* rounding; keeps NaN */
        out[i] = d > 2 ? 2 : d;
    }
}

void metric_distances(const kernel *k, evdb_metric metric, const float *q, float q_inverse, const float *base,
                      size_t stride, size_t rows, size_t n, const float *inverses, float *out)
{
    switch (metric) {
    case EVDB_COSINE:
        k->dot_f32_rows(q, base, stride, rows, n, out);
        metric_cosines(q_inverse, inverses, rows, out);
        break;
    case EVDB_EUCLIDEAN:
        k->l2sq_f32_rows(q, base, stride, rows, n, out);
        for (size_t i = 0; i < rows; i++) out[i] = out[i] < SQUARES_MIN ? NAN : sqrtf(out[i]);
        break;
    case EVDB_MANHATTAN: k->l1_f32_rows(q, base, stride, rows, n, out); break;
    case EVDB_IP:
        k->dot_f32_rows(q, base, stride, rows, n, out);
        for (size_t i = 0; i < rows; i++) out[i] = 0 - out[i]; /* no -0 */
        break;
    case EVDB_HAMMING: k->differ_f32_rows(q, base, stride, rows, n, out); break;
    case EVDB_CUSTOM: break;
    }
    if (k->finite_f32(out, rows)) return;
    for (size_t i = 0; i < rows; i++)
        if (!isfinite(out[i])) {
            const char *row = (const char *)base + i * stride * sizeof(float);
            out[i] = exactly(metric, q, (const float *)(const void *)row, n);
        }
}
