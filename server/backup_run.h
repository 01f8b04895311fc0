/* backup_run.h - what a schedule does when its time comes: backups of all stores, then the old ones of these go.
 *
 * The place of the backups is all the memory there is: a store's backups are those of its uuid whose names end in a time. So it does not
 * matter who made them, and one time is never made twice. */
#ifndef BACKUP_RUN_H
#define BACKUP_RUN_H
#include <evdb.h>
#include <stdatomic.h>

typedef struct backup_run {
    evdb *db;
    const struct op_bucket *bucket; /* where they are kept; NULL = in the database's folder */
    const unsigned char *key; /* NULL = they are not encrypted */
    int64_t began_ms;         /* with a key: since when it is the key */
    unsigned full_every;      /* increments between full ones */
    uint32_t keep;            /* 0 = no such rule */
    int64_t keep_days;
    atomic_bool stop;         /* ends a run soon, and the backup under way with it */
} backup_run;

/* Makes the backups of the time `due` (Unix time in seconds) that are not there yet. now_ms: what time it is. */
void backup_run_once(backup_run *r, int64_t due, int64_t now_ms);

#endif
