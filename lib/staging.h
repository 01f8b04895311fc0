/* staging.h - a store in the making, in a folder that nobody knows of, until it gets a name in one step.
 *
 * The folder is listed as debris in system.db, under a lock that keeps others from clearing it away: who dies leaves what the next open
 * removes. Zeroed at first but for db and info, of which begin needs the uuid; staging_end() in any case. */
#ifndef EVDB_STAGING_H
#define EVDB_STAGING_H
#include "disk/rows_load.h"
#include "platform/lock.h"

typedef struct staging {
    evdb *db;
    evdb_store_info info; /* of the store that is being made */
    char *dir, *lock_path; /* NULL in memory */
    lock_file lock;
    rows *rows;
    rows_load load;
} staging;

evdb_status staging_begin(staging *s, evdb_error *err);
/* Makes rows.db of s->info: from then on s->load may be filled. */
evdb_status staging_fill(staging *s, evdb_error *err);
/* After rows_load_finish(): in a file all is durable, and closed; who opens the store opens it as any other. */
evdb_status staging_settle(staging *s, evdb_error *err);
/* With the system lock held: the store gets its name, or, where `old` is not "", takes the place of that one. keep: its folder does not
 * become debris. Handles to it answer that it was dropped; staging_retire() forgets it. */
evdb_status staging_publish(staging *s, const char *old, bool keep, evdb_error *err);
/* Not with the lock of its writers held, some of whom may be waiting for it. */
void staging_retire(evdb *db, const char *old);
/* Whatever became of it: what lies in folders that are debris goes. */
void staging_end(staging *s);

#endif
