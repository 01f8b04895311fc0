/* backup_timer.h - the thread that makes backups at the times of a schedule (backup_run.h).
 *
 * Whichever process has DIR/schedule.lock makes those of a time; others that have the same database open let it. */
#ifndef BACKUP_TIMER_H
#define BACKUP_TIMER_H
#include "backup_run.h"
#include "config/config.h"

typedef struct backup_timer backup_timer;

/* *out is NULL when the settings have no schedule. key and bucket, which may be NULL where backup_target is local, are borrowed; the
 * database must outlive the timer. */
evdb_status backup_timer_start(const config *c, evdb *db, const unsigned char *key, const struct op_bucket *bucket, backup_timer **out,
                               evdb_error *err);
/* Gives up a backup under way, before the bucket is stopped, so that this is no failure. NULL is fine. */
void backup_timer_cancel(backup_timer *t);
/* The same, and waits for that. */
void backup_timer_stop(backup_timer *t);

#endif
