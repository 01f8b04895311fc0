/* test_error.c - evdb/error.h: statuses, and what every call does with its last parameter. */
#include "expect.h"
#include "scratch.h"
#include <ctype.h>
#include <string.h>

static const evdb_status statuses[] = {
#define EVDB_STATUS(name, value, text) EVDB_##name,
#include <evdb/status.def>
#undef EVDB_STATUS
};
enum { STATUSES = sizeof(statuses) / sizeof(*statuses) };

/* Well-formed UTF-8, by the table of RFC 3629. */
static bool is_utf8(const char *message)
{
    const unsigned char *p = (const unsigned char *)message;
    while (*p) {
        unsigned more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : 9;
        if (more == 9) return false;
        if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
            (*p == 0xf4 && p[1] > 0x8f)) return false;
        for (p++; more; more--, p++)
            if ((*p & 0xc0) != 0x80) return false;
    }
    return true;
}

static void every_status_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < STATUSES; i++) {
        const char *name = evdb_status_name(statuses[i]);
        assert_int_equal(statuses[i], i); /* values are ABI: no gaps, none reused */
        assert_true(strlen(evdb_status_text(statuses[i])) > 0);
        for (const char *c = name; *c; c++) assert_true(isupper((unsigned char)*c) || *c == '_');
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, evdb_status_name(statuses[j]));
            assert_string_not_equal(evdb_status_text(statuses[i]), evdb_status_text(statuses[j]));
        }
    }
    assert_string_equal(evdb_status_name(EVDB_INVALID), "INVALID");
    assert_string_equal(evdb_status_text(EVDB_INVALID), "invalid argument");
}

static void a_status_nobody_knows_still_has_a_text(void **state)
{
    (void)state;
    assert_true(strlen(evdb_status_text((evdb_status)STATUSES)) > 0);
    assert_true(strlen(evdb_status_name((evdb_status)STATUSES)) > 0);
}

static void an_error_may_be_null_everywhere(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    evdb_record *record;
    evdb_cursor *cursor;
    evdb_result *result;
    evdb_changes *changes;
    evdb_verify_report report;
    evdb_batch batch = EVDB_BATCH;
    evdb_cursor_options from = EVDB_CURSOR_OPTIONS;
    float v[2] = { 1, 2 };
    from.has_after = 1;
    from.after = str("");
    assert_int_equal(evdb_open("", NULL, &t->db, NULL), EVDB_INVALID);
    assert_int_equal(evdb_store_open(t->db, "missing", &store, NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_store_create(t->db, "BAD", NULL, &store, NULL), EVDB_INVALID);
    assert_int_equal(evdb_store_rename(t->db, "missing", "b", NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_store_drop(t->db, "missing", NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_verify(t->db, "missing", NULL, NULL, &report, NULL), EVDB_NOT_FOUND);
    store = scratch_store(t, "s", 2, EVDB_COSINE);
    assert_int_equal(evdb_record_get(store, num(1), &record, NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_record_insert(store, num(1), v, 3, NULL, NULL, NULL), EVDB_INVALID);
    assert_int_equal(evdb_record_update(store, num(1), v, 2, NULL, 0, NULL, NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_record_delete(store, num(1), 0, NULL), EVDB_NOT_FOUND);
    assert_int_equal(evdb_batch_write(store, &batch, NULL, NULL), EVDB_INVALID);
    assert_int_equal(evdb_cursor_open(store, &from, &cursor, NULL), EVDB_INVALID);
    assert_int_equal(evdb_search(store, v, 3, NULL, &result, NULL), EVDB_INVALID);
    assert_int_equal(evdb_changes_read(store, 0, EVDB_CHANGES_MAX + 1, &changes, NULL), EVDB_LIMIT);
    evdb_store_close(store);
}

static void a_message_is_utf8_whatever_it_quotes(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    char name[2000];
    refused(EVDB_INVALID, evdb_store_open(t->db, "\xff\xfe", &store, &why));
    assert_true(is_utf8(why.message));
    for (size_t lead = 0; lead < 4; lead++) { /* characters of three bytes, cut at every place */
        memset(name, 'x', sizeof(name));
        for (size_t i = lead; i + 3 < sizeof(name); i += 3) memcpy(name + i, "\xe2\x82\xac", 3);
        name[sizeof(name) - 1] = 0;
        refused(EVDB_INVALID, evdb_store_open(t->db, name, &store, &why));
        assert_true(is_utf8(why.message));
        evdb *db;
        assert_int_not_equal(evdb_open(name, NULL, &db, &why), EVDB_OK);
        assert_non_null(memchr(why.message, 0, sizeof(why.message)));
        assert_true(is_utf8(why.message));
    }
}

static void a_long_id_is_cut_between_characters(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_record *record;
    char id[EVDB_ID_BYTES_MAX + 1] = { 0 };
    float v = 1;
    for (size_t lead = 0; lead < 3; lead++) {
        memset(id, 0, sizeof(id));
        memset(id, 'x', lead);
        for (size_t i = lead; i + 3 < sizeof(id); i += 3) memcpy(id + i, "\xe2\x82\xac", 3);
        refused(EVDB_NOT_FOUND, evdb_record_get(store, str(id), &record, &why));
        assert_true(is_utf8(why.message));
    }
    ok(evdb_record_insert(store, str(id), &v, 1, NULL, NULL, &why));
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(a_status_nobody_knows_still_has_a_text),
        cmocka_unit_test_setup_teardown(an_error_may_be_null_everywhere, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_message_is_utf8_whatever_it_quotes, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_long_id_is_cut_between_characters, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
