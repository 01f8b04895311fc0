/* alloc_author.h - metadata that is merged, and records that say who wrote them, among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_AUTHOR_H
#define TESTS_FAULT_ALLOC_AUTHOR_H
#include "alloc_calls.h"

evdb_status alloc_merge(alloc_scene *s, evdb_error *err);
evdb_status alloc_authors(alloc_scene *s, evdb_error *err);

#endif
