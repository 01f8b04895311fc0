/* test_op_bind.c - what the binder takes, and how it names what it refuses. */
#include "op/choices.h"
#include "op/op.h"
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

typedef struct all_args {
    const char *store;
    int64_t k;
    op_number radius;
    bool flag;
    uint32_t metric;
    evdb_id id;
    op_vector vector;
    op_strings fields;
    op_ids ids;
    char *metadata;
    op_bytes code;
} all_args;

static const op_field all_fields[] = {
    OP_STORE(all_args),
    OP_FIELD(all_args, k, OP_INTEGER, 0, .def = 10, .min = 1, .max = 100, .doc = "k"),
    OP_FIELD(all_args, radius, OP_NUMBER, 0, .doc = "radius"),
    OP_FIELD(all_args, flag, OP_BOOL, 0, .def = true, .doc = "flag"),
    OP_FIELD(all_args, metric, OP_CHOICE, 0, .def = EVDB_COSINE, .choice = &choice_metric, .doc = "metric"),
    OP_FIELD(all_args, id, OP_ID, 0, .doc = "id"),
    OP_FIELD(all_args, vector, OP_VECTOR, 0, .min = 1, .max = 4, .doc = "vector"),
    OP_FIELD(all_args, fields, OP_STRINGS, 0, .max = 2, .doc = "fields"),
    OP_FIELD(all_args, ids, OP_IDS, 0, .min = 1, .max = 3, .doc = "ids"),
    OP_FIELD(all_args, metadata, OP_OBJECT, 0, .doc = "metadata"),
    OP_FIELD(all_args, code, OP_BYTES, 0, .min = 1, .max = 4, .doc = "code"),
    OP_END
};

static const op all = { .name = "all", .args = all_fields, .args_size = sizeof(all_args) };

static evdb_status bind_text(const char *text, all_args *args, json_t **in, evdb_error *err)
{
    assert_int_equal(op_parse(text, strlen(text), in, err), EVDB_OK);
    return op_bind(&all, *in, NULL, args, err);
}

static void expect_refusal(const char *text, evdb_status status, const char *message)
{
    all_args args, zero = { 0 };
    json_t *in = NULL;
    evdb_error err;
    evdb_status rc = bind_text(text, &args, &in, &err);
    if (rc != status || strcmp(err.message, message) != 0)
        fail_msg("%s: status %d, message \"%s\"; expected %d, \"%s\"", text, rc, rc ? err.message : "", status, message);
    assert_int_equal(err.status, status);
    assert_memory_equal(&args, &zero, sizeof args); /* nothing half bound is left */
    json_decref(in);
}

static void every_type_is_bound(void **state)
{
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"store\":\"docs\",\"k\":7,\"radius\":1.5,\"flag\":false,\"metric\":\"l2\",\"id\":\"x\","
                               "\"vector\":[1,-2.5,1e-3],\"fields\":[\"a\",\"b\"],\"ids\":[1,\"two\"],"
                               "\"code\":\"/wA=\",\"metadata\":{\"n\": [1.5, null]}}", &a, &in, &err), EVDB_OK);
    assert_string_equal(a.store, "docs");
    assert_int_equal(a.k, 7);
    assert_true(a.radius.given && a.radius.value == 1.5f);
    assert_false(a.flag);
    assert_int_equal(a.metric, EVDB_EUCLIDEAN);
    assert_string_equal(a.id.text, "x");
    assert_int_equal(a.vector.count, 3);
    assert_true(a.vector.at[0] == 1.0f && a.vector.at[1] == -2.5f && a.vector.at[2] == 1e-3f);
    assert_int_equal(a.fields.count, 2);
    assert_string_equal(a.fields.at[1], "b");
    assert_int_equal(a.ids.count, 2);
    assert_true(!a.ids.at[0].text && a.ids.at[0].number == 1);
    assert_string_equal(a.ids.at[1].text, "two");
    assert_string_equal(a.metadata, "{\"n\":[1.5,null]}");
    assert_int_equal(a.code.count, 2);
    assert_memory_equal(a.code.at, "\xff", 2);
    op_unbind(&all, &a);
    json_decref(in);
}

static void absent_and_null_arguments_get_their_defaults(void **state)
{
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"store\":\"docs\",\"k\":null,\"vector\":null}", &a, &in, &err), EVDB_OK);
    assert_int_equal(a.k, 10);
    assert_true(a.flag);
    assert_int_equal(a.metric, EVDB_COSINE);
    assert_false(a.radius.given);
    assert_null(a.vector.at);
    assert_null(a.metadata);
    assert_null(a.code.at);
    op_unbind(&all, &a);
    json_decref(in);
}

static void an_alias_is_the_same_argument(void **state)
{
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"name\":\"docs\"}", &a, &in, &err), EVDB_OK);
    assert_string_equal(a.store, "docs");
    op_unbind(&all, &a);
    json_decref(in);
    expect_refusal("{\"name\":\"a\",\"store\":\"b\"}", EVDB_INVALID,
                   "'store' and 'name' are the same argument; give one");
}

static void unknown_and_missing_arguments_are_named(void **state)
{
    (void)state;
    expect_refusal("{\"store\":\"a\",\"kk\":1}", EVDB_INVALID, "all has no argument 'kk'");
    expect_refusal("{\"k\":1}", EVDB_INVALID, "'store' is required");
    expect_refusal("{\"store\":null}", EVDB_INVALID, "'store' is required");
    expect_refusal("[1]", EVDB_INVALID, "the arguments of all must be a JSON object");
}

static void wrong_types_are_named_by_path(void **state)
{
    (void)state;
    expect_refusal("{\"store\":1}", EVDB_INVALID, "'store' must be a string");
    expect_refusal("{\"store\":\"a\",\"k\":\"1\"}", EVDB_INVALID, "'k' must be an integer");
    expect_refusal("{\"store\":\"a\",\"k\":1.5}", EVDB_INVALID, "'k' must be an integer");
    expect_refusal("{\"store\":\"a\",\"flag\":0}", EVDB_INVALID, "'flag' must be true or false");
    expect_refusal("{\"store\":\"a\",\"id\":1.0}", EVDB_INVALID, "'id' must be an integer or a string");
    expect_refusal("{\"store\":\"a\",\"vector\":{}}", EVDB_INVALID, "'vector' must be an array");
    expect_refusal("{\"store\":\"a\",\"vector\":\"?\"}", EVDB_INVALID,
                   "'vector' must be an array of numbers, or base64 of little-endian float32");
    expect_refusal("{\"store\":\"a\",\"vector\":\"AAAA\"}", EVDB_INVALID,
                   "'vector' has 3 bytes, which is no whole number of float32");
    expect_refusal("{\"store\":\"a\",\"vector\":[1,2,3,\"x\"]}", EVDB_INVALID, "'vector[3]' must be a number");
    expect_refusal("{\"store\":\"a\",\"fields\":[\"x\",2]}", EVDB_INVALID, "'fields[1]' must be a string");
    expect_refusal("{\"store\":\"a\",\"ids\":[true]}", EVDB_INVALID, "'ids[0]' must be an integer or a string");
    expect_refusal("{\"store\":\"a\",\"metadata\":[]}", EVDB_INVALID, "'metadata' must be an object");
    expect_refusal("{\"store\":\"a\",\"code\":[1]}", EVDB_INVALID, "'code' must be a string of base64");
    expect_refusal("{\"store\":\"a\",\"code\":\"/wA\"}", EVDB_INVALID, "'code' must be base64");
    expect_refusal("{\"store\":\"a\",\"radius\":\"1\"}", EVDB_INVALID, "'radius' must be a number");
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    expect_refusal("{\"store\":\"a\",\"k\":0}", EVDB_INVALID, "'k' must be 1..100, not 0");
    expect_refusal("{\"store\":\"a\",\"k\":101}", EVDB_INVALID, "'k' must be 1..100, not 101");
    expect_refusal("{\"store\":\"a\",\"vector\":[]}", EVDB_INVALID, "'vector' needs at least 1 item");
    expect_refusal("{\"store\":\"a\",\"vector\":[1,2,3,4,5]}", EVDB_LIMIT, "'vector' has 5 items; at most 4 are allowed");
    expect_refusal("{\"store\":\"a\",\"code\":\"\"}", EVDB_INVALID, "'code' needs at least 1 item");
    expect_refusal("{\"store\":\"a\",\"code\":\"AAAAAAA=\"}", EVDB_LIMIT, "'code' has 5 items; at most 4 are allowed");
    expect_refusal("{\"store\":\"a\",\"vector\":[1,1e39]}", EVDB_INVALID, "'vector[1]' is beyond the range of float");
    expect_refusal("{\"store\":\"a\",\"radius\":-1e39}", EVDB_INVALID, "'radius' is beyond the range of float");
}

static void a_vector_may_be_base64_of_little_endian_floats(void **state)
{
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"store\":\"docs\",\"vector\":\"AACAPwAAIMA=\"}", &a, &in, &err), EVDB_OK);
    assert_int_equal(a.vector.count, 2);
    assert_true(a.vector.at[0] == 1.0f && a.vector.at[1] == -2.5f);
    op_unbind(&all, &a);
    json_decref(in);
}

static void integral_reals_are_integers(void **state)
{
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    assert_int_equal(bind_text("{\"store\":\"docs\",\"k\":5.0}", &a, &in, &err), EVDB_OK);
    assert_int_equal(a.k, 5);
    op_unbind(&all, &a);
    json_decref(in);
}

/* {"store":"a","metadata":{"m":[[...]]}} with `levels` nested values in all, the request being the first. */
static void nested(char *text, size_t room, unsigned levels)
{
    char *p = text + snprintf(text, room, "{\"store\":\"a\",\"metadata\":{\"m\":");
    for (unsigned i = 2; i < levels; i++) *p++ = '[';
    for (unsigned i = 2; i < levels; i++) *p++ = ']';
    memcpy(p, "}}", 3);
}

static void nesting_is_limited_to_sixty_four_levels(void **state)
{
    char text[512];
    all_args a;
    json_t *in = NULL;
    evdb_error err;
    (void)state;
    nested(text, sizeof text, OP_DEPTH_MAX);
    assert_int_equal(bind_text(text, &a, &in, &err), EVDB_OK);
    op_unbind(&all, &a);
    json_decref(in);
    nested(text, sizeof text, OP_DEPTH_MAX + 1);
    expect_refusal(text, EVDB_INVALID, "'metadata' is nested too deep: a request may have 64 levels");
}

static void malformed_text_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = { "", "{", "{\"a\":NaN}", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":1e999}",
                                       "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}", "{\"a\":99999999999999999999}" };
    evdb_error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *in = NULL;
        assert_int_equal(op_parse(bad[i], strlen(bad[i]), &in, &err), EVDB_INVALID);
        assert_null(in);
        assert_non_null(strstr(err.message, "malformed JSON at line 1, column "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_bound),
        cmocka_unit_test(absent_and_null_arguments_get_their_defaults),
        cmocka_unit_test(an_alias_is_the_same_argument),
        cmocka_unit_test(unknown_and_missing_arguments_are_named),
        cmocka_unit_test(wrong_types_are_named_by_path),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(a_vector_may_be_base64_of_little_endian_floats),
        cmocka_unit_test(integral_reals_are_integers),
        cmocka_unit_test(nesting_is_limited_to_sixty_four_levels),
        cmocka_unit_test(malformed_text_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
