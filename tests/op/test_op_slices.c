/* test_op_slices.c - a request read with slices means what it means without. */
#include "memory_io.h"
#include "op/op_slices.h"
#include "op/op.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct some_args {
    const char *store;
    op_vector vector;
    op_ids ids;
    char *metadata;
} some_args;

static const op_field some_fields[] = {
    OP_STORE(some_args),
    OP_FIELD(some_args, vector, OP_VECTOR, OP_BODY, .min = 1, .max = 100, .doc = "vector"),
    OP_FIELD(some_args, ids, OP_IDS, 0, .max = 100, .doc = "ids"),
    OP_FIELD(some_args, metadata, OP_OBJECT, 0, .doc = "metadata"),
    OP_END
};
static const op some = { .name = "some", .args = some_fields, .args_size = sizeof(some_args) };

typedef struct bound {
    some_args args;
    op_slices slices;
    json_t *in;
} bound;

static evdb_status bind_text(const char *text, bound *b, evdb_error *err)
{
    *b = (bound){ 0 };
    evdb_status rc = op_slices_parse(text, strlen(text), &b->slices, &b->in, err);
    return rc == EVDB_OK ? op_bind(&some, b->in, &b->slices, &b->args, err) : rc;
}

static void unbind(bound *b)
{
    op_unbind(&some, &b->args);
    op_slices_free(&b->slices);
    json_decref(b->in);
}

/* "[0.5,1.5,...]" with count numbers, the last of which is `last`. */
static const char *numbers(size_t count, const char *last)
{
    static char text[4096];
    char *p = text;
    *p++ = '[';
    for (size_t i = 0; i + 1 < count; i++) p += snprintf(p, 16, "%zu.5, ", i);
    snprintf(p, 64, "%s]", last);
    return text;
}

static void long_arrays_of_numbers_become_floats(void **state)
{
    char text[8192];
    bound b;
    evdb_error err;
    (void)state;
    snprintf(text, sizeof text, "{\"store\":\"a\",\"vector\":%s}", numbers(50, "-1.25e-3"));
    assert_int_equal(bind_text(text, &b, &err), EVDB_OK);
    assert_int_equal(b.slices.count, 1);
    assert_int_equal(b.args.vector.count, 50);
    for (size_t i = 0; i < 49; i++) assert_true(b.args.vector.at[i] == (float)i + 0.5f);
    assert_true(b.args.vector.at[49] == -1.25e-3f);
    unbind(&b);
}

static void expect_message(const char *text, evdb_status status, const char *message)
{
    bound b;
    evdb_error err;
    evdb_status rc = bind_text(text, &b, &err);
    if (rc != status || strcmp(err.message, message) != 0)
        fail_msg("%.80s: status %d, message \"%s\"; expected %d, \"%s\"", text, rc, rc ? err.message : "", status, message);
    unbind(&b);
}

static void a_bad_number_in_a_long_array_is_named(void **state)
{
    static const char *const bad[] = { "1..5", "01", "+1", "1e", "-", "1.", "1 2" };
    char text[8192];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"store\":\"a\",\"vector\":%s}", numbers(50, bad[i]));
        expect_message(text, EVDB_INVALID, "'vector[49]' must be a number");
    }
    snprintf(text, sizeof text, "{\"store\":\"a\",\"vector\":%s}", numbers(50, "1e39"));
    expect_message(text, EVDB_INVALID, "'vector[49]' is beyond the range of float");
    snprintf(text, sizeof text, "{\"store\":\"a\",\"vector\":%s}", numbers(101, "1"));
    expect_message(text, EVDB_LIMIT, "'vector' has 101 items; at most 100 are allowed");
}

/* A number is the same float alone or among many, up to where doubles round to infinity. */
static void the_largest_float_is_taken_in_short_and_long_arrays(void **state)
{
    static const struct { const char *number; bool taken; } edge[] = {
        { "3.4028235e38", true }, { "-3.4028235e38", true }, { "3.402823566e38", true }, { "3.40282356779733642e38", true },
        { "3.40282356779733661637539395e38", false }, { "3.4028235677973367e38", false }, { "-3.4028235677973368e38", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
        for (size_t count = 1; count <= 50; count += 49) {
            char text[8192];
            bound b;
            evdb_error err;
            snprintf(text, sizeof text, "{\"store\":\"a\",\"vector\":%s}", numbers(count, edge[i].number));
            evdb_status rc = bind_text(text, &b, &err);
            if (rc != (edge[i].taken ? EVDB_OK : EVDB_INVALID)) fail_msg("%s among %zu: status %d", edge[i].number, count, rc);
            if (rc == EVDB_OK) assert_true(fabsf(b.args.vector.at[count - 1]) == FLT_MAX);
            unbind(&b);
        }
}

static void the_place_of_a_fault_is_that_in_the_text_that_came(void **state)
{
    char text[8192];
    (void)state;
    snprintf(text, sizeof text, "{\"vector\":%s,\n\"store\":}", numbers(50, "1"));
    expect_message(text, EVDB_INVALID, "malformed JSON at line 2, column 9: unexpected token near '}'");
}

static void ids_may_be_a_long_array_of_numbers(void **state)
{
    char text[8192] = "{\"store\":\"a\",\"ids\":[";
    bound b;
    evdb_error err;
    (void)state;
    for (int i = 0; i < 60; i++) snprintf(text + strlen(text), 16, "%s%d", i ? "," : "", i * 1000);
    strncat(text, "]}", 3);
    assert_int_equal(bind_text(text, &b, &err), EVDB_OK);
    assert_int_equal(b.slices.count, 1);
    assert_int_equal(b.args.ids.count, 60);
    assert_int_equal(b.args.ids.at[59].number, 59000);
    unbind(&b);
}

static void objects_keep_their_spelling(void **state)
{
    bound b;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"metadata\": {\"price\":0.10, \"n\":1e2,\"s\":\"}\\\"{\", \"metadata\":{}} ,\"store\":\"a\"}", &b, &err),
                     EVDB_OK);
    assert_string_equal(b.args.metadata, "{\"price\":0.10, \"n\":1e2,\"s\":\"}\\\"{\", \"metadata\":{}}");
    unbind(&b);
}

static void text_that_could_be_taken_for_a_slice_is_not(void **state)
{
    bound b;
    evdb_error err;
    char text[8192];
    (void)state;
    snprintf(text, sizeof text, "{\"store\":\"\\u00010\",\"vector\":%s}", numbers(50, "2"));
    assert_int_equal(bind_text(text, &b, &err), EVDB_OK);
    assert_int_equal(b.slices.count, 1);
    assert_string_equal(b.args.store, "\x01""0");
    assert_int_equal(b.args.vector.count, 50);
    unbind(&b);
    snprintf(text, sizeof text, "{\"store\":\"\\u00010\\u00020\\u00030\\u00040\\u00050\\u00060\\u00070\",\"vector\":%s}",
             numbers(50, "2"));
    assert_int_equal(bind_text(text, &b, &err), EVDB_OK); /* nothing is left that could stand for a slice */
    assert_int_equal(b.slices.count, 0);
    assert_int_equal(b.args.vector.count, 50);
    unbind(&b);
}

/* `before` many times, in a text that does not end well. */
static evdb_status parse_repeated(const char *begin, const char *before, size_t times, evdb_error *err)
{
    size_t step = strlen(before), first = strlen(begin);
    char *text = malloc(first + step * times);
    op_slices slices;
    json_t *in = NULL;
    memcpy(text, begin, first);
    for (size_t i = 0; i < times; i++) memcpy(text + first + i * step, before, step);
    evdb_status rc = op_slices_parse(text, first + step * times, &slices, &in, err);
    op_slices_free(&slices);
    json_decref(in);
    free(text);
    return rc;
}

/* Looking ahead from every bracket to the end would take hours. */
static void brackets_without_end_are_refused_in_linear_time(void **state)
{
    evdb_error err;
    (void)state;
    assert_int_equal(parse_repeated("{\"vector\":", "[1,", 300000, &err), EVDB_INVALID);
    assert_int_equal(parse_repeated("{\"vector\":[", "1,", 10 << 20, &err), EVDB_LIMIT);
    assert_int_equal(parse_repeated("{\"vector\":[", "[1,1,1,1,1,1,1,1,1,1", 50000, &err), EVDB_INVALID);
    assert_int_equal(parse_repeated("", "{\"metadata\":", 500000, &err), EVDB_INVALID);
    assert_int_equal(parse_repeated("", "\"metadata\":{", 500000, &err), EVDB_INVALID);
    assert_int_equal(parse_repeated("{", "\"", 1000000, &err), EVDB_INVALID);
}

static void more_values_than_a_request_needs_are_refused(void **state)
{
    evdb_error err;
    (void)state;
    assert_int_equal(parse_repeated("[", "[],", OP_VALUES_MAX, &err), EVDB_LIMIT);
    assert_int_equal(parse_repeated("{\"a\":[", "{},", OP_VALUES_MAX, &err), EVDB_LIMIT);
    assert_int_equal(parse_repeated("{\"a\":[\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\",", "1,", OP_VALUES_MAX, &err),
                     EVDB_LIMIT);
    assert_string_equal(err.message, "the JSON has more than 1048576 values");
}

static void a_raw_body_stands_for_the_vector(void **state)
{
    static const unsigned char body[] = { 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0 };
    op_slices slices = { .body = body, .body_size = sizeof body };
    some_args a;
    evdb_error err;
    json_t *in = json_pack("{s:s}", "store", "a");
    (void)state;
    assert_int_equal(op_bind(&some, in, &slices, &a, &err), EVDB_OK);
    assert_int_equal(a.vector.count, 2);
    assert_true(a.vector.at[0] == 1.0f && a.vector.at[1] == -2.5f);
    op_unbind(&some, &a);
    slices.body_size = 7;
    assert_int_equal(op_bind(&some, in, &slices, &a, &err), EVDB_INVALID);
    json_decref(in);
}

/* Whatever the text, reading it with slices succeeds or fails as reading it without does, but for what is wrong inside a
 * slice, which is found later. */
static void damaged_text_is_never_more_than_refused(void **state)
{
    uint64_t seed = seed_print();
    char model[8192], text[8192];
    (void)state;
    snprintf(model, sizeof model, "{\"store\":\"a\",\"metadata\":{\"k\":[1,{\"x\":\"y\"}]},\"vector\":%s,\"ids\":[1,\"b\"]}",
             numbers(40, "7"));
    size_t length = strlen(model);
    for (int i = 0; i < 20000; i++) {
        bound b = { 0 };
        evdb_error err;
        json_t *plain = NULL;
        memcpy(text, model, length + 1);
        for (uint64_t n = seed_next(&seed) % 3 + 1; n; n--)
            text[seed_next(&seed) % length] = "{}[]\":,0-e\\x\x01"[seed_next(&seed) % 13];
        size_t cut = seed_next(&seed) % 4 ? length : seed_next(&seed) % length;
        char *exact = malloc(cut + 1); /* so that a sanitizer sees what is read beyond */
        memcpy(exact, text, cut);
        evdb_status whole = op_parse(exact, cut, &plain, NULL);
        evdb_status sliced = op_slices_parse(exact, cut, &b.slices, &b.in, &err);
        if (whole == EVDB_OK) assert_int_equal(sliced, EVDB_OK);
        if (sliced == EVDB_OK) (void)op_bind(&some, b.in, &b.slices, &b.args, &err);
        unbind(&b);
        json_decref(plain);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_arrays_of_numbers_become_floats),
        cmocka_unit_test(a_bad_number_in_a_long_array_is_named),
        cmocka_unit_test(the_largest_float_is_taken_in_short_and_long_arrays),
        cmocka_unit_test(the_place_of_a_fault_is_that_in_the_text_that_came),
        cmocka_unit_test(ids_may_be_a_long_array_of_numbers),
        cmocka_unit_test(objects_keep_their_spelling),
        cmocka_unit_test(text_that_could_be_taken_for_a_slice_is_not),
        cmocka_unit_test(brackets_without_end_are_refused_in_linear_time),
        cmocka_unit_test(more_values_than_a_request_needs_are_refused),
        cmocka_unit_test(a_raw_body_stands_for_the_vector),
        cmocka_unit_test(damaged_text_is_never_more_than_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
