/* op_refusals.h - requests that were refused, for the audit log: counted per client, and one entry a client and minute.
 *
 * Who is refused decides how often he asks, so neither memory nor the log may grow with that: OP_REFUSALS_CLIENTS are counted by themselves in
 * a minute, the rest as "others". Entries are written when the minute is over; a process that is killed takes the counts of its last
 * minute with it. */
#ifndef OP_REFUSALS_H
#define OP_REFUSALS_H
#include <evdb.h>
#include <stdbool.h>

enum { OP_REFUSALS_CLIENTS = 16 };

typedef struct op_refusals op_refusals;
op_refusals *op_refusals_open(evdb *db); /* NULL: out of memory */
/* Writes what there is. */
void op_refusals_close(op_refusals *r);

/* who: a client that is known, one that somebody claims to be (via "oauth"), or "address:..." of whoever did not say. what: an operation, or
 * what was asked for; several in a minute are told as "several". Thread-safe, and cheap; r NULL counts nothing. */
void op_refusals_count(op_refusals *r, const char *who, const char *via, const char *what);
/* Writes the entries of a minute that is over, or, with `all`, of the one under way too. What cannot be written stays counted. */
evdb_status op_refusals_write(op_refusals *r, bool all, evdb_error *err);

#endif
