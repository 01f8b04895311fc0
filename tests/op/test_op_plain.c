/* test_op_plain.c - what op_plain_read() reads it reads as jansson does; what it leaves, it leaves to jansson. */
#include "op/op_plain.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TRIES = 20000, CHANGES_MAX = 3, TEXT_BYTES = 512, DEEP = 64 };

/* Is it read? Then jansson makes the same tree of it. */
static bool read_alike(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1); /* ends where it ends, for sanitizers to see */
    assert_non_null(copy);
    memcpy(copy, text, length);
    json_t *plain = op_plain_read(copy, length), *whole = json_loadb(copy, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    free(copy);
    if (plain) {
        char *a = json_dumps(plain, JSON_COMPACT | JSON_ENCODE_ANY), *b = json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_non_null(a);
        assert_non_null(b);
        assert_string_equal(a, b); /* members in the same order, too */
        free(a);
        free(b);
    }
    bool read = plain != NULL;
    json_decref(plain);
    json_decref(whole);
    return read;
}

static const char *const plain[] = {
    "{}", "[]", "0", "-0", "-17", "999999999999999999", "-999999999999999999", "\"\"", "\"a b\x7f\"", "true", "false", "null", " [ 1 , 2 ] ",
    "\t{\r\n\"a\" : {\"b\":[[],{}]} , \"\":null}\n", "\"\\u00010\"", "\"\\u00071234\"", "{\"a\":\"\\u00010\",\"b\":[true,false,null,-1]}",
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
    "\"io.modelcontextprotocol/clientCapabilities\":{},\"io.modelcontextprotocol/clientInfo\":{\"name\":\"some\",\"version\":\"1\"}},"
    "\"name\":\"get_records\",\"arguments\":{\"store\":\"some\",\"ids\":[1,2,3],\"vectors\":false}}}",
};

static const char *const left[] = {
    "", " ", "{", "[", "[1", "[1,", "[1,]", "[,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{1:2}", "{\"a\":1,\"a\":2}", "[1 2]", "1 2",
    "01", "-", "-01", "+1", "1.5", "1e5", "1234567890123456789012", "nul", "truex", "tru", "\"a", "\"\\n\"", "\"a\\u00010\"", "\"\\u0000\"", "\"\\u000\"",
    "\"\\u0001", "\"\\u00019999999999999999999999999999999999\"", "\"\xc3\xa4\"", "\"\x01\"", "\"\xff\"", "{}}", "{]", "[}", "NaN", "'a'", "/**/1",
};

static void a_plain_text_is_read_as_jansson_reads_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) assert_true(read_alike(plain[i], strlen(plain[i])));
}

static void what_is_not_plain_or_no_json_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) assert_false(read_alike(left[i], strlen(left[i])));
    assert_false(read_alike("[1]\0", 4));
    assert_false(read_alike("\"\0\"", 3));
}

static void what_is_deep_or_has_long_names_is_left(void **state)
{
    char text[TEXT_BYTES];
    (void)state;
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_true(read_alike(text, 2 * DEEP));
    memset(text, '[', DEEP + 1);
    memset(text + DEEP + 1, ']', DEEP + 1);
    assert_false(read_alike(text, 2 * DEEP + 2));
    int length = snprintf(text, sizeof text, "{\"%0127d\":1}", 0);
    assert_true(read_alike(text, (size_t)length));
    length = snprintf(text, sizeof text, "{\"%0128d\":1}", 0);
    assert_false(read_alike(text, (size_t)length));
}

/* One byte becomes another of those that JSON is made of, or goes, or comes twice, or the rest is cut off. */
static size_t change(uint64_t *seed, char *text, size_t length)
{
    static const char bytes[] = "{}[]\",:\\u0019-.eE tfn\n\x80\xc3\x1f";
    size_t at = seed_below(seed, length);
    switch (seed_below(seed, 8)) {
    case 0: memmove(text + at, text + at + 1, length - at - 1); return length - 1;
    case 1: memmove(text + at + 1, text + at, length - at); return length + 1;
    case 2: return at;
    default: text[at] = bytes[seed_below(seed, sizeof bytes)]; return length; /* NUL is one of them */
    }
}

static void whatever_is_read_is_read_as_jansson_reads_it(void **state)
{
    uint64_t seed = seed_print();
    size_t read = 0, tries = seed_tries(TRIES);
    (void)state;
    for (size_t i = 0; i < tries; i++) {
        char text[TEXT_BYTES + CHANGES_MAX];
        const char *from = plain[seed_below(&seed, sizeof plain / sizeof *plain)];
        size_t length = strlen(from);
        assert_true(length < TEXT_BYTES);
        memcpy(text, from, length);
        for (size_t n = 1 + seed_below(&seed, CHANGES_MAX); n && length; n--) length = change(&seed, text, length);
        read += read_alike(text, length);
    }
    printf("%zu of %zu were read\n", read, tries);
    assert_in_range(read, tries / 100, tries - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_text_is_read_as_jansson_reads_it),
        cmocka_unit_test(what_is_not_plain_or_no_json_is_left),
        cmocka_unit_test(what_is_deep_or_has_long_names_is_left),
        cmocka_unit_test(whatever_is_read_is_read_as_jansson_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
