/* compressed_rows.h - vectors for stores that keep them with a codec, and whether they come back. */
#ifndef TESTS_API_COMPRESSED_ROWS_H
#define TESTS_API_COMPRESSED_ROWS_H
#include "scratch.h"

enum { DIM = 24, ROWS = 1500, K = 10 };

extern float rows[ROWS][DIM]; /* the vector of record i is rows[i] */

evdb_store *store_with(scratch *t, const char *name, const char *codec, evdb_metric metric);
/* Upserts records from, from + 1, ... */
void put(evdb_store *store, int64_t from, size_t count);
/* Every record, as it was written but for what the codec may round. */
void all_there(evdb_store *store, double relative);
/* The whole database, by evdb_verify(). */
void sound(scratch *t);
/* How it is; nothing may have failed. */
evdb_compression compression(evdb_store *store);

#endif
