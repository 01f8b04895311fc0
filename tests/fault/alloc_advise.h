/* alloc_advise.h - the calls of evdb/advise.h, for alloc_calls.c. */
#ifndef TESTS_FAULT_ALLOC_ADVISE_H
#define TESTS_FAULT_ALLOC_ADVISE_H
#include "alloc_calls.h"

evdb_status alloc_benchmark(alloc_scene *s, evdb_error *err);
evdb_status alloc_advise(alloc_scene *s, evdb_error *err);

#endif
