/* alloc_transfer.h - imports and exports among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_TRANSFER_H
#define TESTS_FAULT_ALLOC_TRANSFER_H
#include "alloc_calls.h"

evdb_status alloc_import(alloc_scene *s, evdb_error *err);
evdb_status alloc_resume(alloc_scene *s, evdb_error *err);
evdb_status alloc_foreign(alloc_scene *s, evdb_error *err);
evdb_status alloc_export(alloc_scene *s, evdb_error *err);

#endif
