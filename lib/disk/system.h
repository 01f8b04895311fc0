/* system.h - system.db: which stores a database has, and which folders may be deleted.
 *
 * Creating a store lists its folder as debris, fills it, then turns the debris into a store in one commit;
 * dropping goes the other way. So a crash at any point leaves a store whole or a folder that the next open may
 * clear away, and a folder nobody listed is never touched. All calls are serialised inside. */
#ifndef EVDB_DISK_SYSTEM_H
#define EVDB_DISK_SYSTEM_H
#include "disk/vfs.h"
#include <stdbool.h>

typedef struct system_db system_db;

/* dir NULL = in memory. */
evdb_status system_open(const platform *p, const vfs *v, const char *dir, system_db **out, evdb_error *err);
void system_close(system_db *s);

/* Keeps other processes, and threads, from creating, renaming and dropping. */
evdb_status system_lock(system_db *s, evdb_error *err);
void system_unlock(system_db *s);
/* What is read after this call is still right while it answers the same; 0 = never (disk/system_cache.h). */
uint64_t system_seen(const system_db *s);

evdb_status system_find(system_db *s, const char *name, char uuid[37], evdb_error *err);    /* NOT_FOUND */
evdb_status system_name(system_db *s, const char *uuid, char name[65], evdb_error *err);    /* NOT_FOUND */
typedef evdb_status system_each_fn(void *context, const char *uuid, const char *name, evdb_error *err);
evdb_status system_stores(system_db *s, system_each_fn *each, void *context, evdb_error *err); /* by name */
evdb_status system_debris(system_db *s, system_each_fn *each, void *context, evdb_error *err); /* name is NULL */

/* What was lost of the log of system.db when it was opened, in a sentence; "" = nothing is known to be. */
const char *system_problem(const system_db *s);
/* Each problem with system.db goes to problem(). */
evdb_status system_verify(system_db *s, void (*problem)(void *context, const char *text), void *context, evdb_error *err);

/* With the lock held: */
evdb_status system_add_debris(system_db *s, const char *uuid, evdb_error *err);
evdb_status system_clear_debris(system_db *s, const char *uuid, evdb_error *err);
evdb_status system_publish(system_db *s, const char *uuid, const char *name, int64_t created_ms, evdb_error *err);
evdb_status system_rename(system_db *s, const char *name, const char *new_name, evdb_error *err);
/* The folder of `uuid` takes the place of the one of `old`, which becomes debris unless it is to be kept. */
evdb_status system_replace(system_db *s, const char *old, const char *uuid, int64_t created_ms, bool keep, evdb_error *err);
evdb_status system_drop(system_db *s, const char *uuid, evdb_error *err);

#endif
