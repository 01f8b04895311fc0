/* bare_sqlite.h - what evdb's writes are measured against: a table of ids and vectors in plain SQLite, WAL and
 * synchronous=FULL, nothing else. */
#ifndef BENCH_BARE_SQLITE_H
#define BENCH_BARE_SQLITE_H
#include "bench/data.h"

typedef struct bare bare;

/* page 0 = SQLite's default. */
bare *bare_open(const char *path, int page);
void bare_close(bare *b);
int bare_page_size(bare *b);
/* One durable commit each. */
void bare_insert(bare *b, int64_t id, const float *vector);
/* Reads the file and inserts its rows, `batch` a commit. */
void bare_import(bare *b, const char *npy, size_t batch);
#endif
