/* alloc_index.h - control of the index among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_INDEX_H
#define TESTS_FAULT_ALLOC_INDEX_H
#include "alloc_calls.h"

/* Built anew, paused and resumed, dropped, made again in the background. */
evdb_status alloc_index_control(alloc_scene *s, evdb_error *err);

#endif
