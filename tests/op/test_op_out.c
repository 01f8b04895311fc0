/* test_op_out.c - replies as JSON text, and messages. */
#include "memory_io.h"
#include "op/op.h"
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
        op_out out = OP_OUT;
        op_out_float(&out, NULL, value);
        assert_int_equal(op_out_done(&out, NULL), EVDB_OK);
        json_t *read = json_loads(out.text, JSON_DECODE_ANY, NULL);
        back = (float)json_number_value(read);
        if (memcmp(&back, &value, sizeof back) != 0) fail_msg("%a became %s", (double)value, out.text);
        op_out_free(&out);
        json_decref(read);
    }
}

/* Random bytes come out as a JSON string that jansson reads; what was UTF-8 in them comes back as it was. */
static void any_bytes_become_a_string(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (size_t i = 0; i < 5000; i++) {
        char bytes[32];
        size_t length = seed_next(&seed) % sizeof bytes;
        for (size_t j = 0; j < length; j++) {
            uint64_t r = seed_next(&seed) >> 20;
            bytes[j] = (char)(r % 3 == 0 ? r >> 8 & 0xff : r % 3 == 1 ? 0x80 | (r >> 8 & 0x7f) : 0x01 + (r >> 8) % 0x7e);
            if (!bytes[j]) bytes[j] = 'x';
        }
        op_out out = OP_OUT;
        op_out_bytes(&out, NULL, bytes, length);
        assert_int_equal(op_out_done(&out, NULL), EVDB_OK);
        json_t *read = json_loads(out.text, JSON_DECODE_ANY, NULL), *plain = json_stringn(bytes, length);
        assert_non_null(read);
        if (plain) assert_true(json_equal(read, plain));
        json_decref(read);
        json_decref(plain);
        op_out_free(&out);
    }
}

/* Text is looked at eight bytes at a time: the one that stands out may be at any of their places, beside any other. */
static void each_byte_is_seen_wherever_it_stands(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (size_t i = 0; i < 256 * 24; i++) {
        char text[24];
        size_t at = i / 256;
        for (size_t j = 0; j < sizeof text; j++) text[j] = (char)(0x20 + seed_below(&seed, 0x60));
        text[at] = (char)(i % 256);
        if (at) text[at - 1] = (char)seed_below(&seed, 0x80);
        op_out out = OP_OUT;
        op_out_bytes(&out, NULL, text, sizeof text);
        assert_int_equal(op_out_done(&out, NULL), EVDB_OK);
        if (i % 256 >= 0x80) text[at] = '?';
        json_t *read = json_loadb(out.text, out.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *plain = json_stringn(text, sizeof text);
        assert_true(json_equal(read, plain));
        json_decref(read);
        json_decref(plain);
        op_out_free(&out);
    }
}

static void text_that_is_no_utf8_stays_readable(void **state)
{
    op_out out = OP_OUT;
    (void)state;
    op_out_open(&out, NULL, '[');
    op_out_text(&out, NULL, "r\xc3\xa9""c\n");
    op_out_text(&out, NULL, "rec \xff\xc3.");
    op_out_close(&out, ']');
    assert_int_equal(op_out_done(&out, NULL), EVDB_OK);
    assert_string_equal(out.text, "[\"r\xc3\xa9""c\\n\",\"rec ??.\"]");
    op_out_free(&out);
}

static void commas_stand_between_values_and_nowhere_else(void **state)
{
    static const float numbers[] = { 1, -0.5f, INFINITY };
    op_out out = OP_OUT;
    (void)state;
    op_out_open(&out, NULL, '{');
    op_out_open(&out, "none", '[');
    op_out_close(&out, ']');
    op_out_floats(&out, "floats", numbers, 2);
    op_out_open(&out, "list", '[');
    op_out_integer(&out, NULL, INT64_MIN);
    op_out_bool(&out, NULL, true);
    op_out_open(&out, NULL, '{');
    op_out_close(&out, '}');
    op_out_close(&out, ']');
    op_out_json(&out, "kept", "{\"a\":0.10}", 10);
    op_out_id(&out, "id", &(evdb_id){ .text = "x" });
    op_out_float(&out, "far", numbers[2]);
    op_out_close(&out, '}');
    assert_int_equal(op_out_done(&out, NULL), EVDB_OK);
    assert_string_equal(out.text, "{\"none\":[],\"floats\":[1,-0.5],\"list\":[-9223372036854775808,true,{}],"
                                  "\"kept\":{\"a\":0.10},\"id\":\"x\",\"far\":3.4028235e38}");
    op_out_free(&out);
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
        cmocka_unit_test(any_bytes_become_a_string),
        cmocka_unit_test(each_byte_is_seen_wherever_it_stands),
        cmocka_unit_test(text_that_is_no_utf8_stays_readable),
        cmocka_unit_test(commas_stand_between_values_and_nowhere_else),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
