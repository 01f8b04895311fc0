/* system_cache.h - what was last read from system.db, for as long as nobody changes it.
 *
 * Opening a store and checking a token ask system.db the same things again and again, and SQLite answers one at a time, with
 * locks on the file. Whoever changes system.db, in this process or another, holds the system lock, and says so in the mapped
 * file `system.hint`: `begun` when he has it, `done` when he lets it go. While both stand where they stood before an
 * answer was read, the answer is still right. When they differ, a change is under way, or its process died: ask SQLite. */
#ifndef EVDB_DISK_SYSTEM_CACHE_H
#define EVDB_DISK_SYSTEM_CACHE_H
#include "disk/clients.h"
#include <evdb/store.h>
#include <pthread.h>
#include <stdatomic.h>

enum { SYSTEM_HINT_BYTES = 4096, SYSTEM_CACHE_SLOTS = 64 };

/* The beginning of system.hint. */
typedef struct system_hint { _Atomic uint64_t begun, done; } system_hint;

typedef struct cached_store { uint64_t seen; char name[EVDB_STORE_NAME_MAX + 1], uuid[37]; } cached_store;
typedef struct cached_client { uint64_t seen; client_row row; } cached_client;

typedef struct system_cache {
    system_hint *hint;
    pthread_mutex_t lock;
    cached_store by_name[SYSTEM_CACHE_SLOTS], by_uuid[SYSTEM_CACHE_SLOTS];
    cached_client clients[SYSTEM_CACHE_SLOTS];
} system_cache;

/* path: of system.hint, NULL in memory. 0 or an errno. */
int system_cache_open(system_cache *c, const platform *p, const char *path);
void system_cache_close(system_cache *c); /* also one that was never opened */

/* With the system lock held: what is cached may no longer be so; and now it is read anew. */
void system_cache_begin(system_cache *c);
void system_cache_done(system_cache *c);

/* Before an answer is read: what to hand on with it. 0 = it is not to be kept. */
uint64_t system_cache_seen(const system_cache *c);
bool system_cache_store(system_cache *c, const char *name, char uuid[37]);
bool system_cache_name(system_cache *c, const char *uuid, char name[EVDB_STORE_NAME_MAX + 1]);
void system_cache_keep_store(system_cache *c, uint64_t seen, const char *name, const char *uuid);
bool system_cache_client(system_cache *c, const char *id, client_row *out);
void system_cache_keep_client(system_cache *c, uint64_t seen, const client_row *row);

#endif
