/* test_advise.c - evdb/advise.h: codecs measured on vectors at hand, and on those of a store. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <evdb.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

/* Rows around a few centres, as real vectors lie. */
static float *clustered(size_t count, uint32_t dim)
{
    float *x = malloc(count * dim * sizeof(float)), *centres = malloc(8 * dim * sizeof(float));
    seed_floats(&seed, x, count * dim);
    seed_floats(&seed, centres, 8 * dim);
    for (size_t i = 0; i < count; i++)
        for (uint32_t d = 0; d < dim; d++) x[i * dim + d] = centres[i % 8 * dim + d] + x[i * dim + d] / 4;
    free(centres);
    return x;
}

static evdb_benchmark_options options_of(const float *x, size_t count, uint32_t dim, const char *const *codecs, uint32_t codec_count)
{
    evdb_benchmark_options o = EVDB_BENCHMARK_OPTIONS;
    o.vectors = x;
    o.count = count;
    o.dim = dim;
    o.metric = EVDB_EUCLIDEAN;
    o.codecs = codecs;
    o.codec_count = codec_count;
    o.seed = seed;
    return o;
}

static void codecs_are_measured_as_they_are(void **state)
{
    static const char *const codecs[] = { "f32", "f16", "bf16" };
    static const double bytes[] = { 4, 2, 2 }, loss[] = { 0, 0x1p-11, 0x1p-8 }, recall[] = { 1, 0.95, 0.8 };
    (void)state;
    for (int metric = EVDB_COSINE; metric <= EVDB_HAMMING; metric++) {
        uint32_t dim = 1 + (uint32_t)seed_below(&seed, 40);
        size_t count = 11 + seed_below(&seed, 600);
        float *x = clustered(count, dim);
        evdb_benchmark_options o = options_of(x, count, dim, codecs, 3);
        evdb_codec_report *r = NULL;
        o.metric = (evdb_metric)metric;
        ok(evdb_codec_benchmark(&o, &r, &why));
        assert_true(r->vectors == count && r->dim == dim && r->count == 3 && r->metric == o.metric && !r->proposed);
        assert_int_equal(r->queries, count < EVDB_MEASURED_QUERIES ? count : EVDB_MEASURED_QUERIES);
        for (size_t i = 0; i < 3; i++) {
            const evdb_codec_figures *f = &r->codecs[i];
            assert_string_equal(f->asked, codecs[i]);
            assert_string_equal(f->codec, codecs[i]);
            assert_string_equal(f->message, "");
            assert_int_equal(f->status, EVDB_OK);
            assert_true(fabs(f->bytes - bytes[i] * dim) < 1e-9 && fabs(f->compression_ratio - 4 / bytes[i]) < 1e-9);
            assert_true(f->accuracy_loss >= 0 && f->accuracy_loss <= loss[i]);
            assert_true(f->compression_time > 0 && f->decompression_time > 0 && f->trained_bytes == 0);
            /* rows on a line, or that have all elements different, tie within what is rounded away */
            if (i == 0 || (dim > 8 && metric != EVDB_HAMMING)) assert_true(f->recall_at_10 >= recall[i] && f->recall_at_10 <= 1);
        }
        evdb_codec_report_free(r);
        free(x);
    }
}

static void the_same_seed_gives_the_same_figures(void **state)
{
    static const char *const codecs[] = { "bf16" };
    float *x = clustered(900, 24);
    evdb_benchmark_options o = options_of(x, 900, 24, codecs, 1);
    evdb_codec_report *a = NULL, *b = NULL;
    (void)state;
    ok(evdb_codec_benchmark(&o, &a, &why));
    ok(evdb_codec_benchmark(&o, &b, &why));
    assert_true(a->codecs->recall_at_10 == b->codecs->recall_at_10 && a->codecs->accuracy_loss == b->codecs->accuracy_loss);
    evdb_codec_report_free(a);
    evdb_codec_report_free(b);
    free(x);
}

static void few_vectors_are_enough_for_all_but_recall(void **state)
{
    static const char *const codecs[] = { "f16" };
    static const float x[10 * 3] = { 1, 2, 3, 0, 0, 0, -1 };
    (void)state;
    for (size_t count = 1; count <= 10; count++) {
        evdb_benchmark_options o = options_of(x, count, 3, codecs, 1);
        evdb_codec_report *r = NULL;
        ok(evdb_codec_benchmark(&o, &r, &why));
        assert_int_equal(r->queries, 0);
        assert_true(r->codecs->recall_at_10 < 0 && r->codecs->status == EVDB_OK && r->codecs->accuracy_loss == 0);
        evdb_codec_report_free(r);
    }
}

static void vectors_of_any_size_give_finite_figures(void **state)
{
    static const char *const codecs[] = { "f32", "f16", "bf16" };
    enum { COUNT = 40, DIM = 5 };
    static float x[COUNT * DIM]; /* all zeros; then huge; then both */
    (void)state;
    for (int huge = 0; huge < 3; huge++)
        for (int metric = EVDB_COSINE; metric <= EVDB_HAMMING; metric++) {
            evdb_benchmark_options o = options_of(x, COUNT, DIM, codecs, 3);
            evdb_codec_report *r = NULL;
            for (size_t i = 0; i < COUNT * DIM; i++) x[i] = huge == 1 || (huge == 2 && i % 10 > 4) ? (i % 2 ? 3.4e38f : -3.4e38f) : 0;
            o.metric = (evdb_metric)metric;
            ok(evdb_codec_benchmark(&o, &r, &why));
            for (size_t i = 0; i < 3; i++)
                assert_true(isfinite(r->codecs[i].accuracy_loss) && isfinite(r->codecs[i].recall_at_10) && r->codecs[i].recall_at_10 >= 0);
            assert_true(r->codecs->accuracy_loss == 0 && r->codecs->recall_at_10 == 1);
            evdb_codec_report_free(r);
        }
}

/* One that needs a sample says how many it takes. */
static void a_codec_that_cannot_be_trained_says_so_and_the_others_go_on(void **state)
{
    const char *codecs[EVDB_MEASURED_CODECS_MAX] = { "f32" };
    uint32_t count = 1;
    float x[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    size_t sample;
    evdb_codec_report *r = NULL;
    (void)state;
    for (uint32_t i = 0; evdb_codec_kind_at(i) && count < 20; i++) codecs[count++] = evdb_codec_kind_at(i)->name;
    evdb_benchmark_options o = options_of(x, 1, 8, codecs, count);
    ok(evdb_codec_benchmark(&o, &r, &why));
    assert_int_equal(r->count, count);
    for (uint32_t i = 0; i < count; i++) {
        const evdb_codec_figures *f = &r->codecs[i];
        ok(evdb_codec_check(codecs[i], 8, NULL, &sample, &why));
        assert_int_equal(f->status, sample > 1 ? EVDB_INVALID : EVDB_OK);
        assert_int_equal(*f->message != 0, sample > 1);
        assert_true(f->status == EVDB_OK ? f->bytes > 0 : f->bytes == 0);
    }
    evdb_codec_report_free(r);
}

static void without_a_list_every_kind_is_measured_once(void **state)
{
    float *x = clustered(300, 8);
    evdb_benchmark_options o = options_of(x, 300, 8, NULL, 0);
    evdb_codec_report *r = NULL;
    (void)state;
    ok(evdb_codec_benchmark(&o, &r, &why));
    for (uint32_t i = 0; evdb_codec_kind_at(i); i++) {
        char whole[EVDB_CODEC_SPEC_MAX + 1];
        uint32_t times = 0;
        if (evdb_codec_check(evdb_codec_kind_at(i)->name, 8, whole, NULL, NULL) != EVDB_OK) continue;
        for (uint32_t j = 0; j < r->count; j++) times += strcmp(r->codecs[j].codec, whole) == 0;
        assert_int_equal(times, 1);
    }
    evdb_codec_report_free(r);
    free(x);
}

static void of_many_vectors_an_even_sample_is_taken(void **state)
{
    static const char *const codecs[] = { "f32" };
    float *x = clustered(3000, 4);
    evdb_benchmark_options o = options_of(x, 3000, 4, codecs, 1);
    evdb_codec_report *r = NULL;
    (void)state;
    o.sample = 700;
    ok(evdb_codec_benchmark(&o, &r, &why));
    assert_int_equal(r->vectors, 700);
    evdb_codec_report_free(r);
    free(x);
    x = calloc(EVDB_MEASURED_VECTORS_MAX + 1, sizeof(*x));
    o = options_of(x, EVDB_MEASURED_VECTORS_MAX + 1, 1, codecs, 1);
    ok(evdb_codec_benchmark(&o, &r, &why));
    assert_int_equal(r->vectors, EVDB_MEASURED_VECTORS_MAX);
    evdb_codec_report_free(r);
    free(x);
}

static int cancel_after(void *context, uint32_t done, uint32_t all)
{
    uint32_t *left = context;
    assert_true(done <= all);
    return (*left)-- == 0;
}

static void it_can_be_cancelled_before_any_codec(void **state)
{
    static const char *const codecs[] = { "f32", "f16" };
    float x[4] = { 1, 2, 3, 4 };
    evdb_benchmark_options o = options_of(x, 2, 2, codecs, 2);
    evdb_codec_report *r = NULL;
    (void)state;
    for (uint32_t after = 0; after < 3; after++) {
        uint32_t left = after;
        o.progress = cancel_after;
        o.context = &left;
        refused(EVDB_CANCELLED, evdb_codec_benchmark(&o, &r, &why));
        assert_null(r);
    }
    uint32_t left = 3;
    o.context = &left;
    ok(evdb_codec_benchmark(&o, &r, &why));
    evdb_codec_report_free(r);
}

static void what_is_wrong_is_named(void **state)
{
    static const char *const codecs[] = { "f32", "f33" };
    const char *many[EVDB_MEASURED_CODECS_MAX + 1];
    float x[4] = { 1, 2, 3, NAN };
    evdb_codec_report *r = NULL;
    (void)state;
    evdb_benchmark_options o = options_of(x, 1, 2, codecs, 2);
    refused_item(EVDB_INVALID, 1, evdb_codec_benchmark(&o, &r, &why));
    expect_says("f33");
    o = options_of(x, 2, 2, codecs, 1);
    refused_item(EVDB_INVALID, 1, evdb_codec_benchmark(&o, &r, &why));
    o = options_of(x, 1, 0, codecs, 1);
    refused(EVDB_INVALID, evdb_codec_benchmark(&o, &r, &why));
    o = options_of(x, 1, EVDB_DIM_MAX + 1, codecs, 1);
    refused(EVDB_INVALID, evdb_codec_benchmark(&o, &r, &why));
    o = options_of(x, 0, 2, codecs, 1);
    refused(EVDB_INVALID, evdb_codec_benchmark(&o, &r, &why));
    o = options_of(NULL, 1, 2, codecs, 1);
    refused(EVDB_INVALID, evdb_codec_benchmark(&o, &r, &why));
    o = options_of(x, 1, 2, codecs, 1);
    o.metric = EVDB_CUSTOM;
    refused(EVDB_INVALID, evdb_codec_benchmark(&o, &r, &why));
    for (uint32_t i = 0; i <= EVDB_MEASURED_CODECS_MAX; i++) many[i] = "f32";
    o = options_of(x, 1, 2, many, EVDB_MEASURED_CODECS_MAX + 1);
    refused(EVDB_LIMIT, evdb_codec_benchmark(&o, &r, &why));
    evdb_codec_report_free(NULL);
}

/* ---- a store ---- */

static evdb_store *filled(scratch *t, size_t count, uint32_t dim)
{
    evdb_store *store = scratch_store(t, "docs", dim, EVDB_EUCLIDEAN);
    float *x = clustered(count, dim);
    for (size_t i = 0; i < count; i++) ok(evdb_record_insert(store, num((int64_t)i), x + i * dim, dim, NULL, NULL, &why));
    free(x);
    return store;
}

static void a_sample_is_spread_over_the_store(void **state)
{
    evdb_store *store = scratch_store(*state, "line", 1, EVDB_EUCLIDEAN);
    float *sample = NULL;
    size_t count = 7;
    ok(evdb_store_sample(store, 10, &sample, &count, &why));
    assert_int_equal(count, 0);
    evdb_bytes_free(sample);
    for (int i = 0; i < 1000; i++) ok(evdb_record_insert(store, num(i), &(float){ (float)i }, 1, NULL, NULL, &why));
    for (uint32_t most = 1; most < 1200; most += 1 + (uint32_t)seed_below(&seed, 50)) {
        size_t wanted = most < 1000 ? most : 1000;
        ok(evdb_store_sample(store, most, &sample, &count, &why));
        assert_int_equal(count, wanted);
        for (size_t i = 0; i < count; i++) /* in order, and each from its own part of the store */
            assert_true(sample[i] >= (float)(i * 1000 / wanted) && sample[i] < (float)((i + 1) * 1000 / wanted) + 1);
        evdb_bytes_free(sample);
    }
    evdb_store_close(store);
}

static void the_smallest_codec_that_finds_enough_is_proposed(void **state)
{
    static const char *const codecs[] = { "f32", "bf16", "f16" };
    evdb_store *store = filled(*state, 400, 16);
    evdb_advise_options o = EVDB_ADVISE_OPTIONS;
    evdb_codec_report *r = NULL;
    o.codecs = codecs;
    o.codec_count = 3;
    o.recall = 0.5f;
    ok(evdb_store_advise(store, &o, &r, &why));
    assert_int_equal(r->vectors, 400);
    assert_int_equal(r->metric, EVDB_EUCLIDEAN);
    assert_ptr_equal(r->proposed, &r->codecs[1]); /* as small as the last, and before it */
    evdb_codec_report_free(r);
    o.recall = 1;
    o.codec_count = 2;
    o.sample = 200;
    ok(evdb_store_advise(store, &o, &r, &why));
    assert_int_equal(r->vectors, 200);
    assert_ptr_equal(r->proposed, &r->codecs[r->codecs[1].recall_at_10 >= 1]);
    evdb_codec_report_free(r);
    o.codecs = codecs + 1;
    o.codec_count = 1;
    ok(evdb_store_advise(store, &o, &r, &why));
    assert_ptr_equal(r->proposed, r->codecs->recall_at_10 >= 1 ? r->codecs : NULL);
    evdb_codec_report_free(r);
    evdb_store_close(store);
}

static void without_candidates_the_library_has_its_own(void **state)
{
    evdb_store *store = filled(*state, 300, 16);
    evdb_codec_report *r = NULL;
    ok(evdb_store_advise(store, NULL, &r, &why));
    assert_true(r->count >= 3 && r->proposed && r->proposed->recall_at_10 >= 0.95);
    for (uint32_t i = 0; i < r->count; i++)
        assert_true(r->codecs[i].status != EVDB_OK || r->codecs[i].recall_at_10 < 0.95 || r->proposed->compression_ratio >= r->codecs[i].compression_ratio ||
                    r->proposed->trained_bytes < r->codecs[i].trained_bytes);
    evdb_codec_report_free(r);
    evdb_store_close(store);
}

static float first(const float *a, const float *b, uint32_t dim, void *context)
{
    (void)dim, (void)context;
    return a[0] - b[0];
}

static void stores_that_cannot_be_told_of_are_refused(void **state)
{
    scratch *t = *state;
    evdb_codec_report *r = NULL;
    evdb_advise_options o = EVDB_ADVISE_OPTIONS;
    evdb_store *store = scratch_store(t, "empty", 0, 0), *own;
    refused(EVDB_INVALID, evdb_store_advise(store, NULL, &r, &why));
    evdb_store_close(store);
    store = filled(t, 10, 2);
    refused(EVDB_INVALID, evdb_store_advise(store, NULL, &r, &why));
    expect_says("11");
    ok(evdb_record_insert(store, num(10), (float[]){ 1, 1 }, 2, NULL, NULL, &why));
    for (int i = 0; i < 3; i++) {
        o.recall = (float[]){ -1, 1.5f, NAN }[i];
        refused(EVDB_INVALID, evdb_store_advise(store, &o, &r, &why));
        expect_says("recall");
    }
    o.recall = 0.9f;
    ok(evdb_store_advise(store, &o, &r, &why));
    evdb_codec_report_free(r);
    evdb_store_close(store);
    evdb_metric_options metric = { .size = sizeof(metric), .distance = first };
    evdb_store_options options = EVDB_STORE_OPTIONS;
    options.metric_name = "first";
    ok(evdb_metric_register(t->db, "first", &metric, &why));
    ok(evdb_store_create(t->db, "own", &options, &own, &why));
    refused(EVDB_UNSUPPORTED, evdb_store_advise(own, NULL, &r, &why));
    evdb_store_close(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codecs_are_measured_as_they_are),
        cmocka_unit_test(the_same_seed_gives_the_same_figures),
        cmocka_unit_test(few_vectors_are_enough_for_all_but_recall),
        cmocka_unit_test(vectors_of_any_size_give_finite_figures),
        cmocka_unit_test(a_codec_that_cannot_be_trained_says_so_and_the_others_go_on),
        cmocka_unit_test(without_a_list_every_kind_is_measured_once),
        cmocka_unit_test(of_many_vectors_an_even_sample_is_taken),
        cmocka_unit_test(it_can_be_cancelled_before_any_codec),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test_setup_teardown(a_sample_is_spread_over_the_store, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(the_smallest_codec_that_finds_enough_is_proposed, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(without_candidates_the_library_has_its_own, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(stores_that_cannot_be_told_of_are_refused, scratch_open, scratch_remove),
    };
    seed = seed_print();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
