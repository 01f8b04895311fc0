/* test_ticket.c - the writes of evdb/batch.h that do not wait. */
#include "expect.h"
#include "scratch.h"
#include <string.h>

static evdb_ticket *submit(evdb_store *store, int64_t id, float value)
{
    evdb_batch b = EVDB_BATCH;
    evdb_ticket *ticket;
    b.kind = EVDB_INSERT;
    b.count = 1;
    b.numbers = &id;
    b.vectors = &value;
    b.dim = 1;
    ok(evdb_batch_submit(store, &b, &ticket, &why));
    return ticket;
}

static void a_submitted_batch_is_written_by_wait(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    size_t written = 0;
    evdb_ticket *ticket = submit(store, 1, 1);
    ok(evdb_ticket_wait(ticket, &written, &why));
    assert_int_equal(written, 1);
    assert_int_equal(scratch_count(store), 1);
    evdb_ticket_free(ticket);
    evdb_ticket_free(NULL);
    evdb_store_close(store);
}

static void everything_given_is_copied(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    float vectors[4] = { 1, 2, 3, 4 };
    char first[] = "first", second[] = "second", metadata[] = "{ \"a\":1}";
    evdb_id ids[2] = { str(first), str(second) };
    const char *texts[2] = { metadata, NULL };
    uint64_t versions[2] = { 0 };
    evdb_status statuses[2] = { EVDB_IO, EVDB_IO };
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = 2, .ids = ids, .vectors = vectors, .dim = 2,
                     .metadata = texts, .statuses = statuses, .versions = versions };
    evdb_ticket *ticket;
    evdb_record *r;
    ok(evdb_batch_submit(store, &b, &ticket, &why));
    memset(vectors, 0xff, sizeof(vectors));
    memset(first, 'x', 5);
    memset(second, 'x', 6);
    memset(metadata, 'x', 8);
    memset(ids, 0, sizeof(ids));
    memset(texts, 0, sizeof(texts));
    memset(&b, 0, sizeof(b));
    ok(evdb_ticket_wait(ticket, NULL, &why));
    evdb_ticket_free(ticket);
    assert_int_equal(statuses[0] | statuses[1], EVDB_OK);
    assert_int_equal(versions[1], 2);
    ok(evdb_record_get(store, str("first"), &r, &why));
    assert_string_equal(r->metadata, "{\"a\":1}");
    assert_true(r->vector[0] == 1 && r->vector[1] == 2);
    evdb_record_free(r);
    ok(evdb_record_get(store, str("second"), &r, &why));
    assert_true(r->vector[0] == 3 && r->vector[1] == 4);
    evdb_record_free(r);
    evdb_store_close(store);
}

static void what_is_wrong_is_said_at_once_or_by_wait(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_ticket *ticket = NULL, *again;
    evdb_batch b = EVDB_BATCH;
    size_t written = 9;
    refused(EVDB_INVALID, evdb_batch_submit(store, &b, &ticket, &why));
    assert_null(ticket);
    ticket = submit(store, 1, 1);
    again = submit(store, 1, 2);
    refused_item(EVDB_EXISTS, 0, evdb_ticket_wait(again, &written, &why));
    assert_int_equal(written, 9);
    ok(evdb_ticket_wait(ticket, &written, &why));
    assert_int_equal(written, 1);
    evdb_ticket_free(ticket);
    evdb_ticket_free(again);
    evdb_store_close(store);
}

static void tickets_are_carried_out_in_the_order_of_submission(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    enum { TICKETS = 50 };
    evdb_ticket *tickets[TICKETS];
    evdb_changes *changes;
    for (int i = 0; i < TICKETS; i++) tickets[i] = submit(store, i, 1);
    for (int i = TICKETS - 1; i >= 0; i--) {
        ok(evdb_ticket_wait(tickets[i], NULL, &why));
        evdb_ticket_free(tickets[i]);
    }
    ok(evdb_changes_read(store, 0, 0, &changes, &why));
    assert_int_equal(changes->count, TICKETS);
    for (int i = 0; i < TICKETS; i++) assert_int_equal(changes->at[i].id.number, i);
    evdb_changes_free(changes);
    evdb_store_close(store);
}

static void a_ticket_nobody_waits_for_is_carried_out_all_the_same(void **state)
{
    scratch *t = *state;
    const float one = 1;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_ticket *freed = submit(store, 1, 1), *passed, *closed;
    evdb_ticket_free(freed);
    assert_int_equal(scratch_count(store), 1);
    passed = submit(store, 2, 1);
    ok(evdb_record_insert(store, num(3), &one, 1, NULL, NULL, &why)); /* any other write */
    assert_int_equal(scratch_count(store), 3);
    closed = submit(store, 4, 1);
    evdb_store_close(store);
    ok(evdb_store_open(t->db, "s", &store, &why));
    assert_int_equal(scratch_count(store), 4);
    evdb_store_close(store);
    evdb_ticket_free(passed);
    ok(evdb_ticket_wait(closed, NULL, &why)); /* outlives the handle it was made with */
    evdb_ticket_free(closed);
}

static void a_ticket_for_a_dropped_store_is_not_written(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_ticket *waited = submit(store, 1, 1), *freed = submit(store, 2, 1);
    ok(evdb_store_drop(t->db, "s", &why));
    refused(EVDB_NOT_FOUND, evdb_ticket_wait(waited, NULL, &why));
    evdb_ticket_free(waited);
    evdb_store_close(store);
    evdb_ticket_free(freed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_submitted_batch_is_written_by_wait),
        TEST(everything_given_is_copied),
        TEST(what_is_wrong_is_said_at_once_or_by_wait),
        TEST(tickets_are_carried_out_in_the_order_of_submission),
        TEST(a_ticket_nobody_waits_for_is_carried_out_all_the_same),
        TEST(a_ticket_for_a_dropped_store_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
