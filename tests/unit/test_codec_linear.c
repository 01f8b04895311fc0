/* test_codec_linear.c - pca, rp, opq: what they lose, distances behind them, extremes, sizes that training tells.
 *
 * Also for the thread sanitizer. */
#include "codec/codec.h"
#include "codec_trial.h"
#include "expect.h"
#include "kernel/kernel.h"
#include "platform/platform.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

enum { COUNT = 1200 };

static float *vectors(size_t count, uint32_t dim)
{
    float *x = malloc(count * dim * sizeof(*x));
    assert_non_null(x);
    trial_vectors(&seed, x, count, dim);
    return x;
}

static uint32_t some_dim(uint32_t most) { return 2 + (uint32_t)seed_below(&seed, most - 1); }

static void all_directions_give_back_the_vector(void **state)
{
    char spec[32];
    (void)state;
    for (int i = 0; i < 9; i++) {
        uint32_t dim = i < 3 ? 1 : some_dim(90);
        float *x = vectors(COUNT, dim);
        snprintf(spec, sizeof(spec), i % 3 == 0 ? "pca:%u" : i % 3 == 1 ? "rp:%u" : "opq:%u,4+f32", i % 3 == 2 ? (dim + 7) / 8 : dim);
        evdb_codec *c = trial_codec(spec, dim, x, COUNT);
        assert_true(trial_error(c, x, COUNT) < 1e-10);
        evdb_codec_free(c);
        free(x);
    }
}

/* What is kept is kept: rows are orthonormal, so a second time loses nothing. */
static void what_was_kept_once_is_kept_again(void **state)
{
    static const char *const specs[] = { "pca", "rp", "pca:3", "rp:2", "pca:0.8", "rp:4+pca:2" };
    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        uint32_t dim = 5 + (uint32_t)seed_below(&seed, 60);
        float *x = vectors(COUNT, dim), *y = malloc(COUNT * dim * sizeof(*y));
        evdb_codec *c = trial_codec(specs[i], dim, x, COUNT);
        trial_round(c, x, COUNT, y);
        assert_true(trial_error(c, x, COUNT) > 1e-4);
        assert_true(trial_error(c, y, COUNT) < 1e-9);
        evdb_codec_free(c);
        free(x), free(y);
    }
}

static void the_error_falls_with_more_components_and_chance_is_no_better(void **state)
{
    char spec[32];
    uint32_t dim = 12 + (uint32_t)seed_below(&seed, 30);
    float *x = vectors(COUNT, dim);
    double before = INFINITY;
    (void)state;
    for (uint32_t kept = 1; kept <= dim; kept += 1 + dim / 9) {
        snprintf(spec, sizeof(spec), "pca:%u", kept);
        evdb_codec *c = trial_codec(spec, dim, x, COUNT);
        double error = trial_error(c, x, COUNT);
        evdb_codec_free(c);
        snprintf(spec, sizeof(spec), "rp:%u", kept);
        c = trial_codec(spec, dim, x, COUNT);
        assert_true(error < before);
        assert_true(error < trial_error(c, x, COUNT) + 1e-9);
        evdb_codec_free(c);
        before = error;
    }
    free(x);
}

static void opq_is_no_worse_than_pq(void **state)
{
    uint32_t dim = 16 + (uint32_t)seed_below(&seed, 10);
    float *x = vectors(COUNT, dim);
    evdb_codec *turned = trial_codec("opq:4,4", dim, x, COUNT), *plain = trial_codec("pq:4,4", dim, x, COUNT);
    (void)state;
    assert_string_equal(evdb_codec_spec(turned), "opq:4,4+pq:4,4");
    assert_int_equal(evdb_codec_bound(turned), evdb_codec_bound(plain));
    assert_true(trial_error(turned, x, COUNT) < 1.05 * trial_error(plain, x, COUNT));
    evdb_codec_free(turned);
    evdb_codec_free(plain);
    free(x);
}

static void a_share_of_the_variance_is_kept_and_no_more_than_it_takes(void **state)
{
    char spec[32];
    uint32_t dim = some_dim(40);
    float *x = vectors(COUNT, dim), *y = malloc(COUNT * dim * sizeof(*y)), *mean = calloc(dim, sizeof(*mean));
    double all = 0, lost[2] = { 0 };
    (void)state;
    for (size_t i = 0; i < COUNT * dim; i++) mean[i % dim] += x[i] / COUNT;
    for (size_t i = 0; i < COUNT * dim; i++) all += ((double)x[i] - mean[i % dim]) * ((double)x[i] - mean[i % dim]);
    evdb_codec *c = trial_codec("pca:0.9", dim, x, COUNT);
    assert_string_equal(evdb_codec_spec(c), "pca:0.9+f32");
    uint32_t kept = (uint32_t)(evdb_codec_bound(c) / sizeof(float));
    assert_in_range(kept, 1, dim);
    for (uint32_t less = 0; less < 2 && kept > less; less++) {
        snprintf(spec, sizeof(spec), "pca:%u", kept - less);
        evdb_codec *exact = trial_codec(spec, dim, x, COUNT);
        trial_round(exact, x, COUNT, y);
        for (size_t i = 0; i < COUNT * dim; i++) lost[less] += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        evdb_codec_free(exact);
    }
    assert_true(lost[0] <= 0.1001 * all);
    assert_true(kept == 1 || lost[1] >= 0.0999 * all);
    trial_saved(c, x, 30);
    evdb_codec_free(c);
    free(x), free(y), free(mean);
}

static void stages_behind_a_share_are_sized_by_it(void **state)
{
    uint32_t dim = 20 + (uint32_t)seed_below(&seed, 20);
    float *x = vectors(COUNT, dim);
    evdb_codec *c = trial_codec("pca:0.7+f32", dim, x, COUNT), *short_codes = trial_codec("pca:0.7+pq", dim, x, COUNT), *none = NULL;
    uint32_t kept = (uint32_t)(evdb_codec_bound(c) / sizeof(float));
    (void)state;
    assert_string_equal(evdb_codec_spec(short_codes), "pca:0.7+pq");
    assert_int_equal(evdb_codec_bound(short_codes), (kept + 3) / 4);
    trial_distances(short_codes, x, 20, x + 7 * dim);
    trial_saved(short_codes, x, 30);
    evdb_codec_options o = EVDB_CODEC_OPTIONS;
    o.spec = "pca:0.1+pq:20", o.dim = dim, o.sample = x, o.count = COUNT;
    refused(EVDB_INVALID, evdb_codec_create(&o, &none, &why));
    expect_says("number of parts is 1 to");
    evdb_codec_free(c);
    evdb_codec_free(short_codes);
    free(x);
}

static void distances_behind_them_are_those_to_decoded_vectors(void **state)
{
    static const char *const specs[] = { "pca", "rp", "opq:3+f32", "opq:2", "pca:0.9", "rp:4+opq:2", "pca:5+pq:3,4", "rp+pca+bf16" };
    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        uint32_t dim = 10 + (uint32_t)seed_below(&seed, 40);
        float *x = vectors(COUNT, dim);
        evdb_codec *c = trial_codec(specs[i], dim, x, COUNT);
        trial_distances(c, x, 30, x + (COUNT - 1) * dim);
        evdb_codec_free(c);
        free(x);
    }
}

static void fewer_vectors_than_elements_still_make_orthonormal_rows(void **state)
{
    enum { DIM = 50, FEW = 18 };
    float *x = vectors(FEW, DIM), *other = vectors(FEW, DIM), *y = malloc(FEW * DIM * sizeof(*y));
    evdb_codec *c = trial_codec("pca:30", DIM, x, FEW);
    (void)state;
    assert_true(trial_error(c, x, FEW) < 1e-9);
    trial_round(c, other, FEW, y);
    assert_true(trial_error(c, y, FEW) < 1e-9);
    evdb_codec_free(c);
    free(x), free(other), free(y);
}

static void constant_and_huge_and_tiny_vectors_stay_finite(void **state)
{
    enum { DIM = 10 };
    static const float sizes[] = { 0, 1, 1e30f, FLT_MAX, -FLT_MAX, 1e-30f, 1e-44f };
    static const char *const specs[] = { "pca:4", "rp:4", "opq:5,4", "pca:0.9", "pca", "opq:5,4+f32", "pca:10" };
    float *x = malloc(COUNT * DIM * sizeof(*x)), *noise = vectors(COUNT, DIM), *y = malloc(COUNT * DIM * sizeof(*y));
    (void)state;
    for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
            for (int constant = 0; constant < 2; constant++) {
                for (size_t j = 0; j < COUNT * DIM; j++) x[j] = constant ? sizes[i] : sizes[i] * (noise[j] / 4);
                evdb_codec *c = trial_codec(specs[s], DIM, x, COUNT);
                assert_true(trial_error(c, x, COUNT) < 1.01);
                if (constant && specs[s][0] == 'p') assert_true(trial_error(c, x, COUNT) < 1e-9);
                evdb_codec_free(c);
            }
    for (size_t j = 0; j < COUNT * DIM; j++) x[j] = noise[j] < 0.3f ? -FLT_MAX : FLT_MAX;
    for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++) {
        evdb_codec *c = trial_codec(specs[s], DIM, noise, COUNT);
        trial_round(c, x, COUNT, y);
        for (size_t j = 0; j < COUNT * DIM; j++) assert_true(isfinite(y[j]));
        evdb_codec_free(c);
    }
    free(x), free(noise), free(y);
}

static void the_same_seed_gives_the_same_codec_with_any_threads(void **state)
{
    static const char *const specs[] = { "pca:5", "opq:4,4" };
    enum { DIM = 33 };
    float *x = vectors(COUNT, DIM);
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        uint64_t prints[3];
        for (uint32_t i = 0; i < 3; i++) {
            codec_training t = { .sample = x, .count = COUNT, .threads = 1 + i * 2, .seed = 1 };
            codec *c;
            ok(codec_create(&platform_real.mem, kernel_best(), specs[s], DIM, &t, &c, &why));
            prints[i] = codec_fingerprint(c);
            codec_free(c);
        }
        assert_true(prints[0] == prints[1] && prints[0] == prints[2]);
    }
    free(x);
}

static void what_was_saved_does_the_same(void **state)
{
    static const char *const specs[] = { "pca:5", "opq:3,4", "pca+opq:2,4", "opq:2,4+f32" };
    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        uint32_t dim = 6 + (uint32_t)seed_below(&seed, 30);
        float *x = vectors(COUNT, dim);
        evdb_codec *c = trial_codec(specs[i], dim, x, COUNT);
        trial_saved(c, x, 40);
        evdb_codec_free(c);
        free(x);
    }
}

static void rows_that_are_not_orthonormal_are_damage(void **state)
{
    enum { DIM = 8 };
    float *x = vectors(COUNT, DIM);
    evdb_codec *c = trial_codec("pca:4", DIM, x, COUNT), *back = NULL;
    unsigned char *bytes;
    size_t size;
    (void)state;
    ok(evdb_codec_save(c, (void **)&bytes, &size, &why));
    trial_damage(bytes, size, size - 2 * sizeof(uint64_t) - 7 * sizeof(float), 3.5f);
    refused(EVDB_CORRUPT, evdb_codec_load(bytes, size, NULL, &back, &why));
    expect_says("not orthonormal");
    evdb_bytes_free(bytes);
    evdb_codec_free(c);
    free(x);
}

static void training_can_be_ended_and_says_what_it_needs(void **state)
{
    static const struct { const char *spec; size_t least; } cases[] = { { "pca:3", 16 }, { "pca:0.5", 16 }, { "opq:2", 1024 }, { "opq:2,4", 64 } };
    enum { DIM = 8 };
    float *x = vectors(COUNT, DIM);
    atomic_bool stop = false;
    codec_training t = { .sample = x, .threads = 1, .stop = &stop };
    codec *c;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        t.count = cases[i].least - 1, stop = false;
        refused(EVDB_INVALID, codec_create(&platform_real.mem, kernel_best(), cases[i].spec, DIM, &t, &c, &why));
        expect_says("is trained on at least");
        t.count = COUNT, stop = true;
        refused(EVDB_CANCELLED, codec_create(&platform_real.mem, kernel_best(), cases[i].spec, DIM, &t, &c, &why));
    }
    free(x);
}

static void parameters_that_make_no_sense_are_refused(void **state)
{
    static const struct { const char *spec; uint32_t dim; evdb_status status; const char *says; } cases[] = {
        { "pca:0", 8, EVDB_INVALID, "components is 1 to 8" }, { "pca:9", 8, EVDB_INVALID, "components is 1 to 8" },
        { "pca:1.5", 8, EVDB_INVALID, "components" }, { "pca:0.", 8, EVDB_INVALID, "share" }, { "pca:0.000", 8, EVDB_INVALID, "share" },
        { "pca:0.5x", 8, EVDB_INVALID, "share" }, { "pca:0.1234567", 8, EVDB_INVALID, "share" }, { "pca:3,4", 8, EVDB_INVALID, "takes" },
        { "rp:9", 8, EVDB_INVALID, "dimensions is 1 to 8" }, { "rp:0", 0, EVDB_INVALID, "dimensions" }, { "rp:1,1", 8, EVDB_INVALID, "takes" },
        { "pca", EVDB_CODEC_MATRIX_DIM_MAX + 1, EVDB_LIMIT, "at most 4096 elements" },
        { "rp", EVDB_CODEC_MATRIX_DIM_MAX + 1, EVDB_LIMIT, "at most 4096 elements" },
        { "opq", EVDB_CODEC_MATRIX_DIM_MAX + 1, EVDB_LIMIT, "at most 4096 elements" }, { "opq:9", 8, EVDB_INVALID, "parts is 1 to 8" },
    };
    static const struct { const char *spec, *whole; uint32_t dim; } good[] = {
        { "pca_compression", "pca+f32", 0 }, { "pca:0.950", "pca:0.95+f32", 8 }, { "opq", "opq+pq", 0 }, { "opq:4", "opq:4+pq:4", 8 },
        { "opq:4,4", "opq:4,4+pq:4,4", 0 }, { "rp:3", "rp:3+f32", 0 }, { "pca:0.5+opq", "pca:0.5+opq+pq", 9 },
    };
    char whole[EVDB_CODEC_SPEC_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        refused(cases[i].status, evdb_codec_check(cases[i].spec, cases[i].dim, NULL, NULL, &why));
        expect_says(cases[i].says);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ok(evdb_codec_check(good[i].spec, good[i].dim, whole, NULL, &why));
        assert_string_equal(whole, good[i].whole);
    }
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_directions_give_back_the_vector),
        cmocka_unit_test(what_was_kept_once_is_kept_again),
        cmocka_unit_test(the_error_falls_with_more_components_and_chance_is_no_better),
        cmocka_unit_test(opq_is_no_worse_than_pq),
        cmocka_unit_test(a_share_of_the_variance_is_kept_and_no_more_than_it_takes),
        cmocka_unit_test(stages_behind_a_share_are_sized_by_it),
        cmocka_unit_test(distances_behind_them_are_those_to_decoded_vectors),
        cmocka_unit_test(fewer_vectors_than_elements_still_make_orthonormal_rows),
        cmocka_unit_test(constant_and_huge_and_tiny_vectors_stay_finite),
        cmocka_unit_test(the_same_seed_gives_the_same_codec_with_any_threads),
        cmocka_unit_test(what_was_saved_does_the_same),
        cmocka_unit_test(rows_that_are_not_orthonormal_are_damage),
        cmocka_unit_test(training_can_be_ended_and_says_what_it_needs),
        cmocka_unit_test(parameters_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
