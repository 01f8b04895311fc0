/* partial.c - a batch with bad items: write the good ones, learn what was wrong with each of the others. */
#include <evdb.h>
#include <math.h>
#include <stdio.h>

enum { COUNT = 4, DIM = 2 };

int main(void)
{
    const int64_t ids[COUNT] = { 1, 2, 1, 3 };
    const float vectors[COUNT][DIM] = { { 0, 1 }, { NAN, 0 }, { 1, 0 }, { 1, 1 } };
    evdb_status statuses[COUNT];
    evdb *db = NULL;
    evdb_store *store = NULL;
    evdb_error err;
    evdb_status rc;
    size_t written;
    evdb_batch batch = EVDB_BATCH;
    batch.kind = EVDB_INSERT;
    batch.flags = EVDB_BATCH_PARTIAL; /* without it, the first bad item would fail the batch as a whole */
    batch.count = COUNT;
    batch.numbers = ids;
    batch.vectors = vectors;
    batch.dim = DIM;
    batch.statuses = statuses;

    if ((rc = evdb_open(":memory:", NULL, &db, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_store_create(db, "points", NULL, &store, &err)) != EVDB_OK) goto out;
    if ((rc = evdb_batch_write(store, &batch, &written, &err)) != EVDB_OK) goto out;
    for (int i = 0; i < COUNT; i++) printf("item %d, id %lld: %s\n", i, (long long)ids[i], evdb_status_text(statuses[i]));
    printf("%zu written\n", written);
out:
    if (rc != EVDB_OK) fprintf(stderr, "partial: %s: %s\n", evdb_status_name(rc), err.message);
    evdb_store_close(store);
    evdb_close(db);
    return rc != EVDB_OK;
}
