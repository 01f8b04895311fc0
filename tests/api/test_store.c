/* test_store.c - evdb/store.h: creating, naming, describing and dropping stores. */
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const float pair[2] = { 1, 2 };

static void names_follow_their_pattern(void **state)
{
    static const char *const bad[] = { "", "-a", "_a", "A", "aB", "a b", "a.b", "a/b", "..", "\xc3\xa9", "a\n", "store!" };
    static const char *const good[] = { "a", "0", "9_-", "a-b_c", "0123456789" };
    scratch *t = *state;
    evdb_store *store = NULL;
    char name[EVDB_STORE_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        refused(EVDB_INVALID, evdb_store_create(t->db, bad[i], NULL, &store, &why));
        refused(EVDB_INVALID, evdb_store_open(t->db, bad[i], &store, &why));
        refused(EVDB_INVALID, evdb_store_drop(t->db, bad[i], &why));
    }
    refused(EVDB_INVALID, evdb_store_create(t->db, NULL, NULL, &store, &why));
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ok(evdb_store_create(t->db, good[i], NULL, NULL, &why));
        refused(EVDB_INVALID, evdb_store_rename(t->db, good[i], bad[i], &why));
    }
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = 0;
    refused(EVDB_INVALID, evdb_store_create(t->db, name, NULL, &store, &why));
    assert_null(store);
    name[EVDB_STORE_NAME_MAX] = 0;
    ok(evdb_store_create(t->db, name, NULL, &store, &why));
    evdb_store_close(store);
    evdb_store_close(NULL);
}

static void a_taken_name_is_refused(void **state)
{
    scratch *t = *state;
    evdb_store *store = NULL;
    ok(evdb_store_create(t->db, "s", NULL, NULL, &why));
    refused(EVDB_EXISTS, evdb_store_create(t->db, "s", NULL, &store, &why));
    expect_says("'s'");
    refused(EVDB_NOT_FOUND, evdb_store_open(t->db, "t", &store, &why));
    expect_says("'t'");
    assert_null(store);
}

static void describe_tells_what_was_asked_for(void **state)
{
    static const char *const fields[] = { "lang", "\xc3\xa9" };
    scratch *t = *state;
    evdb_store_options o = { .size = sizeof(o), .dim = 384, .metric = EVDB_IP, .dtype = EVDB_F32,
                             .id_type = EVDB_ID_STRING, .m = 2, .ef_construction = 4096, .index_threads = 3,
                             .field_count = 2, .fields = fields };
    evdb_store *store;
    evdb_store_info *info;
    ok(evdb_store_create(t->db, "s", &o, &store, &why));
    for (int again = 0; again < 2; again++) {
        ok(evdb_store_describe(store, &info, &why));
        evdb_store_close(store);
        assert_string_equal(info->name, "s");
        assert_int_equal(strlen(info->uuid), 36);
        assert_int_equal(info->dim, 384);
        assert_int_equal(info->metric, EVDB_IP);
        assert_int_equal(info->dtype, EVDB_F32);
        assert_int_equal(info->id_type, EVDB_ID_STRING);
        assert_int_equal(info->m, 2);
        assert_int_equal(info->ef_construction, 4096);
        assert_int_equal(info->index_threads, 3);
        assert_true(info->created_ms > 1500000000000);
        assert_int_equal(info->field_count, 2);
        assert_string_equal(info->fields[0], "lang");
        assert_string_equal(info->fields[1], fields[1]);
        evdb_store_info_free(info);
        scratch_reopen(t);
        ok(evdb_store_open(t->db, "s", &store, &why));
    }
    evdb_store_close(store);
    evdb_store_info_free(NULL);
}

static void defaults_are_filled_in_and_the_first_vector_decides_the_dimension(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    evdb_store_info *info;
    ok(evdb_store_create(t->db, "s", NULL, &store, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_int_equal(info->dim, 0);
    assert_int_equal(info->metric, EVDB_COSINE);
    assert_int_equal(info->dtype, EVDB_F32);
    assert_int_equal(info->id_type, EVDB_ID_UNDECIDED);
    assert_int_equal(info->m, 16);
    assert_int_equal(info->ef_construction, 200);
    assert_int_equal(info->field_count, 0);
    evdb_store_info_free(info);
    ok(evdb_record_insert(store, num(1), pair, 2, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert(store, num(2), pair, 1, NULL, NULL, &why));
    ok(evdb_record_delete(store, num(1), 0, &why)); /* decided for good */
    refused(EVDB_INVALID, evdb_record_insert(store, num(2), pair, 1, NULL, NULL, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_int_equal(info->dim, 2);
    evdb_store_info_free(info);
    evdb_store_close(store);
}

static void bad_options_are_refused(void **state)
{
    scratch *t = *state;
    char long_field[EVDB_FIELD_NAME_MAX + 2];
    const char *fields[EVDB_STORE_FIELDS_MAX + 1] = { "a", "a" };
    memset(long_field, 'x', sizeof(long_field));
    long_field[sizeof(long_field) - 1] = 0;
    const struct { evdb_store_options o; evdb_status status; } cases[] = {
        { { .dim = EVDB_DIM_MAX + 1 }, EVDB_LIMIT },
        { { .metric = (evdb_metric)9 }, EVDB_INVALID },
        { { .dtype = (evdb_dtype)9 }, EVDB_INVALID },
        { { .id_type = (evdb_id_type)3 }, EVDB_INVALID },
        { { .m = 1 }, EVDB_INVALID },
        { { .m = 129 }, EVDB_INVALID },
        { { .ef_construction = 7 }, EVDB_INVALID },
        { { .ef_construction = 4097 }, EVDB_INVALID },
        { { .field_count = EVDB_STORE_FIELDS_MAX + 1, .fields = fields }, EVDB_LIMIT },
        { { .field_count = 2, .fields = fields }, EVDB_INVALID },
        { { .field_count = 1 }, EVDB_INVALID },
        { { .field_count = 1, .fields = (const char *const[]){ "" } }, EVDB_INVALID },
        { { .field_count = 1, .fields = (const char *const[]){ "\xff" } }, EVDB_INVALID },
        { { .field_count = 1, .fields = (const char *const[]){ long_field } }, EVDB_INVALID },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_store_options o = cases[i].o;
        evdb_store *store = NULL;
        o.size = sizeof(o);
        refused(cases[i].status, evdb_store_create(t->db, "s", &o, &store, &why));
        assert_null(store);
    }
    long_field[EVDB_FIELD_NAME_MAX] = 0;
    evdb_store_options o = { .size = sizeof(o), .field_count = 1, .fields = (const char *const[]){ long_field } };
    ok(evdb_store_create(t->db, "s", &o, NULL, &why));
}

static void the_list_is_sorted_and_whole(void **state)
{
    static const char *const names[] = { "0", "a", "a-", "a0", "a_", "ab", "b" };
    enum { NAMES = sizeof(names) / sizeof(*names) };
    scratch *t = *state;
    evdb_store_info **list;
    size_t count = 99;
    ok(evdb_store_list(t->db, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_store_list_free(list, count);
    for (int i = NAMES - 1; i >= 0; i--) {
        evdb_store_options o = EVDB_STORE_OPTIONS;
        o.dim = (uint32_t)i + 1;
        ok(evdb_store_create(t->db, names[i], &o, NULL, &why));
    }
    ok(evdb_store_list(t->db, &list, &count, &why));
    assert_int_equal(count, NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        assert_string_equal(list[i]->name, names[i]);
        assert_int_equal(list[i]->dim, i + 1);
        for (uint32_t j = 0; j < i; j++) assert_string_not_equal(list[i]->uuid, list[j]->uuid);
    }
    evdb_store_list_free(list, count);
    evdb_store_list_free(NULL, 0);
}

static void a_rename_keeps_files_uuid_and_open_handles(void **state)
{
    scratch *t = *state;
    evdb_store_info *before, *after;
    evdb_store *store = scratch_store(t, "old", 2, EVDB_COSINE), *other;
    ok(evdb_store_create(t->db, "taken", NULL, NULL, &why));
    ok(evdb_store_describe(store, &before, &why));
    ok(evdb_record_insert(store, num(1), pair, 2, NULL, NULL, &why));
    refused(EVDB_EXISTS, evdb_store_rename(t->db, "old", "taken", &why));
    expect_says("taken");
    refused(EVDB_NOT_FOUND, evdb_store_rename(t->db, "missing", "new", &why));
    ok(evdb_store_rename(t->db, "old", "new", &why));
    ok(evdb_record_insert(store, num(2), pair, 2, NULL, NULL, &why));
    ok(evdb_store_describe(store, &after, &why));
    assert_string_equal(after->name, "new");
    assert_string_equal(after->uuid, before->uuid);
    refused(EVDB_NOT_FOUND, evdb_store_open(t->db, "old", &other, &why));
    ok(evdb_store_open(t->db, "new", &other, &why));
    assert_int_equal(scratch_count(other), 2);
    evdb_store_close(other);
    ok(evdb_store_create(t->db, "old", NULL, NULL, &why)); /* the name is free again */
    ok(evdb_store_rename(t->db, "new", "new", &why));
    evdb_store_info_free(before);
    evdb_store_info_free(after);
    evdb_store_close(store);
}

static void every_call_on_a_dropped_store_says_not_found(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE), *second, *other;
    evdb_store_info *info;
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_record *record;
    evdb_cursor *cursor, *begun;
    const evdb_record *next;
    evdb_changes *changes;
    evdb_result *found;
    uint64_t count;
    char folder[2 * SCRATCH_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", scratch_folder(store, t));
    assert_int_equal(access(folder, F_OK), 0);
    ok(evdb_store_open(t->db, "s", &second, &why));
    for (int i = 0; i < 3; i++) ok(evdb_record_insert(store, num(i), pair, 2, NULL, NULL, &why));
    ok(evdb_search(store, pair, 2, NULL, &found, &why));
    evdb_result_free(found);
    ok(evdb_cursor_open(store, NULL, &begun, &why));
    ok(evdb_cursor_next(begun, &next, &why));
    refused(EVDB_NOT_FOUND, evdb_store_drop(t->db, "missing", &why));
    ok(evdb_store_drop(t->db, "s", &why));
    assert_int_not_equal(access(folder, F_OK), 0);
    for (int i = 0; i < 2; i++) {
        evdb_store *s = i ? second : store;
        refused(EVDB_NOT_FOUND, evdb_record_insert(s, num(9), pair, 2, NULL, NULL, &why));
        refused(EVDB_NOT_FOUND, evdb_record_get(s, num(1), &record, &why));
        refused(EVDB_NOT_FOUND, evdb_record_delete(s, num(1), 0, &why));
        refused(EVDB_NOT_FOUND, evdb_search(s, pair, 2, NULL, &found, &why));
        refused(EVDB_NOT_FOUND, evdb_cursor_open(s, NULL, &cursor, &why));
        refused(EVDB_NOT_FOUND, evdb_changes_read(s, 0, 0, &changes, &why));
        refused(EVDB_NOT_FOUND, evdb_changes_trim(s, 1, &why));
        refused(EVDB_NOT_FOUND, evdb_store_describe(s, &info, &why));
        refused(EVDB_NOT_FOUND, evdb_store_get_stats(s, &stats, &why));
        refused(EVDB_NOT_FOUND, evdb_store_count(s, &count, &why));
        refused(EVDB_NOT_FOUND, evdb_store_sync(s, &why));
    }
    refused(EVDB_NOT_FOUND, evdb_cursor_next(begun, &next, &why));
    refused(EVDB_NOT_FOUND, evdb_store_open(t->db, "s", &other, &why));
    ok(evdb_store_create(t->db, "s", NULL, NULL, &why)); /* another store of that name is another store */
    refused(EVDB_NOT_FOUND, evdb_store_count(store, &count, &why));
    evdb_cursor_close(begun);
    evdb_store_close(second);
    evdb_store_close(store);
    assert_int_not_equal(access(folder, F_OK), 0);
}

static void stats_add_up(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    evdb_store_stats s = EVDB_STORE_STATS;
    evdb_result *found;
    ok(evdb_store_get_stats(store, &s, &why));
    assert_int_equal(s.records + s.sequence + s.changes_horizon + s.memory_bytes + s.loaded_sequence, 0);
    assert_true(s.disk_bytes > 0);
    for (int i = 0; i < 10; i++) ok(evdb_record_insert(store, num(i), pair, 2, NULL, NULL, &why));
    ok(evdb_record_delete(store, num(3), 0, &why));
    ok(evdb_changes_trim(store, 4, &why));
    ok(evdb_store_get_stats(store, &s, &why));
    assert_int_equal(s.records, 9);
    assert_int_equal(s.sequence, 11);
    assert_int_equal(s.changes_horizon, 4);
    assert_int_equal(s.loaded_sequence, 0);
    ok(evdb_search(store, pair, 2, NULL, &found, &why));
    evdb_result_free(found);
    ok(evdb_store_get_stats(store, &s, &why));
    assert_int_equal(s.loaded_sequence, 11);
    assert_true(s.memory_bytes >= 9 * sizeof(pair));
    evdb_store_close(store);
}

static void sync_empties_the_write_ahead_log(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    char log[2 * SCRATCH_PATH_MAX + 20];
    struct stat st;
    snprintf(log, sizeof(log), "%s/rows.db-wal", scratch_folder(store, t));
    ok(evdb_record_insert(store, num(1), pair, 2, NULL, NULL, &why));
    assert_int_equal(stat(log, &st), 0);
    assert_true(st.st_size > 0);
    ok(evdb_store_sync(store, &why));
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(scratch_count(store), 1);
    evdb_store_close(store);
}

static void more_stores_than_are_kept_open_can_be_used(void **state)
{
    enum { MANY = 70 };
    scratch *t = *state;
    evdb_store *store;
    char name[20];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof(name), "s%d", i);
            if (round) ok(evdb_store_open(t->db, name, &store, &why));
            else store = scratch_store(t, name, 2, EVDB_COSINE);
            ok(evdb_record_insert(store, num(round), pair, 2, NULL, NULL, &why));
            assert_int_equal(scratch_count(store), round + 1);
            evdb_store_close(store);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_follow_their_pattern),
        TEST(a_taken_name_is_refused),
        TEST(describe_tells_what_was_asked_for),
        TEST(defaults_are_filled_in_and_the_first_vector_decides_the_dimension),
        TEST(bad_options_are_refused),
        TEST(the_list_is_sorted_and_whole),
        TEST(a_rename_keeps_files_uuid_and_open_handles),
        TEST(every_call_on_a_dropped_store_says_not_found),
        TEST(stats_add_up),
        TEST(sync_empties_the_write_ahead_log),
        TEST(more_stores_than_are_kept_open_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
