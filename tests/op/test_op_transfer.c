/* test_op_transfer.c - operations that move plain bytes. */
#include "call.h"
#include "memory_io.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Exports docs as text; free with memory_sink_free(). */
static memory_sink export_as(evdb *db, const char *format, op_file *file)
{
    memory_sink to = memory_to();
    evdb_sink sink = memory_writing(&to);
    op_call how = { .db = db, .to = &sink, .file = file };
    char text[80];
    json_t *reply = NULL;
    evdb_error err;
    snprintf(text, sizeof text, "{\"store\":\"docs\",\"format\":\"%s\"}", format);
    if (call_op(&how, "export_store", text, &reply, &err) != EVDB_OK) fail_msg("%s", err.message);
    assert_int_equal(json_integer_value(json_object_get(reply, "exported")), 2);
    json_decref(reply);
    return to;
}

static evdb_status import_text(evdb *db, const char *args, const char *bytes, json_t **reply, evdb_error *err)
{
    memory_source from = memory_from_text(bytes);
    evdb_source source = memory_reading(&from);
    op_call how = { .db = db, .from = &source };
    return call_op(&how, "import_store", args, reply, err);
}

static void what_was_exported_can_be_imported(void **state)
{
    evdb *db = *state;
    op_file file;
    json_t *reply = NULL;
    evdb_error err;
    call_expect(db, "write_batch", "{\"store\":\"docs\",\"records\":[{\"id\":\"b\",\"vector\":[0.1,2]},"
                                   "{\"id\":\"a\",\"vector\":[1,2],\"metadata\":{\"price\":0.10}}]}", NULL);
    memory_sink to = export_as(db, "jsonl", &file);
    assert_string_equal(file.type, "application/x-ndjson");
    assert_string_equal(file.name, "docs.jsonl");
    assert_string_equal(to.bytes, "{\"id\":\"a\",\"vector\":[1,2],\"metadata\":{\"price\":0.10}}\n"
                                  "{\"id\":\"b\",\"vector\":[0.1,2],\"metadata\":{}}\n");
    call_expect(db, "create_store", "{\"name\":\"copy\"}", NULL);
    assert_int_equal(import_text(db, "{\"store\":\"copy\",\"format\":\"jsonl\"}", to.bytes, &reply, &err), EVDB_OK);
    json_t *wanted = call_parse("{\"written\":2,\"skipped\":0,\"problems\":[]}");
    assert_true(json_equal(reply, wanted));
    json_decref(wanted);
    json_decref(reply);
    memory_sink_free(&to);
    call_expect(db, "count_records", "{\"store\":\"copy\"}", "{\"count\":2}");
    to = export_as(db, "fvecs", &file);
    assert_string_equal(file.type, "application/octet-stream");
    assert_string_equal(file.name, "docs.fvecs");
    assert_int_equal(to.size, 2 * 12);
    memory_sink_free(&to);
}

static void bad_lines_refuse_the_file_or_are_listed(void **state)
{
    static const char lines[] = "{\"id\":1,\"vector\":[1,2]}\n{\"id\":2,\"vector\":[1]}\nnonsense\n{\"id\":3,\"vector\":[3,4]}\n";
    evdb *db = *state;
    json_t *reply = NULL;
    evdb_error err;
    assert_int_equal(import_text(db, "{\"store\":\"docs\",\"format\":\"jsonl\"}", lines, &reply, &err), EVDB_INVALID);
    assert_int_equal(err.item, 2);
    assert_non_null(strstr(err.message, "line 2"));
    call_expect(db, "count_records", "{\"store\":\"docs\"}", "{\"count\":0}");
    assert_int_equal(import_text(db, "{\"store\":\"docs\",\"format\":\"jsonl\",\"keep_going\":true}", lines, &reply, &err), EVDB_OK);
    assert_int_equal(json_integer_value(json_object_get(reply, "written")), 2);
    assert_int_equal(json_integer_value(json_object_get(reply, "skipped")), 2);
    json_t *problems = json_object_get(reply, "problems");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(problems, 0), "line")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(problems, 1), "line")), 3);
    json_decref(reply);
    assert_int_equal(import_text(db, "{\"store\":\"none\",\"format\":\"jsonl\"}", lines, &reply, &err), EVDB_NOT_FOUND);
    assert_int_equal(import_text(db, "{\"store\":\"docs\"}", lines, &reply, &err), EVDB_INVALID);
    assert_string_equal(err.message, "'format' is required");
}

static void without_bytes_a_stream_is_refused(void **state)
{
    call_fails(*state, "export_store", "{\"store\":\"docs\"}", EVDB_UNSUPPORTED, "export_store");
    call_fails(*state, "import_store", "{\"store\":\"docs\",\"format\":\"json\"}", EVDB_UNSUPPORTED, "import_store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_exported_can_be_imported, call_open, call_close),
        cmocka_unit_test_setup_teardown(bad_lines_refuse_the_file_or_are_listed, call_open, call_close),
        cmocka_unit_test_setup_teardown(without_bytes_a_stream_is_refused, call_open, call_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
