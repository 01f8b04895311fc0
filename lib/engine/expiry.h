/* expiry.h - records whose time has come, in the view in memory.
 *
 * An index knows the next expiry of the state that it has, and until when it has taken records out: a search compares both with the
 * clock, and that is all it costs. When the time has come the rows of those records die at once, at the sequence that the index
 * stands at; the change that deletes the records comes later, by whoever sweeps, and finds them dead. A clock that goes back brings
 * rows back. Where nothing expires nobody asks the clock. */
#ifndef EVDB_ENGINE_EXPIRY_H
#define EVDB_ENGINE_EXPIRY_H
#include <evdb/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct expiry {
    _Atomic int64_t next;   /* Unix ms: the first of those that are in to expire; INT64_MAX = none */
    _Atomic int64_t until;  /* the last of those taken out; INT64_MIN = none were */
    _Atomic uint64_t turns; /* how often rows went or came without a change of the store */
} expiry;

struct engine;
struct filling;
struct rows_change;

void expiry_init(expiry *x);
/* Is there something to take out, or to bring back? Any thread, no lock. */
bool expiry_due(struct engine *e, const expiry *x);

/* An index on its way to what a reader sees (filling.h): begin() before the first change, change() behind each, and settle() before
 * `tip` is published. */
evdb_status expiry_begin(struct filling *f, evdb_error *err);
evdb_status expiry_change(struct filling *f, const struct rows_change *change, evdb_error *err);
evdb_status expiry_settle(struct filling *f, uint64_t tip, evdb_error *err);

#endif
