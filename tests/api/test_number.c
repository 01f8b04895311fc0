/* test_number.c - evdb/number.h: floats as text and back. */
#include <evdb.h>
#include "expect.h"
#include "memory_io.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void printed_floats_read_back_as_the_same_bits(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)(seed_next(&seed) >> 16), back;
        float value, read;
        char text[EVDB_NUMBER_TEXT_MAX + 2] = "[";
        size_t count, used;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value)) continue;
        size_t length = evdb_number_print(value, text + 1);
        assert_true(length <= EVDB_NUMBER_TEXT_MAX);
        text[length + 1] = ']';
        assert_int_equal(evdb_number_read_array(text, length + 2, &read, 1, &count, &used, &why), EVDB_OK);
        memcpy(&back, &read, sizeof(back));
        assert_int_equal(back, bits);
        assert_int_equal(count, 1);
        assert_int_equal(used, length + 2);
    }
}

static void an_array_is_read_up_to_its_end_and_counted_beyond_the_room(void **state)
{
    (void)state;
    static const char text[] = "[ 1 ,\n-2.5,3e2,\t4 ] , 5]";
    float out[4] = { 0, 0, 0, 7 };
    size_t count, used;
    assert_int_equal(evdb_number_read_array(text, sizeof(text) - 1, out, 3, &count, &used, &why), EVDB_OK);
    assert_int_equal(count, 4);
    assert_int_equal(used, 19);
    assert_true(out[0] == 1 && out[1] == -2.5f && out[2] == 300 && out[3] == 7);
    assert_int_equal(evdb_number_read_array("[]", 2, NULL, 0, &count, NULL, &why), EVDB_OK);
    assert_int_equal(count, 0);
}

static void what_is_no_array_of_numbers_is_refused_by_its_index(void **state)
{
    (void)state;
    static const struct { const char *text; uint64_t item; } bad[] = {
        { "[1,", 1 }, { "[1", 0 }, { "[1,]", 1 }, { "[,1]", 0 }, { "[1 2]", 0 }, { "[01]", 0 }, { "[1,+2]", 1 }, { "[1,.5]", 1 },
        { "[1.]", 0 }, { "[1e]", 0 }, { "[-]", 0 }, { "[1,2,\"x\"]", 2 }, { "[null]", 0 }, { "[[1]]", 0 }, { "[NaN]", 0 }, { "[", 0 },
        { "", EVDB_NO_ITEM }, { "1", EVDB_NO_ITEM }, { "{}", EVDB_NO_ITEM }
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        float out[4];
        size_t count = 77, length = strlen(bad[i].text);
        char *exact = malloc(length + 1); /* without a NUL, so that a sanitizer sees what is read beyond */
        memcpy(exact, bad[i].text, length);
        assert_int_equal(evdb_number_read_array(exact, length, out, 4, &count, NULL, &why), EVDB_INVALID);
        assert_int_equal(why.item, bad[i].item);
        assert_int_equal(count, 77);
        free(exact);
    }
}

static void numbers_beyond_float_are_refused_and_tiny_ones_are_zero(void **state)
{
    (void)state;
    float out[2];
    size_t count;
    assert_int_equal(evdb_number_read_array("[1,3.5e38]", 10, out, 2, &count, NULL, &why), EVDB_LIMIT);
    assert_int_equal(why.item, 1);
    assert_int_equal(evdb_number_read_array("[1e-99,3.4028235e38]", 20, out, 2, &count, NULL, &why), EVDB_OK);
    assert_true(out[0] == 0 && out[1] == FLT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_floats_read_back_as_the_same_bits),
        cmocka_unit_test(an_array_is_read_up_to_its_end_and_counted_beyond_the_room),
        cmocka_unit_test(what_is_no_array_of_numbers_is_refused_by_its_index),
        cmocka_unit_test(numbers_beyond_float_are_refused_and_tiny_ones_are_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
