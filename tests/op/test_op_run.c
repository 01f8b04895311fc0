/* test_op_run.c - operations on a database in memory: each reply is what the table promises. */
#include "op/op.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool has_type(op_type type, const json_t *v)
{
    switch (type) {
    case OP_STRING:
    case OP_CHOICE: return json_is_string(v);
    case OP_INTEGER:
    case OP_TIME: return json_is_integer(v);
    case OP_NUMBER: return json_is_number(v);
    case OP_BOOL: return json_is_boolean(v);
    case OP_ID: return json_is_integer(v) || json_is_string(v);
    case OP_OBJECT: return json_is_object(v);
    case OP_VECTOR:
    case OP_STRINGS:
    case OP_IDS:
    case OP_LIST: return json_is_array(v);
    }
    return false;
}

/* Every field promised is there, of its type; nothing else is. */
static void check_shape(const op_result *fields, const json_t *reply)
{
    size_t seen = 0, i;
    json_t *item;
    for (const op_result *r = fields; r->name; r++) {
        const json_t *v = json_object_get(reply, r->name);
        if (!v && !(r->flags & OP_OPTIONAL)) fail_msg("'%s' is missing", r->name);
        if (v && !has_type(r->type, v)) fail_msg("'%s' has another type than declared", r->name);
        if (v && r->of) json_array_foreach(v, i, item) check_shape(r->of, item);
        seen += v != NULL;
    }
    assert_int_equal(seen, json_object_size(reply));
}

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    evdb_error err;
    if (op_parse(text, strlen(text), &json, &err) != EVDB_OK) fail_msg("%s: %s", text, err.message);
    return json;
}

static evdb_status call_text(evdb *db, const char *name, const char *text, json_t **reply, evdb_error *err)
{
    op_call call = { .db = db, .subject = "test" };
    json_t *in = parse(text);
    op_out out = OP_OUT;
    evdb_status rc = op_run(op_find(name), &call, in, NULL, &out, err);
    if (rc == EVDB_OK) *reply = parse(out.text);
    else assert_null(out.text);
    op_out_free(&out);
    json_decref(in);
    return rc;
}

/* Runs it and compares the reply with expected, where given. */
static void expect(evdb *db, const char *name, const char *text, const char *expected)
{
    json_t *reply = NULL, *wanted = expected ? parse(expected) : NULL;
    evdb_error err;
    if (call_text(db, name, text, &reply, &err) != EVDB_OK) fail_msg("%s %s: %s", name, text, err.message);
    check_shape(op_find(name)->reply, reply);
    if (wanted && !json_equal(reply, wanted)) fail_msg("%s %s: %s", name, text, json_dumps(reply, 0));
    json_decref(reply);
    json_decref(wanted);
}

static void expect_failure(evdb *db, const char *name, const char *text, evdb_status status, const char *names)
{
    json_t *reply = NULL;
    evdb_error err;
    assert_int_equal(call_text(db, name, text, &reply, &err), status);
    assert_null(reply);
    if (!strstr(err.message, names)) fail_msg("\"%s\" does not name %s", err.message, names);
}

static int open_database(void **state)
{
    evdb *db = NULL;
    if (evdb_open(":memory:", NULL, &db, NULL) != EVDB_OK) return -1;
    expect(db, "create_store", "{\"name\":\"docs\",\"dim\":2,\"metric\":\"l2\",\"fields\":[\"lang\"]}", NULL);
    *state = db;
    return 0;
}

static int close_database(void **state)
{
    evdb_close(*state);
    return 0;
}

static void stores_are_described_renamed_and_dropped(void **state)
{
    evdb *db = *state;
    json_t *reply = NULL;
    assert_int_equal(call_text(db, "describe_store", "{\"store\":\"docs\"}", &reply, NULL), EVDB_OK);
    assert_string_equal(json_string_value(json_object_get(reply, "metric")), "euclidean");
    assert_int_equal(json_integer_value(json_object_get(reply, "m")), 16);
    assert_null(json_object_get(reply, "id_type")); /* no record yet */
    json_decref(reply);
    expect(db, "rename_store", "{\"name\":\"docs\",\"new_name\":\"articles\"}", "{\"name\":\"articles\"}");
    expect(db, "list_stores", "{}", NULL);
    expect_failure(db, "describe_store", "{\"store\":\"docs\"}", EVDB_NOT_FOUND, "'docs'");
    expect(db, "drop_store", "{\"store\":\"articles\"}", "{\"dropped\":\"articles\"}");
    expect(db, "list_stores", "{}", "{\"stores\":[]}");
}

static void records_are_written_read_and_deleted(void **state)
{
    evdb *db = *state;
    expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}",
           "{\"id\":1,\"version\":1}");
    expect_failure(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_EXISTS, "1");
    expect(db, "upsert_vector", "{\"store\":\"docs\",\"id\":2,\"vector\":[3,4]}", "{\"id\":2,\"version\":2}");
    expect(db, "update_vector", "{\"store\":\"docs\",\"id\":2,\"metadata\":{\"x\":1.5},\"if_version\":2}",
           "{\"id\":2,\"version\":3}");
    expect_failure(db, "update_vector", "{\"store\":\"docs\",\"id\":2,\"metadata\":{},\"if_version\":2}", EVDB_CONFLICT, "2");
    expect_failure(db, "update_vector", "{\"store\":\"docs\",\"id\":2}", EVDB_INVALID, "nothing to update");
    expect(db, "get_records", "{\"store\":\"docs\",\"ids\":[2,9,1]}",
           "{\"records\":[{\"id\":2,\"version\":3,\"vector\":[3,4],\"metadata\":{\"x\":1.5}},"
           "{\"id\":1,\"version\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}],\"missing\":[9]}");
    expect(db, "get_records", "{\"store\":\"docs\",\"ids\":[1],\"vectors\":false}",
           "{\"records\":[{\"id\":1,\"version\":1,\"metadata\":{\"lang\":\"en\"}}],\"missing\":[]}");
    expect(db, "get_record", "{\"store\":\"docs\",\"id\":1}",
           "{\"id\":1,\"version\":1,\"vector\":[1,0.1],\"metadata\":{\"lang\":\"en\"}}");
    expect_failure(db, "get_record", "{\"store\":\"docs\",\"id\":9}", EVDB_NOT_FOUND, "9");
    expect_failure(db, "delete_record", "{\"store\":\"docs\",\"id\":1,\"if_version\":7}", EVDB_CONFLICT, "7");
    expect(db, "delete_records", "{\"store\":\"docs\",\"ids\":[9,1]}", "{\"deleted\":1,\"missing\":[9]}");
    expect(db, "count_records", "{\"store\":\"docs\"}", "{\"count\":1}");
    expect(db, "list_changes", "{\"store\":\"docs\",\"after\":2}",
           "{\"changes\":[{\"sequence\":3,\"kind\":\"update\",\"id\":2},{\"sequence\":4,\"kind\":\"delete\",\"id\":1}],"
           "\"last\":4,\"horizon\":0}");
}

static void a_search_returns_the_nearest_first(void **state)
{
    evdb *db = *state;
    expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[0,3]}", NULL);
    expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":\"b\",\"vector\":[0,1],\"metadata\":{\"n\":1}}", NULL);
    expect(db, "search_vectors", "{\"name\":\"docs\",\"vector\":[0,0],\"k\":5}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5,\"metadata\":{\"n\":1}},"
           "{\"id\":\"a\",\"distance\":3,\"score\":0.25,\"metadata\":{}}],\"complete\":true}");
    expect(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"radius\":2,\"metadata\":false}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5}],\"complete\":true}");
    expect(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"radius\":9,\"k\":1,\"metadata\":false}",
           "{\"results\":[{\"id\":\"b\",\"distance\":1,\"score\":0.5}],\"complete\":false,\"stop\":\"limit\"}");
    expect_failure(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0],\"filter\":{\"n\":1}}", EVDB_UNSUPPORTED, "filter");
    expect_failure(db, "search_vectors", "{\"store\":\"docs\",\"vector\":[0,0,0]}", EVDB_INVALID, "3");
    expect_failure(db, "search_vectors", "{\"store\":\"none\",\"vector\":[0,0]}", EVDB_NOT_FOUND, "'none'");
}

static void a_store_is_synced_measured_and_verified(void **state)
{
    evdb *db = *state;
    expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[0,3]}", NULL);
    expect(db, "sync_store", "{\"store\":\"docs\"}", "{\"synced\":\"docs\"}");
    expect(db, "store_stats", "{\"store\":\"docs\"}", NULL);
    expect(db, "verify", "{}", "{\"stores\":1,\"records\":1,\"problems\":0,\"found\":[]}");
    expect(db, "verify", "{\"name\":\"docs\"}", "{\"stores\":1,\"records\":1,\"problems\":0,\"found\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stores_are_described_renamed_and_dropped, open_database, close_database),
        cmocka_unit_test_setup_teardown(records_are_written_read_and_deleted, open_database, close_database),
        cmocka_unit_test_setup_teardown(a_search_returns_the_nearest_first, open_database, close_database),
        cmocka_unit_test_setup_teardown(a_store_is_synced_measured_and_verified, open_database, close_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
