/* backup_store.h - stores to back up, and whether what came back is the same, for the tests of evdb/backup.h. */
#ifndef TESTS_BACKUP_STORE_H
#define TESTS_BACKUP_STORE_H
#include "memory_io.h"
#include "scratch.h"

enum { BACKUP_DIM = 12 };

/* Writes that leave inserted, replaced, updated and deleted records; ids are texts in a store whose name begins with 't'. */
void backup_change(evdb_store *store, uint64_t *seed, unsigned writes);
/* All that can be read of both is equal: description, records with their versions, where the changes stand, codec. Fails the test
 * if not. */
void backup_same(evdb_store *was, evdb_store *is);
/* A backup in memory; base NULL = full. Free with memory_sink_free(). */
memory_sink backup_bytes(evdb_store *store, const evdb_backup_info *base, const unsigned char *key, evdb_backup_info *out);
/* evdb_backup_read() of one file. */
evdb_status backup_read(evdb *db, const void *bytes, size_t size, const char *name, const evdb_restore_options *o, evdb_error *err);
void backup_sound(evdb *db); /* evdb_verify() finds nothing */

#endif
