/* test_gone.c - processes that write records which expire, move some into the trash and erase others, are killed: what is left is sound,
 * and erasing can go on.
 *   EVDB_KILLS=n  how often (8) */
#include "children.h"
#include "seed.h"
#include "tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KILLS = 8, DIM = 16, KEPT = 300, VICTIMS = 5 };

static const char mark[] = "canary-of-the-killed";

typedef struct scene {
    char *dir;
    uint64_t seed;
    _Atomic uint64_t rounds;
} scene;

static void victim(char *out, size_t size, int i) { snprintf(out, size, "%s-%d", mark, i); }

static void put(evdb_store *store, const char *id, uint64_t *seed, int64_t expires)
{
    float v[DIM];
    evdb_error err;
    evdb_batch b = EVDB_BATCH;
    evdb_id one = { .text = id };
    const char *metadata = strstr(id, mark) ? "{\"text\":\"canary-of-the-killed\"}" : "{}";
    seed_floats(seed, v, DIM);
    b.kind = EVDB_UPSERT;
    b.count = 1;
    b.ids = &one;
    b.vectors = v;
    b.dim = DIM;
    b.metadata = &metadata;
    b.expires = &expires;
    b.author = strstr(id, mark) ? mark : "nobody";
    child_must(evdb_batch_write(store, &b, NULL, &err), &err, "write");
}

static evdb_status forget(evdb_store *store, evdb_error *err)
{
    char texts[VICTIMS][40];
    evdb_id ids[VICTIMS];
    for (int i = 0; i < VICTIMS; i++) {
        victim(texts[i], sizeof texts[i], i);
        ids[i] = (evdb_id){ .text = texts[i] };
    }
    return evdb_store_forget(store, ids, VICTIMS, NULL, err);
}

/* Into the trash, and some of it there and back. */
static void throw_away(evdb_store *store, uint64_t *seed)
{
    char text[40];
    evdb_error err;
    evdb_id id = { .text = text };
    evdb_batch b = { .size = sizeof b, .kind = EVDB_DELETE, .count = 1, .ids = &id, .author = mark };
    evdb_undelete u = { .size = sizeof u, .ids = &id, .count = 1 };
    for (int i = 0; i < VICTIMS; i++) {
        victim(text, sizeof text, i);
        if (seed_below(seed, 3)) child_must(evdb_batch_write(store, &b, NULL, &err), &err, "delete");
        else continue;
        if (!seed_below(seed, 3)) child_must(evdb_trash_restore(store, &u, NULL, &err), &err, "bring back");
    }
}

/* Expiries have passed already: those are swept all the time. */
static int load(void *context)
{
    scene *s = context;
    evdb_store *store;
    evdb_error err;
    evdb_result *r;
    char id[40];
    const float q[DIM] = { 1 };
    evdb *db = child_open(s->dir, "s", &store);
    for (;; atomic_fetch_add(&s->rounds, 1)) {
        for (int i = 0; i < VICTIMS; i++) {
            victim(id, sizeof id, i);
            put(store, id, &s->seed, 0);
            snprintf(id, sizeof id, "short-%d", i);
            put(store, id, &s->seed, 1 + i);
        }
        child_must(evdb_search(store, q, DIM, NULL, &r, &err), &err, "search");
        for (size_t i = 0; i < r->count; i++) child_expect(strncmp(r->ids[i].text, "short", 5) != 0, "what has expired is not found");
        evdb_result_free(r);
        child_must(evdb_index_build(store, 1, &err), &err, "build an index");
        throw_away(store, &s->seed);
        child_must(forget(store, &err), &err, "forget");
    }
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void fill(scene *s)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    char id[40];
    const evdb_store_options o = { .size = sizeof o, .trash_ms = EVDB_TRASH_DAY_MS, .authors = 1 };
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_create(db, "s", &o, &store, &err), &err, "create");
    for (int i = 0; i < KEPT; i++) {
        snprintf(id, sizeof id, "kept-%d", i);
        put(store, id, &s->seed, 0);
    }
    evdb_store_close(store);
    evdb_close(db);
}

static void check(scene *s)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    evdb_verify_report report;
    uint64_t count;
    child_must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    child_must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
    child_must(evdb_verify(db, NULL, NULL, NULL, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 0);
    child_must(forget(store, &err), &err, "forget");
    child_must(evdb_store_count(store, &count, &err), &err, "count");
    assert_int_equal(count, KEPT);
    tree files = tree_read(s->dir);
    for (size_t i = 0; i < files.count; i++)
        if (memmem(files.files[i].bytes, files.files[i].size, mark, sizeof mark - 1)) fail_msg("%s has what was erased", files.files[i].path);
    tree_free(&files);
    evdb_store_close(store);
    evdb_close(db);
}

static void what_a_killed_process_leaves_is_sound_and_can_be_erased(void **state)
{
    char *root = dir_new();
    scene *s = shared_memory(sizeof *s);
    const char *given = getenv("EVDB_KILLS");
    unsigned kills = given ? (unsigned)strtoul(given, NULL, 10) : KILLS;
    uint64_t seed = seed_print();
    (void)state;
    s->dir = dir_path(root, "db");
    s->seed = seed;
    fill(s);
    for (unsigned i = 0; i < kills; i++) {
        pid_t child = child_start(load, s);
        uint64_t until = atomic_load(&s->rounds) + 1 + seed_below(&seed, 3);
        while (atomic_load(&s->rounds) < until) continue;
        for (uint64_t spin = seed_below(&seed, 20000000); spin; spin--) (void)atomic_load(&s->rounds); /* somewhere in the round */
        assert_true(child_kill(child, "load"));
        check(s);
    }
    free(s->dir);
    shared_memory_free(s, sizeof *s);
    dir_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_killed_process_leaves_is_sound_and_can_be_erased) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
