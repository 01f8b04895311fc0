/* index_rows.h - records by chance in a store, and how well a search by the graph does on them. */
#ifndef TESTS_API_INDEX_ROWS_H
#define TESTS_API_INDEX_ROWS_H
#include <evdb.h>

enum { INDEX_DIM = 24, INDEX_K = 10, INDEX_QUERIES = 50 };

/* Records `from` and on, `count` of them, with these vectors, all of which a batch takes. Fit for any thread, with err NULL. */
evdb_status index_write(evdb_store *store, int64_t from, size_t count, const float *vectors, evdb_write kind, evdb_error *err);
/* The same, drawn with the seed. */
void index_rows(evdb_store *store, uint64_t *seed, int64_t from, size_t count, evdb_write kind);
evdb_index_status index_status(evdb_store *store);
/* The share of what an exact search finds, with queries drawn with the seed. */
double index_recall(evdb_store *store, uint64_t *seed, uint32_t ef);

#endif
