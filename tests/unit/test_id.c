/* test_id.c - base/id.h: what an id means in a store of either type. */
#include "base/id.h"
#include "expect.h"
#include "seed.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static evdb_id text_id(const char *text) { return (evdb_id){ .text = text, .length = strlen(text) }; }

static void checking_fills_in_the_length(void **state)
{
    evdb_id id = { .text = "abc" }, integer = { .number = -5 };
    (void)state;
    ok(id_check(&id, &why));
    assert_int_equal(id.length, 3);
    ok(id_check(&integer, &why));
    assert_int_equal(integer.number, -5);
    id = (evdb_id){ .text = "" };
    refused(EVDB_INVALID, id_check(&id, &why));
}

static void every_integer_has_one_spelling_and_comes_back_from_it(void **state)
{
    uint64_t seed = seed_print();
    int64_t edges[] = { 0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1 };
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char spelling[40], space[ID_TEXT_MAX];
        evdb_id out, back;
        int64_t n = i < 10 ? edges[i] : (int64_t)(seed_next(&seed) >> seed_below(&seed, 64));
        snprintf(spelling, sizeof(spelling), "%" PRId64, n);
        ok(id_resolve(EVDB_ID_STRING, &(evdb_id){ .number = n }, space, &out, &why));
        assert_string_equal(out.text, spelling);
        assert_int_equal(out.length, strlen(spelling));
        ok(id_resolve(EVDB_ID_INTEGER, &out, space, &back, &why));
        assert_true(!back.text && back.number == n);
        memmove(spelling + 1, spelling, strlen(spelling) + 1);
        spelling[0] = i % 2 ? '0' : '+';
        out = text_id(spelling);
        refused(EVDB_INVALID, id_resolve(EVDB_ID_INTEGER, &out, space, &back, &why));
    }
}

static void a_text_need_not_end_where_its_length_does(void **state)
{
    char space[ID_TEXT_MAX];
    evdb_id id = { .text = "1234", .length = 2 }, out;
    (void)state;
    ok(id_resolve(EVDB_ID_INTEGER, &id, space, &out, &why));
    assert_int_equal(out.number, 12);
}

static void an_undecided_type_leaves_ids_as_they_are(void **state)
{
    char space[ID_TEXT_MAX];
    evdb_id out, number = { .number = 7 }, text = text_id("7");
    (void)state;
    ok(id_resolve(EVDB_ID_UNDECIDED, &number, space, &out, &why));
    assert_true(!out.text && out.number == 7);
    ok(id_resolve(EVDB_ID_UNDECIDED, &text, space, &out, &why));
    assert_ptr_equal(out.text, text.text);
}

static void ids_are_equal_by_kind_and_content(void **state)
{
    evdb_id seven = { .number = 7 }, eight = { .number = 8 }, text = text_id("7"), longer = text_id("77");
    evdb_id part = { .text = "77", .length = 1 };
    (void)state;
    assert_true(id_equal(&seven, &seven));
    assert_false(id_equal(&seven, &eight));
    assert_false(id_equal(&seven, &text));
    assert_false(id_equal(&text, &longer));
    assert_true(id_equal(&text, &part));
}

static void a_long_id_is_shown_cut_between_characters(void **state)
{
    char space[16], small[64];
    evdb_id id = text_id("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"), number = { .number = INT64_MIN };
    (void)state;
    assert_string_equal(id_show(&id, space, sizeof(space)), "'\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac...'");
    id = text_id("short");
    assert_string_equal(id_show(&id, space, sizeof(space)), "'short'");
    assert_string_equal(id_show(&number, small, sizeof(small)), "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checking_fills_in_the_length),
        cmocka_unit_test(every_integer_has_one_spelling_and_comes_back_from_it),
        cmocka_unit_test(a_text_need_not_end_where_its_length_does),
        cmocka_unit_test(an_undecided_type_leaves_ids_as_they_are),
        cmocka_unit_test(ids_are_equal_by_kind_and_content),
        cmocka_unit_test(a_long_id_is_shown_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
