/* reserve.h - room on the disk that one database file keeps for when there is none left: a file of zeros beside it.
 *
 * A commit lies in the log first; when it is moved into the database file, that may grow. So before a commit is made, the reserve has
 * at least the bytes by which the file will grow: the log can always be emptied and used again, whatever happens to the disk. What
 * the reserve has beyond that is for deletes, whose traces take room before any comes free, for a log that they fit in, and for opening
 * the file, which takes an index of the log. A write that does not find it whole is refused, unless the file stays as large as it is.
 *
 * Only whoever may write the database file asks for these, one at a time among all processes. */
#ifndef EVDB_DISK_RESERVE_H
#define EVDB_DISK_RESERVE_H
#include "platform/platform.h"
#include <stdbool.h>

enum {
    RESERVE_LEAST = 24, /* pages, half of what the file has: */
    RESERVE_MOST = 48,
    RESERVE_LOG = 20,   /* pages of it for a log that has none; a delete takes six to fifteen */
    RESERVE_STEP = 1 << 18 /* bytes by which it follows the log */
};

typedef struct reserve {
    const platform *platform;
    char *path;      /* NULL: the file keeps none */
    uint64_t page;   /* bytes of a page of the database file */
    uint64_t had;    /* its pages when the transaction began */
    bool deletes;    /* the transaction does nothing else */
    uint64_t growth; /* bytes by which the file will grow, as of then, or of the commit under way */
    bool short_of;   /* it was not whole at the last commit, or has been given of since */
} reserve;

/* Of the database file `of`; false when memory is short. */
bool reserve_init(reserve *r, const platform *p, const char *of, uint64_t page);
void reserve_free(reserve *r);
/* Of a transaction that has begun: the database file, of `size` bytes, has so many pages with those in the log. */
void reserve_begin(reserve *r, uint64_t size, uint64_t pages);
/* Before a commit behind which the database file, of `size` bytes, will have `pages` pages, with a log of `log` bytes: makes the reserve
 * what it must be, or smaller where it is too large. False = there is no room. */
bool reserve_commit(reserve *r, uint64_t size, uint64_t pages, uint64_t log);
/* Gives some of it up, `bytes` or more, but not what `growth` says that the file will take; false = there is nothing left to give. */
bool reserve_give(reserve *r, uint64_t bytes, uint64_t growth);
/* When the last who had the database file, of `size` bytes, closes it, and it has no log: makes the reserve no larger than it must be. */
void reserve_rest(const reserve *r, uint64_t size);

#endif
