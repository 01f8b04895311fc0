/* test_sealed.c - conformance/sealed.h: what a client carries is good for the one request, person and time that it was made for. */
#include "conformance/sealed.h"
#include "expect.h"
#include "seed.h"
#include <stdlib.h>
#include <string.h>

enum { NOW = 1700000000, TRIES = 200 };
static const evdb_principal ann = { .client = "ann", .subject = "ann" }, bob = { .client = "bob", .subject = "bob" },
                            ann_for_bob = { .client = "ann", .subject = "bob" };

static char *make(const char *about, const evdb_principal *who)
{
    json_t *state = json_pack("{s:i, s:{s:s}}", "round", 1, "answers", "name", "Ada");
    char *text = sealed_make(state, about, who, NOW);
    json_decref(state);
    assert_non_null(text);
    return text;
}

static bool opens(const char *text, const char *about, const evdb_principal *who, int64_t now)
{
    json_t *state = sealed_open(text, about, who, now);
    bool good = state && json_integer_value(json_object_get(state, "round")) == 1;
    json_decref(state);
    return good;
}

static void what_was_sealed_is_what_is_opened(void **unused)
{
    (void)unused;
    char *text = make("a tool", &ann);
    json_t *state = sealed_open(text, "a tool", &ann, NOW);
    assert_string_equal(json_string_value(json_object_get(json_object_get(state, "answers"), "name")), "Ada");
    json_decref(state);
    free(text);
}

static void nobody_can_read_it(void **unused)
{
    (void)unused;
    char *text = make("a tool", &ann), *again = make("a tool", &ann);
    assert_null(strstr(text, "Ada"));
    assert_string_not_equal(text, again);
    free(text);
    free(again);
}

static void it_is_for_one_request_and_one_person(void **unused)
{
    (void)unused;
    char *text = make("a tool", &ann);
    assert_true(opens(text, "a tool", &ann, NOW));
    assert_false(opens(text, "another tool", &ann, NOW));
    assert_false(opens(text, "a tool", &bob, NOW));
    assert_false(opens(text, "a tool", &ann_for_bob, NOW));
    free(text);
}

static void it_is_good_for_some_minutes(void **unused)
{
    (void)unused;
    char *text = make("a tool", &ann);
    assert_true(opens(text, "a tool", &ann, NOW + SEALED_LIFETIME));
    assert_false(opens(text, "a tool", &ann, NOW + SEALED_LIFETIME + 1));
    free(text);
}

static void another_process_does_not_know_it(void **unused)
{
    (void)unused;
    char *text = make("a tool", &ann);
    sealed_begin();
    assert_false(opens(text, "a tool", &ann, NOW));
    free(text);
}

static void nothing_that_was_changed_is_opened(void **unused)
{
    (void)unused;
    uint64_t seed = seed_print();
    for (size_t i = 0; i < seed_tries(TRIES); i++) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        char *text = make("a tool", &ann);
        size_t at = seed_below(&seed, strlen(text));
        char letter = letters[seed_below(&seed, sizeof letters - 1)];
        bool cut = seed_below(&seed, 4) == 0, same = !cut && text[at] == letter;
        text[at] = cut ? 0 : letter;
        assert_int_equal(opens(text, "a tool", &ann, NOW), same);
        free(text);
    }
}

static int begin(void **unused)
{
    (void)unused;
    sealed_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_is_what_is_opened),
        cmocka_unit_test(nobody_can_read_it),
        cmocka_unit_test(it_is_for_one_request_and_one_person),
        cmocka_unit_test(it_is_good_for_some_minutes),
        cmocka_unit_test(another_process_does_not_know_it),
        cmocka_unit_test(nothing_that_was_changed_is_opened),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
