/* test_options.c - option structs of callers compiled against an older or a newer evdb. */
#include "expect.h"
#include "scratch.h"
#include <string.h>

typedef struct newer_search {
    evdb_search_options known;
    uint64_t unknown;
} newer_search;

static void an_older_caller_gets_the_defaults_of_what_it_does_not_know(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_result *found;
    float v[1] = { 1 };
    evdb_search_options o;
    for (int i = 0; i < 15; i++) ok(evdb_record_insert(store, num(i), v, 1, NULL, NULL, &why));
    memset(&o, 0xff, sizeof(o)); /* what lies behind its end must not be looked at */
    o.size = offsetof(evdb_search_options, ef);
    o.k = 3;
    ok(evdb_search(store, v, 1, &o, &found, &why));
    assert_int_equal(found->count, 3);
    assert_null(found->metadata);
    evdb_result_free(found);
    o.size = offsetof(evdb_search_options, k);
    ok(evdb_search(store, v, 1, &o, &found, &why));
    assert_int_equal(found->count, 10);
    evdb_result_free(found);
    evdb_store_close(store);
}

static void a_newer_caller_may_only_leave_new_fields_zero(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_result *found;
    float v[1] = { 1 };
    newer_search o = { .known = EVDB_SEARCH_OPTIONS };
    o.known.size = sizeof(o);
    ok(evdb_search(store, v, 1, &o.known, &found, &why));
    evdb_result_free(found);
    o.unknown = 1;
    refused(EVDB_UNSUPPORTED, evdb_search(store, v, 1, &o.known, &found, &why));
    expect_says("evdb_search_options");
    evdb_store_close(store);
}

static void a_struct_without_its_size_is_refused(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN), *other;
    evdb *db;
    evdb_result *found;
    evdb_cursor *cursor;
    evdb_ticket *ticket;
    evdb_options options = { 0 };
    evdb_store_options store_options = { 0 };
    evdb_search_options search = { 0 };
    evdb_cursor_options from = { 0 };
    evdb_batch batch = { 0 };
    evdb_store_stats stats = { 0 };
    evdb_token_options token_options = { 0 };
    evdb_token token;
    float v[1] = { 1 };
    refused(EVDB_INVALID, evdb_open(":memory:", &options, &db, &why));
    refused(EVDB_INVALID, evdb_store_create(t->db, "o", &store_options, &other, &why));
    refused(EVDB_INVALID, evdb_search(store, v, 1, &search, &found, &why));
    refused(EVDB_INVALID, evdb_search_range(store, v, 1, 1, &search, &found, &why));
    refused(EVDB_INVALID, evdb_search_batch(store, v, 1, 0, 1, &search, &found, &why));
    refused(EVDB_INVALID, evdb_cursor_open(store, &from, &cursor, &why));
    refused(EVDB_INVALID, evdb_batch_write(store, &batch, NULL, &why));
    refused(EVDB_INVALID, evdb_batch_submit(store, &batch, &ticket, &why));
    refused(EVDB_INVALID, evdb_store_get_stats(store, &stats, &why));
    refused(EVDB_INVALID, evdb_auth_token_issue(t->db, "a", "secret", &token_options, &token, &why));
    refused(EVDB_INVALID, evdb_auth_token_refresh(t->db, "a", "secret", "refresh", &token_options, &token, &why));
    search.size = 1u << 20;
    refused(EVDB_INVALID, evdb_search(store, v, 1, &search, &found, &why));
    evdb_store_close(store);
}

static void stats_fill_as_much_as_the_caller_knows(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    struct { evdb_store_stats known; uint64_t unknown; } newer;
    evdb_store_stats older;
    float v[1] = { 1 };
    ok(evdb_record_insert(store, num(1), v, 1, NULL, NULL, &why));
    memset(&older, 0xff, sizeof(older));
    older.size = offsetof(evdb_store_stats, sequence);
    ok(evdb_store_get_stats(store, &older, &why));
    assert_int_equal(older.size, offsetof(evdb_store_stats, sequence));
    assert_int_equal(older.records, 1);
    assert_true(older.sequence == UINT64_MAX && older.loaded_sequence == UINT64_MAX);
    memset(&newer, 0xff, sizeof(newer));
    newer.known.size = sizeof(newer);
    ok(evdb_store_get_stats(store, &newer.known, &why));
    assert_int_equal(newer.known.size, sizeof(newer));
    assert_int_equal(newer.known.sequence, 1);
    assert_int_equal(newer.unknown, 0);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_older_caller_gets_the_defaults_of_what_it_does_not_know),
        TEST(a_newer_caller_may_only_leave_new_fields_zero),
        TEST(a_struct_without_its_size_is_refused),
        TEST(stats_fill_as_much_as_the_caller_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
