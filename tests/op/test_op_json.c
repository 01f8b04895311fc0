/* test_op_json.c - values of the library as JSON, and messages. */
#include "memory_io.h"
#include "op/op_json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Any float that is a number comes back from JSON text with the same bits. */
static void floats_survive_json_bit_for_bit(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    static const uint32_t edges[] = { 0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff,
                                      0x3f800001, 0x4b800000, 0x3dcccccd };
    for (size_t i = 0; i < 20000; i++) {
        uint32_t bits = i < sizeof edges / sizeof *edges ? edges[i] : (uint32_t)(seed_next(&seed) >> 16);
        float value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        json_t *json = op_json_float(value);
        char *text = json_dumps(json, JSON_ENCODE_ANY);
        json_t *read = json_loads(text, JSON_DECODE_ANY, NULL);
        back = (float)json_real_value(read);
        if (memcmp(&back, &value, sizeof back) != 0) fail_msg("%a became %s", (double)value, text);
        free(text);
        json_decref(read);
        json_decref(json);
    }
}

static void text_that_is_no_utf8_stays_readable(void **state)
{
    json_t *good = op_json_text("r\xc3\xa9""c"), *bad = op_json_text("rec \xff\xc3.");
    (void)state;
    assert_string_equal(json_string_value(good), "r\xc3\xa9""c");
    assert_string_equal(json_string_value(bad), "rec ??.");
    json_decref(good);
    json_decref(bad);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    char text[1024];
    evdb_error err;
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) memcpy(text + i, "\xe2\x82\xac", 4); /* the euro sign */
        assert_int_equal(op_fail(&err, EVDB_INVALID, "%s", text), EVDB_INVALID);
        json_t *json = json_string(err.message); /* refuses what is no UTF-8 */
        assert_non_null(json);
        assert_true(strlen(err.message) > sizeof err.message - 5);
        json_decref(json);
    }
    assert_int_equal(op_fail(NULL, EVDB_INVALID, "%s", text), EVDB_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_survive_json_bit_for_bit),
        cmocka_unit_test(text_that_is_no_utf8_stays_readable),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
