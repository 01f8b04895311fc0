/* custom.h - a metric of the program's own (evdb/metric.h), as whoever wants distances asks it. */
#ifndef EVDB_KERNEL_CUSTOM_H
#define EVDB_KERNEL_CUSTOM_H
#include <evdb/metric.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Known by its name from when a store is opened that has it. The function may come later; then it stays. */
typedef struct custom_metric {
    struct custom_metric *next;
    char name[EVDB_METRIC_NAME_MAX + 1];
    void *context;
    uint32_t flags;
    atomic_bool odd, told;                    /* has answered what is no finite number; the log knows */
    _Atomic(evdb_distance_function) distance; /* NULL until it is registered; set last */
} custom_metric;

bool custom_registered(const custom_metric *m);
/* May its vectors be in a graph? As long as it is not registered nobody can say no. */
bool custom_graph(const custom_metric *m);
/* Distances from q to `rows` rows of n floats, row i at base + i * stride floats; never NaN, and no infinity but the positive. */
void custom_distances(custom_metric *m, const float *q, const float *base, size_t stride, size_t rows, size_t n, float *out);

#endif
