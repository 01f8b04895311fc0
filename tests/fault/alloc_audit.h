/* alloc_audit.h - the calls of evdb/audit.h among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_AUDIT_H
#define TESTS_FAULT_ALLOC_AUDIT_H
#include "alloc_calls.h"

/* Makes the log that the calls below are about. */
bool alloc_build_audit(evdb *db);

evdb_status alloc_audit_append(alloc_scene *s, evdb_error *err);
evdb_status alloc_audit_list(alloc_scene *s, evdb_error *err);
evdb_status alloc_audit_verify(alloc_scene *s, evdb_error *err);

#endif
