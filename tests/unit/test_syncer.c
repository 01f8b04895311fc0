/* test_syncer.c - engine/syncer.h: what writers did not wait for comes to the disk, also when that could not be begun at first. */
#include "database_private.h"
#include "engine/engine.h"
#include "expect.h"
#include "scratch.h"
#include "store_private.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int locks; /* of writers: the second one fails */

static int before(void *context, const io_event *event)
{
    (void)context;
    if (event->kind != IO_LOCK || !strstr(event->path, "/rows.lock") || !atomic_load(&locks)) return 0;
    return atomic_fetch_sub(&locks, 1) == 1 ? ENOLCK : 0;
}

static void a_sync_that_could_not_be_begun_is_tried_again(void **state)
{
    scratch *t = *state;
    platform p = platform_real;
    evdb_options o = EVDB_OPTIONS;
    const float one = 1;
    o.sync = EVDB_SYNC_INTERVAL;
    o.sync_interval_ms = 1;
    p.io = (io_gate){ NULL, before };
    ok(db_open_with(&p, t->path, &o, &t->db, &why));
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    atomic_store(&locks, 2);
    ok(evdb_record_insert(store, num(1), &one, 1, NULL, NULL, &why));
    while (atomic_load(&locks) || !rows_synced(store->engine->rows)) sched_yield();
    ok(evdb_record_insert(store, num(2), &one, 1, NULL, NULL, &why));
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sync_that_could_not_be_begun_is_tried_again, scratch_closed, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
