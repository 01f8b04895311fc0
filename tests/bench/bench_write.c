/* bench_write.c - durable writes: evdb beside bare SQLite that stores the same ids and vectors, in turns in one run.
 *
 *   bench_write [ROWS]
 *
 * Import: ROWS vectors from an .npy file, 1,000 a commit, up to and including closing the database. Single inserts: one
 * commit each, one thread; then eight threads of them against one. SQLite runs with its defaults but for WAL and
 * synchronous=FULL, and once more with evdb's page size, to tell the page size's share from evdb's. */
#include "bench/bare_sqlite.h"
#include "bench/data.h"
#include "bench/measure.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 1000, IMPORTS = 5, ROUNDS = 9, THREADS = 8, EVDB_PAGE = 16384 };

static evdb_status source_read(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err)
{
    (void)err;
    *got = fread(buffer, 1, capacity, context);
    return ferror(context) ? EVDB_IO : EVDB_OK;
}

static evdb_status source_rewind(void *context, evdb_error *err)
{
    (void)err;
    return fseek(context, 0, SEEK_SET) == 0 ? EVDB_OK : EVDB_IO;
}

typedef struct place {
    const data *data;
    char folder[DATA_PATH_MAX], npy[DATA_PATH_MAX + 16];
    int next; /* number of the next database */
} place;

static void fresh_path(place *at, char out[DATA_PATH_MAX + 32])
{
    snprintf(out, DATA_PATH_MAX + 32, "%s/db%d", at->folder, at->next++);
}

static evdb_store *create(const char *path, evdb **db)
{
    evdb_error err;
    evdb_store *store;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.dim = DATA_DIM;
    options.metric = EVDB_EUCLIDEAN;
    measure_must(evdb_open(path, NULL, db, &err), &err);
    measure_must(evdb_store_create(*db, "bench", &options, &store, &err), &err);
    return store;
}

static double import_evdb(place *at)
{
    char path[DATA_PATH_MAX + 32];
    evdb_error err;
    evdb *db;
    fresh_path(at, path);
    evdb_store *store = create(path, &db);
    FILE *f = fopen(at->npy, "rbe");
    if (!f) measure_die(at->npy, "cannot be read");
    evdb_source source = { .context = f, .read = source_read, .rewind = source_rewind };
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    options.format = EVDB_FORMAT_NPY;
    options.batch = BATCH;
    double began = measure_wall();
    measure_must(evdb_import(store, &source, &options, NULL, &err), &err);
    evdb_store_close(store);
    evdb_close(db);
    double took = measure_wall() - began;
    fclose(f);
    data_folder_remove(path);
    return took;
}

static double import_bare(place *at, int page)
{
    char path[DATA_PATH_MAX + 32];
    fresh_path(at, path);
    bare *b = bare_open(path, page);
    double began = measure_wall();
    bare_import(b, at->npy, BATCH);
    bare_close(b);
    double took = measure_wall() - began;
    remove(path);
    return took;
}

typedef struct writer {
    evdb_store *store;
    const data *data;
    _Atomic int64_t *next; /* id, handed out in turn to all threads */
    size_t count;
} writer;

static void *write_singles(void *argument)
{
    const writer *w = argument;
    evdb_error err;
    for (size_t i = 0; i < w->count; i++) {
        evdb_id id = { .number = (*w->next)++ };
        const float *vector = w->data->rows + i % w->data->count * DATA_DIM;
        measure_must(evdb_record_insert(w->store, id, vector, DATA_DIM, NULL, NULL, &err), &err);
    }
    return NULL;
}

/* Inserts a second by this many threads. */
static double singles_evdb(place *at, int threads, size_t each)
{
    char path[DATA_PATH_MAX + 32];
    writer writers[THREADS];
    pthread_t running[THREADS];
    _Atomic int64_t next = 0;
    evdb *db;
    fresh_path(at, path);
    evdb_store *store = create(path, &db);
    double began = measure_wall();
    for (int i = 0; i < threads; i++) {
        writers[i] = (writer){ .store = store, .data = at->data, .next = &next, .count = each };
        if (pthread_create(&running[i], NULL, write_singles, &writers[i]) != 0) measure_die("pthread_create", "failed");
    }
    for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
    double took = measure_wall() - began;
    evdb_store_close(store);
    evdb_close(db);
    data_folder_remove(path);
    return (double)threads * (double)each / took;
}

static double singles_bare(place *at, int page, size_t count)
{
    char path[DATA_PATH_MAX + 32];
    fresh_path(at, path);
    bare *b = bare_open(path, page);
    double began = measure_wall();
    for (size_t i = 0; i < count; i++) bare_insert(b, (int64_t)i, at->data->rows + i % at->data->count * DATA_DIM);
    double took = measure_wall() - began;
    bare_close(b);
    remove(path);
    return (double)count / took;
}

/* Neighbours in time are compared, since a machine's load and its disk change by the second. */
static void print_ratio(const char *what, const double *over, const double *under, size_t rounds, double floor)
{
    double ratios[ROUNDS];
    for (size_t i = 0; i < rounds; i++) ratios[i] = over[i] / under[i];
    printf("        %-44s", what);
    measure_print_ratio(measure_median(ratios, rounds), floor);
}

static void compare_imports(place *at)
{
    double ours[IMPORTS], plain[IMPORTS], paged[IMPORTS];
    for (int r = 0; r < IMPORTS; r++) {
        plain[r] = import_bare(at, 0);
        ours[r] = import_evdb(at);
        paged[r] = import_bare(at, EVDB_PAGE);
    }
    print_ratio("import: evdb's speed to SQLite's", plain, ours, IMPORTS, 0.7);
    print_ratio("import: the same, SQLite with evdb's pages", paged, ours, IMPORTS, 0.7);
    printf("import  evdb %.2f s, SQLite %.2f s, SQLite with %d-byte pages %.2f s\n", measure_median(ours, IMPORTS),
           measure_median(plain, IMPORTS), EVDB_PAGE, measure_median(paged, IMPORTS));
}

static void compare_singles(place *at, size_t each)
{
    double one[ROUNDS], many[ROUNDS], plain[ROUNDS], paged[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        plain[r] = singles_bare(at, 0, each);
        one[r] = singles_evdb(at, 1, each);
        paged[r] = singles_bare(at, EVDB_PAGE, each);
        many[r] = singles_evdb(at, THREADS, each);
    }
    print_ratio("single: evdb's speed to SQLite's", one, plain, ROUNDS, 0.8);
    print_ratio("single: the same, SQLite with evdb's pages", one, paged, ROUNDS, 0.8);
    print_ratio("single: eight threads to one", many, one, ROUNDS, 4.0);
    printf("single  evdb %.0f/s, SQLite %.0f/s, SQLite with %d-byte pages %.0f/s; evdb with %d threads %.0f/s\n",
           measure_median(one, ROUNDS), measure_median(plain, ROUNDS), EVDB_PAGE, measure_median(paged, ROUNDS), THREADS,
           measure_median(many, ROUNDS));
}

int main(int argc, char **argv)
{
    data d = data_load(argc, argv);
    place at = { .data = &d };
    size_t each = d.count / 40 + 10; /* enough that checkpoints are among what is measured, not before or behind it */
    data_folder_make(at.folder);
    snprintf(at.npy, sizeof(at.npy), "%s/rows.npy", at.folder);
    data_write_npy(&d, at.npy);
    printf("durable writes, %zu x %d f32 (%s), medians of %d imports and of %d times %zu single inserts a thread, in turns\n",
           d.count, DATA_DIM, d.source, IMPORTS, ROUNDS, each);
    compare_imports(&at);
    compare_singles(&at, each);
    data_free(&d);
    return 0;
}
