/* test_format_json.c - JSON and JSONL files, good and bad. */
#include "base/buf.h"
#include "format_rows.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static rows_read *read_text(const reader_type *type, const char *text)
{
    return rows_from(type, text, strlen(text), 0);
}

/* Exactly one failure, on this line, with this in its message. */
static void check_refused(const reader_type *type, const char *text, uint64_t line, const char *why)
{
    rows_read *r = read_text(type, text);
    if (r->status == EVDB_OK) fail_msg("was accepted: %.200s", text);
    assert_int_equal(r->status, EVDB_INVALID);
    if (!strstr(r->error.message, why)) fail_msg("the message is: %s\nexpected in it: %s", r->error.message, why);
    if (r->error.item != line) fail_msg("line %llu: %s", (unsigned long long)r->error.item, r->error.message);
    rows_free(r);
}

static void lines_are_read_with_every_form_of_record(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":1,\"vector\":[1,-0.5,2e-3],\"metadata\":{\"a\":[1,{\"b\":null}],\"big\":1.000000000000000000001}}\n"
        "\n"
        " \t\r\n"
        "{ \"metadata\" : null , \"vector\" : [ 4 , 5 , 6 ] , \"id\" : \"d\\u00f6c \\ud83d\\ude00 \\\"x\\\"\" }\r\n"
        "{\"\\u0069d\":-9223372036854775808,\"vector\":[7]}";
    for (size_t most = 0; most < 4; most++) { /* also byte by byte */
        rows_read *r = rows_from(&reader_jsonl, text, sizeof(text) - 1, most);
        assert_int_equal(r->status, EVDB_OK);
        assert_int_equal(r->count, 3);
        assert_int_equal(r->row[0].line, 1);
        assert_true(r->row[0].id.number == 1 && !r->row[0].id.text);
        assert_int_equal(r->row[0].dim, 3);
        assert_true(r->row[0].vector[1] == -0.5f && r->row[0].vector[2] == 2e-3f);
        /* the digits of metadata are kept */
        assert_string_equal(r->row[0].metadata, "{\"a\":[1,{\"b\":null}],\"big\":1.000000000000000000001}");
        assert_int_equal(r->row[1].line, 4);
        assert_string_equal(r->row[1].id.text, "d\xc3\xb6"
                                               "c \xf0\x9f\x98\x80 \"x\"");
        assert_null(r->row[1].metadata);
        assert_int_equal(r->row[2].line, 5);
        assert_true(r->row[2].id.number == INT64_MIN);
        rows_free(r);
    }
}

static void bad_lines_are_refused_by_number_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } cases[] = {
        { "{\"id\":1,\"vector\":[1,2]", "expected ',' or '}'" },
        { "{\"id\":1,\"vector\":[1,2", "expected ',' or ']'" },
        { "{\"id\":1,\"vector\":[1,", "element 1" },
        { "{\"id\":1,\"vector\":[1,2,]}", "element 2" },
        { "{\"id\":1,\"vector\":[1 2]}", "expected ',' or ']'" },
        { "{\"id\":1,\"vector\":[]}", "is empty" },
        { "{\"id\":1,\"vector\":\"x\"}", "must be an array" },
        { "{\"id\":1,\"vector\":[1,\"2\"]}", "element 1" },
        { "{\"id\":1,\"vector\":[1,NaN]}", "element 1" },
        { "{\"id\":1,\"vector\":[Infinity]}", "element 0" },
        { "{\"id\":1,\"vector\":[01]}", "leading zeros" },
        { "{\"id\":1,\"vector\":[1.]}", "malformed number" },
        { "{\"id\":1,\"vector\":[+1]}", "expected a number" },
        { "{\"id\":1,\"vector\":[0x10]}", "expected ',' or ']'" },
        { "{\"id\":1,\"vector\":[1,4e38]}", "element 1 of \"vector\" is 4e38: too large" },
        { "{\"vector\":[1]}", "no \"id\"" },
        { "{\"id\":1}", "no \"vector\"" },
        { "{}", "no \"id\"" },
        { "{\"id\":1.5,\"vector\":[1]}", "id 1.5 is not a 64-bit integer" },
        { "{\"id\":9223372036854775808,\"vector\":[1]}", "not a 64-bit integer" },
        { "{\"id\":null,\"vector\":[1]}", "must be an integer or a string, not null" },
        { "{\"id\":[1],\"vector\":[1]}", "must be an integer or a string, not [1]" },
        { "{\"id\":\"\",\"vector\":[1]}", "empty" },
        { "{\"id\":\"a\\u0000b\",\"vector\":[1]}", "UTF-8" },
        { "{\"id\":\"\\ud800\",\"vector\":[1]}", "malformed escape" },
        { "{\"id\":\"\\udc00\",\"vector\":[1]}", "malformed escape" },
        { "{\"id\":\"\\x41\",\"vector\":[1]}", "malformed escape" },
        { "{\"id\":\"a\tb\",\"vector\":[1]}", "control character" },
        { "{\"id\":\"\xff\",\"vector\":[1]}", "UTF-8" },
        { "{\"id\":\"\xed\xa0\x80\",\"vector\":[1]}", "UTF-8" },
        { "{\"id\":1,\"id\":2,\"vector\":[1]}", "member \"id\" appears twice" },
        { "{\"id\":1,\"vectors\":[1]}", "unknown member \"vectors\"" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":[]}", "must be an object" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":{\"a\":1,\"a\":2}}", "duplicate" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":{\"a\":tru}}", "expected a value" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":{\"a\"}}", "expected ':'" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":{\"a\":[1}}}", "expected ',' or ']'" },
        { "{\"id\":1,\"vector\":[1],\"metadata\":{\"\xc3\x28\":1}}", "UTF-8" },
        { "{\"id\":1,\"vector\":[1]} x", "text behind the record" },
        { "{\"id\":1,\"vector\":[1]}{\"id\":2,\"vector\":[1]}", "text behind the record" },
        { "[1,2]", "must be a JSON object" },
        { "nonsense", "must be a JSON object" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), "{\"id\":7,\"vector\":[1]}\n\n%s\n{\"id\":8,\"vector\":[2]}\n", cases[i].line);
        check_refused(&reader_jsonl, text, 3, cases[i].why);
        rows_read *r = read_text(&reader_jsonl, text);
        assert_int_equal(r->count, 2); /* the lines around it are good */
        assert_int_equal(r->bad, 1);
        assert_false(r->broken);
        rows_free(r);
    }
}

static void metadata_is_refused_when_nested_too_deeply(void **state)
{
    (void)state;
    /* the metadata object and 62 arrays within it are 63 levels */
    for (int depth = 62; depth <= 63; depth++) {
        char text[512];
        int n = snprintf(text, sizeof(text), "{\"id\":1,\"vector\":[1],\"metadata\":{\"a\":");
        for (int i = 0; i < depth; i++) text[n++] = '[';
        for (int i = 0; i < depth; i++) text[n++] = ']';
        snprintf(text + n, sizeof(text) - (size_t)n, "}}");
        rows_read *r = read_text(&reader_jsonl, text);
        assert_int_equal(r->count, depth == 62);
        if (depth == 63) assert_non_null(strstr(r->error.message, "nested"));
        rows_free(r);
    }
}

static void a_line_above_the_limit_is_passed_over(void **state)
{
    (void)state;
    static const char before[] = "{\"id\":1,\"vector\":[1]}\n", after[] = "\n{\"id\":2,\"vector\":[1]}\n";
    buf text;
    buf_init(&text, rows_memory());
    assert_true(buf_add(&text, before, sizeof(before) - 1));
    for (size_t i = 0; i < EVDB_LINE_BYTES_MAX + 1u; i++) assert_true(buf_byte(&text, ' '));
    assert_true(buf_add(&text, after, sizeof(after) - 1));
    rows_read *r = rows_from(&reader_jsonl, text.at, text.size, 0);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->bad, 1);
    assert_int_equal(r->bad_line, 2);
    assert_int_equal(r->row[1].line, 3);
    rows_free(r);
    buf_free(&text);
}

static void a_record_of_a_document_above_the_limit_is_passed_over(void **state)
{
    (void)state;
    static const char before[] = "[{\"id\":1,\"vector\":[1]},\n{\"id\":", after[] = "3},\n{\"id\":2,\"vector\":[1]}]";
    buf text;
    buf_init(&text, rows_memory());
    assert_true(buf_add(&text, before, sizeof(before) - 1));
    for (size_t i = 0; i < EVDB_LINE_BYTES_MAX; i++) assert_true(buf_byte(&text, ' '));
    assert_true(buf_add(&text, after, sizeof(after) - 1));
    rows_read *r = rows_from(&reader_json, text.at, text.size, 0);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->bad, 1);
    assert_int_equal(r->bad_line, 2);
    assert_non_null(strstr(r->error.message, "longer than"));
    rows_free(r);
    buf_free(&text);
}

static void a_companion_has_ids_and_metadata_only(void **state)
{
    (void)state;
    rows_read *r = read_text(&reader_companion, "{\"id\":\"a\"}\n{\"id\":\"b\",\"metadata\":{\"k\":1}}\n");
    assert_int_equal(r->count, 2);
    assert_null(r->row[0].vector);
    assert_string_equal(r->row[1].metadata, "{\"k\":1}");
    rows_free(r);
    check_refused(&reader_companion, "{\"id\":1}\n{\"id\":2,\"vector\":[1]}\n", 2, "a companion holds no vectors");
    check_refused(&reader_companion, "{\"metadata\":{}}\n", 1, "companion line 1: the record has no \"id\"");
}

static void documents_are_an_object_or_a_bare_array(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[{\"id\":1,\"vector\":[1]},{\"id\":2,\"vector\":[2]}]",
        " {\"vectors\" : [{\"id\":1,\"vector\":[1]} ,\n {\"id\":2,\"vector\":[2]} ] } ",
        "{\"store\":{\"name\":\"a]}\\\"\",\"deep\":[[{}]]},\"vectors\":[\n{\"id\":1,\"vector\":[1]},{\"id\":2,"
        "\"vector\":[2]}]}\n",
        "{\"vectors\":[{\"id\":1,\"vector\":[1]},{\"id\":2,\"vector\":[2],\"metadata\":{\"t\":\"}]\\\\\"}}],\"store\":{"
        "}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        for (size_t most = 0; most < 4; most++) {
            rows_read *r = rows_from(&reader_json, texts[i], strlen(texts[i]), most);
            if (r->status != EVDB_OK) fail_msg("%s: %s", texts[i], r->error.message);
            assert_int_equal(r->count, 2);
            assert_true(r->row[1].id.number == 2 && r->row[1].vector[0] == 2);
            rows_free(r);
        }
    static const char *const empty[] = { "[]", " [ ] ", "{\"vectors\":[]}", "{\"store\":{},\"vectors\":[\n]}" };
    for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
        rows_read *r = read_text(&reader_json, empty[i]);
        assert_int_equal(r->status, EVDB_OK);
        assert_int_equal(r->count, 0);
        rows_free(r);
    }
}

static void broken_documents_are_refused_where_they_break(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t line;
        const char *why;
    } cases[] = {
        { "", 1, "not a JSON document" },
        { "\n 7", 2, "not a JSON document" },
        { "\xef\xbb\xbf[]", 1, "not a JSON document" },
        { "{}", 1, "no \"vectors\"" },
        { "{\"store\":{}}", 1, "no \"vectors\"" },
        { "{\"store\":[],\"vectors\":[]}", 1, "must be an object" },
        { "{\"store\":{\"a\":01},\"vectors\":[]}", 1, "\"store\" is malformed" },
        { "{\"vector\":[]}", 1, "\"vector\" is neither" },
        { "{\"vectors\":[],\n\"vectors\":[]}", 2, "\"vectors\" appears twice" },
        { "{\"vectors\":{}}", 1, "expected '['" },
        { "{\"vectors\" []}", 1, "expected ':'" },
        { "{\"vectors\":[]", 1, "ends early" },
        { "{\"vectors\":[]\n,}", 2, "expected the name" },
        { "{\"vectors\":[]}\n\nx", 3, "text behind the document" },
        { "[\n{\"id\":1,\"vector\":[1]}", 2, "ends early" },
        { "[\n{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[1]}]", 3, "expected ','" },
        { "[\n{\"id\":1,\"vector\":[1]},\n]", 3, "expected a record" },
        { "[\n{\"id\":1,\"vector\":[1]},\n{\"id\":\"2", 3, "ends within the value" },
        { "[,]", 1, "expected a record" },
        { "[}", 1, "expected a record" },
        { "[1", 1, "ends within the value" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        check_refused(&reader_json, cases[i].text, cases[i].line, cases[i].why);
        rows_read *r = read_text(&reader_json, cases[i].text);
        assert_true(r->broken);
        rows_free(r);
    }
}

static void a_bad_record_does_not_hide_the_next(void **state)
{
    (void)state;
    static const char text[] = "[7,null,\n\"x\\\"]\",[1,[2]],{\"id\":2,\"vector\":[1,{}]},{\"id\":3,\"vector\":[3]}]";
    for (size_t most = 0; most < 4; most++) {
        rows_read *r = rows_from(&reader_json, text, sizeof(text) - 1, most);
        assert_int_equal(r->count, 1);
        assert_int_equal(r->bad, 5);
        assert_int_equal(r->bad_line, 1);
        assert_true(r->row[0].id.number == 3 && r->row[0].line == 2);
        rows_free(r);
    }
}

/* It swallows what follows; the line reported is where it stands all the same. */
static void a_bracket_left_open_breaks_the_document(void **state)
{
    (void)state;
    static const char text[] = "[{\"id\":1,\"vector\":[1]},\n{\"id\":2,\"vector\":[1,{]},\n{\"id\":3,\"vector\":[3]}]";
    check_refused(&reader_json, text, 2, "element 1 of \"vector\"");
    rows_read *r = read_text(&reader_json, text);
    assert_int_equal(r->count, 1);
    assert_true(r->broken);
    rows_free(r);
}

/* Every cut of a document is noticed; lines behind a cut are never taken for whole. */
static void truncation_at_every_byte_is_survived(void **state)
{
    (void)state;
    static const char document[] =
        "{\"store\":{\"name\":\"x\"},\"vectors\":[\n{\"id\":1,\"vector\":[1.5,2],\"metadata\":{\"a\":\"\\u00e9\"}},\n"
        "{\"id\":\"b\",\"vector\":[3,4e-2],\"metadata\":{}}\n]}";
    static const char lines[] =
        "{\"id\":10,\"vector\":[1.5,2],\"metadata\":{\"a\":\"\\u00e9\"}}\n{\"id\":20,\"vector\":[3,4e-2]}\n";
    for (size_t cut = 0; cut < sizeof(document) - 1; cut++) {
        char *copy = malloc(cut + 1); /* of exactly that size, for the address sanitizer */
        assert_non_null(copy);
        memcpy(copy, document, cut);
        rows_read *r = rows_from(&reader_json, copy, cut, cut % 5);
        assert_int_equal(r->status, EVDB_INVALID);
        assert_true(r->broken);
        rows_free(r);
        free(copy);
    }
    size_t first = (size_t)(strchr(lines, '\n') - lines);
    for (size_t cut = 0; cut < sizeof(lines) - 1; cut++) {
        rows_read *r = rows_from(&reader_jsonl, lines, cut, cut % 5);
        assert_int_equal(r->count, (cut >= first) + (cut >= sizeof(lines) - 2));
        bool between = cut == 0 || cut == first || cut == first + 1 || cut == sizeof(lines) - 2;
        assert_int_equal(r->status, between ? EVDB_OK : EVDB_INVALID);
        rows_free(r);
    }
}

static void a_failing_source_breaks_the_reader(void **state)
{
    (void)state;
    memory_source memory = memory_from_text("{\"id\":1,\"vector\":[1]}\n{\"id\":2,\"vector\":[1]}\n");
    evdb_source source = memory_reading(&memory);
    const reader_row *row;
    evdb_error err;
    reader *r;
    memory.fail_at = 30;
    memory.most = 10;
    assert_int_equal(reader_open(&reader_jsonl, rows_memory(), &source, &r, &err), EVDB_OK);
    assert_int_equal(reader_next(r, &row, &err), EVDB_OK);
    assert_int_equal(reader_next(r, &row, &err), EVDB_IO);
    assert_string_equal(err.message, "the disk under the source broke");
    assert_true(r->broken);
    reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_with_every_form_of_record),
        cmocka_unit_test(bad_lines_are_refused_by_number_and_reason),
        cmocka_unit_test(metadata_is_refused_when_nested_too_deeply),
        cmocka_unit_test(a_line_above_the_limit_is_passed_over),
        cmocka_unit_test(a_record_of_a_document_above_the_limit_is_passed_over),
        cmocka_unit_test(a_companion_has_ids_and_metadata_only),
        cmocka_unit_test(documents_are_an_object_or_a_bare_array),
        cmocka_unit_test(broken_documents_are_refused_where_they_break),
        cmocka_unit_test(a_bad_record_does_not_hide_the_next),
        cmocka_unit_test(a_bracket_left_open_breaks_the_document),
        cmocka_unit_test(truncation_at_every_byte_is_survived),
        cmocka_unit_test(a_failing_source_breaks_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
