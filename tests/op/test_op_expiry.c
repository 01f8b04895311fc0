/* test_op_expiry.c - records that expire, by the operations: ttl, ttl_ms, expires_ms, and what a store has. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#define FAR "4102444800000" /* the year 2100 */

static int64_t expiry_of(evdb *db, const char *id)
{
    char text[96];
    json_t *reply = NULL;
    evdb_error err;
    op_call how = { .db = db };
    snprintf(text, sizeof text, "{\"store\":\"docs\",\"id\":\"%s\"}", id);
    assert_int_equal(call_op(&how, "get_record", text, &reply, &err), EVDB_OK);
    int64_t expires = json_integer_value(json_object_get(reply, "expires_ms"));
    json_decref(reply);
    return expires;
}

/* So many seconds from now, give or take what the call took. */
static void expires_in(evdb *db, const char *id, int64_t seconds)
{
    int64_t left = expiry_of(db, id) - (int64_t)time(NULL) * 1000;
    assert_in_range(left, seconds * 1000 - 60000, seconds * 1000 + 60000);
}

static void an_expiry_is_given_in_seconds_in_milliseconds_or_as_a_time(void **state)
{
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2],\"ttl\":3600}", "{\"id\":\"a\",\"version\":1}");
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"b\",\"vector\":[1,2],\"ttl_ms\":7200000}", NULL);
    call_expect(*state, "upsert_vector", "{\"store\":\"docs\",\"id\":\"c\",\"vector\":[1,2],\"expires_ms\":" FAR "}", NULL);
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"d\",\"vector\":[1,2],\"expires_ms\":1}", NULL);
    expires_in(*state, "a", 3600);
    expires_in(*state, "b", 7200);
    call_expect(*state, "get_records", "{\"store\":\"docs\",\"ids\":[\"c\",\"d\"]}",
                "{\"records\":[{\"id\":\"c\",\"version\":3,\"vector\":[1,2],\"metadata\":{},\"expires_ms\":" FAR "}],\"missing\":[\"d\"]}");
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":3}");
    call_expect(*state, "count_records", "{\"store\":\"docs\",\"filter\":{}}", "{\"count\":3}");
}

static void an_update_keeps_or_replaces_it(void **state)
{
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2],\"expires_ms\":" FAR "}", NULL);
    call_expect(*state, "update_vector", "{\"store\":\"docs\",\"id\":\"a\",\"metadata\":{\"n\":1}}", NULL);
    assert_int_equal(expiry_of(*state, "a"), 4102444800000);
    call_expect(*state, "update_vector", "{\"store\":\"docs\",\"id\":\"a\",\"ttl\":600}", NULL);
    expires_in(*state, "a", 600);
    call_expect(*state, "write_batch", "{\"store\":\"docs\",\"mode\":\"update\",\"records\":[{\"id\":\"a\",\"ttl\":-1}]}", NULL);
    assert_int_equal(expiry_of(*state, "a"), 0);
    call_fails(*state, "update_vector", "{\"store\":\"docs\",\"id\":\"a\"}", EVDB_INVALID, "'ttl'");
    call_fails(*state, "update_vector", "{\"store\":\"docs\",\"id\":\"a\",\"ttl\":1,\"ttl_ms\":5}", EVDB_INVALID, "exclude each other");
    call_fails(*state, "write_batch", "{\"store\":\"docs\",\"mode\":\"delete\",\"records\":[{\"id\":\"a\",\"ttl\":1}]}", EVDB_INVALID, "a delete");
}

static void forgetting_tells_how_many_were_there(void **state)
{
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}", NULL);
    call_expect(*state, "forget_records", "{\"store\":\"docs\",\"ids\":[\"a\",\"b\"]}", "{\"forgotten\":1,\"missing\":1,\"backups\":[]}");
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":0}");
    call_fails(*state, "forget_records", "{\"store\":\"docs\",\"ids\":[]}", EVDB_INVALID, "'ids'");
}

static void a_store_has_a_default_that_can_be_changed(void **state)
{
    call_expect(*state, "set_ttl", "{\"store\":\"docs\",\"ttl\":3600}", NULL);
    call_expect(*state, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}", NULL);
    call_expect(*state, "load_vectors", "{\"store\":\"docs\",\"ids\":[\"b\",\"c\"],\"vectors\":[[1,2],[1,2]],\"ttl\":60}", NULL);
    call_expect(*state, "insert_compressed", "{\"store\":\"docs\",\"id\":\"d\",\"vector\":[1,2],\"codec\":\"f16\",\"ttl\":-1}", NULL);
    expires_in(*state, "a", 3600);
    expires_in(*state, "b", 60);
    expires_in(*state, "c", 60);
    assert_int_equal(expiry_of(*state, "d"), 0);
    call_expect(*state, "set_ttl", "{\"store\":\"docs\"}", NULL);
    call_expect(*state, "upsert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}", NULL);
    assert_int_equal(expiry_of(*state, "a"), 0);
    call_expect(*state, "create_store", "{\"name\":\"notes\",\"ttl_ms\":1500}", NULL);
    json_t *reply = NULL;
    evdb_error err;
    op_call how = { .db = *state };
    assert_int_equal(call_op(&how, "describe_store", "{\"store\":\"notes\"}", &reply, &err), EVDB_OK);
    assert_int_equal(json_integer_value(json_object_get(reply, "ttl_ms")), 1500);
    json_decref(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_expiry_is_given_in_seconds_in_milliseconds_or_as_a_time, call_open, call_close),
        cmocka_unit_test_setup_teardown(an_update_keeps_or_replaces_it, call_open, call_close),
        cmocka_unit_test_setup_teardown(forgetting_tells_how_many_were_there, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_store_has_a_default_that_can_be_changed, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
