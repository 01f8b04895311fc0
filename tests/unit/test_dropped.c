/* test_dropped.c - handles to a store whose dropping was interrupted: nobody told them, but the folder goes at the next open. */
#include "database_private.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"

/* What is left of a drop, or of a restore in its place, that was killed behind its commit. */
static void drop_and_die(const scratch *t, const char *name)
{
    evdb *db;
    char uuid[37];
    ok(evdb_open(t->path, NULL, &db, &why));
    ok(system_lock(db->system, &why));
    ok(system_find(db->system, name, uuid, &why));
    ok(system_drop(db->system, uuid, &why));
    system_unlock(db->system);
    evdb_close(db);
}

static void no_write_is_acknowledged_to_a_folder_that_was_cleared_away(void **state)
{
    scratch *t = *state;
    const float one = 1;
    evdb *next;
    uint64_t count;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    ok(evdb_record_insert(store, num(1), &one, 1, NULL, NULL, &why));
    drop_and_die(t, "s");
    ok(evdb_open(t->path, NULL, &next, &why));
    refused(EVDB_NOT_FOUND, evdb_record_insert(store, num(2), &one, 1, NULL, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_store_count(store, &count, &why));
    evdb_store_close(store);
    evdb_close(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_write_is_acknowledged_to_a_folder_that_was_cleared_away, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
