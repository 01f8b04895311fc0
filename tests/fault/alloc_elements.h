/* alloc_elements.h - vectors that are not stored as floats among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_ELEMENTS_H
#define TESTS_FAULT_ALLOC_ELEMENTS_H
#include "alloc_calls.h"

/* Writes, reads, walks and searches in the store "other", which is of f16. */
evdb_status alloc_elements(alloc_scene *s, evdb_error *err);

#endif
