/* test_kernel_halves.c - kernels over floats of 16 bits, and copies past the caches, for every table this machine can run. */
#include "base/element.h"
#include "kernel/kernel.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1100, KINDS = 2, ALL = 1 << 16, HALF = 2 };
static uint64_t seed;

#define EACH_KERNEL(k) for (const kernel *const *at = kernels, *k; (k = *at) != NULL; at++) if (k->usable())

static const half_codes *codes_of(const kernel *k, int kind) { return kind ? &k->halves->bf16 : &k->halves->f16; }
static uint16_t exponent_of(int kind) { return kind ? 0x7f80 : 0x7c00; }

/* Of any size a float has: the ends, halves between two codes, and what vanishes, too. */
static float any_float(void)
{
    static const float ends[] = { 0, -0.0f, FLT_MAX, -FLT_MAX, FLT_MIN, 0x1p-149f, 65504, 65519.9f, 65520, -65536, 0x1p-24f, 0x1p-25f,
                                  0x1.8p-25f, 0x1p-14f, 0x1.ffcp-15f, 1.00048828125f, 1.00146484375f, 1.00390625f, 1.01171875f };
    if (seed_below(&seed, 4) == 0) return ends[seed_below(&seed, sizeof(ends) / sizeof(*ends))];
    uint32_t bits = (uint32_t)seed_next(&seed);
    float x;
    if (seed_below(&seed, 2)) bits = (bits & 0x87ffffff) | 0x38000000; /* where halves are */
    if (seed_below(&seed, 2)) bits &= 0xfffff000;                      /* between two of them */
    if ((bits & 0x7f800000) == 0x7f800000) bits &= 0xbfffffff;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static size_t length(size_t round) { return round < 150 ? round + 1 : 1 + seed_below(&seed, MOST); }

static void codes_are_the_same_in_every_table_and_of_any_alignment(void **state)
{
    (void)state;
    float x[MOST], back[MOST + 1], plain_back[MOST];
    uint8_t plain[HALF * MOST], codes[HALF * MOST + 2];
    for (size_t round = 0; round < 200; round++) {
        size_t n = length(round), shift = round % 2;
        for (size_t i = 0; i < n; i++) x[i] = any_float();
        for (int kind = 0; kind < KINDS; kind++) {
            codes_of(&kernel_scalar, kind)->encode(x, n, plain);
            codes_of(&kernel_scalar, kind)->decode(plain, n, plain_back);
            EACH_KERNEL(k) {
                codes[HALF * n + shift] = 0xa5;
                back[n] = 42;
                codes_of(k, kind)->encode(x, n, codes + shift);
                assert_memory_equal(codes + shift, plain, HALF * n);
                assert_true(codes_of(k, kind)->finite(codes + shift, n));
                codes_of(k, kind)->decode(codes + shift, n, back);
                assert_memory_equal(back, plain_back, n * sizeof(float));
                assert_true(codes[HALF * n + shift] == 0xa5 && back[n] == 42);
            }
        }
    }
}

/* The neighbours of a code are the codes beside it; beyond the largest there is none. */
static void codes_are_the_nearest(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20000; round++)
        for (int kind = 0; kind < KINDS; kind++) {
            float x = any_float(), near[3];
            uint16_t code, around[3];
            codes_of(&kernel_scalar, kind)->encode(&x, 1, (uint8_t *)&code);
            for (int i = 0; i < 3; i++) around[i] = (uint16_t)(code + i - 1);
            codes_of(&kernel_scalar, kind)->decode((uint8_t *)around, 3, near);
            double exact = kind ? x : fmin(fmax(x, -ELEMENT_F16_MAX), ELEMENT_F16_MAX), off = fabs(near[1] - exact);
            for (int i = 0; i < 3; i += 2)
                if ((code & 0x7fff) && (around[i] & exponent_of(kind)) != exponent_of(kind)) {
                    double other = fabs(near[i] - exact);
                    assert_true(off < other || (off == other && code % 2 == 0));
                }
        }
}

static void what_is_not_finite_is_told(void **state)
{
    (void)state;
    uint8_t codes[HALF * MOST] = { 0 };
    for (uint32_t code = 0; code < ALL; code += 1 + (uint32_t)seed_below(&seed, 9))
        for (int kind = 0; kind < KINDS; kind++) {
            size_t n = length(seed_below(&seed, 200)), i = seed_below(&seed, n);
            uint16_t half = (uint16_t)code;
            memcpy(codes + HALF * i, &half, HALF);
            EACH_KERNEL(k) assert_int_equal(codes_of(k, kind)->finite(codes, n), (half & exponent_of(kind)) != exponent_of(kind));
            memset(codes + HALF * i, 0, HALF);
        }
}

static void copies_past_the_caches_are_whole_wherever_they_begin(void **state)
{
    (void)state;
    float from[MOST], to[MOST + 32];
    seed_floats(&seed, from, MOST);
    for (size_t round = 0; round < 300; round++) {
        size_t n = seed_below(&seed, MOST + 1), place = 1 + seed_below(&seed, 16), begin = seed_below(&seed, MOST - n + 1);
        EACH_KERNEL(k) {
            if (!k->copy_past_caches) continue;
            for (size_t i = 0; i < MOST + 32; i++) to[i] = 42;
            k->copy_past_caches(from + begin, n, to + place);
            k->end_past_caches();
            assert_memory_equal(to + place, from + begin, n * sizeof(float));
            assert_true(to[place - 1] == 42 && to[place + n] == 42);
        }
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_the_same_in_every_table_and_of_any_alignment),
        cmocka_unit_test(codes_are_the_nearest),
        cmocka_unit_test(what_is_not_finite_is_told),
        cmocka_unit_test(copies_past_the_caches_are_whole_wherever_they_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
