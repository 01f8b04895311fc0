/* test_json_merge.c - format/json_merge.h: the examples of RFC 7396, random patches against a merge of trees, and what is kept as spelt. */
#include "base/json_text.h"
#include "expect.h"
#include "format/json_merge.h"
#include "platform/platform.h"
#include "seed.h"
#include <jansson.h>
#include <string.h>

static void assert_merged(const char *target, const char *patch, const char *wanted)
{
    buf out;
    buf_init(&out, &platform_real.mem);
    ok(json_merge(target, strlen(target), patch, strlen(patch), &out, &why));
    assert_true(buf_terminate(&out));
    assert_string_equal(out.at, wanted);
    buf_free(&out);
}

static void the_examples_of_the_rfc_hold(void **state)
{
    (void)state;
    assert_merged("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    assert_merged("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
    assert_merged("{\"a\":\"b\"}", "{\"a\":null}", "{}");
    assert_merged("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
    assert_merged("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    assert_merged("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}");
    assert_merged("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}");
    assert_merged("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
    assert_merged("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
    assert_merged("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
}

static void what_is_not_named_keeps_its_place_and_its_spelling(void **state)
{
    (void)state;
    assert_merged("{\"n\":1.10,\"m\":0.1000000000000000055511151231257827,\"s\":\"\\u00e9\\/\",\"o\":{\"k\":1E5,\"l\":-0}}",
                  "{\"m\":2.50,\"o\":{\"l\":1.0}}", "{\"n\":1.10,\"m\":2.50,\"s\":\"\\u00e9\\/\",\"o\":{\"k\":1E5,\"l\":1.0}}");
    assert_merged("{\"a\\u0062\":1,\"\":2}", "{\"ab\":3,\"\":null}", "{\"a\\u0062\":3}"); /* one name, spelt twice */
    assert_merged("{\"\xc3\xa9\":{\"k\":1},\"\\ud83d\\ude00\":2}", "{\"\\u00E9\":{\"l\":2},\"\xf0\x9f\x98\x80\":null}", "{\"\xc3\xa9\":{\"k\":1,\"l\":2}}");
    assert_merged("{\"a\":[null,{\"b\":null}]}", "{\"c\":[null]}", "{\"a\":[null,{\"b\":null}],\"c\":[null]}"); /* in arrays null is a value */
}

static json_t *random_value(uint64_t *seed, unsigned depth)
{
    uint64_t kind = depth == 0 ? 3 : depth > 4 ? seed_below(seed, 3) : seed_below(seed, 5);
    if (kind == 0) return json_null();
    if (kind == 1) return json_integer((json_int_t)seed_below(seed, 100));
    if (kind == 2) return json_pack("[i,n]", (int)seed_below(seed, 9));
    json_t *o = json_object();
    for (uint64_t n = seed_below(seed, 6); n; n--) {
        char key[] = "k0";
        key[1] = (char)('0' + seed_below(seed, 6));
        assert_int_equal(json_object_set_new(o, seed_below(seed, 9) ? key : "", random_value(seed, depth + 1)), 0);
    }
    return o;
}

/* RFC 7396, section 2, with trees. */
static json_t *merged_tree(const json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;
    if (!json_is_object(patch)) return json_incref(patch);
    json_t *out = json_is_object(target) ? json_copy((json_t *)(uintptr_t)target) : json_object();
    json_object_foreach(patch, key, value) {
        if (json_is_null(value)) json_object_del(out, key);
        else assert_int_equal(json_object_set_new(out, key, merged_tree(json_object_get(out, key), value)), 0);
    }
    return out;
}

static void random_patches_do_what_a_merge_of_trees_does(void **state)
{
    uint64_t seed = seed_print();
    (void)state;
    for (int round = 0; round < 1000; round++) {
        json_t *target = random_value(&seed, 0), *patch = random_value(&seed, 0), *wanted = merged_tree(target, patch);
        char *a = json_dumps(target, JSON_COMPACT), *b = json_dumps(patch, JSON_COMPACT);
        buf out, checked;
        buf_init(&out, &platform_real.mem);
        buf_init(&checked, &platform_real.mem);
        ok(json_merge(a, strlen(a), b, strlen(b), &out, &why));
        ok(json_text_object(out.at, out.size, &checked, &why)); /* what can be stored */
        json_t *got = json_loadb(out.at, out.size, 0, NULL);
        assert_true(got && json_equal(got, wanted));
        json_decref(got), json_decref(wanted), json_decref(target), json_decref(patch);
        free(a), free(b);
        buf_free(&out), buf_free(&checked);
    }
}

static void what_is_no_object_inside_is_told(void **state)
{
    buf out;
    (void)state;
    buf_init(&out, &platform_real.mem);
    refused(EVDB_CORRUPT, json_merge("{\"a\":1", 6, "{}", 2, &out, &why));
    refused(EVDB_CORRUPT, json_merge("{\"a\"}", 5, "{}", 2, &out, &why));
    refused(EVDB_CORRUPT, json_merge("{}", 2, "{\"a\":1,}", 8, &out, &why));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_hold),
        cmocka_unit_test(what_is_not_named_keeps_its_place_and_its_spelling),
        cmocka_unit_test(random_patches_do_what_a_merge_of_trees_does),
        cmocka_unit_test(what_is_no_object_inside_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
