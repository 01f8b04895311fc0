/* test_trash.c - evdb/trash.h under a clock and on a disk of its own: what has been there for long enough is removed, and what happens
 * where there is no room. */
#include "database_private.h"
#include "disk/rows_trash.h"
#include "engine/engine.h"
#include "expect.h"
#include "memory_io.h"
#include "scratch.h"
#include "seed.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { DIM = 4, START = 1000000, KEPT_MS = 5000 };

static _Atomic int64_t now_ms;
static atomic_bool disk_full;
static atomic_long fails; /* writes of a log that find the disk full, from the next one on */

static int64_t clock_ms(void *context)
{
    (void)context;
    return atomic_load(&now_ms);
}

static int before(void *context, const io_event *event)
{
    (void)context;
    size_t length = strlen(event->path);
    bool of_log = event->kind == IO_WRITE && length > 4 && strcmp(event->path + length - 4, "-wal") == 0;
    if (of_log && atomic_load(&fails) && atomic_fetch_sub(&fails, 1)) return ENOSPC;
    return event->kind == IO_WRITE && atomic_load(&disk_full) ? ENOSPC : 0;
}

static evdb_store *open_store(const scratch *t, evdb **db)
{
    platform p = platform_real;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    p.clock_ms = clock_ms;
    p.io = (io_gate){ NULL, before };
    o.trash_ms = KEPT_MS;
    o.metric = EVDB_EUCLIDEAN;
    ok(db_open_with(&p, t->path, NULL, db, &why));
    if (evdb_store_open(*db, "s", &store, &why) != EVDB_OK) ok(evdb_store_create(*db, "s", &o, &store, &why));
    return store;
}

static int begin(void **state)
{
    atomic_store(&now_ms, START);
    atomic_store(&disk_full, false);
    atomic_store(&fails, 0);
    return scratch_closed(state);
}

static void put(evdb_store *store, int64_t n, int64_t expires)
{
    evdb_batch b = EVDB_BATCH;
    const float v[DIM] = { (float)n, 1, 2, 3 };
    b.kind = EVDB_INSERT;
    b.count = 1;
    b.numbers = &n;
    b.vectors = v;
    b.dim = DIM;
    b.expires = &expires;
    ok(evdb_batch_write(store, &b, NULL, &why));
}

static size_t in_trash(evdb_store *store)
{
    evdb_trash *trash;
    ok(evdb_trash_list(store, 0, 0, &trash, &why));
    size_t count = trash->count;
    evdb_trash_free(trash);
    return count;
}

/* Also what can no longer be restored. */
static bool rows_in_trash(evdb_store *store)
{
    rows_reader *rd;
    int64_t next;
    ok(rows_read(store->engine->rows, &rd, &why));
    ok(rows_next_purge(rd, &next, &why));
    rows_read_end(rd);
    return next != INT64_MAX;
}

static evdb_status restore(evdb_store *store, int64_t n)
{
    evdb_undelete u = EVDB_UNDELETE;
    u.ids = &(evdb_id){ .number = n };
    u.count = 1;
    return evdb_trash_restore(store, &u, NULL, &why);
}

static void what_has_been_there_for_long_enough_is_removed(void **state)
{
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    for (int round = 0; round < 3; round++) {
        for (int64_t n = 0; n < 5; n++) {
            put(store, n + 10 * round, 0);
            ok(evdb_record_delete(store, num(n + 10 * round), 0, &why));
        }
        assert_int_equal(in_trash(store), 5);
        atomic_fetch_add(&now_ms, KEPT_MS);
        if (round == 1) { /* whoever opens the store finds it, too */
            evdb_store_close(store);
            evdb_close(db);
            store = open_store(t, &db);
        }
        assert_int_equal(in_trash(store), 0);
        while (rows_in_trash(store)) sched_yield(); /* the thread looks within seconds */
    }
    evdb_store_close(store);
    evdb_close(db);
}

/* The thread sleeps meanwhile: what is told and restored does not hang on when it looks. */
static void what_is_kept_for_less_from_now_on_can_no_longer_be_restored(void **state)
{
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    evdb_undelete all = EVDB_UNDELETE;
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    evdb_trash *trash;
    put(store, 1, 0);
    put(store, 2, START + 2000);
    ok(evdb_record_delete(store, num(1), 0, &why));
    ok(evdb_record_delete(store, num(2), 0, &why));
    ok(evdb_trash_list(store, 0, 0, &trash, &why));
    assert_int_equal(trash->at[0].until_ms, START + 2000);
    assert_int_equal(trash->at[1].until_ms, START + KEPT_MS);
    evdb_trash_free(trash);
    atomic_fetch_add(&now_ms, 1000);
    ok(evdb_store_set_trash(store, 1001, &why));
    assert_int_equal(in_trash(store), 2);
    ok(evdb_store_set_trash(store, 1000, &why));
    assert_int_equal(in_trash(store), 0);
    refused_item(EVDB_NOT_FOUND, 0, restore(store, 1));
    all.since_ms = 1;
    ok(evdb_trash_restore(store, &all, &report, &why));
    assert_true(report.restored == 0 && report.existing == 0);
    evdb_store_close(store);
    evdb_close(db);
}

static void a_delete_removes_what_is_old(void **state)
{
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    for (int64_t n = 0; n < 40; n++) {
        put(store, n, 0);
        ok(evdb_record_delete(store, num(n), 0, &why));
        atomic_fetch_add(&now_ms, KEPT_MS / 4);
        assert_true(in_trash(store) <= 6);
    }
    evdb_store_close(store);
    evdb_close(db);
}

static void a_record_whose_expiry_passes_in_the_trash_does_not_come_back(void **state)
{
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    evdb_record *r;
    put(store, 1, START + 100);
    put(store, 2, START + 3000);
    put(store, 3, START + 100);
    ok(evdb_record_delete(store, num(1), 0, &why));
    ok(evdb_record_delete(store, num(2), 0, &why));
    atomic_fetch_add(&now_ms, 200);
    refused(EVDB_NOT_FOUND, evdb_record_delete(store, num(3), 0, &why)); /* nor does one that expired go there */
    assert_int_equal(in_trash(store), 1);
    refused_item(EVDB_NOT_FOUND, 0, restore(store, 1));
    ok(restore(store, 2));
    ok(evdb_record_get(store, num(2), &r, &why));
    assert_int_equal(r->expires_ms, START + 3000);
    evdb_record_free(r);
    evdb_store_close(store);
    evdb_close(db);
}

static void on_a_full_disk_a_delete_says_that_the_trash_takes_room(void **state)
{
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    enum { RECORDS = 30 };
    for (int64_t n = 0; n < RECORDS; n++) put(store, n, 0);
    ok(evdb_record_delete(store, num(0), 0, &why));
    ok(evdb_store_sync(store, &why));
    atomic_store(&disk_full, true);
    evdb_status rc = evdb_record_delete(store, num(1), 0, &why);
    assert_int_equal(rc, EVDB_FULL);
    expect_says("the store's trash is on");
    assert_int_equal(scratch_count(store), RECORDS - 1);
    assert_int_equal(in_trash(store), 1);
    atomic_store(&disk_full, false);
    ok(evdb_record_delete(store, num(1), 0, &why));
    assert_int_equal(in_trash(store), 2);
    evdb_store_close(store);
    evdb_close(db);
}

/* The commit is tried again once the log is empty. */
static void a_restore_that_finds_the_disk_full_once_loses_nothing(void **state)
{
    enum { MANY = 1500 };
    scratch *t = *state;
    evdb *db;
    evdb_store *store = open_store(t, &db);
    static int64_t numbers[MANY];
    static float vectors[MANY][DIM];
    evdb_undelete all = EVDB_UNDELETE;
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    evdb_batch b = EVDB_BATCH;
    for (int i = 0; i < MANY; i++) vectors[i][0] = (float)(numbers[i] = i);
    b.kind = EVDB_INSERT;
    b.count = MANY;
    b.numbers = numbers;
    b.vectors = vectors;
    b.dim = DIM;
    ok(evdb_batch_write(store, &b, NULL, &why));
    b.kind = EVDB_DELETE;
    ok(evdb_batch_write(store, &b, NULL, &why));
    all.since_ms = 1;
    atomic_store(&fails, 1);
    ok(evdb_trash_restore(store, &all, &report, &why));
    assert_int_equal(atomic_load(&fails), 0);
    assert_int_equal(report.restored, MANY);
    assert_int_equal(scratch_count(store), MANY);
    evdb_store_close(store);
    evdb_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_has_been_there_for_long_enough_is_removed),
        TEST(what_is_kept_for_less_from_now_on_can_no_longer_be_restored),
        TEST(a_delete_removes_what_is_old),
        TEST(a_restore_that_finds_the_disk_full_once_loses_nothing),
        TEST(a_record_whose_expiry_passes_in_the_trash_does_not_come_back),
        TEST(on_a_full_disk_a_delete_says_that_the_trash_takes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
