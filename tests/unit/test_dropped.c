/* test_dropped.c - handles to a store that is dropped without their knowing: because that was interrupted, or while they wait. */
#include "database_private.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Another process's repair ends while somebody waits for its lock. */
typedef struct waiting {
    const char *folder;
    char *path;
    int locks; /* of writers, until that happens; 0 = it does not */
    char *bytes;
    size_t size; /* of rows.db then */
} waiting;

static int before(void *context, const io_event *event)
{
    waiting *w = context;
    if (event->kind != IO_LOCK || !w->locks || !strstr(event->path, "/rows.lock") || --w->locks) return 0;
    rows_announce_drop(&platform_real, w->folder);
    w->bytes = scratch_content(w->path, &w->size);
    return 0;
}

static void files_that_a_repair_set_aside_stay_as_they_are(void **state)
{
    scratch *t = *state;
    char folder[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 16];
    waiting w = { .folder = folder, .path = path };
    platform p = platform_real;
    evdb_id id = num(1);
    const float one = 1;
    size_t size;
    p.io = (io_gate){ &w, before };
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    for (int i = 0; i < 50; i++) ok(evdb_record_insert(store, num(i), &one, 1, NULL, NULL, &why));
    ok(evdb_store_sync(store, &why));
    snprintf(folder, sizeof(folder), "%s", scratch_folder(store, t));
    snprintf(path, sizeof(path), "%s/rows.db", folder);
    w.locks = 2; /* the first is for the delete */
    refused(EVDB_NOT_FOUND, evdb_store_forget(store, &id, 1, NULL, &why));
    assert_non_null(w.bytes);
    char *bytes = scratch_content(path, &size);
    assert_int_equal(size, w.size);
    assert_memory_equal(bytes, w.bytes, size);
    free(bytes);
    free(w.bytes);
    evdb_store_close(store);
    evdb_close(t->db); /* before the gate is gone */
    t->db = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_write_is_acknowledged_to_a_folder_that_was_cleared_away, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(files_that_a_repair_set_aside_stay_as_they_are, scratch_closed, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
