/* test_op_run.c - operations on a database in memory: each reply is what the table promises. */
#include "call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void stores_are_described_renamed_and_dropped(void **state)
{
    evdb *db = *state;
    json_t *reply = NULL;
    assert_int_equal(call_op(&(op_call){ .db = db }, "describe_store", "{\"store\":\"docs\"}", &reply, NULL), EVDB_OK);
    assert_string_equal(json_string_value(json_object_get(reply, "metric")), "euclidean");
    assert_int_equal(json_integer_value(json_object_get(reply, "m")), 16);
    assert_null(json_object_get(reply, "id_type")); /* no record yet */
    json_decref(reply);
    call_expect(db, "rename_store", "{\"name\":\"docs\",\"new_name\":\"articles\"}", "{\"name\":\"articles\"}");
    call_expect(db, "list_stores", "{}", NULL);
    call_fails(db, "describe_store", "{\"store\":\"docs\"}", EVDB_NOT_FOUND, "'docs'");
    call_expect(db, "drop_store", "{\"store\":\"articles\"}", "{\"dropped\":\"articles\"}");
    call_expect(db, "list_stores", "{}", "{\"stores\":[]}");
}

static void records_are_written_read_and_deleted(void **state)
{
    evdb *db = *state;
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}",
           "{\"id\":1,\"version\":1}");
    call_fails(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_EXISTS, "1");
    call_expect(db, "upsert_vector", "{\"store\":\"docs\",\"id\":2,\"vector\":[3,4]}", "{\"id\":2,\"version\":2}");
    call_expect(db, "update_vector", "{\"store\":\"docs\",\"id\":2,\"metadata\":{\"x\":1.5},\"if_version\":2}",
           "{\"id\":2,\"version\":3}");
    call_fails(db, "update_vector", "{\"store\":\"docs\",\"id\":2,\"metadata\":{},\"if_version\":2}", EVDB_CONFLICT, "2");
    call_fails(db, "update_vector", "{\"store\":\"docs\",\"id\":2}", EVDB_INVALID, "nothing to update");
    call_expect(db, "get_records", "{\"store\":\"docs\",\"ids\":[2,9,1]}",
           "{\"records\":[{\"id\":2,\"version\":3,\"vector\":[3,4],\"metadata\":{\"x\":1.5}},"
           "{\"id\":1,\"version\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}],\"missing\":[9]}");
    call_expect(db, "get_records", "{\"store\":\"docs\",\"ids\":[1],\"vectors\":false}",
           "{\"records\":[{\"id\":1,\"version\":1,\"metadata\":{\"lang\":\"en\"}}],\"missing\":[]}");
    call_expect(db, "get_record", "{\"store\":\"docs\",\"id\":1}",
           "{\"id\":1,\"version\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}");
    call_fails(db, "get_record", "{\"store\":\"docs\",\"id\":9}", EVDB_NOT_FOUND, "9");
    call_fails(db, "delete_record", "{\"store\":\"docs\",\"id\":1,\"if_version\":7}", EVDB_CONFLICT, "7");
    call_expect(db, "delete_records", "{\"store\":\"docs\",\"ids\":[9,1]}", "{\"deleted\":1,\"missing\":[9]}");
    call_expect(db, "count_records", "{\"store\":\"docs\"}", "{\"count\":1}");
    call_expect(db, "list_changes", "{\"store\":\"docs\",\"after\":2}",
           "{\"changes\":[{\"sequence\":3,\"kind\":\"update\",\"id\":2},{\"sequence\":4,\"kind\":\"delete\",\"id\":1}],"
           "\"last\":4,\"horizon\":0}");
}

static void a_search_returns_the_nearest_first(void **state)
{
    evdb *db = *state;
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[0,3]}", NULL);
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":\"b\",\"vector\":[0,1],\"metadata\":{\"n\":1}}", NULL);
    call_expect(db, "search_vectors", "{\"name\":\"docs\",\"vector\":[0,0],\"k\":5}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5,\"metadata\":{\"n\":1}},"
           "{\"id\":\"a\",\"distance\":3,\"score\":0.25,\"metadata\":{}}],\"complete\":true}");
    call_expect(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"radius\":2,\"metadata\":false}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5}],\"complete\":true}");
    call_expect(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"radius\":9,\"k\":1,\"metadata\":false}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5}],\"complete\":false,\"stop\":\"limit\"}");
    call_expect(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"metadata\":false,\"filter\":{\"n\":{\"$exists\":false}}}",
           "{\"results\":[{\"id\":\"a\",\"distance\":3,\"score\":0.25}],\"complete\":true}");
    call_expect(db, "count_records", "{\"store\":\"docs\",\"filter\":{\"n\":1}}", "{\"count\":1}");
    call_fails(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"filter\":{\"n\":{\"$is\":1}}}", EVDB_INVALID, "'$is' of 'n'");
    call_fails(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0,0]}", EVDB_INVALID, "3");
    call_fails(db, "search_vectors", "{\"store\":\"none\",\"vector\":[0,0]}", EVDB_NOT_FOUND, "'none'");
}

static void a_store_is_synced_measured_and_verified(void **state)
{
    evdb *db = *state;
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[0,3]}", NULL);
    call_expect(db, "sync_store", "{\"store\":\"docs\"}", "{\"synced\":\"docs\"}");
    call_expect(db, "store_stats", "{\"store\":\"docs\"}", NULL);
    call_expect(db, "verify", "{}", "{\"stores\":1,\"records\":1,\"problems\":0,\"found\":[]}");
    call_expect(db, "verify", "{\"name\":\"docs\"}", "{\"stores\":1,\"records\":1,\"problems\":0,\"found\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stores_are_described_renamed_and_dropped, call_open, call_close),
        cmocka_unit_test_setup_teardown(records_are_written_read_and_deleted, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_search_returns_the_nearest_first, call_open, call_close),
        cmocka_unit_test_setup_teardown(a_store_is_synced_measured_and_verified, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
