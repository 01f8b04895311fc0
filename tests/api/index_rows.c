/* index_rows.c - implements index_rows.h. */
#include "index_rows.h"
#include "expect.h"
#include "seed.h"
#include <stdlib.h>

enum { DIM = INDEX_DIM, K = INDEX_K, QUERIES = INDEX_QUERIES };

evdb_status index_write(evdb_store *store, int64_t from, size_t count, const float *vectors, evdb_write kind, evdb_error *err)
{
    int64_t *ids = malloc(count * sizeof(*ids));
    evdb_batch b = EVDB_BATCH;
    for (size_t i = 0; i < count; i++) ids[i] = from + (int64_t)i;
    b.kind = kind;
    b.count = count;
    b.numbers = ids;
    b.vectors = kind == EVDB_DELETE ? NULL : vectors;
    b.dim = DIM;
    evdb_status rc = evdb_batch_write(store, &b, NULL, err);
    free(ids);
    return rc;
}

void index_rows(evdb_store *store, uint64_t *seed, int64_t from, size_t count, evdb_write kind)
{
    float *vectors = malloc(count * DIM * sizeof(*vectors));
    seed_floats(seed, vectors, count * DIM);
    ok(index_write(store, from, count, vectors, kind, &why));
    free(vectors);
}

evdb_index_status index_status(evdb_store *store)
{
    evdb_index_status s = EVDB_INDEX_STATUS;
    ok(evdb_index_get_status(store, &s, &why));
    return s;
}

double index_recall(evdb_store *store, uint64_t *seed, uint32_t ef)
{
    float queries[QUERIES * DIM];
    evdb_result *near, *exact;
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    size_t hits = 0;
    seed_floats(seed, queries, QUERIES * DIM);
    o.k = K;
    o.ef = ef;
    o.threads = 2;
    ok(evdb_search_batch(store, queries, QUERIES, 0, DIM, &o, &near, &why));
    o.flags = EVDB_SEARCH_EXACT;
    ok(evdb_search_batch(store, queries, QUERIES, 0, DIM, &o, &exact, &why));
    assert_int_equal(near->count, exact->count);
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t i = near->offsets[q]; i < near->offsets[q + 1]; i++)
            for (size_t j = exact->offsets[q]; j < exact->offsets[q + 1]; j++)
                if (near->numbers[i] == exact->numbers[j]) {
                    assert_true(near->distances[i] == exact->distances[j]);
                    hits++;
                }
    double share = (double)hits / (double)exact->count;
    evdb_result_free(near);
    evdb_result_free(exact);
    return share;
}
