/* test_codec.c - a codec as a chain of stages: named as text, applied, sealed, saved. */
#include "codec/codec.h"
#include "expect.h"
#include "kernel/metric.h"
#include "made_codec.h"
#include "seed.h"
#include <evdb.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static void elements_come_back_within_what_their_type_rounds(void **state)
{
    static const struct { const char *spec; float relative; } cases[] = { { "f32", 0 }, { "f16", 0x1p-11f }, { "bf16", 0x1p-8f } };
    enum { DIM = 37, COUNT = 600 };
    static float x[COUNT * DIM], y[COUNT * DIM];
    (void)state;
    seed_floats(&seed, x, COUNT * DIM);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_codec *c = made_codec_on(cases[i].spec, DIM, NULL, 0);
        char *codes = malloc(COUNT * evdb_codec_bound(c));
        size_t sizes[COUNT];
        ok(evdb_codec_encode(c, x, COUNT, codes, sizes, &why));
        ok(evdb_codec_decode(c, codes, sizes, COUNT, y, &why));
        for (size_t j = 0; j < COUNT * DIM; j++)
            assert_true(fabsf(x[j] - y[j]) <= fabsf(x[j]) * cases[i].relative + (cases[i].relative > 0 ? 0x1p-24f : 0));
        free(codes);
        evdb_codec_free(c);
    }
}

static void huge_elements_stay_finite(void **state)
{
    static const char *const specs[] = { "f16", "bf16" };
    const float x[] = { 3.4e38f, -3.4e38f, 65520, 1e-45f, 0, -0.0f };
    enum { DIM = sizeof(x) / sizeof(*x) };
    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        evdb_codec *c = made_codec_on(specs[i], DIM, NULL, 0);
        char codes[DIM * 2];
        float y[DIM];
        ok(evdb_codec_encode(c, x, 1, codes, NULL, &why));
        ok(evdb_codec_decode(c, codes, NULL, 1, y, &why));
        for (size_t j = 0; j < DIM; j++) assert_true(isfinite(y[j]));
        evdb_codec_free(c);
    }
}

/* From 32 MB on, floats go past the caches where memory lets them. */
static void vectors_that_fill_more_than_the_caches_come_back_as_they_do_one_by_one(void **state)
{
    (void)state;
    static const char *const specs[] = { "f16", "bf16", "i8:trained" };
    enum { DIM = 40, COUNT = (1 << 23) / DIM + 7, ONES = 300 };
    float *x = malloc((size_t)COUNT * DIM * sizeof(*x)), *back = malloc(((size_t)COUNT * DIM + 1) * sizeof(*back)), one[DIM];
    unsigned char *codes = malloc((size_t)COUNT * DIM * 2);
    assert_true(x && back && codes);
    seed_floats(&seed, x, (size_t)COUNT * DIM);
    for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++) {
        evdb_codec *c = made_codec_on(specs[s], DIM, x, 1000);
        ok(evdb_codec_encode(c, x, COUNT, codes, NULL, &why));
        ok(evdb_codec_decode(c, codes, NULL, COUNT, back + 1, &why));
        for (size_t n = 0; n < ONES; n++) {
            size_t i = n < 3 ? n : n < 6 ? COUNT - n + 2 : seed_below(&seed, COUNT), bytes = evdb_codec_bound(c);
            unsigned char code[DIM * 2];
            ok(evdb_codec_encode(c, x + i * DIM, 1, code, NULL, &why));
            assert_memory_equal(code, codes + i * bytes, bytes);
            ok(evdb_codec_decode(c, code, NULL, 1, one, &why));
            assert_memory_equal(one, back + 1 + i * DIM, sizeof(one));
        }
        evdb_codec_free(c);
    }
    free(x), free(back), free(codes);
}

/* Far from zero, where the mean is most of a vector, and around it, where what is left is small beside the mean. */
static void norms_are_those_of_what_comes_back(void **state)
{
    (void)state;
    static const char *const specs[] = { "i8", "pca:9+f32", "pca:0.9+rotate+i8", "opq:4", "rp:7+f16", "rotate+i8", "pca:12+pq:3" };
    enum { DIM = 24, COUNT = 1500, LOOK = 200 };
    static float x[COUNT * DIM], y[DIM];
    for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++)
        for (size_t far = 0; far < 2; far++) {
            seed_floats(&seed, x, COUNT * DIM);
            for (size_t i = 0; far && i < COUNT * DIM; i++) x[i] += (float)(i / DIM % 2 ? 5 : -4.9f);
            evdb_codec *c = made_codec_on(specs[s], DIM, x, COUNT);
            uint8_t *code = malloc(evdb_codec_bound(c));
            void *room = malloc(codec_room(c));
            for (size_t i = 0; i < LOOK; i++) {
                ok(evdb_codec_encode(c, x + i * DIM, 1, code, NULL, &why));
                ok(evdb_codec_decode(c, code, NULL, 1, y, &why));
                float got = codec_inverse_norm(c, code, room), expected = metric_inverse_norm(y, DIM);
                if (!(fabsf(got - expected) <= 1e-5f * expected)) fail_msg("%s: %g where %g belongs", specs[s], got, expected);
            }
            free(code), free(room);
            evdb_codec_free(c);
        }
}

static void a_codec_that_makes_no_sense_is_refused_by_what_is_wrong(void **state)
{
    static const struct { const char *spec, *says; } cases[] = {
        { "", "missing" }, { "nonsense", "there is no codec 'nonsense'" }, { "f32+", "there is no codec ''" }, { "f32+f16", "may not follow" },
        { "f16:3", "takes no parameters" }, { "+f32", "there is no codec ''" }, { "F32", "there is no codec" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        refused(EVDB_INVALID, evdb_codec_check(cases[i].spec, 8, NULL, NULL, &why));
        expect_says(cases[i].says);
    }
    char longest[EVDB_CODEC_SPEC_MAX + 2];
    memset(longest, 'f', sizeof(longest));
    longest[sizeof(longest) - 1] = 0;
    refused(EVDB_INVALID, evdb_codec_check(longest, 8, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_codec_check("f32", EVDB_DIM_MAX + 1, NULL, NULL, &why));
    ok(evdb_codec_check("f32", 0, longest, NULL, &why));
    assert_string_equal(longest, "f32");
}

static void a_vector_that_is_not_finite_is_refused_by_its_number(void **state)
{
    float x[3][4] = { { 1 }, { 2 }, { 3, NAN } };
    char codes[3][16];
    evdb_codec *c = made_codec_on("f32", 4, NULL, 0);
    (void)state;
    refused_item(EVDB_INVALID, 2, evdb_codec_encode(c, x[0], 3, codes, NULL, &why));
    evdb_codec_free(c);
}

static void a_sealed_vector_tells_its_codec_and_any_damage(void **state)
{
    enum { DIM = 9 };
    float x[DIM], y[DIM];
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    unsigned char *bytes;
    size_t size;
    uint32_t dim;
    evdb_codec *c = made_codec_on("f32", DIM, NULL, 0), *other = made_codec_on("bf16", DIM, NULL, 0);
    (void)state;
    seed_floats(&seed, x, DIM);
    ok(evdb_codec_seal(c, x, (void **)&bytes, &size, &why));
    ok(evdb_codec_sealed(bytes, size, spec, &dim, &why));
    assert_string_equal(spec, "f32");
    assert_int_equal(dim, DIM);
    ok(evdb_codec_unseal(NULL, bytes, size, y, &why));
    assert_memory_equal(x, y, sizeof(x));
    refused(EVDB_INVALID, evdb_codec_unseal(other, bytes, size, y, &why));
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= (unsigned char)(1 << seed_below(&seed, 8));
        refused(EVDB_CORRUPT, evdb_codec_unseal(c, bytes, size, y, &why));
        refused(EVDB_CORRUPT, evdb_codec_unseal(c, bytes, at, y, &why));
        evdb_bytes_free(bytes);
        ok(evdb_codec_seal(c, x, (void **)&bytes, &size, &why));
    }
    evdb_bytes_free(bytes);
    evdb_codec_free(c);
    evdb_codec_free(other);
}

static void a_saved_codec_comes_back_and_any_damage_is_found(void **state)
{
    enum { DIM = 5 };
    evdb_codec *c = made_codec_on("f16", DIM, NULL, 0), *back = NULL;
    unsigned char *bytes;
    size_t size;
    (void)state;
    ok(evdb_codec_save(c, (void **)&bytes, &size, &why));
    ok(evdb_codec_load(bytes, size, NULL, &back, &why));
    assert_string_equal(evdb_codec_spec(back), evdb_codec_spec(c));
    assert_int_equal(evdb_codec_dim(back), DIM);
    evdb_codec_free(back);
    for (size_t at = 0; at < size; at++) {
        evdb_status rc = evdb_codec_load(bytes, at, NULL, &back, &why);
        assert_int_equal(rc, EVDB_CORRUPT);
        bytes[at] ^= 0x40;
        rc = evdb_codec_load(bytes, size, NULL, &back, &why);
        assert_true(rc == EVDB_CORRUPT || rc == EVDB_NEWER);
        bytes[at] ^= 0x40;
    }
    evdb_bytes_free(bytes);
    evdb_codec_free(c);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_back_within_what_their_type_rounds),
        cmocka_unit_test(huge_elements_stay_finite),
        cmocka_unit_test(vectors_that_fill_more_than_the_caches_come_back_as_they_do_one_by_one),
        cmocka_unit_test(norms_are_those_of_what_comes_back),
        cmocka_unit_test(a_codec_that_makes_no_sense_is_refused_by_what_is_wrong),
        cmocka_unit_test(a_vector_that_is_not_finite_is_refused_by_its_number),
        cmocka_unit_test(a_sealed_vector_tells_its_codec_and_any_damage),
        cmocka_unit_test(a_saved_codec_comes_back_and_any_damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
