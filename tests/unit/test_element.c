/* test_element.c - vectors as stored bytes and back, against what the types are. */
#include "base/element.h"
#include "seed.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static void every_half_comes_back_as_it_was(void **state)
{
    (void)state;
    for (uint32_t half = 0; half <= UINT16_MAX; half++)
        if ((half & 0x7c00) != 0x7c00) assert_int_equal(element_half(element_from_half((uint16_t)half)), half);
    assert_true(element_from_half(0x3c00) == 1 && element_from_half(0x7bff) == ELEMENT_F16_MAX);
    assert_true(element_from_half(0x7c00) == INFINITY && isnan(element_from_half(0x7e00)));
    assert_true(element_from_half(1) == 0x1p-24f && element_from_half(0x8400) == -0x1p-14f);
}

/* Halves have the order of their bits, so a neighbour is one bit away. */
static void floats_become_the_nearest_half_and_ties_the_even_one(void **state)
{
    (void)state;
    for (int i = 0; i < 300000; i++) {
        float scale = ldexpf(1, (int)seed_below(&seed, 42) - 26), x;
        seed_floats(&seed, &x, 1);
        x = fabsf(x) * scale;
        uint16_t half = element_half(x);
        double off = fabs((double)element_from_half(half) - x);
        assert_true(off <= fabs((double)element_from_half((uint16_t)(half + 1)) - x));
        if (half) assert_true(off <= fabs((double)element_from_half((uint16_t)(half - 1)) - x));
        assert_int_equal(element_half(-x), half | 0x8000);
    }
    for (uint16_t half = 0; half < 0x7bff; half++) { /* the middle of each pair is a float */
        float middle = (element_from_half(half) + element_from_half((uint16_t)(half + 1))) / 2;
        assert_int_equal(element_half(middle), half % 2 ? half + 1 : half);
    }
    assert_int_equal(element_half(ELEMENT_F16_ZERO), 0);
    assert_int_equal(element_half(nextafterf(ELEMENT_F16_ZERO, 1)), 1);
}

static void what_a_type_cannot_hold_is_found_where_it_is(void **state)
{
    static const struct { evdb_dtype dtype; float bad; } cases[] = {
        { EVDB_F16, 65505 }, { EVDB_F16, -3e38f }, { EVDB_I8, 0.5f }, { EVDB_I8, 128 }, { EVDB_I8, -129 }, { EVDB_I8, 1e30f },
        { EVDB_I8, 1e-30f }, { EVDB_BIT, 2 }, { EVDB_BIT, -1 }, { EVDB_BIT, 0.5f },
    };
    enum { DIM = 21 };
    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
        for (uint32_t at = 0; at < DIM; at++) {
            float v[DIM] = { 0, 1, -0.0f, 1 };
            assert_int_equal(element_unfit(cases[c].dtype, v, DIM), DIM);
            v[at] = cases[c].bad;
            assert_int_equal(element_unfit(cases[c].dtype, v, DIM), at);
            assert_int_equal(element_unfit(EVDB_F32, v, DIM), DIM);
        }
}

static void whole_numbers_and_bits_take_their_room_and_come_back(void **state)
{
    enum { MOST = 67 };
    (void)state;
    for (uint32_t dim = 1; dim <= MOST; dim++) {
        float numbers[MOST], bits[MOST], back[MOST];
        unsigned char bytes[MOST + 1];
        for (uint32_t i = 0; i < dim; i++) numbers[i] = (float)seed_below(&seed, 256) - 128, bits[i] = (float)seed_below(&seed, 2);
        numbers[0] = -128, bits[0] = -0.0f;
        assert_int_equal(element_bytes(EVDB_I8, dim), dim);
        assert_int_equal(element_bytes(EVDB_BIT, dim), (dim + 7) / 8);
        assert_int_equal(element_bytes(EVDB_F16, dim), dim * 2);
        assert_int_equal(element_bytes(EVDB_F32, dim), dim * 4);
        element_encode(EVDB_I8, numbers, dim, bytes);
        element_decode(EVDB_I8, bytes, dim, back);
        assert_memory_equal(back, numbers, dim * sizeof(float));
        memset(bytes, 0xff, sizeof(bytes));
        element_encode(EVDB_BIT, bits, dim, bytes);
        assert_int_equal(bytes[(dim + 7) / 8], 0xff); /* nothing is written behind */
        element_decode(EVDB_BIT, bytes, dim, back);
        for (uint32_t i = 0; i < dim; i++) assert_true(back[i] == bits[i]);
    }
}

static void bytes_that_no_vector_has_are_not_sound(void **state)
{
    (void)state;
    const unsigned char bits[] = { 0xff, 0x07 };
    uint16_t halves[] = { 0x3c00, 0x7c00 };
    assert_true(element_sound(EVDB_BIT, bits, 11));
    assert_true(element_sound(EVDB_BIT, bits, 16));
    assert_false(element_sound(EVDB_BIT, bits, 10));
    assert_true(element_sound(EVDB_F16, halves, 1));
    assert_false(element_sound(EVDB_F16, halves, 2));
    assert_true(element_sound(EVDB_I8, bits, 2));
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back_as_it_was),
        cmocka_unit_test(floats_become_the_nearest_half_and_ties_the_even_one),
        cmocka_unit_test(what_a_type_cannot_hold_is_found_where_it_is),
        cmocka_unit_test(whole_numbers_and_bits_take_their_room_and_come_back),
        cmocka_unit_test(bytes_that_no_vector_has_are_not_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
