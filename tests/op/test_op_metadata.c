/* test_op_metadata.c - update_metadata: members are merged or all is replaced, and the reply is what is stored then. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define AT "{\"store\":\"docs\",\"id\":\"a\","

static void insert(evdb *db)
{
    call_expect(db, "insert_vector", AT "\"vector\":[1,2],\"metadata\":{\"n\":1.50,\"lang\":\"en\",\"o\":{\"x\":1,\"y\":2}}}", NULL);
}

static void members_are_merged_and_the_vector_stays(void **state)
{
    insert(*state);
    call_expect(*state, "update_metadata", AT "\"metadata\":{\"lang\":null,\"o\":{\"y\":3},\"k\":[null]}}",
                "{\"id\":\"a\",\"version\":2,\"metadata\":{\"n\":1.5,\"o\":{\"x\":1,\"y\":3},\"k\":[null]}}");
    call_expect(*state, "get_record", "{\"store\":\"docs\",\"id\":\"a\"}",
                "{\"id\":\"a\",\"version\":2,\"vector\":[1,2],\"metadata\":{\"n\":1.5,\"o\":{\"x\":1,\"y\":3},\"k\":[null]}}");
}

static void all_of_it_is_replaced_on_demand(void **state)
{
    insert(*state);
    call_expect(*state, "update_metadata", AT "\"replace\":true,\"metadata\":{\"lang\":null}}", "{\"id\":\"a\",\"version\":2,\"metadata\":{\"lang\":null}}");
    call_expect(*state, "get_record", "{\"store\":\"docs\",\"id\":\"a\",\"vectors\":false}", "{\"id\":\"a\",\"version\":2,\"metadata\":{\"lang\":null}}");
}

static void what_is_wrong_is_named_and_changes_nothing(void **state)
{
    insert(*state);
    call_fails(*state, "update_metadata", AT "\"metadata\":{},\"if_version\":9}", EVDB_CONFLICT, "version");
    call_fails(*state, "update_metadata", AT "\"metadata\":{},\"if_version\":9,\"replace\":true}", EVDB_CONFLICT, "version");
    call_fails(*state, "update_metadata", "{\"store\":\"docs\",\"id\":\"b\",\"metadata\":{}}", EVDB_NOT_FOUND, "b");
    call_fails(*state, "update_metadata", "{\"store\":\"docs\",\"id\":\"b\",\"metadata\":{},\"replace\":true}", EVDB_NOT_FOUND, "b");
    call_fails(*state, "update_metadata", "{\"store\":\"docs\",\"id\":\"a\"}", EVDB_INVALID, "'metadata'");
    call_fails(*state, "update_metadata", AT "\"metadata\":[1]}", EVDB_INVALID, "'metadata'");
    call_expect(*state, "update_metadata", AT "\"metadata\":{},\"if_version\":1}", NULL);
}

/* Of a number that nobody names, each digit stays: the reply is text of the very bytes that are stored. */
static void numbers_that_are_not_named_keep_their_digits(void **state)
{
    json_t *reply = NULL;
    evdb_error err;
    evdb_store *store = NULL;
    evdb_record *record = NULL;
    op_call how = { .db = *state };
    insert(*state);
    assert_int_equal(call_op(&how, "update_metadata", AT "\"metadata\":{\"big\":0.1000000000000000055511151231257827,\"e\":1E5}}", &reply, &err), EVDB_OK);
    json_decref(reply);
    call_expect(*state, "update_metadata", AT "\"metadata\":{\"lang\":\"de\"}}", NULL);
    assert_int_equal(evdb_store_open(*state, "docs", &store, NULL), EVDB_OK);
    assert_int_equal(evdb_record_get(store, (evdb_id){ .text = "a" }, &record, NULL), EVDB_OK);
    assert_string_equal(record->metadata, "{\"n\":1.50,\"lang\":\"de\",\"o\":{\"x\":1,\"y\":2},\"big\":0.1000000000000000055511151231257827,\"e\":1E5}");
    evdb_record_free(record);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_open, call_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_are_merged_and_the_vector_stays),
        TEST(all_of_it_is_replaced_on_demand),
        TEST(what_is_wrong_is_named_and_changes_nothing),
        TEST(numbers_that_are_not_named_keep_their_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
