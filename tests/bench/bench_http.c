/* bench_http.c - searching over HTTP: what evdbd adds to the search itself, beside what bare HTTP costs.
 *
 *   bench_http [ROWS]
 *
 * Rounds in turns, each by wrk over one connection and over eight: libmicrohttpd with a handler that does nothing, the same with
 * one that searches through the C API and throws the result away, evdbd asked in raw bytes, and in JSON. What a request takes is
 * a second over requests a second. What the search takes of that is the difference of the first two: where a thread that
 * searches shares the processors with whoever asks, it is more than in a loop that does nothing else, which is shown beside it.
 * Once with a store so small that HTTP is what costs, once with the data set. */
#include "bench/bare_http.h"
#include "bench/daemon.h"
#include "bench/data.h"
#include "bench/load.h"
#include "bench/measure.h"
#include <evdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, SECONDS = 2, SMALL_ROWS = 100, BODY_MAX = DATA_DIM * 24 };

static const char binary_type[] = "application/octet-stream", json_type[] = "application/json";

static void fill(evdb *db, const char *name, const data *d, size_t rows)
{
    evdb_error err;
    evdb_store *store;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    static int64_t numbers[EVDB_BATCH_MAX];
    static const char *metadata[EVDB_BATCH_MAX];
    options.dim = DATA_DIM;
    options.metric = EVDB_EUCLIDEAN;
    measure_must(evdb_store_create(db, name, &options, &store, &err), &err);
    for (size_t done = 0; done < rows; done += EVDB_BATCH_MAX) {
        size_t count = rows - done < EVDB_BATCH_MAX ? rows - done : EVDB_BATCH_MAX;
        for (size_t i = 0; i < count; i++) {
            numbers[i] = (int64_t)(done + i);
            metadata[i] = "{\"label\":\"ankle boot\"}";
        }
        evdb_batch batch = EVDB_BATCH;
        batch.kind = EVDB_INSERT;
        batch.count = count;
        batch.numbers = numbers;
        batch.vectors = d->rows + done * DATA_DIM;
        batch.dim = DATA_DIM;
        batch.metadata = metadata;
        measure_must(evdb_batch_write(store, &batch, NULL, &err), &err);
    }
    /* otherwise linked behind the back of who measures */
    if (rows > SMALL_ROWS) measure_must(evdb_index_build(store, 0, &err), &err);
    evdb_store_close(store);
}

/* A picture as the data set has it is whole numbers of three digits; a query is rarely so: seven digits each. */
static void make_query(const data *d, float *query)
{
    for (size_t i = 0; i < DATA_DIM; i++) query[i] = (d->rows[7 * DATA_DIM + i] + 1) * 0.7071068f;
}

static size_t query_as_json(const float *query, char *out)
{
    char *p = out + snprintf(out, 16, "{\"vector\":[");
    for (size_t i = 0; i < DATA_DIM; i++) {
        p += evdb_number_print(query[i], p);
        *p++ = ',';
    }
    return (size_t)(p - 1 - out) + (size_t)snprintf(p - 1, 16, "],\"k\":10}");
}

/* ---- the search alone ---- */

typedef struct searchers {
    evdb *db;
    const char *name;
    const float *query;
    double until;
    atomic_ulong done;
} searchers;

/* As the operation does it, the opening of the store included. */
static void search_once(void *context, const void *query, size_t size)
{
    searchers *s = context;
    evdb_error err;
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    evdb_store *store;
    evdb_result *result;
    options.k = 10;
    options.flags = EVDB_SEARCH_METADATA;
    measure_must(evdb_store_open(s->db, s->name, &store, &err), &err);
    measure_must(evdb_search(store, query, (uint32_t)(size / sizeof(float)), &options, &result, &err), &err);
    evdb_result_free(result);
    evdb_store_close(store);
}

static void *search_on(void *context)
{
    searchers *s = context;
    for (; measure_wall() < s->until; atomic_fetch_add(&s->done, 1)) search_once(s, s->query, DATA_DIM * sizeof(float));
    return NULL;
}

static double searches_a_second(searchers *s, unsigned threads)
{
    pthread_t id[8];
    double began = measure_wall();
    s->until = began + SECONDS;
    atomic_store(&s->done, 0);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&id[i], NULL, search_on, s) != 0) measure_die("threads", "cannot be started");
    for (unsigned i = 0; i < threads; i++) pthread_join(id[i], NULL);
    return (double)atomic_load(&s->done) / (measure_wall() - began);
}

/* ---- rounds ---- */

typedef struct series {
    double rate[ROUNDS], median[ROUNDS], late[ROUNDS];
} series;

static void take(series *to, int round, load_result r)
{
    to->rate[round] = r.rate;
    to->median[round] = r.median;
    to->late[round] = r.late;
}

static double show(const char *what, series *s)
{
    double rate = measure_median(s->rate, ROUNDS), median = measure_median(s->median, ROUNDS), late = measure_median(s->late, ROUNDS);
    printf("  %-28s%8.0f a second, %7.1f us each; half answered within %6.0f us, 99 %% within %6.0f us\n", what, rate, 1e6 / rate,
           median, late);
    return rate;
}

typedef struct side {
    load_request bare, searching, binary, json;
    searchers alone;
    const char *folder;
} side;

static void compare(side *p, unsigned connections)
{
    series bare = { 0 }, searching = { 0 }, binary = { 0 }, json = { 0 };
    double alone[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        take(&bare, r, load_run(&p->bare, p->folder, connections, SECONDS));
        take(&searching, r, load_run(&p->searching, p->folder, connections, SECONDS));
        take(&binary, r, load_run(&p->binary, p->folder, connections, SECONDS));
        take(&json, r, load_run(&p->json, p->folder, connections, SECONDS));
        alone[r] = searches_a_second(&p->alone, connections);
    }
    printf(" %u connection%s\n", connections, connections == 1 ? "" : "s");
    double http = show("bare libmicrohttpd", &bare), both = show("bare, and searching", &searching);
    double raw = show("evdbd, raw bytes", &binary), text = show("evdbd, JSON", &json), search = measure_median(alone, ROUNDS);
    double left = 1 / raw - (1 / both - 1 / http), left_alone = 1 / raw - 1 / search;
    printf("  %-28s%8.0f a second, %7.1f us each\n", "the search and nothing else", search, 1e6 / search);
    printf("  raw bytes less the search, as fast as bare  ");
    if (left > 0) measure_print_ratio(1 / http / left, 0.5);
    else printf("(evdbd was faster than a bare handler that searches)\n");
    if (left_alone > 0) printf("  the same less the search and nothing else   %.2fx\n", 1 / http / left_alone);
    printf("  JSON as fast as raw bytes                   ");
    measure_print_ratio(text / raw, 0.6);
}

static void bench_store(const char *program, const char *folder, const char *name, const data *d, size_t rows)
{
    static char json[BODY_MAX];
    static float query[DATA_DIM];
    char data_path[DATA_PATH_MAX + 16], raw_path[128], json_path[128], *reply;
    evdb_error err;
    evdb_token token;
    size_t size;
    side p = { .folder = folder, .alone = { .name = name, .query = query } };
    snprintf(data_path, sizeof data_path, "%s/%s", folder, name);
    snprintf(raw_path, sizeof raw_path, "/api/v1/stores/%s/search?k=10", name);
    snprintf(json_path, sizeof json_path, "/api/v1/stores/%s/search", name);
    measure_must(evdb_open(data_path, NULL, &p.alone.db, &err), &err);
    fill(p.alone.db, name, d, rows);
    measure_must(evdb_auth_client_add(p.alone.db, "bench", "bench secret", EVDB_SCOPE_READ, 0, NULL, &err), &err);
    measure_must(evdb_auth_token_issue(p.alone.db, "bench", "bench secret", NULL, &token, &err), &err);
    make_query(d, query);
    daemon_process daemon = daemon_start(program, data_path);
    p.binary = (load_request){ daemon.port, raw_path, binary_type, token.access, query, sizeof query };
    p.json = (load_request){ daemon.port, json_path, json_type, token.access, json, query_as_json(query, json) };
    free(load_once(&p.json, &size));
    reply = load_once(&p.binary, &size); /* the store is in memory now */
    p.bare = p.searching = p.binary;
    bare_http *bare = bare_http_start(reply, size, NULL, NULL, &p.bare.port);
    bare_http *searching = bare_http_start(reply, size, search_once, &p.alone, &p.searching.port);
    printf("%zu x %d (%s), k=10; requests of %zu bytes raw, %zu JSON; replies of %zu bytes; %d rounds of %d s in turns\n", rows,
           DATA_DIM, d->source, p.binary.size, p.json.size, size, ROUNDS, SECONDS);
    compare(&p, 1);
    compare(&p, 8);
    bare_http_stop(bare);
    bare_http_stop(searching);
    daemon_stop(&daemon);
    free(reply);
    evdb_close(p.alone.db);
}

int main(int argc, char **argv)
{
    char folder[DATA_PATH_MAX];
    data d = data_load(argc, argv);
    data_folder_make(folder);
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_store(argv[0], folder, "small", &d, d.count < SMALL_ROWS ? d.count : SMALL_ROWS);
    bench_store(argv[0], folder, "images", &d, d.count);
    data_folder_remove(folder);
    data_free(&d);
    return 0;
}
