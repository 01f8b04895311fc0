/* test_op_table.c - every entry of the operation table is complete, and its schemas and statuses follow from it. */
#include "op/op.h"
#include "op/op_route.h"
#include "op/op_status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void every_operation_says_what_it_is(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        assert_non_null((*o)->name);
        assert_non_null((*o)->doc);
        assert_non_null((*o)->run);
        assert_ptr_equal(op_find((*o)->name), *o); /* names are unique */
        assert_memory_equal((*o)->path, "/api/v1/", 8);
        for (const op *const *other = ops; *other != *o; other++)
            assert_false(strcmp((*other)->method, (*o)->method) == 0 && strcmp((*other)->path, (*o)->path) == 0);
        if ((*o)->effect == OP_WRITES) assert_true((*o)->scope >= OP_SCOPE_WRITE);
        if ((*o)->effect == OP_ADMINISTERS) assert_true((*o)->scope >= OP_SCOPE_WRITE);
        if ((*o)->effect == OP_READS || (*o)->creates) assert_false((*o)->destroys);
        else if (strcmp((*o)->method, "POST") != 0) assert_true((*o)->destroys); /* PUT, PATCH, DELETE */
        if ((*o)->secret) assert_true((*o)->no_tool);
    }
    assert_null(op_find("no_such_operation"));
}

static void historic_names_and_paths_are_kept(void **state)
{
    (void)state;
    static const char *const kept[][3] = {
        { "create_store", "POST", "/api/v1/stores" },
        { "list_stores", "GET", "/api/v1/stores" },
        { "drop_store", "DELETE", "/api/v1/stores/{name}" },
        { "insert_vector", "POST", "/api/v1/stores/{name}/vectors" },
        { "search_vectors", "POST", "/api/v1/stores/{name}/search" },
        { "store_stats", "GET", "/api/v1/stores/{name}/stats" },
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const op *o = op_find(kept[i][0]);
        assert_non_null(o);
        assert_string_equal(o->method, kept[i][1]);
        assert_string_equal(o->path, kept[i][2]);
    }
}

static void check_parts(const op *o, const char *path)
{
    for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{')) {
        char name[64] = "";
        assert_int_equal(sscanf(p, "{%63[a-z_]}", name), 1);
        const op_field *f = op_field_find(o, name);
        assert_non_null(f);
        assert_true(f->flags & OP_REQUIRED);
    }
}

static void every_part_of_a_path_is_an_argument(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        check_parts(*o, (*o)->path);
        if ((*o)->creates) check_parts(*o, (*o)->creates);
        if ((*o)->resource.uri) check_parts(*o, (*o)->resource.uri);
    }
}

static void what_is_created_can_be_fetched_where_it_is_said_to_be(void **state)
{
    (void)state;
    json_t *args = json_pack("{s:s, s:s}", "name", "docs", "id", "a b/\xc3\xa9");
    char path[64];
    const op *o = op_find("insert_vector");
    assert_false(op_route_path(o, o->creates, args, path, sizeof path)); /* a slash would not lead back */
    json_object_set_new(args, "id", json_string("a b\xc3\xa9%"));
    assert_true(op_route_path(o, o->creates, args, path, sizeof path));
    assert_string_equal(path, "/api/v1/stores/docs/vectors/a%20b%C3%A9%25");
    assert_false(op_route_path(o, o->creates, args, path, 40));
    json_object_set_new(args, "id", json_integer(-7));
    assert_true(op_route_path(o, o->creates, args, path, sizeof path));
    assert_string_equal(path, "/api/v1/stores/docs/vectors/-7");
    json_decref(args);
}

static void routes_tell_methods_that_a_path_has(void **state)
{
    static const struct { const char *method, *path, *op, *allow; } wanted[] = {
        { "GET", "/api/v1/stores", "list_stores", "" },
        { "HEAD", "/api/v1/stores/", "list_stores", "" },
        { "PUT", "/api/v1/stores", NULL, "POST, GET, HEAD, OPTIONS" },
        { "OPTIONS", "/api/v1/stores/docs/search", NULL, "POST, OPTIONS" },
        { "POST", "/api/v1/stores/docs/vectors/batch", "write_batch", NULL },
        { "GET", "/api/v1/stores/docs/vectors/batch", "get_record", NULL },
        { "POST", "/api/v1/stores/docs/vectors/", "insert_vector", NULL },
        { "GET", "/api/v1/stores//stats", NULL, "" },
        { "GET", "/api/v1/stores/docs/stats//", NULL, "" },
        { "GET", "/api/v1/storesx", NULL, "" },
        { "GET", "/api/v1", NULL, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        op_route route;
        json_t *args = json_object();
        assert_int_equal(op_route_find(wanted[i].method, wanted[i].path, args, &route, NULL), EVDB_OK);
        if (wanted[i].op) assert_string_equal(route.op->name, wanted[i].op);
        else assert_null(route.op);
        if (wanted[i].allow) assert_string_equal(route.allow, wanted[i].allow);
        json_decref(args);
    }
}

static void a_uri_leads_to_an_operation_and_back(void **state)
{
    static const struct { const char *uri, *op, *id; bool number; } wanted[] = {
        { "evdb://stores/docs", "describe_store", NULL, false },
        { "evdb://stores/docs/records/42", "get_record", "42", true },
        { "evdb://stores/docs/records/007", "get_record", "007", false },
        { "evdb://stores/docs/records/a%2Fb%20%C3%A9%25", "get_record", "a/b \xc3\xa9%", false },
        { "evdb://stores/docs/records/%2E%2E", "get_record", "..", false },
        { "evdb://stores/docs/records/-9223372036854775808", "get_record", "-9223372036854775808", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const op *o;
        char uri[OP_URI_BYTES_MAX];
        json_t *args = json_object();
        assert_int_equal(op_uri_find(wanted[i].uri, args, &o, NULL), EVDB_OK);
        assert_string_equal(o->name, wanted[i].op);
        assert_string_equal(json_string_value(json_object_get(args, "store")), "docs");
        const json_t *id = json_object_get(args, "id");
        assert_int_equal(json_is_integer(id), wanted[i].number);
        if (wanted[i].id && !wanted[i].number) assert_string_equal(json_string_value(id), wanted[i].id);
        assert_true(op_uri(o, args, uri, sizeof uri));
        assert_string_equal(uri, wanted[i].uri);
        assert_false(op_uri(o, args, uri, strlen(wanted[i].uri)));
        json_decref(args);
    }
}

static void a_uri_of_nothing_leads_nowhere(void **state)
{
    static const struct { const char *uri; evdb_status status; } wanted[] = {
        { "", EVDB_OK }, { "evdb://", EVDB_OK }, { "evdb://stores", EVDB_OK }, { "evdb://stores/", EVDB_OK }, { "evdb://stores//", EVDB_OK },
        { "evdb://stores/docs/", EVDB_OK }, { "evdb://stores/docs/records", EVDB_OK }, { "evdb://stores/docs/records/", EVDB_OK },
        { "evdb://stores/docs/records/1/", EVDB_OK }, { "evdb://stores//records/1", EVDB_OK }, { "evdb://stores/docs/records/1/2", EVDB_OK },
        { "file:///stores/docs", EVDB_OK }, { "EVDB://stores/docs", EVDB_OK }, { "/api/v1/stores/docs", EVDB_OK }, { " evdb://stores/docs", EVDB_OK },
        { "evdb://stores/..", EVDB_INVALID }, { "evdb://stores/docs/records/.", EVDB_INVALID }, { "evdb://stores/../records/1", EVDB_INVALID },
        { "evdb://stores/docs?x=1", EVDB_INVALID }, { "evdb://stores/docs#top", EVDB_INVALID }, { "evdb://stores/docs/records/a b", EVDB_INVALID },
        { "evdb://stores/docs/records/%", EVDB_INVALID }, { "evdb://stores/docs/records/%4", EVDB_INVALID }, { "evdb://stores/docs/records/%zz", EVDB_INVALID },
        { "evdb://stores/docs/records/%00", EVDB_INVALID }, { "evdb://stores/docs/records/%ff", EVDB_INVALID }, { "evdb://stores/docs/records/\xc3\xa9", EVDB_INVALID },
    };
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const op *o;
        json_t *args = json_object();
        assert_int_equal(op_uri_find(wanted[i].uri, args, &o, NULL), wanted[i].status);
        if (wanted[i].status == EVDB_OK) assert_null(o);
        json_decref(args);
    }
}

static void ids_of_a_uri_are_as_long_as_ids_may_be(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char uri[OP_URI_BYTES_MAX] = "evdb://stores/docs/records/", again[OP_URI_BYTES_MAX];
        const op *o;
        json_t *args = json_object();
        char *id = uri + strlen(uri);
        for (size_t i = 0; i < EVDB_ID_BYTES_MAX + more; i++) memcpy(id + 3 * i, "%2F", 4);
        assert_int_equal(op_uri_find(uri, args, &o, NULL), more ? EVDB_INVALID : EVDB_OK);
        if (!more) assert_true(op_uri(o, args, again, sizeof again));
        if (!more) assert_string_equal(again, uri);
        memset(id, '%', strlen(id));
        memset(id, 'a', 900); /* broken escapes behind it make it no shorter */
        assert_int_equal(op_uri_find(uri, args, &o, NULL), EVDB_INVALID);
        json_decref(args);
    }
}

static void every_field_is_complete(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        unsigned positions = 0;
        for (const op_field *f = (*o)->args; f->name; f++) {
            assert_ptr_equal(op_field_find(*o, f->name), f);
            assert_non_null(f->doc);
            assert_true(f->offset < (*o)->args_size);
            assert_int_equal(f->type == OP_CHOICE, f->choice != NULL);
            if (f->type == OP_INTEGER) assert_true(f->max > f->min && f->def >= f->min && f->def <= f->max);
            if (f->position) positions |= 1u << f->position;
        }
        assert_int_equal(positions & (positions + 2), 0); /* 1, 2, ... without gaps */
    }
}

static void check_result(const op_result *r)
{
    for (; r->name; r++) {
        assert_non_null(r->doc);
        assert_int_equal(r->type == OP_CHOICE, r->choice != NULL);
        assert_int_equal(r->type == OP_LIST || r->type == OP_LISTS, r->of != NULL);
        if (r->of) check_result(r->of);
    }
}

static void every_reply_field_is_complete(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        assert_non_null((*o)->reply->name);
        check_result((*o)->reply);
    }
}

static void schemas_list_every_argument_and_reply(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        json_t *in = op_input_schema(*o), *out = op_output_schema(*o);
        assert_non_null(in);
        assert_non_null(out);
        assert_string_equal(json_string_value(json_object_get(in, "type")), "object");
        assert_true(json_is_false(json_object_get(in, "additionalProperties")));
        size_t required = 0, fields = 0;
        for (const op_field *f = (*o)->args; f->name; f++, fields++) {
            json_t *s = json_object_get(json_object_get(in, "properties"), f->name);
            assert_string_equal(json_string_value(json_object_get(s, "description")), f->doc);
            required += (f->flags & OP_REQUIRED) != 0;
        }
        assert_int_equal(json_object_size(json_object_get(in, "properties")), fields);
        assert_int_equal(json_array_size(json_object_get(in, "required")), required);
        for (const op_result *r = (*o)->reply; r->name; r++)
            assert_non_null(json_object_get(json_object_get(out, "properties"), r->name));
        json_decref(in);
        json_decref(out);
    }
}

static void a_schema_states_ranges_defaults_and_choices(void **state)
{
    (void)state;
    json_t *s = op_input_schema(op_find("search_vectors")), *k = json_object_get(json_object_get(s, "properties"), "k");
    json_t *expected = json_pack("{s:s,s:s,s:i,s:i,s:i}", "type", "integer", "description", "How many neighbours, at most.",
                                 "minimum", 1, "maximum", 10000, "default", 10);
    assert_true(json_equal(k, expected));
    json_decref(expected);
    json_decref(s);
    s = op_input_schema(op_find("create_store"));
    json_t *metric = json_object_get(json_object_get(s, "properties"), "metric");
    assert_string_equal(json_string_value(json_object_get(metric, "default")), "cosine");
    assert_string_equal(json_string_value(json_array_get(json_object_get(metric, "enum"), 1)), "euclidean");
    json_decref(s);
}

static void every_status_maps_to_every_protocol(void **state)
{
    static const evdb_status statuses[] = {
#define EVDB_STATUS(name, value, text) EVDB_##name,
#include <evdb/status.def>
#undef EVDB_STATUS
    };
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        op_wire w = op_status(statuses[i]);
        bool ok = statuses[i] == EVDB_OK;
        assert_int_equal(ok, w.http == 200);
        assert_int_equal(ok, w.rpc == 0);
        assert_int_equal(ok, w.exit == OP_EXIT_OK);
        assert_true(w.exit != OP_EXIT_USAGE); /* the command line's own */
        if (w.rpc >= -32768 && w.rpc <= -32000) assert_true(w.rpc == -32602 || w.rpc == -32603);
    }
    assert_int_equal(op_status(EVDB_NOT_FOUND).http, 404);
    assert_int_equal(op_status((evdb_status)9999).http, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_says_what_it_is),
        cmocka_unit_test(historic_names_and_paths_are_kept),
        cmocka_unit_test(every_part_of_a_path_is_an_argument),
        cmocka_unit_test(what_is_created_can_be_fetched_where_it_is_said_to_be),
        cmocka_unit_test(routes_tell_methods_that_a_path_has),
        cmocka_unit_test(a_uri_leads_to_an_operation_and_back),
        cmocka_unit_test(a_uri_of_nothing_leads_nowhere),
        cmocka_unit_test(ids_of_a_uri_are_as_long_as_ids_may_be),
        cmocka_unit_test(every_field_is_complete),
        cmocka_unit_test(every_reply_field_is_complete),
        cmocka_unit_test(schemas_list_every_argument_and_reply),
        cmocka_unit_test(a_schema_states_ranges_defaults_and_choices),
        cmocka_unit_test(every_status_maps_to_every_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
