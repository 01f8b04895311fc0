/* test_full_trash.c - a store whose trash is on, on a full disk: deletes are refused and say why, emptying the trash goes, and then they go. */
#include "database_private.h"
#include "expect.h"
#include "scratch.h"
#include "small_disk.h"
#include "tree.h"
#include <stdlib.h>

enum { DIM = 256, RECORDS = 4000 };

static int64_t fill(evdb_store *store, int64_t from)
{
    evdb_status rc = EVDB_OK;
    for (; rc == EVDB_OK && from < RECORDS; from++) {
        const float vector[DIM] = { 1, (float)from };
        rc = evdb_record_insert(store, num(from), vector, DIM, "{\"some\":\"metadata\"}", NULL, &why);
    }
    assert_int_equal(rc, EVDB_FULL);
    return from - 1;
}

static void deletes_are_refused_until_the_trash_is_emptied(void **state)
{
    char *dir = dir_new(), *path = dir_path(dir, "db");
    told_disk disk = { .left = 3 << 20 };
    platform p = platform_real;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb *db;
    evdb_store *store;
    evdb_verify_report report;
    uint64_t removed;
    (void)state;
    p.io = told_disk_gate(&disk);
    o.trash_ms = EVDB_TRASH_DAY_MS;
    ok(db_open_with(&p, path, NULL, &db, &why));
    ok(evdb_store_create(db, "s", &o, &store, &why));
    int64_t count = fill(store, 0), deleted = 0;
    evdb_status rc = EVDB_OK;
    for (; rc == EVDB_OK && deleted < count; deleted++) rc = evdb_record_delete(store, num(deleted), 0, &why);
    assert_int_equal(rc, EVDB_FULL); /* some go within pages that have come free */
    expect_says("trash is on");
    deleted--;
    assert_int_equal(scratch_count(store), count - deleted);
    ok(evdb_trash_empty(store, &removed, &why));
    assert_int_equal(removed, deleted);
    ok(evdb_store_set_trash(store, 0, &why));
    for (; deleted < count; deleted++) ok(evdb_record_delete(store, num(deleted), 0, &why));
    assert_int_equal(scratch_count(store), 0);
    ok(evdb_verify(db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    evdb_store_close(store);
    evdb_close(db);
    free(path);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deletes_are_refused_until_the_trash_is_emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
