/* test_format_number.c - lib/format/number: every float survives its text. */
#include "format/number.h"
#include "memory_io.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* As in a file: followed by a comma. */
static bool parse(const char *text, float *out)
{
    char padded[512];
    int n = snprintf(padded, sizeof(padded), "%s,", text);
    return number_to_float(padded, (size_t)n - 1, out);
}

static const char *print(float value, char text[NUMBER_TEXT_MAX + 1])
{
    text[number_from_float(value, text)] = 0;
    return text;
}

static int significant_digits(const char *text)
{
    int digits = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && !digits)) continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

static void check_survives(uint32_t bits)
{
    char text[NUMBER_TEXT_MAX + 1], shortest[32];
    float value = float_of(bits), back = 0;
    int precision = 0;
    if (!isfinite(value)) return;
    print(value, text);
    assert_true(parse(text, &back));
    if (bits_of(back) != bits) fail_msg("%08x was printed as %s, which reads as %08x", bits, text, bits_of(back));
    assert_int_equal(bits_of(strtof(text, NULL)), bits);
    do snprintf(shortest, sizeof(shortest), "%.*e", precision++, (double)value);
    while (strtof(shortest, NULL) != value);
    if (significant_digits(text) > significant_digits(shortest)) fail_msg("%s is longer than %s", text, shortest);
}

static void every_float_is_printed_short_and_reads_back_the_same(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    static const uint32_t special[] = {
        0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000, 0x00800001, 0x7f7fffff, 0xff7fffff,
        0x3f800000, 0x4b800000, 0x4b7fffff, 0x4e6e6b28, 0x501502f9, 0x3dcccccd, 0x0da24260, 0x7149f2ca,
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) check_survives(special[i]);
    for (uint32_t exponent = 0; exponent < 255; exponent++) /* powers of two have a lopsided interval */
        for (int step = -1; step <= 1; step++) check_survives((exponent << 23) + (uint32_t)step);
    for (int i = 0; i < 100000; i++) check_survives((uint32_t)seed_next(&seed));
}

static void text_has_the_form_people_write(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        { 0.0f, "0" },
        { -0.0f, "-0.0" },
        { 1.0f, "1" },
        { -1.5f, "-1.5" },
        { 0.1f, "0.1" },
        { 0.00001f, "0.00001" },
        { 0.000001f, "1e-6" },
        { 1234567.0f, "1234567" },
        { 1e9f, "1000000000" },
        { 1e10f, "1e10" },
        { 3.4028235e38f, "3.4028235e38" },
        { 1e-45f, "1e-45" },
        { 1.1754944e-38f, "1.1754944e-38" },
    };
    char text[NUMBER_TEXT_MAX + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(print(cases[i].value, text), cases[i].text);
}

static void reading_rounds_correctly(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (int i = 0; i < 100000; i++) {
        char text[128];
        float ours = 0, theirs;
        int n = snprintf(text, sizeof(text), "%s%d.", seed_next(&seed) & 1 ? "-" : "", (int)(seed_next(&seed) % 10));
        for (int digits = 1 + (int)(seed_next(&seed) % 30); digits > 0; digits--)
            text[n++] = (char)('0' + seed_next(&seed) % 10);
        snprintf(text + n, sizeof(text) - (size_t)n, "e%d", (int)(seed_next(&seed) % 100) - 60);
        theirs = strtof(text, NULL);
        bool fits = parse(text, &ours);
        if (fits != (isfinite(theirs) != 0) || (fits && bits_of(ours) != bits_of(theirs)))
            fail_msg("%s reads as %08x, strtof says %08x", text, bits_of(ours), bits_of(theirs));
    }
}

/* Between two floats exactly, and a hair beside it: where sloppy conversions go wrong. */
static void midpoints_round_to_even(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    for (int i = 0; i < 20000; i++) {
        float low = float_of((uint32_t)seed_next(&seed) & 0x7fffffff), high = nextafterf(low, INFINITY), ours = 0;
        char text[256];
        if (!isfinite(low) || !isfinite(high)) continue;
        snprintf(text, sizeof(text), "%.*e", i % 2 ? 150 : 17, ((double)low + (double)high) / 2);
        assert_true(parse(text, &ours));
        if (bits_of(ours) != bits_of(strtof(text, NULL))) fail_msg("%s reads as %08x", text, bits_of(ours));
    }
}

static void numbers_too_large_for_float_are_refused(void **state)
{
    (void)state;
    float value = 7;
    static const char *const large[] = { "3.4028236e38", "3.40282356779733661637539e38", "-1e39", "1e400", "1e99999999999999999999", "4e38" };
    for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) assert_false(parse(large[i], &value));
    assert_true(value == 7);                     /* written only on success */
    assert_true(parse("3.40282356e38", &value)); /* rounds down to the largest */
    assert_int_equal(bits_of(value), 0x7f7fffff);
}

static void numbers_too_small_for_float_become_zero_with_their_sign(void **state)
{
    (void)state;
    float value;
    assert_true(parse("1e-60", &value) && bits_of(value) == 0);
    assert_true(parse("-1e-99999999999999999999", &value) && bits_of(value) == 0x80000000);
    assert_true(parse("-0", &value) && bits_of(value) == 0x80000000);
    assert_true(parse("0e99999", &value) && bits_of(value) == 0);
}

static void integers_are_exact_to_both_ends_of_int64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "99999999999999999999999", false, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t value = 0;
        assert_int_equal(number_to_int64(cases[i].text, strlen(cases[i].text), &value), cases[i].fits);
        if (cases[i].fits) assert_true(value == cases[i].value);
    }
}

/* A program that embeds evdb may have called setlocale(). Skipped where no such locale is installed. */
static void a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    static const char *const comma[] = { "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ps_AF.UTF-8" };
    bool set = false;
    for (size_t i = 0; !set && i < sizeof(comma) / sizeof(*comma); i++) set = setlocale(LC_NUMERIC, comma[i]) != NULL;
    if (!set) skip();
    char text[NUMBER_TEXT_MAX + 1];
    float value = 0;
    assert_string_equal(print(1.5e-44f, text), "1.5e-44");
    assert_string_equal(print(0.25f, text), "0.25");
    bool read = parse("1.00000017881393432617187500001", &value); /* next to a midpoint: the exact way */
    setlocale(LC_NUMERIC, "C");
    assert_true(read);
    assert_int_equal(bits_of(value), 0x3f800002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_float_is_printed_short_and_reads_back_the_same),
        cmocka_unit_test(text_has_the_form_people_write),
        cmocka_unit_test(reading_rounds_correctly),
        cmocka_unit_test(midpoints_round_to_even),
        cmocka_unit_test(numbers_too_large_for_float_are_refused),
        cmocka_unit_test(numbers_too_small_for_float_become_zero_with_their_sign),
        cmocka_unit_test(integers_are_exact_to_both_ends_of_int64),
        cmocka_unit_test(a_decimal_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
