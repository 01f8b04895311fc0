/* test_filter.c - the language of filters: what is refused and why, what matches, and that columns answer as records do. */
#include "expect.h"
#include "filter/filter.h"
#include "platform/platform.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const evdb_allocator *const mem = &platform_real.mem;

static filter *parsed(const char *text)
{
    filter *f = NULL;
    if (filter_parse(mem, text, &f, &why) != EVDB_OK) fail_msg("%s: %s", text, why.message);
    return f;
}

/* The record alone, and the same as the only one in columns. */
static bool matches(const filter *f, const char *metadata)
{
    column columns[EVDB_FILTER_FIELDS_MAX];
    const column *pointers[EVDB_FILTER_FIELDS_MAX];
    uint64_t bits = 0;
    bool alone = filter_matches(f, metadata, strlen(metadata));
    for (uint32_t i = 0; i < filter_fields(f); i++) {
        column_init(&columns[i], mem, filter_field(f, i));
        pointers[i] = &columns[i];
        ok(column_put(&columns[i], 5, metadata, strlen(metadata), &why));
    }
    ok(filter_select(f, mem, pointers, 64, &bits, &why));
    assert_int_equal(bits >> 5 & 1, alone);
    for (uint32_t i = 0; i < filter_fields(f); i++) column_free(&columns[i]);
    return alone;
}

static void what_is_no_filter_is_refused_and_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "not valid JSON" },
        { "[]", "not a JSON object" },
        { "{\"a\":1", "not valid JSON" },
        { "{\"a\":1,\"a\":2}", "duplicate" },
        { "{\"a\":1e999}", "not valid JSON" },
        { "{\"a\":{\"$foo\":1}}", "unknown operator '$foo' of 'a'" },
        { "{\"$foo\":1}", "unknown operator '$foo'" },
        { "{\"$gt\":1}", "'$gt' stands without a field" },
        { "{\"a\":{}}", "'a' is followed by an object without an operator" },
        { "{\"a\":{\"b\":1}}", "'b' of 'a' is no operator" },
        { "{\"a\":[1]}", "$eq of 'a'" },
        { "{\"a\":{\"$ne\":{}}}", "$ne of 'a'" },
        { "{\"a\":{\"$in\":1}}", "$in of 'a' is a list" },
        { "{\"a\":{\"$in\":[[1]]}}", "$in of 'a'" },
        { "{\"a\":{\"$gt\":null}}", "$gt of 'a' is a number or a string" },
        { "{\"a\":{\"$lte\":true}}", "$lte of 'a'" },
        { "{\"a\":{\"$exists\":1}}", "$exists of 'a' is true or false" },
        { "{\"a\":{\"$not\":1}}", "$not of 'a'" },
        { "{\"a\":{\"$and\":[{}]}}", "unknown operator '$and' of 'a'" },
        { "{\"$and\":{}}", "$and is a list" },
        { "{\"$or\":[]}", "$or is a list of filters, at least one" },
        { "{\"$or\":[1]}", "each of $or is an object" },
        { "{\"$not\":[]}", "$not is a filter" },
        { "{\"\":1}", "empty name" },
        { "{\"a..b\":1}", "'a..b' has an empty name" },
        { "{\".a\":1}", "empty name" },
        { "{\"a.\":1}", "empty name" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        filter *f = NULL;
        if (filter_parse(mem, cases[i][0], &f, &why) != EVDB_INVALID) fail_msg("%s was not refused", cases[i][0]);
        if (!strstr(why.message, cases[i][1])) fail_msg("%s: '%s' does not say '%s'", cases[i][0], why.message, cases[i][1]);
    }
}

/* head * n, middle, tail * n */
static char *nested(const char *head, const char *middle, const char *tail, size_t n)
{
    char *text = calloc(1, n * (strlen(head) + strlen(tail)) + strlen(middle) + 1), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) at = mempcpy(at, head, strlen(head));
    at = mempcpy(at, middle, strlen(middle));
    for (size_t i = 0; i < n; i++) at = mempcpy(at, tail, strlen(tail));
    return text;
}

static void limits_of(const char *head, const char *middle, const char *tail, size_t good, size_t bad, const char *says)
{
    filter *f = NULL;
    char *text = nested(head, middle, tail, good);
    filter_free(parsed(text));
    free(text);
    text = nested(head, middle, tail, bad);
    refused(EVDB_INVALID, filter_parse(mem, text, &f, &why));
    expect_says(says);
    free(text);
}

/* Frees both. */
static void refused_when_joined(char *head, char *tail, const char *says)
{
    filter *f = NULL;
    char *text = nested(head, tail, "", 1);
    refused(EVDB_INVALID, filter_parse(mem, text, &f, &why));
    expect_says(says);
    free(text), free(head), free(tail);
}

static void limits_are_kept(void **state)
{
    (void)state;
    limits_of("{\"$not\":", "{}", "}", EVDB_FILTER_DEPTH_MAX - 1, EVDB_FILTER_DEPTH_MAX, "deep");
    limits_of("{\"$and\":[", "{}", "]}", EVDB_FILTER_DEPTH_MAX / 2 - 1, EVDB_FILTER_DEPTH_MAX / 2, "deep");
    limits_of(" ", "{}", "", EVDB_FILTER_BYTES_MAX - 2, EVDB_FILTER_BYTES_MAX - 1, "bytes");
    limits_of("", "{\"a\":1}", " ", EVDB_FILTER_BYTES_MAX - 7, EVDB_FILTER_BYTES_MAX - 6, "bytes");
    char *many = nested("{\"$or\":[{\"f\":0}", "", "", 1), *each = nested(",{\"f\":0}", "]}", "", EVDB_FILTER_CONDITIONS_MAX - 1);
    refused_when_joined(many, each, "1024 conditions");
    many = nested("{\"f\":0", "", "", 1), each = calloc(EVDB_FILTER_FIELDS_MAX + 1, 16);
    assert_non_null(each);
    for (unsigned i = 1; i <= EVDB_FILTER_FIELDS_MAX; i++) snprintf(each + strlen(each), 16, ",\"f%u\":%u", i, i);
    memcpy(each + strlen(each), "}", 2);
    refused_when_joined(many, each, "64 fields");
}

typedef struct expectation {
    const char *filter, *metadata;
    bool matches;
} expectation;

static void expect_all(const expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        filter *f = parsed(cases[i].filter);
        if (matches(f, cases[i].metadata) != cases[i].matches)
            fail_msg("%s %s %s", cases[i].filter, cases[i].matches ? "should match" : "should not match", cases[i].metadata);
        filter_free(f);
    }
}
#define expect_table(cases) expect_all(cases, sizeof(cases) / sizeof(*(cases)))

static void values_are_compared_within_their_type(void **state)
{
    (void)state;
    static const expectation cases[] = {
        { "{}", "{}", true },
        { "{\"a\":1}", "{\"a\":1}", true },
        { "{\"a\":1}", "{\"a\":1.0}", true },
        { "{\"a\":1}", "{\"a\":10e-1}", true },
        { "{\"a\":1}", "{\"a\":\"1\"}", false },
        { "{\"a\":1}", "{\"a\":true}", false },
        { "{\"a\":0}", "{\"a\":-0.0}", true },
        { "{\"a\":9007199254740993}", "{\"a\":9007199254740993}", true },
        { "{\"a\":9007199254740993}", "{\"a\":9007199254740992}", false },
        { "{\"a\":9007199254740993}", "{\"a\":9007199254740992.0}", false },
        { "{\"a\":{\"$gt\":9007199254740992.0}}", "{\"a\":9007199254740993}", true },
        { "{\"a\":{\"$lt\":1e300}}", "{\"a\":9223372036854775807}", true },
        { "{\"a\":{\"$gt\":-1e300}}", "{\"a\":-9223372036854775808}", true },
        { "{\"a\":0.1}", "{\"a\":0.1}", true },
        { "{\"a\":0.1}", "{\"a\":0.10000000000000000555}", true },
        { "{\"a\":1.7976931348623157e308}", "{\"a\":1.7976931348623157e308}", true },
        { "{\"a\":\"x\"}", "{\"a\":\"x\"}", true },
        { "{\"a\":\"\\u00e9\"}", "{\"a\":\"\xc3\xa9\"}", true },
        { "{\"a\":\"\xc3\xa9\"}", "{\"a\":\"\\u00e9\"}", true },
        { "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\uD83D\\uDE00\"}", true },
        { "{\"a\":\"q\\\"\\\\\"}", "{\"a\":\"q\\\"\\\\\"}", true },
        { "{\"\xc3\xa9\":1}", "{\"\\u00e9\":1}", true },
        { "{\"a\":{\"$gt\":\"b\"}}", "{\"a\":\"ba\"}", true },
        { "{\"a\":{\"$gt\":\"b\"}}", "{\"a\":\"b\"}", false },
        { "{\"a\":{\"$gte\":\"b\"}}", "{\"a\":\"b\"}", true },
        { "{\"a\":{\"$lt\":\"b\"}}", "{\"a\":\"\"}", true },
        { "{\"a\":{\"$lt\":\"b\"}}", "{\"a\":1}", false },
        { "{\"a\":{\"$lt\":5}}", "{\"a\":null}", false },
        { "{\"a\":{\"$gt\":1,\"$lte\":2}}", "{\"a\":2}", true },
        { "{\"a\":{\"$gt\":1,\"$lte\":2}}", "{\"a\":1}", false },
        { "{\"a\":true}", "{\"a\":true}", true },
        { "{\"a\":true}", "{\"a\":false}", false },
        { "{\"a\":{\"$in\":[3,\"x\",null,true,1]}}", "{\"a\":\"x\"}", true },
        { "{\"a\":{\"$in\":[3,\"x\",true,1]}}", "{\"a\":1.0}", true },
        { "{\"a\":{\"$in\":[3,\"x\",true,1]}}", "{\"a\":2}", false },
        { "{\"a\":{\"$in\":[]}}", "{\"a\":2}", false },
        { "{\"a\":{\"$nin\":[]}}", "{\"a\":2}", true },
        { "{\"a\":{\"$ne\":2}}", "{\"a\":2}", false },
        { "{\"a\":{\"$eq\":2}}", "{ \"b\" : [ \"}\" , { } ] , \"a\" : 2 }", true },
    };
    expect_table(cases);
}

static void a_missing_field_equals_null_alone(void **state)
{
    (void)state;
    static const expectation cases[] = {
        { "{\"a\":null}", "{}", true },
        { "{\"a\":null}", "{\"a\":null}", true },
        { "{\"a\":null}", "{\"a\":0}", false },
        { "{\"a\":{\"$ne\":1}}", "{}", true },
        { "{\"a\":{\"$nin\":[1,2]}}", "{}", true },
        { "{\"a\":{\"$nin\":[1,null]}}", "{}", false },
        { "{\"a\":{\"$in\":[1,null]}}", "{}", true },
        { "{\"a\":{\"$not\":{\"$gt\":1}}}", "{}", true },
        { "{\"a\":{\"$not\":{\"$gt\":1}}}", "{\"a\":2}", false },
        { "{\"a\":{\"$lt\":1}}", "{}", false },
        { "{\"a\":{\"$exists\":true}}", "{\"a\":null}", true },
        { "{\"a\":{\"$exists\":true}}", "{}", false },
        { "{\"a\":{\"$exists\":false}}", "{}", true },
        { "{\"a\":{\"$exists\":false}}", "{\"a\":{}}", false },
        { "{\"a\":{\"$exists\":true,\"$ne\":\"boot\"}}", "{}", false },
        { "{\"a.b\":{\"$exists\":false}}", "{\"a\":5}", true },
    };
    expect_table(cases);
}

static void arrays_match_by_any_element_and_objects_by_path(void **state)
{
    (void)state;
    static const expectation cases[] = {
        { "{\"t\":\"red\"}", "{\"t\":[\"blue\",\"red\"]}", true },
        { "{\"t\":\"red\"}", "{\"t\":[[\"red\"]]}", false },
        { "{\"t\":\"red\"}", "{\"t\":[]}", false },
        { "{\"t\":{\"$ne\":\"red\"}}", "{\"t\":[\"blue\",\"red\"]}", false },
        { "{\"t\":{\"$ne\":\"red\"}}", "{\"t\":[]}", true },
        { "{\"t\":{\"$in\":[1,7]}}", "{\"t\":[5, 7 ,{\"x\":[1]}]}", true },
        { "{\"t\":{\"$gt\":6}}", "{\"t\":[5,7]}", true },
        { "{\"t\":{\"$gt\":7}}", "{\"t\":[5,7]}", false },
        { "{\"t\":null}", "{\"t\":[1,null]}", true },
        { "{\"t\":null}", "{\"t\":[]}", false },
        { "{\"t\":{\"$exists\":true}}", "{\"t\":[]}", true },
        { "{\"a.b.c\":1}", "{\"a\":{\"x\":{\"c\":2},\"b\":{\"c\":1}}}", true },
        { "{\"a.b\":1}", "{\"a\":[{\"b\":1}]}", false },
        { "{\"a.b\":1}", "{\"a.b\":1}", false },
        { "{\"a\":1}", "{\"x\":{\"a\":1}}", false },
        { "{\"a\":1}", "{\"x\":\"\\\"a\\\":1\",\"a\":2}", false },
    };
    expect_table(cases);
}

static void conditions_combine(void **state)
{
    (void)state;
    static const expectation cases[] = {
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}", true },
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", false },
        { "{\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"a\":0,\"b\":2}", true },
        { "{\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"a\":0,\"b\":0}", false },
        { "{\"$or\":[{}]}", "{}", true },
        { "{\"$and\":[{\"a\":{\"$gt\":0}},{\"a\":{\"$lt\":2}}],\"b\":{\"$exists\":false}}", "{\"a\":1}", true },
        { "{\"$not\":{\"a\":1,\"b\":2}}", "{\"a\":1,\"b\":3}", true },
        { "{\"$not\":{\"a\":1}}", "{\"a\":1}", false },
        { "{\"$not\":{}}", "{\"a\":1}", false },
        { "{\"$not\":{\"$not\":{\"$or\":[{\"a\":1},{\"$not\":{\"b\":1}}]}}}", "{\"a\":2,\"b\":1}", false },
    };
    expect_table(cases);
}

static void filters_that_say_the_same_have_one_canonical_text(void **state)
{
    (void)state;
    filter *a = parsed(" {\"b\" : {\"$lt\":2, \"$gt\":1}, \"a\":\"\\u0078\"}"), *b = parsed("{\"a\":\"x\",\"b\":{\"$gt\":1,\"$lt\":2}}");
    assert_string_equal(filter_canonical(a), filter_canonical(b));
    filter_free(a);
    filter_free(b);
}

/* ---- columns of many records ---- */

enum { SLOTS = 3000, TEXT = 96 };

static void random_metadata(uint64_t *seed, char out[TEXT])
{
    static const char *const shapes[] = { "{\"a\":%d}", "{\"a\":\"v%d\"}", "{\"a\":[%d,\"v1\"],\"b\":2}", "{\"b\":%d}",
                                          "{\"a\":{\"c\":%d}}", "{\"a\":%d.5,\"b\":null}" };
    int n = (int)seed_below(seed, 40);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out, TEXT, shapes[seed_below(seed, sizeof(shapes) / sizeof(*shapes))], n);
#pragma GCC diagnostic pop
}

static void columns_answer_as_records_do_while_records_change(void **state)
{
    (void)state;
    uint64_t seed = seed_print(), bits[SLOTS / 64 + 1];
    static char texts[SLOTS][TEXT];
    filter *f = parsed("{\"$or\":[{\"a\":{\"$gt\":10,\"$lte\":30}},{\"a\":{\"$in\":[\"v1\",\"v7\",5]}},{\"a.c\":{\"$lt\":9}},{\"b\":{\"$ne\":null}}]}");
    column columns[EVDB_FILTER_FIELDS_MAX];
    const column *pointers[EVDB_FILTER_FIELDS_MAX];
    for (uint32_t i = 0; i < filter_fields(f); i++) column_init(&columns[i], mem, filter_field(f, i)), pointers[i] = &columns[i];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < SLOTS; i++) {
            uint64_t slot = round ? seed_below(&seed, SLOTS) : (uint64_t)i;
            random_metadata(&seed, texts[slot]);
            for (uint32_t j = 0; j < filter_fields(f); j++) ok(column_put(&columns[j], slot, texts[slot], strlen(texts[slot]), &why));
        }
        ok(filter_select(f, mem, pointers, SLOTS, bits, &why));
        for (int i = 0; i < SLOTS; i++)
            assert_int_equal(bits[i / 64] >> i % 64 & 1, filter_matches(f, texts[i], strlen(texts[i])));
    }
    for (uint32_t i = 0; i < filter_fields(f); i++) column_free(&columns[i]);
    filter_free(f);
}

/* More answers than are kept at once. */
static void many_conditions_on_many_values_are_asked_all_the_same(void **state)
{
    (void)state;
    enum { VALUES = 40000, CONDITIONS = 1000 };
    static uint64_t bits[VALUES / 64];
    char *text = calloc(CONDITIONS, 32), *at = text, metadata[32];
    assert_non_null(text);
    at += snprintf(at, 32, "{\"$or\":[{\"a\":0}");
    for (int i = 1; i < CONDITIONS; i++) at += snprintf(at, 32, ",{\"a\":%d}", i * 39);
    memcpy(at, "]}", 3);
    filter *f = parsed(text);
    column c;
    column_init(&c, mem, "a");
    for (int i = 0; i < VALUES; i++) {
        snprintf(metadata, sizeof(metadata), "{\"a\":%d}", i);
        ok(column_put(&c, (uint64_t)i, metadata, strlen(metadata), &why));
    }
    ok(filter_select(f, mem, (const column *[]){ &c }, VALUES, bits, &why));
    for (int i = 0; i < VALUES; i++) assert_int_equal(bits[i / 64] >> i % 64 & 1, i % 39 == 0 && i / 39 < CONDITIONS);
    column_free(&c);
    filter_free(f);
    free(text);
}

static void a_column_keeps_each_value_once(void **state)
{
    (void)state;
    column c;
    char text[64];
    column_init(&c, mem, "a");
    for (uint64_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "{\"a\":%d}", (int)(i % 7));
        ok(column_put(&c, i, text, strlen(text), &why));
    }
    assert_int_equal(c.count, 8); /* and MISSING */
    assert_false(column_wasteful(&c));
    for (uint64_t i = 0; i < 50000; i++) {
        snprintf(text, sizeof(text), "{\"a\":\"t%d\"}", (int)i);
        ok(column_put(&c, 0, text, strlen(text), &why));
    }
    assert_true(column_wasteful(&c));
    column_free(&c);
    assert_int_equal(column_bytes(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_filter_is_refused_and_named),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(values_are_compared_within_their_type),
        cmocka_unit_test(a_missing_field_equals_null_alone),
        cmocka_unit_test(arrays_match_by_any_element_and_objects_by_path),
        cmocka_unit_test(conditions_combine),
        cmocka_unit_test(filters_that_say_the_same_have_one_canonical_text),
        cmocka_unit_test(columns_answer_as_records_do_while_records_change),
        cmocka_unit_test(many_conditions_on_many_values_are_asked_all_the_same),
        cmocka_unit_test(a_column_keeps_each_value_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
