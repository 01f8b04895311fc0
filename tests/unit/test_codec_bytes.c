/* test_codec_bytes.c - byte codecs: what comes back is what went in, it never takes more bytes, and damage is met with an error. */
#include "codec/codec.h"
#include "expect.h"
#include "made_codec.h"
#include "seed.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static const char *const coders[] = {
    "zlib", "zlib:1", "zlib:9,plain", "zstd", "zstd:3,plain", "zstd:9", "zstd:19", "zstd:dict", "zstd:5,dict,plain"
};
enum { CODERS = sizeof(coders) / sizeof(*coders) };

static const char *spec_of(const char *quantiser, const char *coder)
{
    static char spec[EVDB_CODEC_SPEC_MAX + 1];
    snprintf(spec, sizeof(spec), "%s+%s", quantiser, coder);
    return spec;
}

/* Packs, unpacks between guards, and returns how many bytes it took. */
static size_t there_and_back(const evdb_codec *c, const uint8_t *code, uint8_t *packed)
{
    enum { GUARD = 16 };
    size_t bytes = codec_code_bytes(c), size = 0;
    uint8_t *back = malloc(bytes + 2 * GUARD), guard[GUARD];
    memset(guard, 0xa5, GUARD);
    memset(back, 0xa5, bytes + 2 * GUARD);
    ok(codec_pack(c, code, packed, &size, &why));
    assert_in_range(size, 1, codec_bound(c));
    ok(codec_unpack(c, packed, size, back + GUARD, &why));
    assert_memory_equal(back + GUARD, code, bytes);
    assert_memory_equal(back, guard, GUARD);
    assert_memory_equal(back + GUARD + bytes, guard, GUARD);
    free(back);
    return size;
}

/* Codes that resemble each other more or less: some of the elements are taken from a few values. */
static void random_vector(float *x, uint32_t dim)
{
    uint64_t alike = seed_below(&seed, 101), values = 1 + seed_below(&seed, 8);
    seed_floats(&seed, x, dim);
    for (uint32_t i = 0; i < dim; i++)
        if (seed_below(&seed, 100) < alike) x[i] = (float)seed_below(&seed, values);
}

static void codes_come_back_bit_for_bit(void **state)
{
    static const char *const quantisers[] = { "f32", "f16", "bf16" };
    (void)state;
    for (size_t i = 0; i < seed_tries(60); i++) {
        uint32_t dim = (uint32_t)(1 + seed_below(&seed, i % 10 ? 300 : 40000));
        evdb_codec *c = made_codec(spec_of(quantisers[seed_below(&seed, 3)], coders[seed_below(&seed, CODERS)]), dim, 1, &seed);
        float *x = malloc(dim * sizeof(*x));
        uint8_t *code = malloc(codec_code_bytes(c)), *packed = malloc(codec_bound(c)), *room = malloc(codec_room(c));
        for (int j = 0; j < 5; j++) {
            random_vector(x, dim);
            codec_encode(c, x, 1, code, codec_code_bytes(c), room);
            there_and_back(c, code, packed);
        }
        free(x);
        free(code);
        free(packed);
        free(room);
        evdb_codec_free(c);
    }
}

static void constant_vectors_take_few_bytes(void **state)
{
    enum { DIM = 1000 };
    static float x[DIM];
    static uint8_t packed[DIM * sizeof(float)];
    (void)state;
    for (size_t i = 0; i < CODERS; i++) {
        evdb_codec *c = made_codec(spec_of("f32", coders[i]), DIM, 1, &seed);
        for (int value = 0; value < 2; value++) {
            for (uint32_t j = 0; j < DIM; j++) x[j] = (float)value * 1.2345f;
            assert_true(there_and_back(c, (const uint8_t *)x, packed) < 60);
        }
        evdb_codec_free(c);
    }
}

static void what_does_not_shrink_takes_its_own_length(void **state)
{
    static const uint32_t dims[] = { 1, 2, 7, 63, 64, 65, 600, 65536 };
    (void)state;
    for (size_t i = 0; i < CODERS * sizeof(dims) / sizeof(*dims); i++) {
        uint32_t dim = dims[i / CODERS], bits;
        if (dim > 600 && strstr(coders[i % CODERS], "dict")) continue; /* the sample alone would be large */
        evdb_codec *c = made_codec(spec_of("f32", coders[i % CODERS]), dim, 1, &seed);
        size_t bytes = dim * sizeof(float);
        uint8_t *code = malloc(bytes), *packed = malloc(bytes);
        for (uint32_t j = 0; j < dim; j++) {
            do bits = (uint32_t)seed_next(&seed);
            while ((bits & 0x7f800000u) == 0x7f800000u);
            memcpy(code + j * sizeof(bits), &bits, sizeof(bits));
        }
        assert_int_equal(codec_bound(c), bytes);
        assert_true(there_and_back(c, code, packed) >= bytes - bytes / 32);
        free(code);
        free(packed);
        evdb_codec_free(c);
    }
}

/* ---- damage ---- */

static void check_damaged(const evdb_codec *c, const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1), *code = malloc(codec_code_bytes(c));
    memcpy(exact, bytes, size);
    evdb_status rc = codec_unpack(c, exact, size, code, &why);
    if (rc != EVDB_OK) assert_int_equal(rc, EVDB_CORRUPT);
    else assert_true(codec_sound(c, code));
    free(exact);
    free(code);
}

static void damaged_bytes_are_corrupt_or_some_other_code(void **state)
{
    enum { DIM = 120 };
    static float x[DIM];
    static uint8_t packed[DIM * sizeof(float)], code[DIM * sizeof(float)];
    (void)state;
    for (size_t i = 0; i < CODERS; i++) {
        evdb_codec *c = made_codec(spec_of("f32", coders[i]), DIM, 1, &seed);
        seed_floats(&seed, x, DIM);
        for (uint32_t j = DIM / 3; j < DIM; j++) x[j] = x[j % 5];
        size_t size = there_and_back(c, (const uint8_t *)x, packed);
        assert_true(size < sizeof(packed));
        for (size_t cut = 0; cut < size; cut++) refused(EVDB_CORRUPT, codec_unpack(c, packed, cut, code, &why));
        refused(EVDB_CORRUPT, codec_unpack(c, packed, size + 1, code, &why)); /* whatever lies behind */
        refused(EVDB_CORRUPT, codec_unpack(c, packed, sizeof(packed) + 1, code, &why));
        for (size_t at = 0; at < size; at++)
            for (int bit = 0; bit < 8; bit++) {
                packed[at] ^= (uint8_t)(1 << bit);
                check_damaged(c, packed, size);
                packed[at] ^= (uint8_t)(1 << bit);
            }
        for (int j = 0; j < 200; j++) {
            uint8_t any[64];
            for (size_t k = 0; k < sizeof(any); k++) any[k] = (uint8_t)seed_next(&seed);
            check_damaged(c, any, seed_below(&seed, sizeof(any)));
        }
        ok(codec_unpack(c, packed, size, code, &why)); /* the failures left nothing behind */
        assert_memory_equal(code, x, sizeof(x));
        evdb_codec_free(c);
    }
}

static void bytes_that_make_more_or_less_than_a_code_are_corrupt(void **state)
{
    enum { MORE = 5000, DIM = 100 };
    static uint8_t packed[MORE * sizeof(float)], zeros[MORE * sizeof(float)], code[MORE * sizeof(float)];
    (void)state;
    for (size_t i = 0; i < CODERS; i++) {
        if (strstr(coders[i], "dict")) continue;
        evdb_codec *more = made_codec(spec_of("f32", coders[i]), MORE, 1, &seed);
        evdb_codec *less = made_codec(spec_of("f32", coders[i]), DIM, 1, &seed);
        size_t size = there_and_back(more, zeros, packed);
        refused(EVDB_CORRUPT, codec_unpack(less, packed, size, code, &why));
        size = there_and_back(less, zeros, packed);
        refused(EVDB_CORRUPT, codec_unpack(more, packed, size, code, &why));
        evdb_codec_free(more);
        evdb_codec_free(less);
    }
}

static void a_second_frame_is_corrupt(void **state)
{
    enum { DIM = 100 };
    static const uint8_t empty_frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0 }, skipped[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
    static uint8_t packed[DIM * sizeof(float)], zeros[DIM * sizeof(float)], code[DIM * sizeof(float)];
    evdb_codec *c = made_codec("f32+zstd", DIM, 1, &seed);
    size_t size = there_and_back(c, zeros, packed);
    (void)state;
    memcpy(packed + size, empty_frame, sizeof(empty_frame));
    refused(EVDB_CORRUPT, codec_unpack(c, packed, size + sizeof(empty_frame), code, &why));
    memcpy(packed + size, skipped, sizeof(skipped));
    refused(EVDB_CORRUPT, codec_unpack(c, packed, size + sizeof(skipped), code, &why));
    evdb_codec_free(c);
}

/* ---- dictionaries ---- */

enum { DICT_DIM = 48, DICT_COUNT = 2000 };

/* Elements of bf16 that lie in a narrow band: what a dictionary can tell beforehand. */
static void banded(float *x, size_t count)
{
    seed_floats(&seed, x, count);
    for (size_t i = 0; i < count; i++) x[i] = 1 + x[i] / 8;
}

static size_t total(const evdb_codec *c, const float *x, size_t count)
{
    size_t *sizes = malloc(count * sizeof(*sizes)), sum = 0;
    uint8_t *bytes = malloc(count * evdb_codec_bound(c));
    float *back = malloc(count * evdb_codec_dim(c) * sizeof(*back));
    ok(evdb_codec_encode(c, x, count, bytes, sizes, &why));
    ok(evdb_codec_decode(c, bytes, sizes, count, back, &why));
    for (size_t i = 0; i < count; i++) sum += sizes[i];
    free(sizes);
    free(bytes);
    free(back);
    return sum;
}

static void a_dictionary_makes_short_codes_shorter_and_is_the_same_each_time(void **state)
{
    static float x[DICT_COUNT * DICT_DIM];
    (void)state;
    banded(x, DICT_COUNT * DICT_DIM);
    evdb_codec *plain = made_codec("bf16+zstd", DICT_DIM, 1, &seed), *back = NULL;
    evdb_codec *dict = made_codec_on("bf16+zstd:dict", DICT_DIM, x, DICT_COUNT);
    evdb_codec *again = made_codec_on("bf16+zstd:dict", DICT_DIM, x, DICT_COUNT);
    void *saved, *resaved;
    size_t size, resize;
    assert_true(total(dict, x, DICT_COUNT) < total(plain, x, DICT_COUNT));
    assert_in_range(evdb_codec_trained_bytes(dict), 256, 16384);
    assert_int_equal(evdb_codec_trained_bytes(plain), 0);
    assert_int_equal(codec_fingerprint(dict), codec_fingerprint(again));
    ok(evdb_codec_save(dict, &saved, &size, &why));
    ok(evdb_codec_load(saved, size, NULL, &back, &why));
    ok(evdb_codec_save(back, &resaved, &resize, &why));
    assert_int_equal(size, resize);
    assert_memory_equal(saved, resaved, size);
    assert_int_equal(total(back, x, DICT_COUNT), total(dict, x, DICT_COUNT));
    evdb_bytes_free(saved);
    evdb_bytes_free(resaved);
    evdb_codec_free(plain);
    evdb_codec_free(dict);
    evdb_codec_free(again);
    evdb_codec_free(back);
}

static void a_dictionary_needs_a_sample_but_not_one_that_teaches_anything(void **state)
{
    static float x[256 * DICT_DIM];
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    evdb_codec *c;
    (void)state;
    o.spec = "f32+zstd:dict";
    o.dim = DICT_DIM;
    o.sample = x;
    o.count = 255;
    refused(EVDB_INVALID, evdb_codec_create(&o, &c, &why));
    expect_says("at least 256 vectors, and there are 255");
    for (int value = 0; value < 3; value++) {
        for (size_t i = 0; i < 256 * DICT_DIM; i++) x[i] = value < 2 ? (float)value : (float)(i / DICT_DIM);
        for (uint32_t dim = 1; dim <= DICT_DIM; dim += 47) {
            c = made_codec_on("f32+zstd:dict", dim, x, 256);
            assert_true(total(c, x, 256) <= 256 * dim * sizeof(float));
            evdb_codec_free(c);
        }
    }
}

/* ---- the rest ---- */

static void parameters_are_read_in_any_order_and_told_whole(void **state)
{
    static const struct { const char *given, *whole; } good[] = {
        { "zlib", "f32+zlib" }, { "zlib:6", "f32+zlib" }, { "zlib:9", "f32+zlib:9" },
        { "f16+zlib_compression:plain", "f16+zlib:6,plain" }, { "zstd:1", "f32+zstd" }, { "lz4_compression", "f32+zstd" },
        { "zstd:22,plain,dict", "f32+zstd:22,dict,plain" }, { "zstd:dict", "f32+zstd:1,dict" },
    };
    static const char *const bad[] = {
        "zlib:0", "zlib:10", "zlib:dict", "zstd:23", "zstd:-1", "zstd:dict,3", "zstd:best", "zstd+zlib", "zlib+f16"
    };
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ok(evdb_codec_check(good[i].given, 8, whole, NULL, &why));
        assert_string_equal(whole, good[i].whole);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) refused(EVDB_INVALID, evdb_codec_check(bad[i], 8, NULL, NULL, &why));
}

enum { THREADS = 12, TURNS = 200, THREAD_DIM = 90 };

static void *work(void *given)
{
    const evdb_codec *c = given;
    float x[THREAD_DIM] = { 0 }, y[THREAD_DIM];
    uint8_t bytes[sizeof(x)];
    size_t size;
    bool good = true;
    for (size_t i = 0; i < seed_tries(TURNS); i++) {
        x[i % THREAD_DIM] = (float)i;
        good &= evdb_codec_encode(c, x, 1, bytes, &size, NULL) == EVDB_OK && size < sizeof(x);
        good &= evdb_codec_decode(c, bytes, &size, 1, y, NULL) == EVDB_OK && memcmp(x, y, sizeof(x)) == 0;
    }
    return good ? given : NULL;
}

static void threads_share_a_codec(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODERS; i++) {
        evdb_codec *c = made_codec(spec_of("f32", coders[i]), THREAD_DIM, 1, &seed);
        pthread_t threads[THREADS];
        void *good;
        for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_create(&threads[t], NULL, work, c), 0);
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], &good);
            assert_non_null(good);
        }
        evdb_codec_free(c);
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_come_back_bit_for_bit),
        cmocka_unit_test(constant_vectors_take_few_bytes),
        cmocka_unit_test(what_does_not_shrink_takes_its_own_length),
        cmocka_unit_test(damaged_bytes_are_corrupt_or_some_other_code),
        cmocka_unit_test(bytes_that_make_more_or_less_than_a_code_are_corrupt),
        cmocka_unit_test(a_second_frame_is_corrupt),
        cmocka_unit_test(a_dictionary_makes_short_codes_shorter_and_is_the_same_each_time),
        cmocka_unit_test(a_dictionary_needs_a_sample_but_not_one_that_teaches_anything),
        cmocka_unit_test(parameters_are_read_in_any_order_and_told_whole),
        cmocka_unit_test(threads_share_a_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
