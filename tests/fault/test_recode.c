/* test_recode.c - all vectors of a store are written again while others search and write, and whoever does it is killed half-way.
 *
 * EVDB_RECODE_ROWS and EVDB_RECODE_DIM make it larger. What the load does is asserted; how long it took is printed. Also for the
 * thread sanitizer. */
#include "children.h"
#include "seed.h"
#include "tree.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROWS = 6000, DIM_SMALL = 256, BATCH = 500, FRESH = 1000000, KILLS = 2 };

typedef struct scene {
    char *dir;
    const char *codec;
    uint32_t rows, dim;
    _Atomic uint64_t searched, written;
    _Atomic uint64_t slowest_us;
    atomic_bool ended; /* the load may stop */
} scene;

static uint64_t seed;

static uint32_t setting(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

/* The vector of a record, the same every time. */
static void vector_of(int64_t id, uint32_t dim, float *out)
{
    uint64_t state = (uint64_t)id * 2654435761u + 1;
    seed_floats(&state, out, dim);
}

static void fill(const scene *s)
{
    evdb_store *store;
    evdb *db;
    evdb_error err;
    evdb_batch b = EVDB_BATCH;
    float *vectors = malloc((size_t)BATCH * s->dim * sizeof(float));
    int64_t ids[BATCH];
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_create(db, "s", NULL, &store, &err), &err, "create");
    for (uint32_t at = 0; at < s->rows; at += BATCH) {
        b.kind = EVDB_INSERT;
        b.count = s->rows - at < BATCH ? s->rows - at : BATCH;
        for (uint32_t i = 0; i < b.count; i++) vector_of(ids[i] = at + i, s->dim, vectors + (size_t)i * s->dim);
        b.numbers = ids;
        b.vectors = vectors;
        b.dim = s->dim;
        child_must(evdb_batch_write(store, &b, NULL, &err), &err, "fill");
    }
    free(vectors);
    evdb_store_close(store);
    evdb_close(db);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Searches for records that are there, and writes others; nothing of it may fail. */
static int load(void *context)
{
    scene *s = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    float *v = malloc(s->dim * sizeof(float));
    uint64_t mine = seed;
    for (uint64_t n = 0; !atomic_load(&s->ended); n++) {
        evdb_search_options o = EVDB_SEARCH_OPTIONS;
        evdb_result *r;
        int64_t id = (int64_t)seed_below(&mine, s->rows);
        uint64_t from = now_us();
        o.k = 3;
        vector_of(id, s->dim, v);
        child_must(evdb_search(store, v, s->dim, &o, &r, &err), &err, "search");
        child_expect(r->count == 3 && r->numbers[0] == id, "a search finds the record it is for");
        evdb_result_free(r);
        atomic_fetch_add(&s->searched, 1);
        uint64_t took = now_us() - from;
        if (took > atomic_load(&s->slowest_us)) atomic_store(&s->slowest_us, took);
        if (n % 4) continue;
        vector_of(FRESH + (int64_t)n, s->dim, v);
        child_must(evdb_record_upsert(store, (evdb_id){ .number = FRESH + (int64_t)n }, v, s->dim, NULL, NULL, &err), &err, "write");
        atomic_fetch_add(&s->written, 1);
    }
    free(v);
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static int recode(void *context)
{
    scene *s = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    child_must(evdb_store_set_codec(store, s->codec, &err), &err, "choose a codec");
    child_must(evdb_store_recode(store, &err), &err, "write again");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

/* Waits until that share of the slots is done, or all is; the share there is then. */
static double await(const scene *s, double share)
{
    evdb_store *store;
    evdb_error err;
    evdb *db;
    double done = 0;
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
    for (;;) {
        evdb_compression c = EVDB_COMPRESSION;
        child_must(evdb_store_get_compression(store, &c, &err), &err, "look");
        done = c.total ? (double)c.done / (double)c.total : 0;
        if (c.state == EVDB_COMPRESSION_SETTLED && *c.in_force) break;
        if (c.state == EVDB_COMPRESSION_RECODING && done >= share) break;
    }
    evdb_store_close(store);
    evdb_close(db);
    return done;
}

static void ends_right(const scene *s)
{
    evdb_verify_report report;
    evdb_compression c = EVDB_COMPRESSION;
    evdb_store *store;
    evdb_error err;
    evdb *db;
    uint64_t count;
    float *v = malloc(s->dim * sizeof(float));
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
    child_must(evdb_store_recode(store, &err), &err, "end it");
    child_must(evdb_store_get_compression(store, &c, &err), &err, "look");
    assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
    assert_string_equal(c.in_force, c.codec);
    child_must(evdb_store_count(store, &count, &err), &err, "count");
    assert_int_equal(count, s->rows + s->written);
    for (int64_t id = 0; id < s->rows; id++) {
        evdb_record *r;
        double off = 0, all = 0;
        child_must(evdb_record_get(store, (evdb_id){ .number = id }, &r, &err), &err, "get");
        vector_of(id, s->dim, v);
        for (uint32_t i = 0; i < s->dim; i++) off += pow(r->vector[i] - v[i], 2), all += pow(v[i], 2);
        assert_true(sqrt(off / all) < 0.02);
        evdb_record_free(r);
    }
    evdb_store_close(store);
    child_must(evdb_verify(db, NULL, NULL, NULL, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 0);
    evdb_close(db);
    free(v);
}

static void nothing_fails_while_the_one_who_writes_again_is_killed_twice(void **state)
{
    scene *s = shared_memory(sizeof(*s));
    char *root = dir_new();
    double at[KILLS];
    (void)state;
    s->dir = dir_path(root, "db");
    s->codec = "zlib:9"; /* slow enough to be met half-way */
    s->rows = setting("EVDB_RECODE_ROWS", ROWS);
    s->dim = setting("EVDB_RECODE_DIM", DIM_SMALL);
    fill(s);
    pid_t user = child_start(load, s);
    while (atomic_load(&s->searched) < 10) continue;
    uint64_t from = now_us(), before = atomic_load(&s->searched);
    for (int i = 0; i < KILLS; i++) {
        pid_t worker = child_start(recode, s);
        at[i] = await(s, (i + 1) / (double)(KILLS + 1));
        assert_true(child_kill(worker, "recode") || at[i] >= 1);
    }
    pid_t last = child_start(recode, s);
    assert_int_equal(child_wait(last), 0);
    uint64_t took = now_us() - from, during = atomic_load(&s->searched) - before;
    atomic_store(&s->ended, true);
    assert_int_equal(child_wait(user), 0);
    printf("%u x %u: killed at %.0f %% and %.0f %%; done after %.1f s; meanwhile %llu searches and %llu writes, none failed, the slowest"
           " search took %.0f ms\n", s->rows, s->dim, at[0] * 100, at[1] * 100, (double)took / 1e6, (unsigned long long)during,
           (unsigned long long)s->written, (double)s->slowest_us / 1e3);
    assert_true(at[0] < 1);
    ends_right(s);
    free(s->dir);
    dir_remove(root);
    shared_memory_free(s, sizeof(*s));
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_fails_while_the_one_who_writes_again_is_killed_twice) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
