/* test_commit.c - engine/commit.h: requests share commits, a bad one fails alone, a lost commit is told to all of its group. */
#include "database_private.h"
#include "expect.h"
#include "scratch.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { TICKETS = 20 };

/* The real surroundings, but for what the write-ahead log of a store is told. */
typedef struct gate {
    atomic_long syncs;
    _Atomic int write_error, sync_error; /* an errno, or 0 */
    atomic_long reads_left; /* of rows.db, until one fails; 0 = none does */
} gate;

static bool is_of(const char *path, const char *name)
{
    size_t length = strlen(path), wanted = strlen(name);
    return length >= wanted && strcmp(path + length - wanted, name) == 0;
}

static int before(void *context, const io_event *event)
{
    gate *at = context;
    if (is_of(event->path, "/rows.db") && event->kind == IO_READ && atomic_load(&at->reads_left))
        return atomic_fetch_sub(&at->reads_left, 1) == 1 ? EIO : 0;
    if (!is_of(event->path, "/rows.db-wal")) return 0;
    if (event->kind == IO_SYNC) atomic_fetch_add(&at->syncs, 1);
    if (event->kind == IO_SYNC) return atomic_load(&at->sync_error);
    return event->kind == IO_WRITE ? atomic_load(&at->write_error) : 0;
}

static gate g; /* outlives the test: its database is closed after it */

static evdb_store *open_through(scratch *t)
{
    platform p = platform_real;
    memset(&g, 0, sizeof(g));
    p.io = (io_gate){ &g, before };
    ok(db_open_with(&p, t->path, NULL, &t->db, &why));
    return scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
}

static evdb_ticket *submit(evdb_store *store, int64_t id, evdb_status *status)
{
    const float one = 1;
    evdb_ticket *ticket;
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = 1, .numbers = &id, .vectors = &one, .dim = 1,
                     .statuses = status };
    ok(evdb_batch_submit(store, &b, &ticket, &why));
    return ticket;
}

static evdb_status insert(evdb_store *store, int64_t id)
{
    const float one = 1;
    return evdb_record_insert(store, num(id), &one, 1, NULL, NULL, &why);
}

static void what_is_queued_shares_one_commit(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    evdb_ticket *tickets[TICKETS];
    ok(insert(store, -1));
    for (int i = 0; i < TICKETS; i++) tickets[i] = submit(store, i, NULL);
    long before_commit = atomic_load(&g.syncs);
    ok(evdb_ticket_wait(tickets[TICKETS - 1], NULL, &why));
    assert_int_equal(atomic_load(&g.syncs) - before_commit, 1);
    for (int i = 0; i < TICKETS; i++) {
        if (i < TICKETS - 1) ok(evdb_ticket_wait(tickets[i], NULL, &why));
        evdb_ticket_free(tickets[i]);
    }
    assert_int_equal(atomic_load(&g.syncs) - before_commit, 1);
    assert_int_equal(scratch_count(store), TICKETS + 1);
    evdb_store_close(store);
}

static void a_bad_request_fails_alone(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    ok(insert(store, 1));
    long before_commit = atomic_load(&g.syncs);
    const int64_t good_then_bad[2] = { 3, 1 };
    const float vectors[2] = { 1, 1 };
    uint64_t versions[2] = { 77, 77 };
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = 2, .numbers = good_then_bad, .vectors = vectors,
                     .dim = 1, .versions = versions };
    evdb_ticket *two = submit(store, 2, NULL), *bad, *four;
    ok(evdb_batch_submit(store, &b, &bad, &why));
    four = submit(store, 4, NULL);
    refused_item(EVDB_EXISTS, 1, evdb_ticket_wait(bad, NULL, &why));
    ok(evdb_ticket_wait(two, NULL, &why));
    ok(evdb_ticket_wait(four, NULL, &why));
    assert_int_equal(atomic_load(&g.syncs) - before_commit, 1);
    assert_true(versions[0] == 77 && versions[1] == 77);
    assert_int_equal(scratch_count(store), 3); /* 3 was undone with the batch it came in */
    evdb_changes *changes;
    ok(evdb_changes_read(store, 0, 0, &changes, &why));
    assert_int_equal(changes->count, 3);
    assert_int_equal(changes->last, 3);
    evdb_changes_free(changes);
    evdb_ticket_free(two);
    evdb_ticket_free(bad);
    evdb_ticket_free(four);
    evdb_store_close(store);
}

/* Work has no savepoint of its own: all are carried out again. */
static void work_that_is_refused_fails_nobody_else(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    evdb_id name = str("no number"), missing = num(7);
    evdb_undelete what = EVDB_UNDELETE;
    evdb_ticket *tickets[2];
    ok(insert(store, 1));
    tickets[0] = submit(store, 2, NULL);
    refused(EVDB_INVALID, evdb_store_forget(store, &name, 1, NULL, &why));
    tickets[1] = submit(store, 3, NULL);
    what.ids = &missing;
    what.count = 1;
    refused_item(EVDB_NOT_FOUND, 0, evdb_trash_restore(store, &what, NULL, &why));
    for (int i = 0; i < 2; i++) {
        ok(evdb_ticket_wait(tickets[i], NULL, &why));
        evdb_ticket_free(tickets[i]);
    }
    assert_int_equal(scratch_count(store), 3);
    evdb_store_close(store);
}

static void a_full_disk_fails_the_group_and_no_later_one(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    evdb_status statuses[2] = { EVDB_OK, EVDB_OK };
    evdb_record *r;
    ok(insert(store, 1));
    atomic_store(&g.write_error, ENOSPC);
    for (int alone = 0; alone < 2; alone++) {
        evdb_ticket *a = submit(store, 2, &statuses[0]), *b = alone ? NULL : submit(store, 3, &statuses[1]);
        refused(EVDB_FULL, evdb_ticket_wait(a, NULL, &why));
        assert_int_equal(statuses[0], EVDB_FULL);
        evdb_ticket_free(a);
        if (!b) continue;
        refused(EVDB_FULL, evdb_ticket_wait(b, NULL, &why));
        assert_int_equal(statuses[1], EVDB_FULL);
        evdb_ticket_free(b);
    }
    ok(evdb_record_get(store, num(1), &r, &why)); /* reads go on */
    evdb_record_free(r);
    assert_int_equal(scratch_count(store), 1);
    atomic_store(&g.write_error, 0);
    ok(insert(store, 2));
    assert_int_equal(scratch_count(store), 2);
    evdb_store_close(store);
}

static void a_full_disk_keeps_nobody_from_opening_a_store_to_read(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t), *other;
    evdb_record *r;
    evdb *db;
    platform p = platform_real;
    p.io = (io_gate){ &g, before };
    ok(insert(store, 1));
    atomic_store(&g.write_error, ENOSPC);
    refused(EVDB_FULL, insert(store, 2)); /* it was begun, and for others it might be under way */
    ok(db_open_with(&p, t->path, NULL, &db, &why));
    ok(evdb_store_open(db, "s", &other, &why));
    ok(evdb_record_get(other, num(1), &r, &why));
    evdb_record_free(r);
    refused(EVDB_FULL, insert(other, 2));
    atomic_store(&g.write_error, 0);
    ok(insert(other, 2));
    assert_int_equal(scratch_count(store), 2);
    assert_int_equal(scratch_count(other), 2);
    evdb_store_close(other);
    evdb_close(db);
    evdb_store_close(store);
}

static void a_record_of_a_lost_commit_exists_for_nobody(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    const int64_t ids[2] = { 2, 3 };
    const float vectors[2] = { 1, 1 };
    evdb_status statuses[2];
    evdb_ticket *tickets[3];
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .flags = EVDB_BATCH_PARTIAL, .count = 2, .numbers = ids,
                     .vectors = vectors, .dim = 1, .statuses = statuses };
    ok(insert(store, 1));
    atomic_store(&g.write_error, ENOSPC);
    tickets[0] = submit(store, 2, NULL);
    tickets[1] = submit(store, 2, NULL); /* refused, but for what the first would have stored */
    ok(evdb_batch_submit(store, &b, &tickets[2], &why));
    for (int i = 0; i < 3; i++) {
        refused(EVDB_FULL, evdb_ticket_wait(tickets[i], NULL, &why));
        evdb_ticket_free(tickets[i]);
    }
    assert_true(statuses[0] == EVDB_FULL && statuses[1] == EVDB_FULL);
    evdb_store_close(store);
}

/* False when there were not so many reads. */
static bool fail_read(scratch *t, long read)
{
    const int64_t ids[2] = { 10 * read, 10 * read + 1 };
    const float vectors[2] = { 1, 1 };
    evdb_status statuses[2], single;
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .flags = EVDB_BATCH_PARTIAL, .count = 2, .numbers = ids,
                     .vectors = vectors, .dim = 1, .statuses = statuses };
    evdb_ticket *two, *one;
    evdb_store *store;
    platform p = platform_real;
    p.io = (io_gate){ &g, before };
    ok(db_open_with(&p, t->path, NULL, &t->db, &why)); /* nothing is cached */
    ok(evdb_store_open(t->db, "s", &store, &why));
    uint64_t count = scratch_count(store);
    ok(evdb_batch_submit(store, &b, &two, &why));
    one = submit(store, 10 * read + 2, &single);
    atomic_store(&g.reads_left, read);
    evdb_status rc = evdb_ticket_wait(two, NULL, &why), rc_one = evdb_ticket_wait(one, NULL, &why);
    bool failed = atomic_exchange(&g.reads_left, 0) == 0;
    assert_true(statuses[0] == rc && statuses[1] == rc);
    assert_true(single == rc_one);
    assert_true(failed || (rc == EVDB_OK && rc_one == EVDB_OK));
    evdb_ticket_free(two);
    evdb_ticket_free(one);
    assert_int_equal(scratch_count(store), count + (rc == EVDB_OK ? 2 : 0) + (rc_one == EVDB_OK ? 1 : 0));
    evdb_store_close(store);
    evdb_close(t->db);
    t->db = NULL;
    return failed;
}

static void a_batch_whose_pages_cannot_be_read_fails_as_its_items_do(void **state)
{
    scratch *t = *state;
    long read = 1;
    evdb_store_close(open_through(t));
    evdb_close(t->db);
    while (fail_read(t, read)) read++;
    assert_true(read > 3);
}

static void after_a_failed_sync_the_store_writes_no_more_until_reopened(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    evdb_record *r;
    ok(insert(store, 1));
    atomic_store(&g.sync_error, EIO);
    refused(EVDB_IO, insert(store, 2));
    atomic_store(&g.sync_error, 0);
    long syncs = atomic_load(&g.syncs);
    refused(EVDB_IO, insert(store, 3)); /* a sync that is tried again proves nothing */
    expect_says("reopen");
    assert_int_equal(atomic_load(&g.syncs), syncs);
    ok(evdb_record_get(store, num(1), &r, &why));
    evdb_record_free(r);
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    ok(insert(store, 3));
    uint64_t count = scratch_count(store);
    assert_true(count == 2 || count == 3); /* nobody knows of 2 */
    evdb_verify_report report;
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    evdb_store_close(store);
}

static void a_checkpoint_among_writes_keeps_their_order(void **state)
{
    scratch *t = *state;
    evdb_store *store = open_through(t);
    evdb_ticket *first = submit(store, 1, NULL);
    ok(evdb_store_sync(store, &why)); /* carries out what was submitted before it */
    assert_int_equal(scratch_count(store), 1);
    ok(evdb_changes_trim(store, UINT64_MAX, &why));
    ok(evdb_ticket_wait(first, NULL, &why));
    evdb_ticket_free(first);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_closed, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_queued_shares_one_commit),
        TEST(a_bad_request_fails_alone),
        TEST(work_that_is_refused_fails_nobody_else),
        TEST(a_full_disk_fails_the_group_and_no_later_one),
        TEST(a_full_disk_keeps_nobody_from_opening_a_store_to_read),
        TEST(a_record_of_a_lost_commit_exists_for_nobody),
        TEST(a_batch_whose_pages_cannot_be_read_fails_as_its_items_do),
        TEST(after_a_failed_sync_the_store_writes_no_more_until_reopened),
        TEST(a_checkpoint_among_writes_keeps_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
