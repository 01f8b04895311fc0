/* bench_mcp.c - what a tool call costs beside the same call by REST: processor time of evdbd, and how long the answer takes.
 *
 *   bench_mcp [ROWS] [MATCH]     ROWS of 384 elements in the store (1,000); MATCH: only calls whose name contains it
 *
 * One connection, one call at a time, REST and both eras of MCP in turns of fifty; each round tells processor time a call, of which the median of
 * rounds counts, and the time of each call, of which the median of all calls counts. The store is small, so that it is the
 * protocol that is measured and not the search. */
#include "bench/ask.h"
#include "bench/daemon.h"
#include "bench/data.h"
#include "bench/measure.h"
#include <evdb.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIM = 384, ROWS = 1000, ROUNDS = 7, TURNS = 10, CALLS = 50, ALL = ROUNDS * TURNS * CALLS, VECTOR_BYTES = DIM * 24, BODY_BYTES = VECTOR_BYTES + 1024 };
#define CEILING 1.3

static float *make_rows(size_t count)
{
    float *rows = malloc(count * DIM * sizeof *rows);
    uint64_t state = 1;
    if (!rows) measure_die("rows", "out of memory");
    for (size_t i = 0; i < count * DIM; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        rows[i] = (float)(state >> 40) / (1 << 23) - 1;
    }
    return rows;
}

static void fill(evdb *db, const float *rows, size_t count)
{
    evdb_error err;
    evdb_store *store;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    char metadata[256];
    options.dim = DIM;
    measure_must(evdb_store_create(db, "bench", &options, &store, &err), &err);
    for (size_t i = 0; i < count; i++) {
        snprintf(metadata, sizeof metadata, "{\"title\":\"What stands in paragraph %zu\",\"language\":\"en\",\"page\":%zu,\"tags\":[\"a\",\"b\"]}",
                 i, i / 7);
        measure_must(evdb_record_insert(store, (evdb_id){ .number = (int64_t)i }, rows + i * DIM, DIM, metadata, NULL, &err), &err);
    }
    evdb_store_close(store);
}

/* ---- the calls ---- */

/* '#' stands for a vector, '@' for an id that is there, '+' for the next that is not. REST has the arguments as its body,
 * where it has one. */
typedef struct call {
    const char *name, *method, *path, *tool, *arguments;
    bool no_body;
} call;

static const call calls[] = {
    { "search_vectors", "POST", "/api/v1/stores/bench/search", "search_vectors", "\"vector\":#,\"k\":10", false },
    { "search_vectors, no metadata", "POST", "/api/v1/stores/bench/search", "search_vectors", "\"vector\":#,\"k\":10,\"metadata\":false", false },
    { "insert_vector", "POST", "/api/v1/stores/bench/vectors", "insert_vector",
      "\"id\":+,\"vector\":#,\"metadata\":{\"title\":\"What stands here\",\"page\":7}", false },
    { "get_record", "GET", "/api/v1/stores/bench/vectors/@", "get_records", "\"ids\":[@]", true },
    { "get_records, with vectors", "POST", "/api/v1/stores/bench/vectors/get", "get_records", "\"ids\":[@]", false },
    { "get_records, without", "POST", "/api/v1/stores/bench/vectors/get", "get_records", "\"ids\":[@],\"vectors\":false", false },
};

typedef struct bench {
    ask_connection connection;
    clockid_t clock; /* of evdbd's processor time */
    const float *rows;
    size_t count, asked, inserted;
} bench;

/* A text that grows. */
typedef struct text {
    char at[BODY_BYTES];
    size_t length;
} text;

static void put(text *t, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = vsnprintf(t->at + t->length, sizeof t->at - t->length, format, values);
    va_end(values);
    t->length += (size_t)length;
    if (t->length >= sizeof t->at) measure_die(format, "is too long");
}

static void put_vector(text *t, const float *v)
{
    char number[EVDB_NUMBER_TEXT_MAX];
    for (size_t i = 0; i < DIM; i++) put(t, "%c%.*s", i ? ',' : '[', (int)evdb_number_print(v[i], number), number);
    put(t, "]");
}

static void put_filled(bench *b, text *t, const char *template)
{
    size_t row = b->asked * 7919 % b->count;
    for (const char *p = template; *p; p++)
        if (*p == '#') put_vector(t, b->rows + row * DIM);
        else if (*p == '@') put(t, "%zu", row);
        else if (*p == '+') put(t, "%zu", b->count + b->inserted++);
        else put(t, "%c", *p);
}

static double ask_rest(bench *b, const call *c)
{
    text path = { .length = 0 }, body = { .length = 0 };
    const char *answer;
    put_filled(b, &path, c->path);
    if (!c->no_body) {
        put(&body, "{");
        put_filled(b, &body, c->arguments);
        put(&body, "}");
    }
    return ask(&b->connection, c->method, path.at, "", body.at, &answer);
}

static double ask_mcp(bench *b, const call *c, const char *version, const char *headers, const char *meta)
{
    text head = { .length = 0 }, body = { .length = 0 };
    const char *answer;
    put(&head, "MCP-Protocol-Version: %s\r\n", version);
    if (*headers) put(&head, "%s%s\r\n", headers, c->tool);
    put(&body, "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/call\",\"params\":{%s\"name\":\"%s\",\"arguments\":{\"store\":\"bench\",", b->asked,
        meta, c->tool);
    put_filled(b, &body, c->arguments);
    put(&body, "}}}");
    double took = ask(&b->connection, "POST", "/mcp", head.at, body.at, &answer);
    if (!strstr(answer, "\"isError\":false")) measure_die(c->tool, answer);
    return took;
}

static double ask_legacy(bench *b, const call *c) { return ask_mcp(b, c, "2025-11-25", "", ""); }

static double ask_modern(bench *b, const call *c)
{
    return ask_mcp(b, c, "2026-07-28", "Mcp-Method: tools/call\r\nMcp-Name: ",
                   "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{},"
                   "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}},");
}

/* ---- rounds ---- */

typedef struct side {
    const char *name;
    double (*ask)(bench *b, const call *c);
    double cpu[ROUNDS], latency[ALL];
} side;

static double cpu_of(const bench *b)
{
    struct timespec t;
    clock_gettime(b->clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void take_turn(bench *b, const call *c, side *s, size_t round, size_t turn)
{
    double began = cpu_of(b);
    for (size_t i = 0; i < CALLS; i++, b->asked++) s->latency[(round * TURNS + turn) * CALLS + i] = s->ask(b, c);
    s->cpu[round] += (cpu_of(b) - began) / (TURNS * CALLS);
}

static void show(const char *name, const side *rest, double rest_latency, side *s)
{
    double ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) ratio[i] = s->cpu[i] / rest->cpu[i];
    double cpu = measure_median(ratio, ROUNDS), latency = measure_median(s->latency, ALL) / rest_latency;
    printf("%-28s %-15s cpu %6.1f us, %.2fx%s; half answered within %6.1f us, %.2fx%s\n", name, s->name, measure_median(s->cpu, ROUNDS) * 1e6, cpu,
           cpu > CEILING ? " ABOVE" : "", latency * rest_latency * 1e6, latency, latency > CEILING ? " ABOVE" : "");
}

static void compare(bench *b, const call *c)
{
    static side sides[] = { { .name = "REST", .ask = ask_rest }, { .name = "MCP 2025-11-25", .ask = ask_legacy }, { .name = "MCP 2026-07-28", .ask = ask_modern } };
    enum { SIDES = sizeof sides / sizeof *sides };
    for (size_t s = 0; s < SIDES; s++) memset(sides[s].cpu, 0, sizeof sides[s].cpu);
    for (size_t i = 0; i < CALLS * SIDES; i++) (void)sides[i % SIDES].ask(b, c);
    for (size_t turn = 0; turn < ROUNDS * TURNS; turn++)
        for (size_t s = 0; s < SIDES; s++) take_turn(b, c, &sides[s], turn / TURNS, turn % TURNS);
    const side rest = sides[0];
    double latency = measure_median(sides[0].latency, ALL);
    for (size_t s = 0; s < SIDES; s++) show(s ? "" : c->name, &rest, latency, &sides[s]);
}

int main(int argc, char **argv)
{
    char folder[DATA_PATH_MAX];
    bench b = { .count = argc > 1 ? strtoul(argv[1], NULL, 10) : ROWS };
    evdb_error err;
    evdb_token token;
    evdb *db;
    if (b.count < 1) measure_die("usage", "bench_mcp [ROWS] [MATCH]");
    data_folder_make(folder);
    setvbuf(stdout, NULL, _IOLBF, 0);
    b.rows = make_rows(b.count);
    measure_must(evdb_open(folder, NULL, &db, &err), &err);
    fill(db, b.rows, b.count);
    measure_must(evdb_auth_client_add(db, "bench", "bench secret", EVDB_SCOPE_WRITE, 0, NULL, &err), &err);
    measure_must(evdb_auth_token_issue(db, "bench", "bench secret", NULL, &token, &err), &err);
    evdb_close(db);
    daemon_process daemon = daemon_start(argv[0], folder);
    if (clock_getcpuclockid(daemon.pid, &b.clock) != 0) measure_die("evdbd", "has no clock");
    b.connection = ask_open(daemon.port, token.access);
    printf("%zu x %d, at most %.1fx; %d rounds of %d calls\n", b.count, DIM, CEILING, ROUNDS, TURNS * CALLS);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (argc < 3 || strstr(calls[i].name, argv[2])) compare(&b, &calls[i]);
    ask_close(&b.connection);
    daemon_stop(&daemon);
    data_folder_remove(folder);
    return 0;
}
