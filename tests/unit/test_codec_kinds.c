/* test_codec_kinds.c - what holds for every kind of stage there is, and for chains of them: over random dimensions, scales, counts
 * and vectors that resemble nothing or each other. */
#include "base/checksum.h"
#include "codec/codec.h"
#include "expect.h"
#include "kernel/metric.h"
#include "made_codec.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

enum { SPECS_MAX = 256, DIM_MOST = 70, COUNT_MOST = 40, TRIES = 150 };

static char specs[SPECS_MAX][EVDB_CODEC_SPEC_MAX + 1];
static size_t specs_count;

/* Only what there is: chains may name kinds that this build lacks. */
static void add(const char *before, const char *between, const char *spec)
{
    assert_true(specs_count < SPECS_MAX);
    char *at = specs[specs_count];
    snprintf(at, sizeof(specs[0]), "%s%s%s", before, between, spec);
    if (evdb_codec_check(at, 0, NULL, NULL, &why) == EVDB_OK) specs_count++;
    else expect_says("there is no codec");
}

/* Every kind by itself, every quantiser before every byte codec and behind every transform, and some chains with parameters. */
static void list_specs(void)
{
    static const char *const chains[] = {
        "i8:trained", "i4:trained", "i8:trained+zstd:3,dict", "i8+zlib:9,plain", "i4+zstd:dict", "pq:3", "pq:8", "pq:3+zstd:dict",
        "opq:3", "pca:3+i8+zstd", "pca:3+f16", "rp:3+i4", "rotate+i4+zlib", "rotate+rotate+f32", "pca:5+rotate+pq:2",
        "pca:4+rabitq", "rotate+bf16+zstd:19",
    };
    const evdb_codec_kind *k, *q;
    for (uint32_t i = 0; (k = evdb_codec_kind_at(i)); i++) {
        add("", "", k->name);
        if (k->stage == EVDB_STAGE_QUANTISER) continue;
        for (uint32_t j = 0; (q = evdb_codec_kind_at(j)); j++) {
            if (q->stage != EVDB_STAGE_QUANTISER) continue;
            if (k->stage == EVDB_STAGE_BYTES) add(q->name, "+", k->name);
            else add(k->name, "+", q->name);
        }
    }
    for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) add("", "", chains[i]);
}

/* ---- vectors ---- */

static const float scales[] = { 1, 1, 1, 1e-3f, 255, 1e4f, 1e9f, 1e-30f, 1e30f, FLT_MAX };
enum { SCALES = sizeof(scales) / sizeof(*scales) };

/* -1..1 times scale, in one of several ways of being special. */
static void fill(float *x, size_t count, uint32_t dim, float scale)
{
    uint64_t way = seed_below(&seed, 6);
    seed_floats(&seed, x, count * dim);
    for (size_t i = 0; i < count * dim; i++) {
        if (way == 0) x[i] = x[0];                                    /* all one constant */
        if (way == 1) x[i] = x[i / dim * dim];                        /* every row one */
        if (way == 2) x[i] = i % dim == i / dim % dim ? x[i] : 0;     /* one element each, and so a zero vector in one dimension */
        if (way == 3 && seed_below(&seed, 3)) x[i] = x[i % dim];      /* rows alike */
    }
    for (size_t i = 0; i < count * dim; i++) x[i] *= scale;
}

typedef struct scene {
    const char *spec;
    uint32_t dim;
    float scale;
    size_t count;
    evdb_codec *c;
    float *x, *y; /* what went in, and came back */
    uint8_t *bytes;
    size_t *sizes;
} scene;

static bool scene_make(scene *s, const char *spec)
{
    static const uint32_t dims[] = { 1, 2, 3, 4, 5, 8, 16, 17, 33, 64 };
    size_t sample = 0;
    *s = (scene){ .spec = spec, .scale = scales[seed_below(&seed, SCALES)], .count = 1 + seed_below(&seed, COUNT_MOST) };
    s->dim = seed_below(&seed, 2) ? dims[seed_below(&seed, sizeof(dims) / sizeof(*dims))] : (uint32_t)(1 + seed_below(&seed, DIM_MOST));
    evdb_status rc = evdb_codec_check(spec, s->dim, NULL, &sample, &why);
    if (rc != EVDB_OK) { /* more elements kept, say, than there are */
        assert_true(rc == EVDB_INVALID || rc == EVDB_LIMIT);
        return false;
    }
    size_t rows = sample > s->count ? sample : s->count;
    s->x = malloc(rows * s->dim * sizeof(float));
    s->y = malloc(s->count * s->dim * sizeof(float));
    fill(s->x, rows, s->dim, s->scale);
    s->c = made_codec_on(spec, s->dim, s->x, rows);
    s->bytes = calloc(s->count, evdb_codec_bound(s->c));
    s->sizes = malloc(s->count * sizeof(size_t));
    ok(evdb_codec_encode(s->c, s->x, s->count, s->bytes, s->sizes, &why));
    ok(evdb_codec_decode(s->c, s->bytes, s->sizes, s->count, s->y, &why));
    return true;
}

static void scene_free(scene *s)
{
    evdb_codec_free(s->c);
    free(s->x);
    free(s->y);
    free(s->bytes);
    free(s->sizes);
}

/* Each kind at least once where the effort is whole, and then some. What is being looked at is printed, for the log of a failure. */
static void each(void (*look)(scene *s))
{
    scene s;
    size_t tries = seed_tries(TRIES > specs_count ? TRIES : specs_count);
    for (size_t i = 0; i < tries; i++) {
        if (!scene_make(&s, specs[tries >= specs_count && i < specs_count ? i : seed_below(&seed, specs_count)])) continue;
        printf("%s of %u elements, %zu vectors, scale %g\n", s.spec, s.dim, s.count, (double)s.scale);
        look(&s);
        scene_free(&s);
    }
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* ---- properties ---- */

/* An error of four times the longest vector is no approximation of anything. */
static void look_at_vectors(scene *s)
{
    assert_true(all_finite(s->y, s->count * s->dim));
    for (size_t i = 0; i < s->count; i++) assert_in_range(s->sizes[i], 1, evdb_codec_bound(s->c));
    if (codec_lossless(s->c)) assert_memory_equal(s->x, s->y, s->count * s->dim * sizeof(float));
    for (size_t i = 0; i < s->count; i++) {
        double error = 0;
        for (uint32_t j = 0; j < s->dim; j++) {
            double d = ((double)s->x[i * s->dim + j] - s->y[i * s->dim + j]) / s->scale;
            error += d * d;
        }
        assert_true(error <= 16.0 * s->dim);
    }
}

static void vectors_come_back_finite_and_near(void **state) { (void)state, each(look_at_vectors); }

static void look_again(scene *s)
{
    static const char *const steady[] = { "f32", "f16", "bf16" };
    size_t bound = evdb_codec_bound(s->c), bytes = s->count * bound, *sizes = malloc(s->count * sizeof(*sizes));
    uint8_t *again = calloc(s->count, bound);
    ok(evdb_codec_encode(s->c, s->x, s->count, again, sizes, &why));
    assert_memory_equal(again, s->bytes, bytes);
    assert_memory_equal(sizes, s->sizes, s->count * sizeof(*sizes));
    for (size_t i = 0; i < sizeof(steady) / sizeof(*steady); i++) {
        size_t name = strlen(steady[i]);
        if (strncmp(evdb_codec_spec(s->c), steady[i], name) != 0) continue;
        memset(again, 0, bytes);
        ok(evdb_codec_encode(s->c, s->y, s->count, again, sizes, &why));
        assert_memory_equal(again, s->bytes, bytes);
    }
    free(again);
    free(sizes);
}

static void the_same_vectors_give_the_same_bytes(void **state) { (void)state, each(look_again); }

/* Estimates from a few bits an element, which need not be what the decoded vectors say. */
static bool estimates(const char *spec) { return strstr(spec, "rabitq") || strstr(spec, "lsh"); }

static void check_distance(const scene *s, evdb_metric metric, const float *query, size_t i, float got)
{
    float expected, inverse = NAN, norms[2] = { 0 };
    const float *rows[] = { query, s->y + i * s->dim };
    metric_distances(kernel_best(), metric, query, inverse, rows[1], s->dim, 1, s->dim, &inverse, &expected);
    assert_false(isnan(got));
    if (!isfinite(expected)) return;
    assert_true(isfinite(got));
    if (estimates(s->spec) || metric == EVDB_MANHATTAN || metric == EVDB_HAMMING || s->scale < 1e-9f || s->scale > 1e9f) return;
    for (size_t r = 0; r < 2; r++)
        for (uint32_t j = 0; j < s->dim; j++) norms[r] += rows[r][j] * rows[r][j];
    float lengths = sqrtf(norms[0]) + sqrtf(norms[1]);
    float most = metric == EVDB_EUCLIDEAN ? lengths : metric == EVDB_IP ? lengths * lengths : 1;
    if (metric == EVDB_COSINE && norms[0] * norms[1] < 1e-6f * norms[0] * norms[0]) return; /* a direction of what was rounded away */
    assert_true(fabsf(got - expected) <= 0.05f * most);
}

static void look_at_distances(scene *s)
{
    float *query = malloc(s->dim * sizeof(float)), *out = malloc(s->count * sizeof(float));
    fill(query, 1, s->dim, s->scale);
    for (evdb_metric metric = EVDB_COSINE; metric < EVDB_CUSTOM; metric++) {
        ok(evdb_codec_distances(s->c, metric, query, s->bytes, s->sizes, s->count, out, &why));
        for (size_t i = 0; i < s->count; i++) check_distance(s, metric, query, i, out[i]);
    }
    refused(EVDB_INVALID, evdb_codec_distances(s->c, EVDB_CUSTOM, query, s->bytes, s->sizes, s->count, out, &why));
    free(query);
    free(out);
}

static void distances_are_those_of_what_comes_back(void **state) { (void)state, each(look_at_distances); }

static void look_at_seals(scene *s)
{
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    float *back = malloc(s->dim * sizeof(float));
    size_t size, i = seed_below(&seed, s->count);
    uint32_t dim;
    void *sealed;
    ok(evdb_codec_seal(s->c, s->x + i * s->dim, &sealed, &size, &why));
    ok(evdb_codec_sealed(sealed, size, spec, &dim, &why));
    assert_string_equal(spec, evdb_codec_spec(s->c));
    assert_int_equal(dim, s->dim);
    ok(evdb_codec_unseal(s->c, sealed, size, back, &why));
    assert_true(all_finite(back, s->dim));
    if (codec_lossless(s->c)) assert_memory_equal(back, s->x + i * s->dim, s->dim * sizeof(float));
    evdb_bytes_free(sealed);
    free(back);
}

static void sealed_vectors_open(void **state) { (void)state, each(look_at_seals); }

static void look_at_saved(scene *s)
{
    size_t size, resize, bound = evdb_codec_bound(s->c), *sizes = malloc(s->count * sizeof(*sizes));
    uint8_t *bytes = calloc(s->count, bound);
    void *saved, *resaved;
    evdb_codec *back;
    ok(evdb_codec_save(s->c, &saved, &size, &why));
    ok(evdb_codec_load(saved, size, NULL, &back, &why));
    ok(evdb_codec_save(back, &resaved, &resize, &why));
    assert_int_equal(size, resize);
    assert_memory_equal(saved, resaved, size);
    assert_int_equal(codec_fingerprint(back), codec_fingerprint(s->c));
    ok(evdb_codec_encode(back, s->x, s->count, bytes, sizes, &why));
    assert_memory_equal(bytes, s->bytes, s->count * bound);
    assert_memory_equal(sizes, s->sizes, s->count * sizeof(*sizes));
    evdb_codec_free(back);
    evdb_bytes_free(saved);
    evdb_bytes_free(resaved);
    free(bytes);
    free(sizes);
}

static void saved_codecs_come_back_whole(void **state) { (void)state, each(look_at_saved); }

/* ---- damage ---- */

static void flip(uint8_t *bytes, size_t size) { bytes[seed_below(&seed, size)] ^= (uint8_t)(1 << seed_below(&seed, 8)); }

static void meet(const scene *s, const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    float *back = malloc(s->dim * sizeof(float)), distance;
    memcpy(exact, bytes, size);
    evdb_status rc = evdb_codec_decode(s->c, exact, &size, 1, back, &why);
    if (rc != EVDB_OK) assert_int_equal(rc, EVDB_CORRUPT);
    else assert_true(all_finite(back, s->dim));
    evdb_metric metric = (evdb_metric)(EVDB_COSINE + seed_below(&seed, EVDB_CUSTOM - EVDB_COSINE));
    assert_int_equal(evdb_codec_distances(s->c, metric, s->x, exact, &size, 1, &distance, &why), rc);
    if (rc == EVDB_OK) assert_false(isnan(distance));
    free(exact);
    free(back);
}

static void look_at_damaged_codes(scene *s)
{
    size_t bound = evdb_codec_bound(s->c), size = s->sizes[0];
    uint8_t *bytes = malloc(bound + 1);
    for (int i = 0; i < 60; i++) {
        memcpy(bytes, s->bytes, bound);
        for (uint64_t flips = 1 + seed_below(&seed, 4); flips; flips--) flip(bytes, size);
        if (i % 10 == 0) memset(bytes, 0xff, bound);
        meet(s, bytes, size);
        meet(s, bytes, seed_below(&seed, size));
        for (size_t at = 0; at <= bound; at++) bytes[at] = (uint8_t)seed_next(&seed);
        meet(s, bytes, seed_below(&seed, bound + 2));
    }
    free(bytes);
}

static void damaged_codes_are_corrupt_or_finite(void **state) { (void)state, each(look_at_damaged_codes); }

/* Damage that the checksum does not tell: somebody made it match. */
static void look_at_forged(scene *s)
{
    evdb_codec *back = NULL;
    uint8_t *saved;
    size_t size;
    ok(evdb_codec_save(s->c, (void **)&saved, &size, &why));
    uint8_t *forged = malloc(size);
    for (int i = 0; i < 30; i++) {
        memcpy(forged, saved, size);
        size_t body = i % 3 ? size - sizeof(uint64_t) : seed_below(&seed, size - sizeof(uint64_t));
        for (uint64_t flips = seed_below(&seed, 5); body && flips; flips--) flip(forged, body);
        uint64_t sum = checksum(forged, body, 0);
        memcpy(forged + body, &sum, sizeof(sum));
        evdb_status rc = evdb_codec_load(forged, body + sizeof(sum), NULL, &back, &why);
        if (rc != EVDB_OK) assert_true(rc == EVDB_CORRUPT || rc == EVDB_NEWER || rc == EVDB_LIMIT);
        if (rc == EVDB_OK && evdb_codec_dim(back) == s->dim) {
            uint8_t *bytes = malloc(evdb_codec_bound(back));
            size_t one;
            ok(evdb_codec_encode(back, s->x, 1, bytes, &one, &why));
            rc = evdb_codec_decode(back, bytes, &one, 1, s->y, &why);
            assert_true(rc == EVDB_OK || rc == EVDB_CORRUPT);
            free(bytes);
        }
        evdb_codec_free(back);
        back = NULL;
    }
    free(forged);
    evdb_bytes_free(saved);
}

static void forged_codecs_are_corrupt_or_work(void **state) { (void)state, each(look_at_forged); }

int main(void)
{
    seed = seed_print();
    list_specs();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_back_finite_and_near),
        cmocka_unit_test(the_same_vectors_give_the_same_bytes),
        cmocka_unit_test(distances_are_those_of_what_comes_back),
        cmocka_unit_test(sealed_vectors_open),
        cmocka_unit_test(saved_codecs_come_back_whole),
        cmocka_unit_test(damaged_codes_are_corrupt_or_finite),
        cmocka_unit_test(forged_codecs_are_corrupt_or_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
