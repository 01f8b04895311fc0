/* tagged.h - commits that give all records of a store one tag, so that a state which somebody could have seen has one tag alone. */
#ifndef TESTS_TAGGED_H
#define TESTS_TAGGED_H
#include <evdb.h>

enum { TAGGED_ROWS_MAX = 300, TAGGED_DIM = 16 };

/* Records 0 .. rows-1, in one commit. Any thread. */
evdb_status tagged_write(evdb_store *store, uint32_t rows, uint32_t tag, evdb_error *err);
/* The store of that name has so many records, all of one commit. */
void tagged_expect(evdb *db, const char *name, uint32_t rows);

#endif
