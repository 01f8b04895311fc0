/* feed.h - stores that somebody wants to hear of: what has happened to them, by whichever process, since the last look.
 *
 * A point is what a URI leads to: a store, or a record of one. Points of the same store share one feed, which costs a look some tens of
 * microseconds however many points it has. Whoever calls holds a lock: nothing here is shared between threads. */
#ifndef MCP_FEED_H
#define MCP_FEED_H
#include "op/op.h"

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
} feeds;

/* From then on its changes are seen. EVDB_UNSUPPORTED: that operation's reply is of no store. */
evdb_status feeds_hold(feeds *f, const op *o, const json_t *args, feed_point **out, evdb_error *err);
void feeds_release(feeds *f, feed_point *p); /* NULL is fine */
/* Sets `changed` of all points. */
void feeds_look(feeds *f);

#endif
