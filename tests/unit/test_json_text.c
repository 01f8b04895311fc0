/* test_json_text.c - base/json_text.h: random JSON keeps its meaning and loses its white space; random bytes do no harm. */
#include "base/json_text.h"
#include "expect.h"
#include "platform/platform.h"
#include "seed.h"
#include <evdb/record.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void space(buf *out, uint64_t *seed)
{
    for (uint64_t n = seed_below(seed, 3); n; n--) assert_true(buf_byte(out, " \t\n\r"[seed_below(seed, 4)]));
}

/* A random value; white space around every token when `spaced`. */
static void value(buf *out, uint64_t *seed, unsigned depth)
{
    static const char *const leaves[] = { "0", "-1.50", "1e10", "true", "null", "\"a b\"", "\"\\\"[{\\\\\"", "\"\xe2\x82\xac\"" };
    uint64_t kind = depth == 1 ? 1 : depth > 5 ? 0 : seed_below(seed, 3), n = seed_below(seed, 4);
    space(out, seed);
    if (kind == 0) assert_true(buf_text(out, leaves[seed_below(seed, 8)]));
    else {
        assert_true(buf_byte(out, kind == 1 ? '{' : '['));
        for (uint64_t i = 0; i < n; i++) {
            char key[] = " \"k0\" :";
            key[3] = (char)('0' + i);
            if (i) assert_true(buf_byte(out, ','));
            if (kind == 1) assert_true(buf_text(out, key));
            value(out, seed, depth + 1);
        }
        space(out, seed);
        assert_true(buf_byte(out, kind == 1 ? '}' : ']'));
    }
    space(out, seed);
}

static void a_copy_means_the_same_and_cannot_be_shortened(void **state)
{
    uint64_t seed = seed_print();
    (void)state;
    for (int round = 0; round < 500; round++) {
        buf text, once, twice;
        buf_init(&text, &platform_real.mem);
        buf_init(&once, &platform_real.mem);
        buf_init(&twice, &platform_real.mem);
        value(&text, &seed, 1);
        ok(json_text_object(text.at, text.size, &once, &why));
        json_t *before = json_loadb(text.at, text.size, 0, NULL), *after = json_loadb(once.at, once.size, 0, NULL);
        assert_true(before && after && json_equal(before, after));
        json_decref(before);
        json_decref(after);
        ok(json_text_object(once.at, once.size, &twice, &why));
        assert_int_equal(once.size, twice.size);
        assert_memory_equal(once.at, twice.at, once.size);
        buf_free(&text);
        buf_free(&once);
        buf_free(&twice);
    }
}

static void what_is_refused_appends_nothing(void **state)
{
    buf out;
    char deep[200];
    (void)state;
    buf_init(&out, &platform_real.mem);
    assert_true(buf_text(&out, "before"));
    refused(EVDB_INVALID, json_text_object("{\"a\":", 5, &out, &why));
    refused(EVDB_INVALID, json_text_object("[1]", 3, &out, &why));
    refused(EVDB_INVALID, json_text_object("", 0, &out, &why));
    refused(EVDB_INVALID, json_text_object("{\"a\":1\0}", 8, &out, &why));
    refused(EVDB_INVALID, json_text_object("{\"a\":null\0}", 11, &out, &why));
    memset(deep, '[', sizeof(deep));
    refused(EVDB_INVALID, json_text_object(deep, sizeof(deep), &out, &why));
    assert_int_equal(out.size, 6);
    ok(json_text_object("{ }", 3, &out, &why));
    assert_int_equal(out.size, 8);
    assert_memory_equal(out.at, "before{}", 8);
    buf_free(&out);
}

static void any_bytes_are_judged_without_harm(void **state)
{
    static const char pieces[] = "{}[]\",:\\ \tabu0019.eE+-\xe2\x82\xac\xff";
    uint64_t seed = seed_print();
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t length = seed_below(&seed, 40);
        char *text = malloc(length + 1); /* exactly as long: reading beyond is noticed */
        buf out;
        assert_non_null(text);
        for (size_t i = 0; i < length; i++) text[i] = pieces[seed_below(&seed, sizeof(pieces))];
        if (length) text[0] = '{';
        buf_init(&out, &platform_real.mem);
        evdb_status rc = json_text_object(text, length, &out, &why);
        assert_true(rc == EVDB_OK || rc == EVDB_INVALID);
        if (rc != EVDB_OK) assert_int_equal(out.size, 0);
        buf_free(&out);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_means_the_same_and_cannot_be_shortened),
        cmocka_unit_test(what_is_refused_appends_nothing),
        cmocka_unit_test(any_bytes_are_judged_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
