/* test_metadata.c - the metadata of evdb/record.h: what is a JSON object, and that it is kept as spelt. */
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float one[1] = { 1 };

static evdb_status put(evdb_store *store, const char *metadata)
{
    return evdb_record_upsert(store, num(1), one, 1, metadata, NULL, &why);
}

static void assert_kept(evdb_store *store, const char *given, const char *kept)
{
    evdb_record *r;
    ok(put(store, given));
    ok(evdb_record_get(store, num(1), &r, &why));
    assert_string_equal(r->metadata, kept);
    assert_int_equal(r->metadata_length, strlen(kept));
    evdb_record_free(r);
}

static void metadata_is_kept_but_for_white_space_between_tokens(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    assert_kept(store, NULL, "{}");
    assert_kept(store, " { } ", "{}");
    assert_kept(store, "\t{\r\n \"a b\" : [ 1 , 2 ] }\n", "{\"a b\":[1,2]}");
    assert_kept(store, "{\"z\":1,\"a\":2}", "{\"z\":1,\"a\":2}"); /* order */
    assert_kept(store, "{\"n\":[1.10,1E5,-0,0.1000000000000000055511151231257827,1e-7]}",
                "{\"n\":[1.10,1E5,-0,0.1000000000000000055511151231257827,1e-7]}");
    assert_kept(store, "{\"n\":[9223372036854775807,-9223372036854775808]}",
                "{\"n\":[9223372036854775807,-9223372036854775808]}");
    assert_kept(store, "{\"s\":\"\\u00e9\\/\\\"\\\\ \\n  x\"}", "{\"s\":\"\\u00e9\\/\\\"\\\\ \\n  x\"}");
    assert_kept(store, "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\", \"\":{} }", "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\",\"\":{}}");
    assert_kept(store, "{\"s\":\"ends in \\\\\", \"t\" : true}", "{\"s\":\"ends in \\\\\",\"t\":true}");
    evdb_store_close(store);
}

static void what_is_not_one_json_object_is_refused(void **state)
{
    static const char *const bad[] = {
        "", " ", "[]", "1", "\"x\"", "null", "true", "{", "}", "{}}", "{}{}", "{} x", "{\"a\"}", "{\"a\":}", "{a:1}",
        "{'a':1}", "{\"a\":1,}", "{,}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":NaN}",
        "{\"a\":Infinity}", "{\"a\":0x1}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}", "{\"a\":tru}",
        "{\"a\":1 2}", "{\"a\":\"\xff\"}", "{\"a\":\"\\u0000\"}", "{\"a\":9223372036854775808}",
        "{\"a\":-9223372036854775809}", "{\"a\":1e999}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
        "{\"x\":{\"a\":1,\"a\":1}}", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":[1,2}", "{\"a\":1e}", "/**/{}", "\xef\xbb\xbf{}",
    };
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        refused(EVDB_INVALID, put(store, bad[i]));
        expect_says("metadata");
    }
    assert_int_equal(scratch_count(store), 0);
    evdb_store_close(store);
}

/* An object with levels-1 more containers within. */
static char *nested(unsigned levels, bool objects)
{
    size_t size = levels * 6 + 8, used;
    char *text = malloc(size);
    assert_non_null(text);
    used = (size_t)snprintf(text, size, "{\"a\":");
    for (unsigned i = 1; i < levels; i++) used += (size_t)snprintf(text + used, size - used, objects ? "{\"a\":" : "[");
    used += (size_t)snprintf(text + used, size - used, "1");
    for (unsigned i = 1; i < levels; i++) text[used++] = objects ? '}' : ']';
    snprintf(text + used, size - used, "}");
    return text;
}

static void sixty_three_levels_are_accepted_and_no_more(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    for (int objects = 0; objects < 2; objects++) {
        char *deepest = nested(EVDB_METADATA_DEPTH_MAX, objects), *deeper = nested(EVDB_METADATA_DEPTH_MAX + 1, objects);
        char *abyss = nested(100000, objects);
        assert_kept(store, deepest, deepest);
        refused(EVDB_INVALID, put(store, deeper));
        expect_says("63");
        refused(EVDB_INVALID, put(store, abyss));
        free(deepest);
        free(deeper);
        free(abyss);
    }
    ok(put(store, "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"));
    evdb_store_close(store);
}

static void a_megabyte_is_accepted_and_no_more(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    char *text = malloc(EVDB_METADATA_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', EVDB_METADATA_BYTES_MAX + 1);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + EVDB_METADATA_BYTES_MAX - 1, "\"}", 3);
    refused(EVDB_LIMIT, put(store, text));
    memcpy(text + EVDB_METADATA_BYTES_MAX - 2, "\"}", 3);
    assert_kept(store, text, text);
    free(text);
    evdb_store_close(store);
}

static void refused_metadata_leaves_the_old(void **state)
{
    scratch *t = *state;
    evdb_record *r;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    ok(put(store, "{\"a\":1}"));
    refused(EVDB_INVALID, put(store, "{\"a\":2"));
    refused(EVDB_INVALID, evdb_record_update(store, num(1), NULL, 0, "[]", 0, NULL, &why));
    ok(evdb_record_get(store, num(1), &r, &why));
    assert_string_equal(r->metadata, "{\"a\":1}");
    assert_int_equal(r->version, 1);
    evdb_record_free(r);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_is_kept_but_for_white_space_between_tokens),
        TEST(what_is_not_one_json_object_is_refused),
        TEST(sixty_three_levels_are_accepted_and_no_more),
        TEST(a_megabyte_is_accepted_and_no_more),
        TEST(refused_metadata_leaves_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
