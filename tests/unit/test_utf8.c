/* test_utf8.c - base/utf8.h: every code point, and every way to spell one wrong. */
#include "base/utf8.h"
#include "expect.h"
#include "seed.h"
#include <string.h>

static size_t encode(uint32_t code, char *out)
{
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(leads[n] | code);
    return n;
}

static void every_code_point_but_nul_and_surrogates_is_valid(void **state)
{
    char bytes[4];
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        size_t n = encode(code, bytes);
        bool valid = code != 0 && (code < 0xd800 || code > 0xdfff);
        if (utf8_valid(bytes, n) != valid) fail_msg("U+%04X", code);
        if (n > 1 && utf8_valid(bytes, n - 1)) fail_msg("a part of U+%04X", code);
    }
    for (uint32_t code = 0x110000; code < 0x1fffff; code += 0x777) assert_false(utf8_valid(bytes, encode(code, bytes)));
    assert_true(utf8_valid("", 0));
}

static void longer_spellings_and_stray_bytes_are_not(void **state)
{
    static const char *const bad[] = { "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf",
                                       "\xf0\x8f\xbf\xbf", "\x80", "\xbf", "\xfe", "\xff", "\xf8\x88\x80\x80\x80",
                                       "a\xc3", "\xc3(", "\xe2\x28\xa1", "\xe2\x82(", "ok\xed\xa0\x80ok" };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_false(utf8_valid("a\0b", 3));
}

static void any_bytes_can_be_repaired_and_what_is_valid_stays(void **state)
{
    uint64_t seed = seed_print();
    char bytes[64], again[64];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t length = seed_below(&seed, sizeof(bytes));
        for (size_t i = 0; i < length; i++) bytes[i] = (char)(1 + seed_below(&seed, 255));
        bytes[length] = 0;
        bool valid = utf8_valid(bytes, length);
        memcpy(again, bytes, length + 1);
        utf8_repair(again);
        assert_int_equal(strlen(again), length);
        assert_true(utf8_valid(again, length));
        if (valid) assert_string_equal(again, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_nul_and_surrogates_is_valid),
        cmocka_unit_test(longer_spellings_and_stray_bytes_are_not),
        cmocka_unit_test(any_bytes_can_be_repaired_and_what_is_valid_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
