/* test_backup_kill.c - kill -9 at random moments while one process writes, and another backs up and restores in place of a store.
 *
 * Every commit writes all records with one tag, so a state that somebody could have seen has one tag alone. After every kill: each backup
 * that has a name is sound, the restored store holds one such state, verify finds nothing, and no folder or file is left over.
 *   EVDB_KILLS=n  kills (20)
 *   EVDB_SEED=n   repeats a run's choices; what the kernel does in between it cannot repeat */
#include "children.h"
#include "gated.h"
#include "memory_io.h"
#include "tagged.h"
#include "tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROWS = TAGGED_ROWS_MAX, KILLS = 20, NAMES = 3, SIGNALS_MAX = 6, DELAY_NS_MAX = 4000000 };

typedef struct scene {
    char dir[4096];
    uint64_t seed;
    _Atomic uint64_t backups, restores;
    signal_pipe progress;
} scene;

static int write_until_killed(void *context)
{
    scene *s = context;
    evdb_store *store;
    evdb_error err;
    (void)child_open(s->dir, "s", &store);
    uint32_t tag = (uint32_t)seed_next(&s->seed);
    while (tagged_write(store, ROWS, tag++, &err) == EVDB_OK) continue;
    fprintf(stderr, "the writer: %s\n", err.message);
    return 1;
}

static evdb_status remove_old(evdb *db, const char *name, evdb_error *err)
{
    evdb_status rc = evdb_backup_delete(db, name, err);
    return rc == EVDB_NOT_FOUND ? EVDB_OK : rc;
}

/* A full backup, an increment of it, and a store of both in place of the last one. */
static evdb_status back_up_and_restore(scene *s, evdb *db, evdb_store *store, unsigned n, evdb_error *err)
{
    char full[32], more[32];
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    snprintf(full, sizeof(full), "full-%u", n % NAMES);
    snprintf(more, sizeof(more), "more-%u", n % NAMES);
    evdb_status rc = remove_old(db, more, err);
    if (rc == EVDB_OK) rc = remove_old(db, full, err);
    if (rc == EVDB_OK) rc = evdb_backup_create(store, full, &b, NULL, err);
    signal_send(&s->progress);
    b.base_name = full;
    if (rc == EVDB_OK) rc = evdb_backup_create(store, more, &b, NULL, err);
    signal_send(&s->progress);
    o.replace = 1;
    if (rc == EVDB_OK) rc = evdb_backup_restore(db, n % 2 ? full : more, "copy", &o, NULL, err);
    signal_send(&s->progress);
    atomic_fetch_add(&s->backups, 2);
    atomic_fetch_add(&s->restores, 1);
    return rc;
}

static int keep_until_killed(void *context)
{
    scene *s = context;
    evdb_store *store;
    evdb_error err;
    unsigned n = 0;
    evdb *db = child_open(s->dir, "s", &store);
    while (back_up_and_restore(s, db, store, n++, &err) == EVDB_OK) continue;
    fprintf(stderr, "who backs up: %s\n", err.message);
    return 1;
}

/* ---- what must hold ---- */

static void check(const scene *s)
{
    evdb *db;
    evdb_backup_info **list;
    evdb_store_info **stores;
    evdb_verify_report report;
    evdb_error err;
    size_t count;
    must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    must(evdb_backup_list(db, &list, &count, &err), &err, "list");
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i]->problem, "");
        must(evdb_backup_verify(db, list[i]->name, NULL, NULL, &err), &err, list[i]->name);
    }
    evdb_backup_list_free(list, count);
    tagged_expect(db, "copy", ROWS);
    must(evdb_verify(db, NULL, NULL, NULL, &report, &err), &err, "verify");
    assert_int_equal(report.problems, 0);
    must(evdb_store_list(db, &stores, &count, &err), &err, "stores");
    evdb_store_list_free(stores, count);
    assert_int_equal(dir_entries(s->dir, "stores", false), count);
    evdb_close(db);
}

static void prepare(scene *s)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    evdb *db;
    evdb_error err;
    o.metric = EVDB_EUCLIDEAN;
    must(evdb_open(s->dir, NULL, &db, &err), &err, "open");
    must(evdb_store_create(db, "s", &o, &store, &err), &err, "create");
    must(tagged_write(store, ROWS, 1, &err), &err, "write");
    must(back_up_and_restore(s, db, store, 0, &err), &err, "prepare");
    evdb_store_close(store);
    evdb_close(db);
}

static void wait_at_random(scene *s)
{
    struct timespec now;
    assert_true(signal_await(&s->progress, 1 + (unsigned)(seed_next(&s->seed) % SIGNALS_MAX)));
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until = now.tv_sec * 1000000000LL + now.tv_nsec + (int64_t)(seed_next(&s->seed) % DELAY_NS_MAX);
    while (now.tv_sec * 1000000000LL + now.tv_nsec < until) clock_gettime(CLOCK_MONOTONIC, &now);
}

static void a_kill_leaves_whole_backups_and_whole_stores(void **state)
{
    (void)state;
    const char *given = getenv("EVDB_KILLS");
    unsigned kills = given ? (unsigned)strtoul(given, NULL, 10) : KILLS;
    char *dir = dir_new();
    scene *s = shared_memory(sizeof(*s));
    evdb *db;
    evdb_store *store;
    evdb_error err;
    s->seed = seed_print();
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    signal_open(&s->progress);
    prepare(s);
    pid_t writer = child_start(write_until_killed, s);
    for (unsigned i = 0; i < kills; i++) {
        pid_t keeper = child_start(keep_until_killed, s);
        wait_at_random(s);
        assert_true(child_kill(keeper, "who backs up"));
        check(s);
    }
    assert_true(child_kill(writer, "the writer"));
    tagged_expect((must(evdb_open(dir, NULL, &db, &err), &err, "open"), db), "s", ROWS);
    must(evdb_store_open(db, "s", &store, &err), &err, "open");
    must(evdb_backup_create(store, "last", NULL, NULL, &err), &err, "backup");
    assert_int_equal(dir_entries(dir, "backups", true), 1); /* the lock; nothing half-written */
    evdb_store_close(store);
    evdb_close(db);
    printf("%u kills, %llu backups and %llu restores in place\n", kills, (unsigned long long)s->backups, (unsigned long long)s->restores);
    signal_close(&s->progress);
    shared_memory_free(s, sizeof(*s));
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_kill_leaves_whole_backups_and_whole_stores) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
