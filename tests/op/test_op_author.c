/* test_op_author.c - who wrote a record, by the operations: whoever is authenticated, and nobody can say otherwise. */
#include "call.h"
#include "memory_io.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static json_t *call_as(evdb *db, const char *client, uint32_t scopes, const char *bytes, const char *name, const char *text)
{
    evdb_principal who = { .scopes = scopes };
    memory_source from = memory_from_text(bytes ? bytes : "");
    evdb_source source = memory_reading(&from);
    op_call how = { .db = db, .who = &who, .from = &source };
    json_t *reply = NULL;
    evdb_error err;
    snprintf(who.client, sizeof who.client, "%s", client);
    if (call_op(&how, name, text, &reply, &err) != EVDB_OK) fail_msg("%s: %s", name, err.message);
    return reply;
}

static void write_as(evdb *db, const char *client, const char *name, const char *text)
{
    json_decref(call_as(db, client, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE, NULL, name, text));
}

static void import_as(evdb *db, const char *client, uint32_t scopes, const char *bytes)
{
    json_decref(call_as(db, client, EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | scopes, bytes, "import_store",
                        "{\"store\":\"docs\",\"format\":\"jsonl\",\"upsert\":true}"));
}

/* NULL: it says nothing of an author. */
static void assert_author(evdb *db, const char *id, const char *author)
{
    char text[96];
    op_call how = { .db = db };
    json_t *reply = NULL;
    evdb_error err;
    snprintf(text, sizeof text, "{\"store\":\"docs\",\"id\":\"%s\"}", id);
    assert_int_equal(call_op(&how, "get_record", text, &reply, &err), EVDB_OK);
    const char *got = json_string_value(json_object_get(reply, "author"));
    assert_true((got != NULL) == (author != NULL));
    if (author) assert_string_equal(got, author);
    assert_true((json_integer_value(json_object_get(reply, "written_ms")) > 0) == (author != NULL));
    json_decref(reply);
}

static void turn_on(evdb *db) { call_expect(db, "set_authors", "{\"store\":\"docs\",\"authors\":true}", NULL); }

static void every_way_to_write_leaves_the_caller(void **state)
{
    evdb *db = *state;
    turn_on(db);
    write_as(db, "ann", "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}");
    assert_author(db, "a", "ann");
    write_as(db, "bob", "upsert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}");
    assert_author(db, "a", "bob");
    write_as(db, "cid", "update_vector", "{\"store\":\"docs\",\"id\":\"a\",\"metadata\":{}}");
    assert_author(db, "a", "cid");
    write_as(db, "dan", "update_metadata", "{\"store\":\"docs\",\"id\":\"a\",\"metadata\":{\"x\":1}}");
    assert_author(db, "a", "dan");
    write_as(db, "eve", "update_metadata", "{\"store\":\"docs\",\"id\":\"a\",\"metadata\":{\"x\":1},\"replace\":true}");
    assert_author(db, "a", "eve");
    write_as(db, "fay", "write_batch", "{\"store\":\"docs\",\"records\":[{\"id\":\"b\",\"vector\":[1,2]}]}");
    assert_author(db, "b", "fay");
    write_as(db, "gus", "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2]],\"ids\":[\"c\"]}");
    assert_author(db, "c", "gus");
    write_as(db, "hal", "insert_compressed", "{\"store\":\"docs\",\"id\":\"d\",\"vector\":[1,2],\"codec\":\"f16\"}");
    assert_author(db, "d", "hal");
}

static void who_sits_at_the_machine_is_a_user_and_a_program_is_nobody(void **state)
{
    op_call local = { .db = *state, .user = "local:7", .local = true };
    json_t *reply = NULL;
    evdb_error err;
    turn_on(*state);
    assert_int_equal(call_op(&local, "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}", &reply, &err), EVDB_OK);
    json_decref(reply);
    assert_author(*state, "a", "local:7");
}

static void an_author_in_a_file_is_believed_of_admins_only(void **state)
{
    static const char file[] = "{\"id\":\"a\",\"vector\":[1,2],\"author\":\"boss\",\"written_ms\":1000}\n";
    evdb *db = *state;
    turn_on(db);
    import_as(db, "eve", 0, file);
    assert_author(db, "a", "eve");
    import_as(db, "root", EVDB_SCOPE_ADMIN, file);
    assert_author(db, "a", "boss");
}

static void searches_and_lists_tell_it_and_other_stores_do_not(void **state)
{
    evdb *db = *state;
    write_as(db, "ann", "insert_vector", "{\"store\":\"docs\",\"id\":\"a\",\"vector\":[1,2]}");
    assert_author(db, "a", NULL);
    turn_on(db);
    write_as(db, "bob", "insert_vector", "{\"store\":\"docs\",\"id\":\"b\",\"vector\":[2,1]}");
    json_t *reply = call_as(db, "ann", EVDB_SCOPE_READ, NULL, "search_vectors", "{\"store\":\"docs\",\"vector\":[1,2]}");
    json_t *hits = json_object_get(reply, "results");
    assert_null(json_object_get(json_array_get(hits, 0), "author"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(hits, 1), "author")), "bob");
    assert_true(json_integer_value(json_object_get(json_array_get(hits, 1), "written_ms")) > 0);
    json_decref(reply);
    reply = call_as(db, "ann", EVDB_SCOPE_READ, NULL, "scroll_records", "{\"store\":\"docs\",\"after\":\"a\"}");
    json_t *record = json_array_get(json_object_get(reply, "records"), 0);
    assert_string_equal(json_string_value(json_object_get(record, "author")), "bob");
    json_decref(reply);
    reply = call_as(db, "ann", EVDB_SCOPE_READ, NULL, "describe_store", "{\"store\":\"docs\"}");
    assert_true(json_is_true(json_object_get(reply, "authors")));
    json_decref(reply);
    call_expect(db, "set_authors", "{\"store\":\"docs\",\"authors\":false}", NULL);
    write_as(db, "cid", "upsert_vector", "{\"store\":\"docs\",\"id\":\"b\",\"vector\":[2,1]}");
    assert_author(db, "b", NULL);
    reply = call_as(db, "ann", EVDB_SCOPE_WRITE, NULL, "create_store", "{\"name\":\"notes\",\"authors\":true}");
    assert_true(json_is_true(json_object_get(reply, "authors")));
    json_decref(reply);
}

/* Not in one of the table's arguments: it would be forged. */
static void no_argument_names_an_author(void **state)
{
    (void)state;
    for (const op *const *o = ops; *o; o++)
        for (const op_field *f = (*o)->args; f->name; f++)
            if (strcmp(f->name, "author") == 0 || strcmp(f->name, "written_ms") == 0) fail_msg("%s takes '%s'", (*o)->name, f->name);
    for (const op_field *f = op_record_fields; f->name; f++) assert_string_not_equal(f->name, "author");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_open, call_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_way_to_write_leaves_the_caller),
        TEST(who_sits_at_the_machine_is_a_user_and_a_program_is_nobody),
        TEST(an_author_in_a_file_is_believed_of_admins_only),
        TEST(searches_and_lists_tell_it_and_other_stores_do_not),
        TEST(no_argument_names_an_author),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
