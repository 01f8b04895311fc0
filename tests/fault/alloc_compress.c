/* alloc_compress.c - implements alloc_compress.h. */
#include "alloc_compress.h"
#include <string.h>

enum { ROWS = 20, DIM = 4 };

/* The store, of ROWS records, made by whichever attempt comes first. */
static evdb_status fill(alloc_scene *s, float rows[ROWS][DIM], evdb_store **out, evdb_error *err)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_batch b = EVDB_BATCH;
    int64_t ids[ROWS];
    o.metric = EVDB_EUCLIDEAN;
    evdb_status rc = evdb_store_create(s->db, "coded", &o, out, err);
    if (rc == EVDB_EXISTS) rc = evdb_store_open(s->db, "coded", out, err);
    if (rc != EVDB_OK) return rc;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < DIM; j++) ids[i] = i, rows[i][j] = (float)((i * 7 + j * j * 3) % 11) - 4.25f;
    b.kind = EVDB_UPSERT;
    b.count = ROWS;
    b.numbers = ids;
    b.vectors = rows[0];
    b.dim = DIM;
    return evdb_batch_write(*out, &b, NULL, err);
}

static evdb_status look(evdb_store *store, const float *vector, evdb_error *err)
{
    evdb_compression c = EVDB_COMPRESSION;
    evdb_result *result;
    evdb_status rc = evdb_store_get_compression(store, &c, err);
    if (rc == EVDB_OK) rc = alloc_expect(strcmp(c.in_force, c.codec) == 0 && c.trained_bytes > 0, err);
    if (rc == EVDB_OK) rc = evdb_search(store, vector, DIM, NULL, &result, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(result->count == 10, err);
    evdb_result_free(result);
    return rc;
}

evdb_status alloc_compress(alloc_scene *s, evdb_error *err)
{
    float rows[ROWS][DIM];
    evdb_store *store = NULL;
    evdb_status rc = fill(s, rows, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_set_codec(store, "pca:3+zlib", err);
    if (rc == EVDB_OK) rc = evdb_store_recode(store, err);
    if (rc == EVDB_OK) rc = look(store, rows[3], err);
    if (rc == EVDB_OK) rc = evdb_record_insert_compressed(store, (evdb_id){ .number = ROWS }, rows[0], DIM, NULL, "pca:2", NULL, err);
    if (rc == EVDB_EXISTS) rc = EVDB_OK;
    evdb_store_close(store);
    return rc;
}
