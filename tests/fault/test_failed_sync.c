/* test_failed_sync.c - a sync that fails: nobody knows what of it is on the disk, and the kernel tells of it once. So it is never tried
 * again: the store can be read, and not be written until it is reopened, whoever asked for the sync and whatever the reason was.
 *
 * Opening it moves what the log has into rows.db, and syncs that, before something is written behind it. */
#include "expect.h"
#include "gated.h"
#include "ledger.h"
#include "scratch.h"
#include "tree.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG_DIM = 4096, BIG = 520 /* a commit of 8 MB */ };

/* Of one file: fails its next sync, and counts what is asked of it after. */
typedef struct sync_gate {
    const char *file; /* how its path ends */
    int error;        /* 0 = none fails */
    unsigned failed, asked_again, synced;
    uint64_t written; /* lowest offset since it was reset */
} sync_gate;

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), wanted = strlen(end);
    return length >= wanted && strcmp(path + length - wanted, end) == 0;
}

static int before(void *context, const io_event *event)
{
    sync_gate *g = context;
    if (event->kind == IO_SYNC_DIR) return IO_SKIP;
    if (event->kind == IO_WRITE && ends_with(event->path, "rows.db-wal") && event->offset < g->written) g->written = event->offset;
    if (event->kind != IO_SYNC) return 0;
    bool this = ends_with(event->path, g->file);
    g->synced += this;
    if (this && g->failed) g->asked_again++;
    if (!this || !g->error || g->failed) return IO_SKIP;
    g->failed++;
    return g->error;
}

static void open_store(sync_gate *g, const char *dir, evdb **db, evdb_store **store)
{
    ok(gated_open((io_gate){ g, before }, dir, NULL, db, &why));
    if (evdb_store_open(*db, "s", store, &why) != EVDB_OK) ok(evdb_store_create(*db, "s", NULL, store, &why));
}

static evdb_status write_much(evdb_store *store, int64_t first)
{
    static float vectors[BIG * BIG_DIM];
    static int64_t ids[BIG];
    evdb_batch batch = EVDB_BATCH;
    for (size_t i = 0; i < BIG * BIG_DIM; i++) vectors[i] = (float)(i % 1009) + 1;
    for (int64_t i = 0; i < BIG; i++) ids[i] = first + i;
    batch.kind = EVDB_UPSERT;
    batch.count = BIG;
    batch.numbers = ids;
    batch.vectors = vectors;
    batch.dim = BIG_DIM;
    return evdb_batch_write(store, &batch, NULL, &why);
}

/* Refused in the same words through each door, and read all the same. */
static void expect_read_only(evdb_store *store)
{
    evdb_record *record;
    const float vector[1] = { 1 };
    evdb_id id = num(3);
    refused(EVDB_IO, evdb_record_delete(store, id, 0, &why));
    expect_says("reopen the database");
    refused(EVDB_IO, evdb_record_upsert(store, id, vector, 1, NULL, NULL, &why));
    expect_says("reopen the database");
    refused(EVDB_IO, evdb_changes_trim(store, 1, &why));
    refused(EVDB_IO, evdb_store_forget(store, &id, 1, NULL, &why));
    ok(evdb_record_get(store, id, &record, &why));
    evdb_record_free(record);
}

/* The sync of a commit. */
static void a_commit_whose_sync_fails_is_told_and_the_last(int error)
{
    char *dir = dir_new();
    sync_gate g = { .file = "rows.db-wal" };
    evdb *db;
    evdb_store *store;
    const float vector[1] = { 1 };
    open_store(&g, dir, &db, &store);
    for (int64_t n = 0; n < 20; n++) ok(evdb_record_insert(store, num(n), vector, 1, NULL, NULL, &why));
    g.error = error;
    refused(EVDB_IO, evdb_record_insert(store, num(50), vector, 1, NULL, NULL, &why));
    expect_says("a sync failed");
    expect_read_only(store);
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(g.failed, 1);
    assert_int_equal(g.asked_again, 0);
    g = (sync_gate){ .file = "/rows.db", .written = UINT64_MAX };
    open_store(&g, dir, &db, &store);
    assert_true(g.synced > 0); /* what the log had */
    assert_true(scratch_count(store) == 20 || scratch_count(store) == 21);
    ok(evdb_record_insert(store, num(60), vector, 1, NULL, NULL, &why));
    assert_int_equal(g.written, 0); /* the log began anew */
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

static void a_commit_whose_sync_fails_is_the_last(void **state)
{
    (void)state;
    a_commit_whose_sync_fails_is_told_and_the_last(EIO);
    a_commit_whose_sync_fails_is_told_and_the_last(ENOSPC);
    a_commit_whose_sync_fails_is_told_and_the_last(EDQUOT);
}

static void so_is_the_sync_of_rows_db_that_was_asked_for(void **state)
{
    char *dir = dir_new();
    sync_gate g = { .file = "/rows.db" };
    evdb *db;
    evdb_store *store;
    const float vector[1] = { 1 };
    (void)state;
    open_store(&g, dir, &db, &store);
    for (int64_t n = 0; n < 20; n++) ok(evdb_record_insert(store, num(n), vector, 1, NULL, NULL, &why));
    g.error = EIO;
    refused(EVDB_IO, evdb_store_sync(store, &why));
    expect_says("a sync failed");
    expect_read_only(store);
    refused(EVDB_IO, evdb_store_sync(store, &why));
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(g.failed, 1);
    assert_int_equal(g.asked_again, 0);
    g = (sync_gate){ .file = "/rows.db" };
    open_store(&g, dir, &db, &store);
    assert_int_equal(scratch_count(store), 20);
    ok(evdb_record_delete(store, num(3), 0, &why));
    ok(evdb_store_sync(store, &why));
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

/* SQLite moves a log of 32 MB by itself behind a commit, and tells nobody how that went. */
static void so_is_one_that_sqlite_makes_by_itself(void **state)
{
    char *dir = dir_new();
    sync_gate g = { .file = "/rows.db" };
    evdb *db;
    evdb_store *store;
    int64_t first = 0;
    (void)state;
    open_store(&g, dir, &db, &store);
    g.error = EIO;
    for (; !g.failed; first += BIG) {
        assert_true(first < 20 * BIG);
        ok(write_much(store, first)); /* acknowledged: its own sync went well */
    }
    expect_read_only(store);
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(g.asked_again, 0);
    g = (sync_gate){ .file = "/rows.db" };
    open_store(&g, dir, &db, &store);
    assert_int_equal(scratch_count(store), first);
    ok(write_much(store, 0));
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

static void and_that_of_system_db_which_names_the_stores(void **state)
{
    char *dir = dir_new();
    sync_gate g = { .file = "system.db-wal" };
    evdb *db;
    evdb_store *store;
    const float vector[1] = { 1 };
    (void)state;
    open_store(&g, dir, &db, &store);
    g.error = EIO;
    refused(EVDB_IO, evdb_store_create(db, "other", NULL, NULL, &why));
    refused(EVDB_IO, evdb_store_create(db, "another", NULL, NULL, &why));
    expect_says("a sync failed");
    refused(EVDB_IO, evdb_store_drop(db, "s", &why));
    ok(evdb_record_insert(store, num(1), vector, 1, NULL, NULL, &why)); /* a store is another file */
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(g.asked_again, 0);
    g = (sync_gate){ .file = "system.db-wal" };
    open_store(&g, dir, &db, &store);
    assert_int_equal(scratch_count(store), 1);
    ok(evdb_store_create(db, "another", NULL, NULL, &why));
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_whose_sync_fails_is_the_last),
        cmocka_unit_test(so_is_the_sync_of_rows_db_that_was_asked_for),
        cmocka_unit_test(so_is_one_that_sqlite_makes_by_itself),
        cmocka_unit_test(and_that_of_system_db_which_names_the_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
