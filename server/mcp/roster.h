/* roster.h - which stores there are, and which have come or gone since the last look. */
#ifndef MCP_ROSTER_H
#define MCP_ROSTER_H
#include <evdb.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct roster {
    evdb *db;
    evdb_store_info **stores; /* sorted by name */
    size_t count;
    bool known; /* there has been a look */
} roster;

/* Calls tell() for each name that has another store than at the last look, or one where there was none, or the contrary. The lock, which guards
 * all of it and is held by who calls, is let go while it looks. What cannot be listed is as it was. */
void roster_look(roster *r, pthread_mutex_t *lock, void (*tell)(void *context, const char *name), void *context);
/* The same when nothing is known yet: what comes or goes behind that is seen. */
void roster_begin(roster *r, pthread_mutex_t *lock);
void roster_forget(roster *r);

#endif
