/* test_changes.c - evdb/changes.h: the feed of changes. */
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>

static const float one[1] = { 1 };

static void put(evdb_store *store, evdb_id id) { ok(evdb_record_upsert(store, id, one, 1, NULL, NULL, &why)); }

static evdb_changes *read_after(evdb_store *store, uint64_t after, size_t max)
{
    evdb_changes *changes;
    ok(evdb_changes_read(store, after, max, &changes, &why));
    return changes;
}

static void an_empty_store_has_no_changes(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_changes *c = read_after(store, 0, 0);
    assert_int_equal(c->count, 0);
    assert_int_equal(c->last, 0);
    assert_int_equal(c->horizon, 0);
    evdb_changes_free(c);
    evdb_changes_free(NULL);
    ok(evdb_changes_trim(store, UINT64_MAX, &why));
    evdb_store_close(store);
}

static void every_change_is_there_in_order_and_of_its_kind(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    const evdb_change_kind kinds[] = { EVDB_CHANGE_PUT, EVDB_CHANGE_PUT, EVDB_CHANGE_UPDATE, EVDB_CHANGE_PUT,
                                       EVDB_CHANGE_DELETE, EVDB_CHANGE_PUT };
    const char *const ids[] = { "a", "b", "a", "a", "b", "b" };
    uint64_t versions[6] = { 0 };
    ok(evdb_record_insert(store, str("a"), one, 1, NULL, &versions[0], &why));
    ok(evdb_record_upsert(store, str("b"), one, 1, NULL, &versions[1], &why));
    assert_int_equal(evdb_record_insert(store, str("b"), one, 1, NULL, NULL, NULL), EVDB_EXISTS); /* takes no number */
    ok(evdb_record_update(store, str("a"), NULL, 0, "{\"x\":1}", 0, &versions[2], &why));
    ok(evdb_record_update(store, str("a"), one, 1, NULL, 0, &versions[3], &why));
    ok(evdb_record_delete(store, str("b"), 0, &why));
    ok(evdb_record_upsert(store, str("b"), one, 1, NULL, &versions[5], &why));
    evdb_changes *c = read_after(store, 0, 0);
    evdb_store_close(store);
    assert_int_equal(c->count, 6);
    assert_int_equal(c->last, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(c->at[i].sequence, i + 1);
        assert_int_equal(c->at[i].kind, kinds[i]);
        assert_string_equal(c->at[i].id.text, ids[i]);
        assert_int_equal(c->at[i].id.length, 1);
        if (versions[i]) assert_int_equal(versions[i], c->at[i].sequence);
    }
    evdb_changes_free(c);
}

static void a_feed_is_read_in_pieces(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    uint64_t at = 0, seen = 0;
    for (int i = 0; i < 100; i++) put(store, num(i % 30));
    for (;;) {
        evdb_changes *c = read_after(store, at, 7);
        size_t count = c->count;
        assert_true(count <= 7);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(c->at[i].sequence, ++seen);
            assert_int_equal(c->at[i].id.number, (seen - 1) % 30);
        }
        if (!count) assert_int_equal(c->last, at);
        at = c->last;
        evdb_changes_free(c);
        if (!count) break;
    }
    assert_int_equal(seen, 100);
    evdb_changes *beyond = read_after(store, 1000, 0);
    assert_int_equal(beyond->count, 0);
    assert_int_equal(beyond->last, 1000);
    evdb_changes_free(beyond);
    beyond = read_after(store, UINT64_MAX, 0);
    assert_int_equal(beyond->count, 0);
    evdb_changes_free(beyond);
    refused(EVDB_LIMIT, evdb_changes_read(store, 0, EVDB_CHANGES_MAX + 1, &beyond, &why));
    evdb_store_close(store);
}

static void a_batch_has_no_gaps_in_its_numbers(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    const int64_t numbers[5] = { 1, 2, 1, 3, 2 };
    const float vectors[5] = { 0 };
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .flags = EVDB_BATCH_PARTIAL, .count = 5, .numbers = numbers,
                     .vectors = vectors, .dim = 1 };
    ok(evdb_batch_write(store, &b, NULL, &why));
    b.kind = EVDB_DELETE;
    ok(evdb_batch_write(store, &b, NULL, &why));
    evdb_changes *c = read_after(store, 0, 0);
    assert_int_equal(c->count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(c->at[i].sequence, i + 1);
        assert_int_equal(c->at[i].id.number, i % 3 + 1);
        assert_int_equal(c->at[i].kind, i < 3 ? EVDB_CHANGE_PUT : EVDB_CHANGE_DELETE);
    }
    evdb_changes_free(c);
    evdb_store_close(store);
}

static void what_was_trimmed_is_gone_and_said_to_be(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_changes *c = NULL;
    for (int i = 0; i < 10; i++) put(store, num(i));
    ok(evdb_changes_trim(store, 4, &why));
    refused(EVDB_GONE, evdb_changes_read(store, 0, 0, &c, &why));
    refused(EVDB_GONE, evdb_changes_read(store, 3, 0, &c, &why));
    assert_null(c);
    c = read_after(store, 4, 0);
    assert_int_equal(c->horizon, 4);
    assert_int_equal(c->count, 6);
    assert_int_equal(c->at[0].sequence, 5);
    evdb_changes_free(c);
    ok(evdb_changes_trim(store, 2, &why)); /* less than is gone already */
    ok(evdb_changes_trim(store, UINT64_MAX, &why)); /* the newest is kept */
    c = read_after(store, 9, 0);
    assert_int_equal(c->count, 1);
    assert_int_equal(c->horizon, 9);
    evdb_changes_free(c);
    refused(EVDB_GONE, evdb_changes_read(store, 8, 0, &c, &why));
    put(store, num(99)); /* and the numbers go on */
    c = read_after(store, 10, 0);
    assert_int_equal(c->at[0].sequence, 11);
    evdb_changes_free(c);
    assert_int_equal(scratch_count(store), 11);
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    assert_int_equal(scratch_count(store), 11);
    refused(EVDB_GONE, evdb_changes_read(store, 8, 0, &c, &why));
    evdb_store_close(store);
}

static void search_survives_a_trimmed_feed(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_result *found;
    put(store, num(1));
    ok(evdb_search(store, one, 1, NULL, &found, &why));
    evdb_result_free(found);
    for (int i = 2; i <= 5; i++) put(store, num(i));
    ok(evdb_record_delete(store, num(1), 0, &why));
    ok(evdb_changes_trim(store, UINT64_MAX, &why)); /* what the view had not followed yet */
    ok(evdb_search(store, one, 1, NULL, &found, &why));
    assert_int_equal(found->count, 4);
    for (size_t i = 0; i < 4; i++) assert_int_not_equal(found->numbers[i], 1);
    evdb_result_free(found);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_has_no_changes),
        TEST(every_change_is_there_in_order_and_of_its_kind),
        TEST(a_feed_is_read_in_pieces),
        TEST(a_batch_has_no_gaps_in_its_numbers),
        TEST(what_was_trimmed_is_gone_and_said_to_be),
        TEST(search_survives_a_trimmed_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
