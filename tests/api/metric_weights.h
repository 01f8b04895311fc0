/* metric_weights.h - a metric for tests: a sum of differences, each with a weight of its own. */
#ifndef TESTS_API_METRIC_WEIGHTS_H
#define TESTS_API_METRIC_WEIGHTS_H
#include "index_rows.h"
#include "scratch.h"
#include <stdatomic.h>

typedef struct weights {
    float of[INDEX_DIM];
    _Atomic uint64_t calls;
} weights;

void weights_draw(weights *w, uint64_t *seed);
/* An evdb_distance_function. */
float weights_distance(const float *a, const float *b, uint32_t dim, void *context);

/* evdb_metric_register(), said in `why`. */
evdb_status metric_register(evdb *db, const char *name, evdb_distance_function distance, void *context, uint32_t flags);
/* Store "s" of that metric, with the field "even" declared. */
evdb_store *metric_store(scratch *t, const char *metric);

#endif
