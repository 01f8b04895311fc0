/* scratch.h - a temporary directory with a database in it, both gone when the test ends. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H
#include <evdb.h>

enum { SCRATCH_PATH_MAX = 512 };

typedef struct scratch {
    char dir[SCRATCH_PATH_MAX];  /* empty at first but for the database */
    char path[SCRATCH_PATH_MAX]; /* of the database: dir/db */
    evdb *db;
} scratch;

/* A cmocka fixture: *state becomes a scratch with its database open, or not yet open. */
int scratch_open(void **state);
int scratch_closed(void **state);
int scratch_remove(void **state);

/* dir/name, in static storage that the next call overwrites. */
const char *scratch_path(const scratch *t, const char *name);
/* All bytes of a file, to be freed. */
char *scratch_content(const char *path, size_t *size);
void scratch_reopen(scratch *t);
/* A new store; dim 0 leaves it to the first vector, metric 0 is cosine. */
evdb_store *scratch_store(scratch *t, const char *name, uint32_t dim, evdb_metric metric);
/* The folder of a store of the database, in static storage of its own. */
const char *scratch_folder(evdb_store *store, const scratch *t);

uint64_t scratch_count(evdb_store *store);

static inline evdb_id num(int64_t n) { return (evdb_id){ .number = n }; }
static inline evdb_id str(const char *text) { return (evdb_id){ .text = text }; }
#endif
