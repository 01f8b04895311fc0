/* test_processes_backup.c - processes that write, search, build the index, and make and restore backups, all at the same time on one
 * database: every backup is one state of the store, and nobody is refused. */
#include "expect.h"
#include "tagged.h"
#include "together.h"
#include <stdio.h>

enum { ROWS = 100, PROCESSES = 6, ROUNDS = 5, K = 10 };

enum { WRITES, BACKS_UP, INDEXES }; /* numbers of processes; all others read */

static bool goes_on(together *s) { return atomic_load(&s->turn) == 0; }

static void write_on(together *s, evdb_store *store)
{
    evdb_error err;
    for (uint32_t tag = 2; goes_on(s); tag++) child_must(tagged_write(store, ROWS, tag, &err), &err, "write");
}

static void read_on(together *s, evdb_store *store)
{
    evdb_error err;
    float q[TAGGED_DIM] = { 1 };
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    o.k = K;
    for (int64_t id = 0; goes_on(s); id = (id + 7) % ROWS) {
        evdb_record *record;
        evdb_result *result;
        child_must(evdb_record_get(store, (evdb_id){ .number = id }, &record, &err), &err, "get");
        evdb_record_free(record);
        child_must(evdb_search(store, q, TAGGED_DIM, &o, &result, &err), &err, "search");
        child_expect(result->count == K, "a search finds as many as it asks for");
        evdb_result_free(result);
    }
}

/* A build may go on as long as others write: it ends when they do. */
static void index_on(together *s, evdb_store *store)
{
    evdb_error err;
    do child_must(evdb_index_build(store, 1, &err), &err, "build the index");
    while (goes_on(s));
}

static void back_up(evdb *db, evdb_store *store)
{
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_error err;
    char name[16], base[16], copy[16];
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof(name), "b%u", i);
        snprintf(base, sizeof(base), "b%u", i - i % 3);
        snprintf(copy, sizeof(copy), "copy%u", i);
        b.base_name = i % 3 ? base : NULL;
        child_must(evdb_backup_create(store, name, &b, NULL, &err), &err, "make a backup");
        child_must(evdb_backup_restore(db, name, copy, NULL, NULL, &err), &err, "restore it");
    }
}

static int work(void *context)
{
    together_process *p = context;
    together *s = p->scene;
    evdb_store *store;
    evdb *db = child_open(s->dir, "s", &store);
    together_wait_for_all(s, PROCESSES);
    switch (p->number) {
    case WRITES: write_on(s, store); break;
    case INDEXES: index_on(s, store); break;
    case BACKS_UP:
        back_up(db, store);
        atomic_store(&s->turn, 1);
        break;
    default: read_on(s, store);
    }
    evdb_store_close(store);
    evdb_close(db);
    return 0;
}

static evdb *open_store(const together *s, evdb_store **store)
{
    evdb *db;
    ok(evdb_open(s->dir, NULL, &db, &why));
    ok(evdb_store_open(db, "s", store, &why));
    return db;
}

static void processes_write_search_index_and_back_up_at_the_same_time(void **state)
{
    together *s = together_begin(true);
    evdb_store *store;
    evdb *db = open_store(s, &store);
    (void)state;
    ok(tagged_write(store, ROWS, 1, &why));
    evdb_store_close(store);
    evdb_close(db);
    together_run(s, work, PROCESSES);
    db = open_store(s, &store);
    ok(evdb_index_build(store, 1, &why));
    evdb_store_close(store);
    tagged_expect(db, "s", ROWS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char copy[16];
        snprintf(copy, sizeof(copy), "copy%u", i);
        tagged_expect(db, copy, ROWS);
    }
    evdb_close(db);
    together_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(processes_write_search_index_and_back_up_at_the_same_time) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
