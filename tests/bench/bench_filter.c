/* bench_filter.c - searching with filters: how many a second, and what a new filter costs.
 *
 *   bench_filter [ROWS]
 *
 * ROWS vectors with a graph, one thread. Each number of the metadata is declared in one field and not in another. Prints searches a
 * second for filters that match 1, 10 and 50 of 100 records beside those without a filter, in turns, with the share of the true
 * neighbours that they find; then the first search of filters that are new. */
#include "bench/data.h"
#include "bench/measure.h"
#include <stdio.h>
#include <stdlib.h>

enum { K = 10, EF = 40, ROUNDS = 9, QUERIES = 100, SHARES = 4, NEW = 9, METADATA = 96 };

static const int shares[SHARES] = { 100, 50, 10, 1 }; /* of 100 records */

static void fill(evdb_store *store, const data *d)
{
    static int64_t numbers[EVDB_BATCH_MAX];
    static char texts[EVDB_BATCH_MAX][METADATA];
    static const char *metadata[EVDB_BATCH_MAX];
    evdb_error err;
    for (size_t done = 0; done < d->count; done += EVDB_BATCH_MAX) {
        evdb_batch batch = EVDB_BATCH;
        batch.count = d->count - done < EVDB_BATCH_MAX ? d->count - done : EVDB_BATCH_MAX;
        for (size_t i = 0; i < batch.count; i++) {
            unsigned row = (unsigned)(done + i), share = row * 2654435761u % 100;
            numbers[i] = row;
            snprintf(texts[i], METADATA, "{\"title\":\"record %u\",\"tags\":[\"a\",\"b\"],\"share\":%u,\"plain\":%u}", row, share, share);
            metadata[i] = texts[i];
        }
        batch.kind = EVDB_INSERT;
        batch.numbers = numbers;
        batch.vectors = d->rows + done * DATA_DIM;
        batch.dim = DATA_DIM;
        batch.metadata = metadata;
        measure_must(evdb_batch_write(store, &batch, NULL, &err), &err);
    }
}

static const float *query_of(const data *d, size_t i) { return d->rows + i * 577 % d->count * DATA_DIM; }

static evdb_result *search(evdb_store *store, const float *query, const char *filter, uint32_t flags)
{
    evdb_error err;
    evdb_result *found;
    evdb_search_options o = { .size = sizeof(o), .k = K, .ef = EF, .filter = filter, .flags = flags };
    measure_must(evdb_search(store, query, DATA_DIM, &o, &found, &err), &err);
    return found;
}

static double seconds(evdb_store *store, const data *d, const char *filter)
{
    double began = measure_cpu();
    for (size_t i = 0; i < QUERIES; i++) evdb_result_free(search(store, query_of(d, i), filter, 0));
    return measure_cpu() - began;
}

/* The share of hits that are as near as the exact ones. */
static double recall(evdb_store *store, const data *d, const char *filter)
{
    size_t right = 0, wanted = 0;
    for (size_t i = 0; i < QUERIES; i++) {
        evdb_result *found = search(store, query_of(d, i), filter, 0), *exact = search(store, query_of(d, i), filter, EVDB_SEARCH_EXACT);
        for (size_t j = 0; j < found->count; j++) right += found->distances[j] <= exact->distances[exact->count - 1];
        wanted += exact->count;
        evdb_result_free(found);
        evdb_result_free(exact);
    }
    return wanted ? (double)right / (double)wanted : 1;
}

static void compare(evdb_store *store, const data *d)
{
    static double times[SHARES][ROUNDS];
    char filters[SHARES][METADATA];
    for (int s = 0; s < SHARES; s++) snprintf(filters[s], METADATA, "{\"share\":{\"$lt\":%d}}", shares[s]);
    for (int r = 0; r < ROUNDS; r++)
        for (int s = 0; s < SHARES; s++) times[s][r] = seconds(store, d, shares[s] == 100 ? NULL : filters[s]);
    for (int s = 0; s < SHARES; s++)
        printf("%3d %% match   %8.0f searches a CPU-second, recall %.4f\n", shares[s], QUERIES / measure_median(times[s], ROUNDS),
               recall(store, d, filters[s]));
}

/* The first search of filters nobody has asked before. */
static void first_searches(evdb_store *store, const data *d, const char *field)
{
    double times[NEW];
    char filter[METADATA];
    for (int i = 0; i < NEW; i++) {
        snprintf(filter, METADATA, "{\"%s\":{\"$gte\":%d.5}}", field, 80 + i);
        double began = measure_wall();
        evdb_result_free(search(store, query_of(d, (size_t)i), filter, 0));
        times[i] = (measure_wall() - began) * 1e3;
    }
    printf("new filter   %8.2f ms the very first, then %.2f ms, on a field that is %s\n", times[0], measure_median(times + 1, NEW - 1),
           field[0] == 's' ? "declared" : "not declared");
}

int main(int argc, char **argv)
{
    static const char *const fields[] = { "share" };
    data d = data_load(argc, argv);
    evdb_error err;
    evdb *db;
    evdb_store *store;
    evdb_store_options o = { .size = sizeof(o), .dim = DATA_DIM, .metric = EVDB_EUCLIDEAN, .field_count = 1, .fields = fields };
    measure_must(evdb_open(":memory:", NULL, &db, &err), &err);
    measure_must(evdb_store_create(db, "bench", &o, &store, &err), &err);
    fill(store, &d);
    evdb_result_free(search(store, d.rows, NULL, 0)); /* loads the vectors */
    measure_must(evdb_index_build(store, 0, &err), &err);
    printf("filtered search, %zu x %d f32 (%s), k=%d, ef=%d, one thread, kernel %s, %d rounds in turns\n", d.count, DATA_DIM, d.source, K,
           EF, evdb_version_kernel(), ROUNDS);
    first_searches(store, &d, "share");
    first_searches(store, &d, "plain");
    compare(store, &d);
    evdb_store_close(store);
    evdb_close(db);
    data_free(&d);
    return 0;
}
