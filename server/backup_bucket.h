/* backup_bucket.h - the bucket that the settings name as a place of backups. */
#ifndef BACKUP_BUCKET_H
#define BACKUP_BUCKET_H
#include "config/config.h"
#include "remote/s3.h"

/* *out is NULL when they name none. Looks whether the files of secrets can be read; the network is not asked. */
evdb_status backup_bucket_open(const config *c, s3 **out, evdb_error *err);

#endif
