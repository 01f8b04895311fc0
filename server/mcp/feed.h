/* feed.h - stores that somebody wants to hear of: what has happened to them, by whichever process, since the last look.
 *
 * A point is what a URI leads to: a store, or a record of one. Points of the same store share one feed, which costs a look some tens of
 * microseconds however many points it has.
 *
 * Whoever calls holds a lock, but for feeds_prepare(). Stores are looked at, opened and closed without it: one that another process
 * keeps locked is waited for, and holds up nobody who subscribes to others. */
#ifndef MCP_FEED_H
#define MCP_FEED_H
#include "op/op.h"
#include <pthread.h>

typedef struct feed_point {
    struct feed *of;
    const op *op;      /* whose reply the URI stands for, ... */
    json_t *args;      /* ... and to which arguments */
    char *id;          /* of a record, as text; NULL = the store */
    char *text;        /* of the store: what the operation answered last; NULL = an error */
    unsigned holders;
    bool changed;      /* at the last look */
} feed_point;

typedef struct feeds {
    evdb *db;
    struct feed *first;
    struct feed *closing; /* nobody asks for these any more: feeds_sweep() */
} feeds;

/* A point of its own, whose changes are seen from then on; without the lock. EVDB_UNSUPPORTED: that operation's reply is of no store. */
evdb_status feeds_prepare(evdb *db, const op *o, const json_t *args, feed_point **out, evdb_error *err);
/* Makes it one of the feeds', or *point the one that is there already. */
evdb_status feeds_hold(feeds *f, feed_point **point, evdb_error *err);
void feeds_discard(feeds *f, feed_point *p); /* one that was prepared and not held; NULL is fine */
void feeds_release(feeds *f, feed_point *p); /* NULL is fine */
/* Sets `changed` of all points. Lets go of the lock meanwhile; in one thread at a time. */
void feeds_look(feeds *f, pthread_mutex_t *lock, const bool *stopping);
/* Closes what is to be closed, without the lock. */
void feeds_sweep(feeds *f, pthread_mutex_t *lock);

#endif
