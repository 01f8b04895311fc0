/* bench_scan.c - exact search, as fast as memory can be read?
 *
 *   bench_scan [ROWS]
 *
 * Searches ROWS vectors for 10 neighbours on one thread, in turns with a loop that does nothing but read as many
 * bytes of another block, and compares bytes a second. */
#include "bench/data.h"
#include "bench/measure.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 21, K = 10, BLOCK_MIN = 256 << 20 };

typedef uint64_t wide __attribute__((vector_size(32)));

/* Four chains of exclusive-or: reading is all it waits for. */
#define READ_ALL                                                                                    \
    wide a = { 0 }, b = a, c = a, d = a;                                                            \
    for (size_t i = 0; i + 4 <= count; i += 4) {                                                    \
        a ^= at[i];                                                                                 \
        b ^= at[i + 1];                                                                             \
        c ^= at[i + 2];                                                                             \
        d ^= at[i + 3];                                                                             \
    }                                                                                               \
    a ^= b ^ c ^ d;                                                                                 \
    return a[0] ^ a[1] ^ a[2] ^ a[3]

static uint64_t read_plain(const wide *at, size_t count)
{
    READ_ALL;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t read_avx2(const wide *at, size_t count)
{
    READ_ALL;
}
#endif

static uint64_t read_all(const wide *at, size_t count)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return read_avx2(at, count);
#endif
    return read_plain(at, count);
}

static void fill(evdb_store *store, const data *d)
{
    evdb_error err;
    for (size_t done = 0; done < d->count; done += EVDB_BATCH_MAX) {
        size_t count = d->count - done < EVDB_BATCH_MAX ? d->count - done : EVDB_BATCH_MAX;
        int64_t numbers[EVDB_BATCH_MAX];
        for (size_t i = 0; i < count; i++) numbers[i] = (int64_t)(done + i);
        evdb_batch batch = EVDB_BATCH;
        batch.kind = EVDB_INSERT;
        batch.count = count;
        batch.numbers = numbers;
        batch.vectors = d->rows + done * DATA_DIM;
        batch.dim = DATA_DIM;
        measure_must(evdb_batch_write(store, &batch, NULL, &err), &err);
    }
}

typedef struct speeds {
    double wall[ROUNDS], cpu[ROUNDS], read[ROUNDS]; /* GB a second */
} speeds;

static void compare(evdb_store *store, const data *d, speeds *out)
{
    size_t bytes = d->count * DATA_DIM * sizeof(float), block = bytes > BLOCK_MIN ? bytes : BLOCK_MIN;
    uint64_t sum = 0;
    evdb_error err;
    evdb_result *result;
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    options.k = K;
    block -= block % 4096;
    wide *at = aligned_alloc(4096, block);
    if (!at) measure_die("reading", "out of memory");
    memset(at, 1, block);
    for (int r = -1; r < ROUNDS; r++) { /* round -1 warms up: the first search loads the vectors */
        const float *query = d->rows + (size_t)(r + 1) * 997 % d->count * DATA_DIM;
        double wall = measure_wall(), cpu = measure_cpu();
        measure_must(evdb_search(store, query, DATA_DIM, &options, &result, &err), &err);
        cpu = measure_cpu() - cpu;
        wall = measure_wall() - wall;
        evdb_result_free(result);
        double began = measure_wall();
        sum += read_all(at, block / sizeof(wide));
        double reading = measure_wall() - began;
        if (r < 0) continue;
        out->wall[r] = (double)bytes / wall * 1e-9;
        out->cpu[r] = (double)bytes / cpu * 1e-9;
        out->read[r] = (double)block / reading * 1e-9;
    }
    free(at);
    if (sum == 1) printf("\n"); /* the sum is used, so the reads are made */
}

int main(int argc, char **argv)
{
    static speeds s;
    data d = data_load(argc, argv);
    evdb_error err;
    evdb *db;
    evdb_store *store;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.dim = DATA_DIM;
    options.metric = EVDB_EUCLIDEAN;
    measure_must(evdb_open(":memory:", NULL, &db, &err), &err);
    measure_must(evdb_store_create(db, "bench", &options, &store, &err), &err);
    fill(store, &d);
    compare(store, &d, &s);
    printf("exact search, %zu x %d f32 (%s), k=%d, one thread, kernel %s, %d rounds in turns\n", d.count, DATA_DIM, d.source, K,
           evdb_version_kernel(), ROUNDS);
    double wall = measure_median(s.wall, ROUNDS), cpu = measure_median(s.cpu, ROUNDS), reading = measure_median(s.read, ROUNDS);
    printf("scan    median %.2f GB/s (%.2f ms a search; %.2f GB/s by CPU time), best %.2f GB/s\n", wall,
           (double)(d.count * DATA_DIM * sizeof(float)) / wall * 1e-6, cpu, s.wall[ROUNDS - 1]);
    printf("memory  median %.2f GB/s, best %.2f GB/s\n", reading, s.read[ROUNDS - 1]);
    printf("        a scan is to memory, medians ");
    measure_print_ratio(wall / reading, 0.8);
    printf("                             bests   ");
    measure_print_ratio(s.wall[ROUNDS - 1] / s.read[ROUNDS - 1], 0.8);
    evdb_store_close(store);
    evdb_close(db);
    data_free(&d);
    return 0;
}
