/* test_indexers.c - several processes with one store: its graph is built by one of them, and the others take it over. */
#include "seed.h"
#include "together.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { DIM = 16, ROWS = 8000, MORE = 3000, K = 10, KILLS = 4 };

static uint64_t seed;

static void write_rows(evdb_store *store, int64_t from, size_t count)
{
    float *vectors = malloc(count * DIM * sizeof(*vectors));
    int64_t *ids = malloc(count * sizeof(*ids));
    evdb_batch b = EVDB_BATCH;
    evdb_error err;
    seed_floats(&seed, vectors, count * DIM);
    for (size_t i = 0; i < count; i++) ids[i] = from + (int64_t)i;
    b.kind = EVDB_INSERT;
    b.count = count;
    b.numbers = ids;
    b.vectors = vectors;
    b.dim = DIM;
    child_must(evdb_batch_write(store, &b, NULL, &err), &err, "write");
    free(vectors), free(ids);
}

static void fill(const together *s)
{
    evdb_store *store;
    evdb *db = child_open(s->dir, "s", &store);
    write_rows(store, 0, ROWS);
    evdb_store_close(store);
    evdb_close(db);
}

static evdb_index_status status_of(evdb_store *store)
{
    evdb_index_status s = EVDB_INDEX_STATUS;
    evdb_error err;
    child_must(evdb_index_get_status(store, &s, &err), &err, "ask for the index");
    return s;
}

/* Which file the index is in: another one has another number. */
static uint64_t file_of(const together *s, evdb_store *store)
{
    evdb_store_info *info;
    evdb_error err;
    struct stat st;
    char path[4400];
    child_must(evdb_store_describe(store, &info, &err), &err, "describe");
    snprintf(path, sizeof(path), "%s/stores/%s/index", s->dir, info->uuid);
    evdb_store_info_free(info);
    return stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static uint64_t search(evdb_store *store, uint32_t flags)
{
    float query[DIM] = { 0.5f };
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    evdb_error err;
    o.k = K;
    o.ef = 300;
    o.flags = flags;
    child_must(evdb_search(store, query, DIM, &o, &r, &err), &err, "search");
    uint64_t nearest = (uint64_t)r->numbers[0];
    evdb_result_free(r);
    return nearest;
}

/* ---- at the same time ---- */

static _Atomic uint64_t *files; /* what each process saw when it was done */

static int build_together(void *context)
{
    together_process *p = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(p->scene->dir, "s", &store);
    (void)search(store, 0); /* everybody has all rows, and no graph */
    together_wait_for_all(p->scene, 3);
    child_must(evdb_index_build(store, 1, &err), &err, "build");
    atomic_store(&files[p->number], file_of(p->scene, store));
    evdb_index_status status = status_of(store);
    child_expect(status.linked == ROWS && !status.waiting, "all rows are in the graph");
    child_expect(search(store, 0) == search(store, EVDB_SEARCH_EXACT), "the nearest is found by it");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static void what_several_want_built_is_built_by_one(void **state)
{
    together *s = together_begin(true);
    (void)state;
    files = shared_memory(3 * sizeof(*files));
    fill(s);
    together_run(s, build_together, 3);
    assert_true(files[0] != 0);
    assert_true(files[0] == files[1] && files[1] == files[2]); /* the second to build would have saved another */
    shared_memory_free((void *)files, 3 * sizeof(*files));
    together_end(s);
}

/* ---- behind each other ---- */

static int build_and_write(together *s)
{
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    together_wait_until(&s->turn, 1);
    write_rows(store, ROWS, MORE);
    child_must(evdb_index_build(store, 1, &err), &err, "build");
    atomic_store(&s->turn, 2);
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static int search_only(together *s)
{
    evdb_store *store;
    evdb *db = child_open(s->dir, "s", &store);
    child_expect(search(store, 0) < ROWS && status_of(store).linked == 0, "nobody has built a graph");
    atomic_store(&s->turn, 1);
    together_wait_until(&s->turn, 2);
    while (!status_of(store).linked) (void)search(store, 0); /* too few searches for building one */
    child_expect(status_of(store).linked == ROWS + MORE, "the graph of the other process has all rows");
    child_expect(search(store, 0) == search(store, EVDB_SEARCH_EXACT), "the nearest is found by it");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static int build_or_search(void *context)
{
    together_process *p = context;
    return p->number ? search_only(p->scene) : build_and_write(p->scene);
}

static void who_only_searches_takes_over_what_another_built(void **state)
{
    together *s = together_begin(true);
    (void)state;
    fill(s);
    together_run(s, build_or_search, 2);
    together_end(s);
}

/* ---- what one wants of it ---- */

static int build_and_obey(together *s)
{
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    (void)search(store, 0);
    atomic_store(&s->turn, 1);
    child_expect(evdb_index_build(store, 1, &err) == EVDB_CANCELLED, "the build was ended from afar");
    child_must(evdb_index_build(store, 1, &err), &err, "build");
    atomic_store(&s->turn, 2);
    together_wait_until(&s->turn, 3); /* dropped */
    child_expect(status_of(store).state == EVDB_INDEX_DISABLED, "it is known that there shall be none");
    while (status_of(store).linked) (void)search(store, 0);
    child_expect(search(store, 0) == search(store, EVDB_SEARCH_EXACT), "searches scan");
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static int give_orders(together *s)
{
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    together_wait_until(&s->turn, 1);
    for (int seen = 0; seen < 200;) seen += status_of(store).state == EVDB_INDEX_BUILDING; /* well under way */
    child_must(evdb_index_cancel(store, &err), &err, "cancel");
    together_wait_until(&s->turn, 2);
    child_expect(file_of(s, store) != 0, "the second build was saved");
    child_must(evdb_index_drop(store, &err), &err, "drop");
    child_expect(file_of(s, store) == 0, "the file is gone");
    atomic_store(&s->turn, 3);
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static int obey_or_order(void *context)
{
    together_process *p = context;
    return p->number ? give_orders(p->scene) : build_and_obey(p->scene);
}

static void what_one_process_wants_of_the_index_all_do(void **state)
{
    together *s = together_begin(true);
    (void)state;
    fill(s);
    together_run(s, obey_or_order, 2);
    together_end(s);
}

/* ---- killed ---- */

static int build_for_ever(void *context)
{
    together *s = context;
    evdb_store *store;
    evdb_error err;
    evdb *db = child_open(s->dir, "s", &store);
    (void)search(store, 0);
    signal_send(&s->reached);
    child_must(evdb_index_build(store, 1, &err), &err, "build");
    atomic_store(&s->turn, 1);
    evdb_store_close(store);
    evdb_close(db);
    together_wait_until(&s->turn, 2); /* for nothing but being killed */
    return 0;
}

static void a_builder_that_is_killed_is_replaced(void **state)
{
    (void)state;
    for (int kills = 0; kills < KILLS; kills++) {
        together *s = together_begin(true);
        evdb_store *store;
        evdb_error err;
        fill(s);
        pid_t pid = child_start(build_for_ever, s);
        assert_true(signal_await(&s->reached, 1));
        for (uint64_t spins = seed_below(&seed, 4000000); spins; spins--) (void)atomic_load(&s->turn);
        assert_true(child_kill(pid, "the builder"));
        evdb *db = child_open(s->dir, "s", &store);
        child_must(evdb_index_build(store, 2, &err), &err, "build");
        assert_int_equal(status_of(store).linked, ROWS);
        assert_true(file_of(s, store) != 0);
        assert_int_equal(search(store, 0), search(store, EVDB_SEARCH_EXACT));
        evdb_store_close(store);
        evdb_close(db);
        together_end(s);
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_several_want_built_is_built_by_one),
        cmocka_unit_test(who_only_searches_takes_over_what_another_built),
        cmocka_unit_test(what_one_process_wants_of_the_index_all_do),
        cmocka_unit_test(a_builder_that_is_killed_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
