/* changes.h - the change feed: what happened to a store after a sequence number.
 *
 * Every record written or deleted takes the next number of the store's change sequence, in commit order
 * and without gaps. Whoever remembers the last number handled can continue from it at any time, also after
 * a crash or from another process. */
#ifndef EVDB_CHANGES_H
#define EVDB_CHANGES_H
#include <evdb/record.h>
EVDB_BEGIN

#define EVDB_CHANGES_MAX 10000u /* changes in one read */

typedef enum evdb_change_kind {
    EVDB_CHANGE_PUT = 1,    /* inserted, or its vector replaced */
    EVDB_CHANGE_UPDATE = 2, /* metadata replaced, vector kept */
    EVDB_CHANGE_DELETE = 3
} evdb_change_kind;

typedef struct evdb_change {
    uint64_t sequence; /* of a PUT or UPDATE: the record's version it made */
    evdb_change_kind kind;
    evdb_id id;
} evdb_change;

typedef struct evdb_changes {
    size_t count;
    const evdb_change *at;
    uint64_t last;    /* continue after this: sequence of the last change returned, else `after` */
    uint64_t horizon; /* reading after anything below this answers EVDB_GONE */
} evdb_changes;

/* Up to max (0 = EVDB_CHANGES_MAX) changes with sequence > after, oldest first; none is a success. EVDB_GONE when some of
 * them were trimmed, or given up to deletes on a full disk, or records were erased since (forget.h): start over from a cursor. Free with
 * evdb_changes_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_changes_read(evdb_store *store, uint64_t after, size_t max,
                                                       evdb_changes **out, evdb_error *err);
EVDB_API void evdb_changes_free(evdb_changes *changes);

/* Forgets changes with sequence <= through (the newest is always kept). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_changes_trim(evdb_store *store, uint64_t through, evdb_error *err);

EVDB_END
#endif
