/* alloc_expiry.h - records that expire, are kept in the trash, or are erased, among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_EXPIRY_H
#define TESTS_FAULT_ALLOC_EXPIRY_H
#include "alloc_calls.h"

evdb_status alloc_expiry(alloc_scene *s, evdb_error *err);
evdb_status alloc_trash(alloc_scene *s, evdb_error *err);
evdb_status alloc_forget(alloc_scene *s, evdb_error *err);

#endif
