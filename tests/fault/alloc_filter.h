/* alloc_filter.h - searches with filters among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_FILTER_H
#define TESTS_FAULT_ALLOC_FILTER_H
#include "alloc_calls.h"

evdb_status alloc_filter(alloc_scene *s, evdb_error *err);
/* The same by a graph. */
evdb_status alloc_filter_index(alloc_scene *s, evdb_error *err);

#endif
