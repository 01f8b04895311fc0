/* custom.c - implements kernel/custom.h. */
#include "kernel/custom.h"
#include <math.h>

bool custom_registered(const custom_metric *m) { return atomic_load_explicit(&m->distance, memory_order_acquire) != NULL; }

bool custom_graph(const custom_metric *m) { return !custom_registered(m) || m->flags & EVDB_METRIC_GRAPH; }

void custom_distances(custom_metric *m, const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out)
{
    evdb_distance_function distance = atomic_load_explicit(&m->distance, memory_order_acquire);
    for (size_t i = 0; i < rows; i++) {
        out[i] = distance(q, base + i * stride, (uint32_t)n, m->context);
        if (isfinite(out[i])) continue;
        out[i] = INFINITY;
        atomic_store_explicit(&m->odd, true, memory_order_relaxed);
    }
}
