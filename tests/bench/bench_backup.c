/* bench_backup.c - what a backup costs those who write meanwhile, how fast a restore is, and what increments cost.
 *
 *   bench_backup [ROWS]
 *
 * ROWS vectors of 384 elements (50,000). Threads that write single records as fast as they can are timed, in turns, while a
 * backup is under way, and for as many writes without. A restore reads a file that the page cache holds, as plain writing takes its bytes from
 * memory, and both end with an fsync. */
#include "bench/data.h"
#include "bench/measure.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 384, ROWS = 50000, BATCH = 1000, WRITERS = 4, ROUNDS = 5, LATENCIES = 1 << 20, INCREMENTS = 3 };

typedef struct bench {
    size_t rows;
    uint64_t seed;
    float *vectors; /* BATCH of them, that are written again and again */
    char folder[DATA_PATH_MAX];
    evdb *db;
    evdb_store *store;
} bench;

static float next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1;
    return (float)(int32_t)(*seed >> 32) / 2147483648.0f;
}

static void write_batch(bench *b, size_t from, size_t count)
{
    evdb_batch batch = EVDB_BATCH;
    evdb_error err;
    int64_t ids[BATCH];
    for (size_t i = 0; i < count; i++) ids[i] = (int64_t)(from + i);
    for (size_t i = 0; i < count * DIM; i++) b->vectors[i] = next(&b->seed);
    batch.kind = EVDB_UPSERT;
    batch.count = count;
    batch.numbers = ids;
    batch.vectors = b->vectors;
    batch.dim = DIM;
    measure_must(evdb_batch_write(b->store, &batch, NULL, &err), &err);
}

static void fill(bench *b)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_error err;
    char path[DATA_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/db", b->folder);
    o.dim = DIM;
    o.metric = EVDB_EUCLIDEAN;
    measure_must(evdb_open(path, NULL, &b->db, &err), &err);
    measure_must(evdb_store_create(b->db, "bench", &o, &b->store, &err), &err);
    for (size_t i = 0; i < b->rows; i += BATCH) write_batch(b, i, b->rows - i < BATCH ? b->rows - i : BATCH);
    measure_must(evdb_store_sync(b->store, &err), &err);
}

/* ---- writers ---- */

typedef struct writers {
    const bench *bench;
    atomic_bool stop;
    size_t most; /* writes, after which they stop by themselves */
    _Atomic size_t count;
    _Atomic uint64_t id;
    double *latencies;
} writers;

static void *write_on(void *context)
{
    writers *w = context;
    evdb_error err;
    while (!atomic_load(&w->stop) && atomic_load(&w->count) < w->most) {
        uint64_t n = atomic_fetch_add(&w->id, 7919);
        const float *vector = w->bench->vectors + n % BATCH * DIM;
        double began = measure_wall();
        measure_must(evdb_record_upsert(w->bench->store, (evdb_id){ .number = (int64_t)(n % w->bench->rows) }, vector, DIM, NULL, NULL, &err),
                     &err);
        size_t at = atomic_fetch_add(&w->count, 1);
        if (at < LATENCIES) w->latencies[at] = measure_wall() - began;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* While `work` is done; work NULL: of *count writes. */
static double p99(const bench *b, double *latencies, void (*work)(const bench *b), size_t *count)
{
    writers w = { .bench = b, .latencies = latencies, .most = work ? LATENCIES : *count };
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        if (pthread_create(&threads[i], NULL, write_on, &w) != 0) measure_die("pthread_create", "failed");
    if (work) {
        work(b);
        atomic_store(&w.stop, true);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    *count = w.count < LATENCIES ? w.count : LATENCIES;
    qsort(latencies, *count, sizeof(*latencies), by_size);
    return *count ? latencies[*count * 99 / 100] : 0;
}

static void make_backup(const bench *b, const char *name, const char *base, evdb_backup_info *out)
{
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    evdb_error err;
    o.base_name = base;
    measure_must(evdb_backup_create(b->store, name, &o, out, &err), &err);
}

static void back_up(const bench *b)
{
    evdb_error err;
    make_backup(b, "loaded", NULL, NULL);
    measure_must(evdb_backup_delete(b->db, "loaded", &err), &err);
}

static void compare_writers(const bench *b)
{
    double *latencies = malloc(LATENCIES * sizeof(*latencies));
    double ratios[ROUNDS], without[ROUNDS], with[ROUNDS], took[ROUNDS];
    size_t count;
    if (!latencies) measure_die("latencies", "out of memory");
    for (int r = 0; r < ROUNDS; r++) {
        double began = measure_wall();
        with[r] = p99(b, latencies, back_up, &count);
        took[r] = measure_wall() - began;
        without[r] = p99(b, latencies, NULL, &count);
        ratios[r] = without[r] > 0 ? with[r] / without[r] : 0;
    }
    printf("backup  %.2f s beside %d writers, whose p99 is %.1f ms, %.1f ms without: ", measure_median(took, ROUNDS), WRITERS,
           1e3 * measure_median(with, ROUNDS), 1e3 * measure_median(without, ROUNDS));
    printf("%.2fx (ceiling 2.00)\n", measure_median(ratios, ROUNDS));
    free(latencies);
}

/* ---- restoring ---- */

static double restore_once(const bench *b)
{
    evdb_error err;
    double began = measure_wall();
    measure_must(evdb_backup_restore(b->db, "full", "back", NULL, NULL, &err), &err);
    double took = measure_wall() - began;
    measure_must(evdb_store_drop(b->db, "back", &err), &err);
    return took;
}

static double write_plain(const bench *b, size_t bytes)
{
    char path[DATA_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/plain", b->folder);
    double began = measure_wall();
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) measure_die(path, "cannot be written");
    for (size_t left = bytes, most = BATCH * DIM * sizeof(float); left;) {
        ssize_t n = write(fd, b->vectors, left < most ? left : most);
        if (n <= 0) measure_die(path, "cannot be written");
        left -= (size_t)n;
    }
    if (fsync(fd) != 0) measure_die(path, "cannot be synced");
    double took = measure_wall() - began;
    close(fd);
    remove(path);
    return took;
}

static void measure_restore(const bench *b)
{
    double took[ROUNDS], plain[ROUNDS], cpu[ROUNDS];
    evdb_backup_info info = EVDB_BACKUP_INFO;
    double bytes = (double)b->rows * DIM * sizeof(float);
    make_backup(b, "full", NULL, &info);
    for (int r = 0; r < ROUNDS; r++) {
        double before = measure_cpu();
        took[r] = restore_once(b);
        cpu[r] = measure_cpu() - before;
        plain[r] = write_plain(b, (size_t)bytes);
    }
    double speed = bytes / measure_median(took, ROUNDS) / 1e6;
    printf("restore %.0f MB/s of vectors (floor 100), %.0f MB/s of processor time; plain writing and fsync of as many bytes %.0f MB/s; file %.2f of them\n", speed,
           bytes / measure_median(cpu, ROUNDS) / 1e6, bytes / measure_median(plain, ROUNDS) / 1e6, (double)info.file_bytes / bytes);
}

/* ---- increments ---- */

static void measure_increments(bench *b)
{
    static const size_t changes[INCREMENTS] = { 100, 1000, 10000 };
    char names[INCREMENTS + 1][24] = { "full" };
    for (int i = 0; i < INCREMENTS; i++) {
        evdb_backup_info info = EVDB_BACKUP_INFO;
        size_t count = changes[i] < b->rows ? changes[i] : b->rows;
        for (size_t from = 0; from < count; from += BATCH) write_batch(b, from, count - from < BATCH ? count - from : BATCH);
        snprintf(names[i + 1], sizeof(names[0]), "more-%d", i);
        double before = measure_cpu();
        make_backup(b, names[i + 1], names[i], &info);
        double took = measure_cpu() - before;
        printf("increment of %5zu changes: %8.1f kB (%.2f of their vectors), %.1f ms of processor time\n", count, (double)info.file_bytes / 1e3,
               (double)info.file_bytes / ((double)count * DIM * sizeof(float)), 1e3 * took);
    }
}

int main(int argc, char **argv)
{
    bench b = { .rows = ROWS, .seed = 5 };
    if (argc > 1) b.rows = strtoul(argv[1], NULL, 10);
    if (b.rows < 10 || !(b.vectors = malloc(BATCH * DIM * sizeof(float)))) measure_die("ROWS", "is too small, or memory is");
    data_folder_make(b.folder);
    fill(&b);
    printf("backups of %zu x %d f32, medians of %d rounds in turns\n", b.rows, DIM, ROUNDS);
    measure_restore(&b);
    measure_increments(&b);
    compare_writers(&b);
    evdb_store_close(b.store);
    evdb_close(b.db);
    free(b.vectors);
    return 0;
}
