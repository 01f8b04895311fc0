/* ledger.h - what one writer was told about its records, kept apart from the database so that the two can be compared.
 *
 * A ledger owns a range of integer ids. Before a write the wanted state of each record is noted, and after the call
 * returned EVDB_OK it becomes the acknowledged one; a ledger in shared memory so survives the kill of its writer.
 * Every write draws a new tag, and vectors and metadata are made of (id, tag): from what a record holds one can tell
 * which write made it. A state is two tags, as an update may change one half. */
#ifndef TESTS_FAULT_LEDGER_H
#define TESTS_FAULT_LEDGER_H
#include <evdb.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { LEDGER_ROWS = 96, LEDGER_DIM = 24, LEDGER_BATCH_MAX = 40, LEDGER_METADATA_MAX = 512 };

typedef struct ledger_state {
    uint32_t vector, metadata;
} ledger_state; /* tags; 0, 0 = there is no record */

typedef struct ledger_row {
    ledger_state acknowledged, wanted;
    ledger_state trashed;  /* what it was when it was last deleted; 0, 0 = it was not */
    uint32_t under_way; /* tag of the write that was not answered, 0 = none */
} ledger_row;

typedef struct ledger {
    int64_t first;         /* id of rows[0] */
    uint32_t tag;          /* last one drawn */
    uint64_t acknowledged; /* writes that were */
    ledger_row rows[LEDGER_ROWS];
} ledger;

void ledger_vector(int64_t id, uint32_t tag, float out[LEDGER_DIM]);
void ledger_metadata(uint32_t tag, char out[LEDGER_METADATA_MAX]);

/* Writes `count` rows from `at` on (cut at the ledger's end) as one call of this kind; rows the kind cannot apply to
 * (an insert of a record that is there) are left out. An answer other than EVDB_OK leaves the rows under way: call
 * ledger_undone() if it is certain that nothing was written. */
evdb_status ledger_write(ledger *l, evdb_store *store, evdb_write kind, uint32_t at, uint32_t count, evdb_error *err);
/* A random one of those, single or batch. */
evdb_status ledger_write_any(ledger *l, evdb_store *store, uint64_t *seed, evdb_error *err);
void ledger_undone(ledger *l);

/* Is this (NULL = none) what a record in that state must be? */
bool ledger_holds(const evdb_record *record, int64_t id, ledger_state state);

/* Compares every record with the database and prints each difference; answers how many there were. Rows under way may
 * be in either state, those of one batch all in the same; afterwards the state found counts as acknowledged. */
unsigned ledger_differences(ledger *l, evdb_store *store);

typedef struct ledger_found {
    unsigned records; /* acknowledged, and looked for */
    unsigned lost;    /* of these */
    unsigned corrupt; /* records that are something else than was written, or cannot be read */
} ledger_found;
/* The same in numbers, added to what `found` holds. */
void ledger_compare(ledger *l, evdb_store *store, ledger_found *found);

/* Of a store whose trash is on, after ledger_compare(): records that were deleted and are not in it as they were; prints each. */
unsigned ledger_trash_differences(const ledger *l, evdb_store *store);
/* Brings back those that are not there any more; what is wrong then. */
unsigned ledger_trash_restore(ledger *l, evdb_store *store);
/* Before the trash is emptied. */
void ledger_trash_emptied(ledger *l);

/* Gaps in the sequence of changes after *from, which is moved to the end; prints each. */
unsigned ledger_feed_problems(evdb_store *store, uint64_t *from);
/* What evdb_verify() finds in the whole database; prints each. */
unsigned ledger_verify_problems(evdb *db);

#endif
