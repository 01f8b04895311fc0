/* test_cursor.c - evdb/cursor.h: every record once, in order, while records come and go. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <string.h>

static void put(evdb_store *store, evdb_id id)
{
    const float v[2] = { 1, (float)id.number };
    ok(evdb_record_upsert(store, id, v, 2, NULL, NULL, &why));
}

static evdb_cursor *open_cursor(evdb_store *store, uint32_t flags)
{
    evdb_cursor_options o = EVDB_CURSOR_OPTIONS;
    evdb_cursor *cursor;
    o.flags = flags;
    ok(evdb_cursor_open(store, &o, &cursor, &why));
    return cursor;
}

static const evdb_record *next(evdb_cursor *cursor)
{
    const evdb_record *r;
    ok(evdb_cursor_next(cursor, &r, &why));
    return r;
}

static void an_empty_store_ends_at_once_and_stays_ended(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    evdb_cursor *cursor = open_cursor(store, 0);
    for (int i = 0; i < 3; i++) assert_null(next(cursor));
    evdb_cursor_close(cursor);
    evdb_cursor_close(NULL);
    evdb_store_close(store);
}

static void integers_come_by_value(void **state)
{
    static const int64_t given[] = { 10, -1, 9, INT64_MAX, 0, INT64_MIN, 100, -10 };
    static const int64_t order[] = { INT64_MIN, -10, -1, 0, 9, 10, 100, INT64_MAX };
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    for (size_t i = 0; i < 8; i++) put(store, num(given[i]));
    evdb_cursor *cursor = open_cursor(store, 0);
    for (size_t i = 0; i < 8; i++) {
        const evdb_record *r = next(cursor);
        assert_non_null(r);
        assert_null(r->id.text);
        assert_true(r->id.number == order[i]);
        assert_int_equal(r->dim, 2);
        assert_true(r->vector[1] == (float)order[i]);
        assert_string_equal(r->metadata, "{}");
        assert_true(r->version >= 1 && r->version <= 8);
    }
    assert_null(next(cursor));
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}

static void strings_come_by_bytes(void **state)
{
    static const char *const given[] = { "b", "10", "9", "a", "\xc3\xa9", "Z", "ab", "\xf0\x9f\x98\x80", "\xef\xbf\xbd" };
    static const char *const order[] = { "10", "9", "Z", "a", "ab", "b", "\xc3\xa9", "\xef\xbf\xbd", "\xf0\x9f\x98\x80" };
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    for (size_t i = 0; i < 9; i++) put(store, str(given[i]));
    evdb_cursor *cursor = open_cursor(store, EVDB_CURSOR_NO_VECTORS);
    for (size_t i = 0; i < 9; i++) {
        const evdb_record *r = next(cursor);
        assert_non_null(r);
        assert_string_equal(r->id.text, order[i]);
        assert_int_equal(r->id.length, strlen(order[i]));
        assert_null(r->vector);
    }
    assert_null(next(cursor));
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}

static void a_cursor_begins_behind_an_id_that_need_not_exist(void **state)
{
    scratch *t = *state;
    evdb_store *numbers = scratch_store(t, "n", 2, EVDB_EUCLIDEAN), *strings = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    evdb_cursor_options o = EVDB_CURSOR_OPTIONS;
    evdb_cursor *cursor;
    for (int i = 0; i < 10; i += 2) put(numbers, num(i)), put(strings, (evdb_id){ .text = "abcdefghij" + i, .length = 1 });
    o.has_after = 1;
    const struct { evdb_store *store; evdb_id after; int64_t number; const char *text; } cases[] = {
        { numbers, num(4), 6, NULL }, { numbers, num(5), 6, NULL }, { numbers, str("5"), 6, NULL },
        { numbers, num(INT64_MIN), 0, NULL }, { numbers, num(8), -1, NULL }, { strings, str("c"), 0, "e" },
        { strings, str("cc"), 0, "e" }, { strings, num(7), 0, "a" }, { strings, str("i"), -1, NULL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        o.after = cases[i].after;
        ok(evdb_cursor_open(cases[i].store, &o, &cursor, &why));
        const evdb_record *r = next(cursor);
        if (cases[i].text) assert_string_equal(r->id.text, cases[i].text);
        else if (cases[i].number < 0) assert_null(r);
        else assert_int_equal(r->id.number, cases[i].number);
        evdb_cursor_close(cursor);
    }
    o.after = str("five");
    refused(EVDB_INVALID, evdb_cursor_open(numbers, &o, &cursor, &why));
    o.after = str("");
    refused(EVDB_INVALID, evdb_cursor_open(strings, &o, &cursor, &why));
    evdb_store_close(numbers);
    evdb_store_close(strings);
}

static void a_cursor_is_no_transaction(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    put(store, num(1));
    evdb_cursor *cursor = open_cursor(store, 0);
    assert_non_null(next(cursor));
    put(store, num(2));
    ok(evdb_store_sync(store, &why)); /* a reader's transaction would keep the log from being emptied */
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}

/* Records that stay have even numbers; odd ones come and go between the steps. */
static void what_stays_is_returned_exactly_once_whatever_comes_and_goes(void **state)
{
    enum { STAY = 1500, ROWS = 500 };
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    static int64_t numbers[STAY];
    static float vectors[STAY][2];
    static unsigned char seen[2 * STAY];
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = STAY, .numbers = numbers, .vectors = vectors, .dim = 2 };
    int64_t last = -1;
    for (int i = 0; i < STAY; i++) numbers[i] = 2 * i, vectors[i][1] = 1;
    ok(evdb_batch_write(store, &b, NULL, &why));
    evdb_cursor *cursor = open_cursor(store, 0);
    for (const evdb_record *r; (r = next(cursor));) {
        assert_true(r->id.number > last);
        last = r->id.number;
        seen[last]++;
        if (last % 16) continue;
        int64_t odd = (int64_t)(2 * seed_below(&seed, STAY) + 1);
        put(store, num(odd)); /* anywhere, before and behind the cursor */
        if (seed_below(&seed, 2)) ok(evdb_record_delete(store, num(odd), 0, &why));
        put(store, num((int64_t)(2 * seed_below(&seed, STAY)))); /* written again is still the same record */
    }
    for (int i = 0; i < 2 * STAY; i++) assert_true(i % 2 ? seen[i] <= 1 : seen[i] == 1);
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}

static void large_records_come_whole(void **state)
{
    enum { DIM = 30000, RECORDS = 120 }; /* 14 MB: several blocks */
    static float v[DIM];
    scratch *t = *state;
    char metadata[3000];
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    memset(metadata, 'x', sizeof(metadata));
    memcpy(metadata, "{\"a\":\"", 6);
    memcpy(metadata + sizeof(metadata) - 3, "\"}", 3);
    for (int i = 0; i < RECORDS; i++) {
        v[0] = v[DIM - 1] = (float)i;
        ok(evdb_record_insert(store, num(i), v, DIM, metadata, NULL, &why));
    }
    evdb_cursor *cursor = open_cursor(store, 0);
    for (int i = 0; i < RECORDS; i++) {
        const evdb_record *r = next(cursor);
        assert_int_equal(r->id.number, i);
        assert_true(r->vector[0] == (float)i && r->vector[DIM - 1] == (float)i);
        assert_int_equal(r->metadata_length, sizeof(metadata) - 1);
        assert_string_equal(r->metadata, metadata);
    }
    assert_null(next(cursor));
    evdb_cursor_close(cursor);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_ends_at_once_and_stays_ended),
        TEST(integers_come_by_value),
        TEST(strings_come_by_bytes),
        TEST(a_cursor_begins_behind_an_id_that_need_not_exist),
        TEST(a_cursor_is_no_transaction),
        TEST(what_stays_is_returned_exactly_once_whatever_comes_and_goes),
        TEST(large_records_come_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
