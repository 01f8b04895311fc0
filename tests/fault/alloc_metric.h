/* alloc_metric.h - a metric of the program's own among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_METRIC_H
#define TESTS_FAULT_ALLOC_METRIC_H
#include "alloc_calls.h"

/* Registers one, and creates a store of it and a store of another that nobody has registered. */
evdb_status alloc_metric(alloc_scene *s, evdb_error *err);

#endif
