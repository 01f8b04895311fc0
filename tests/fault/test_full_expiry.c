/* test_full_expiry.c - what has expired is deleted on a full disk too: fewer records a commit, where many do not fit. */
#include "database_private.h"
#include "expect.h"
#include "scratch.h"
#include "small_disk.h"
#include "tree.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIM = 256, RECORDS = 700, START = 1000000 };

static _Atomic int64_t now_ms;

static int64_t clock_ms(void *context)
{
    (void)context;
    return atomic_load(&now_ms);
}

static void what_expires_on_a_full_disk_is_deleted(void **state)
{
    static float vectors[RECORDS * DIM];
    int64_t ids[RECORDS], expires[RECORDS];
    char *dir = dir_new(), *path = dir_path(dir, "db");
    told_disk disk = { .left = 64 << 20 };
    platform p = platform_real;
    evdb_batch batch = EVDB_BATCH;
    evdb *db;
    evdb_store *store;
    evdb_changes *changes;
    (void)state;
    atomic_store(&now_ms, START);
    p.clock_ms = clock_ms;
    p.io = told_disk_gate(&disk);
    for (int64_t i = 0; i < RECORDS; i++) {
        ids[i] = i * 37 % RECORDS; /* in another order than they expire in */
        expires[i] = START + 1000 + i;
        for (int k = 0; k < DIM; k++) vectors[i * DIM + k] = (float)(i + k + 1);
    }
    batch.kind = EVDB_INSERT;
    batch.count = RECORDS;
    batch.numbers = ids;
    batch.vectors = vectors;
    batch.dim = DIM;
    batch.expires = expires;
    ok(db_open_with(&p, path, NULL, &db, &why));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_batch_write(store, &batch, NULL, &why));
    ok(evdb_store_sync(store, &why));
    atomic_store(&disk.left, 0);
    const float vector[DIM] = { 1 };
    evdb_status rc = EVDB_OK;
    for (int64_t n = RECORDS; rc == EVDB_OK; n++) rc = evdb_record_insert(store, num(n), vector, DIM, NULL, NULL, &why);
    assert_int_equal(rc, EVDB_FULL);
    uint64_t before = scratch_count(store);
    atomic_store(&now_ms, START + 10000);
    assert_int_equal(scratch_count(store), before - RECORDS); /* gone, though the rows are there */
    evdb_store_stats stats = EVDB_STORE_STATS;
    for (;;) { /* the sweeper looks within seconds; a search or a count does not wait for it */
        ok(evdb_changes_read(store, 0, 0, &changes, &why));
        size_t deleted = 0;
        for (size_t i = 0; i < changes->count; i++) deleted += changes->at[i].kind == EVDB_CHANGE_DELETE;
        evdb_changes_free(changes);
        if (deleted >= RECORDS) break;
        sched_yield();
    }
    ok(evdb_store_get_stats(store, &stats, &why));
    assert_int_equal(stats.records, before - RECORDS);
    assert_true(atomic_load(&disk.refused) > 0);
    ok(evdb_record_insert(store, num(1), vector, DIM, NULL, NULL, &why)); /* in their room */
    evdb_store_close(store);
    evdb_close(db);
    free(path);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_expires_on_a_full_disk_is_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
