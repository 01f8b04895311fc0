/* bucket_backup.h - backups as objects of op_call.bucket: what evdb/backup.h does by name with files of a folder. */
#ifndef BUCKET_BACKUP_H
#define BUCKET_BACKUP_H
#include "op/op.h"

evdb_status bucket_backup_create(const op_call *call, evdb_store *store, const char *name, const char *base, evdb_backup_info *out,
                                 evdb_error *err);
/* Sorted by name, in one block; *out is to be freed with free(). */
evdb_status bucket_backup_list(const op_call *call, evdb_backup_info ***out, size_t *count, evdb_error *err);
evdb_status bucket_backup_verify(const op_call *call, const char *name, const evdb_restore_options *options, evdb_backup_info *out,
                                 evdb_error *err);
evdb_status bucket_backup_restore(const op_call *call, const char *name, const char *store, const evdb_restore_options *options,
                                  evdb_backup_info *out, evdb_error *err);
evdb_status bucket_backup_delete(const op_call *call, const char *name, evdb_error *err);
/* A bucket has no lock: an increment that somebody makes of one that is deleted meanwhile is left without its base. */
evdb_status bucket_backup_prune(const op_call *call, const evdb_prune_options *options, evdb_backup_info ***out, size_t *count,
                                evdb_error *err);

#endif
