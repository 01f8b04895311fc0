/* alloc_repair.h - repairs among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_REPAIR_H
#define TESTS_FAULT_ALLOC_REPAIR_H
#include "alloc_calls.h"

/* A store whose map of pages is damaged, with metadata that go on in other pages: all of it is salvaged. */
evdb_status alloc_repair(alloc_scene *s, evdb_error *err);

#endif
