/* test_ids.c - what names a record: the two types of ids of evdb/store.h, and the limits of evdb/record.h. */
#include "expect.h"
#include "scratch.h"
#include <string.h>

static const float one[1] = { 1 };

static evdb_store *typed(scratch *t, const char *name, evdb_id_type type)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.id_type = type;
    o.metric = EVDB_EUCLIDEAN;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

static evdb_status insert(evdb_store *store, evdb_id id)
{
    return evdb_record_insert(store, id, one, 1, NULL, NULL, &why);
}

static evdb_id_type type_of(evdb_store *store)
{
    evdb_store_info *info;
    ok(evdb_store_describe(store, &info, &why));
    evdb_id_type type = info->id_type;
    evdb_store_info_free(info);
    return type;
}

static void the_first_record_decides_the_type(void **state)
{
    scratch *t = *state;
    evdb_store *integers = typed(t, "i", EVDB_ID_UNDECIDED), *strings = typed(t, "s", EVDB_ID_UNDECIDED);
    assert_int_equal(type_of(integers), EVDB_ID_UNDECIDED);
    refused(EVDB_NOT_FOUND, evdb_record_delete(integers, str("x"), 0, &why)); /* no record, decides nothing */
    refused(EVDB_NOT_FOUND, evdb_record_update(integers, str("x"), one, 1, NULL, 0, NULL, &why));
    assert_int_equal(type_of(integers), EVDB_ID_UNDECIDED);
    ok(insert(integers, num(7)));
    ok(insert(strings, str("7")));
    assert_int_equal(type_of(integers), EVDB_ID_INTEGER);
    assert_int_equal(type_of(strings), EVDB_ID_STRING);
    ok(evdb_record_delete(strings, str("7"), 0, &why)); /* and it stays decided */
    assert_int_equal(type_of(strings), EVDB_ID_STRING);
    evdb_store_close(integers);
    evdb_store_close(strings);
}

static void a_string_store_takes_an_integer_as_its_decimal(void **state)
{
    scratch *t = *state;
    evdb_record *r;
    evdb_store *store = typed(t, "s", EVDB_ID_STRING);
    ok(insert(store, num(7)));
    refused(EVDB_EXISTS, insert(store, str("7")));
    ok(insert(store, str("07")));
    ok(insert(store, num(INT64_MIN)));
    refused(EVDB_EXISTS, insert(store, str("-9223372036854775808")));
    ok(insert(store, num(INT64_MAX)));
    ok(evdb_record_get(store, num(7), &r, &why));
    assert_string_equal(r->id.text, "7");
    assert_int_equal(r->id.length, 1);
    evdb_record_free(r);
    ok(evdb_record_delete(store, num(7), 0, &why));
    refused(EVDB_NOT_FOUND, evdb_record_get(store, str("7"), &r, &why));
    assert_int_equal(scratch_count(store), 3);
    evdb_store_close(store);
}

static void an_integer_store_takes_canonical_decimals_only(void **state)
{
    static const char *const others[] = { "07", "+7", "-0", " 7", "7 ", "7.0", "7e0", "0x7", "", "-", "seven", "1_000",
                                          "9223372036854775808", "-9223372036854775809", "00",
                                          "99999999999999999999999999" };
    scratch *t = *state;
    evdb_record *r;
    evdb_store *store = typed(t, "i", EVDB_ID_INTEGER);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        refused(EVDB_INVALID, insert(store, str(others[i])));
        refused(EVDB_INVALID, evdb_record_get(store, str(others[i]), &r, &why));
    }
    ok(insert(store, str("7")));
    refused(EVDB_EXISTS, insert(store, num(7)));
    ok(insert(store, str("0")));
    ok(insert(store, str("-9223372036854775808")));
    ok(insert(store, str("9223372036854775807")));
    ok(evdb_record_get(store, num(INT64_MIN), &r, &why));
    assert_null(r->id.text);
    assert_true(r->id.number == INT64_MIN);
    evdb_record_free(r);
    ok(evdb_record_get(store, str("-9223372036854775808"), &r, &why));
    evdb_record_free(r);
    refused(EVDB_EXISTS, insert(store, num(INT64_MAX)));
    assert_int_equal(scratch_count(store), 4);
    evdb_store_close(store);
}

static void a_refused_first_record_decides_nothing(void **state)
{
    scratch *t = *state;
    evdb_store *store = typed(t, "s", EVDB_ID_UNDECIDED);
    evdb_batch b = EVDB_BATCH;
    evdb_status statuses[1];
    const uint64_t version = 9;
    const float three[3] = { 1, 2, 3 };
    const evdb_id id = str("text");
    b.kind = EVDB_UPSERT;
    b.flags = EVDB_BATCH_PARTIAL;
    b.count = 1;
    b.ids = &id;
    b.vectors = three;
    b.dim = 3;
    b.if_versions = &version;
    b.statuses = statuses;
    ok(evdb_batch_write(store, &b, NULL, &why));
    assert_int_equal(statuses[0], EVDB_CONFLICT);
    assert_int_equal(type_of(store), EVDB_ID_UNDECIDED);
    ok(insert(store, num(1)));
    evdb_store_close(store);
}

static void string_ids_are_bounded_utf8(void **state)
{
    static const char *const bad[] = { "", "\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82" };
    scratch *t = *state;
    char longest[EVDB_ID_BYTES_MAX + 2];
    evdb_record *r;
    evdb_store *store = typed(t, "s", EVDB_ID_STRING);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        refused(EVDB_INVALID, insert(store, str(bad[i])));
        refused(EVDB_INVALID, evdb_record_get(store, str(bad[i]), &r, &why));
        refused(EVDB_INVALID, evdb_record_delete(store, str(bad[i]), 0, &why));
    }
    memset(longest, 'x', sizeof(longest));
    longest[EVDB_ID_BYTES_MAX + 1] = 0;
    refused(EVDB_INVALID, insert(store, str(longest)));
    longest[EVDB_ID_BYTES_MAX] = 0;
    ok(insert(store, str(longest)));
    ok(evdb_record_get(store, str(longest), &r, &why));
    assert_string_equal(r->id.text, longest);
    assert_int_equal(r->id.length, EVDB_ID_BYTES_MAX);
    evdb_record_free(r);
    ok(insert(store, str("\xf0\x9f\x98\x80 \xd0\xb4\n\t'\"")));
    evdb_store_close(store);
}

static void a_length_bounds_the_text(void **state)
{
    scratch *t = *state;
    evdb_record *r;
    evdb_store *store = typed(t, "s", EVDB_ID_STRING);
    ok(insert(store, (evdb_id){ .text = "abcdef", .length = 3 }));
    ok(evdb_record_get(store, str("abc"), &r, &why));
    assert_string_equal(r->id.text, "abc");
    evdb_record_free(r);
    refused(EVDB_INVALID, insert(store, (evdb_id){ .text = "a\0b", .length = 3 }));
    ok(insert(store, (evdb_id){ .text = "a\0b", .length = 1 }));
    assert_int_equal(scratch_count(store), 2);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_record_decides_the_type),
        TEST(a_string_store_takes_an_integer_as_its_decimal),
        TEST(an_integer_store_takes_canonical_decimals_only),
        TEST(a_refused_first_record_decides_nothing),
        TEST(string_ids_are_bounded_utf8),
        TEST(a_length_bounds_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
