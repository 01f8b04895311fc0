/* alloc_backup.h - backups and restores among alloc_calls.h. */
#ifndef TESTS_FAULT_ALLOC_BACKUP_H
#define TESTS_FAULT_ALLOC_BACKUP_H
#include "alloc_calls.h"

/* Through a sink and a source, encrypted. */
evdb_status alloc_backup_stream(alloc_scene *s, evdb_error *err);
/* By name: a full one and an increment, listed, verified, restored in place, deleted. */
evdb_status alloc_backup_folder(alloc_scene *s, evdb_error *err);

#endif
