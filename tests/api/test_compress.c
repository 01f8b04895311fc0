/* test_compress.c - stores whose vectors are kept with a codec: what comes back, what is found, another codec later.
 *
 * Also for the thread sanitizer. */
#include "compressed_rows.h"
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <evdb.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed;

/* The share of the nearest by floats that a search of the store finds. */
static double recall(evdb_store *store, evdb_metric metric)
{
    size_t found = 0;
    for (int q = 0; q < 40; q++) {
        float distances[ROWS], bound;
        evdb_search_options o = EVDB_SEARCH_OPTIONS;
        evdb_result *r;
        o.k = K;
        ok(evdb_search(store, rows[q * 7], DIM, &o, &r, &why));
        assert_int_equal(r->count, K);
        ok(evdb_distance_batch(metric, rows[q * 7], rows[0], ROWS, 0, DIM, distances, &why));
        float sorted[ROWS];
        memcpy(sorted, distances, sizeof(sorted));
        for (int i = 0; i < K; i++) /* the k smallest come first */
            for (int j = i + 1; j < ROWS; j++)
                if (sorted[j] < sorted[i]) bound = sorted[i], sorted[i] = sorted[j], sorted[j] = bound;
        bound = sorted[K - 1];
        for (size_t i = 0; i < r->count; i++) found += distances[r->numbers[i]] <= bound;
        evdb_result_free(r);
    }
    return (double)found / (40 * K);
}

static const struct { const char *spec; double relative, recall; } kinds[] = {
    { "f32", 0, 1 }, { "f16", 0x1p-11, 0.99 }, { "bf16", 0x1p-8, 0.9 }, { "i8", 0.01, 0.9 }, { "zstd", 0, 1 }, { "i8+zlib", 0.01, 0.9 },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };
static const char *const names[KINDS] = { "a", "b", "c", "d", "e", "f" };

static void a_store_with_a_codec_keeps_finds_and_reopens(void **state)
{
    static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_IP, EVDB_MANHATTAN };
    scratch *t = *state;
    for (size_t k = 0; k < KINDS; k++)
        for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
            char name[40];
            snprintf(name, sizeof(name), "s%zu-%zu", k, m);
            evdb_store *store = store_with(t, name, kinds[k].spec, metrics[m]);
            put(store, 0, ROWS / 2);
            assert_true(scratch_count(store) == ROWS / 2);
            put(store, ROWS / 2, ROWS / 2);
            all_there(store, kinds[k].relative);
            assert_true(recall(store, metrics[m]) >= kinds[k].recall);
            evdb_store_close(store);
            scratch_reopen(t);
            ok(evdb_store_open(t->db, name, &store, &why));
            all_there(store, kinds[k].relative);
            assert_true(recall(store, metrics[m]) >= kinds[k].recall);
            evdb_compression c = compression(store);
            char whole[EVDB_CODEC_SPEC_MAX + 1];
            ok(evdb_codec_check(kinds[k].spec, 0, whole, NULL, &why));
            assert_string_equal(c.codec, whole);
            assert_string_equal(c.in_force, whole);
            assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
            evdb_store_close(store);
        }
    sound(t);
}

static void a_graph_over_codes_is_built_saved_and_found_sound(void **state)
{
    scratch *t = *state;
    for (size_t k = 0; k < KINDS; k++) {
        evdb_store *store = store_with(t, names[k], kinds[k].spec, EVDB_EUCLIDEAN);
        put(store, 0, ROWS);
        ok(evdb_index_build(store, 0, &why));
        assert_true(recall(store, EVDB_EUCLIDEAN) >= kinds[k].recall - 0.05);
        evdb_store_close(store);
        scratch_reopen(t);
        sound(t);
        ok(evdb_store_open(t->db, names[k], &store, &why));
        assert_true(recall(store, EVDB_EUCLIDEAN) >= kinds[k].recall - 0.05);
        evdb_index_status s = EVDB_INDEX_STATUS;
        ok(evdb_index_get_status(store, &s, &why));
        assert_int_equal(s.linked, ROWS);
        evdb_store_close(store);
    }
}

static void another_codec_later_writes_all_vectors_again(void **state)
{
    static const char *const order[] = { "bf16", "f16", "none", "bf16", "f32" };
    scratch *t = *state;
    evdb_store *store = store_with(t, "docs", NULL, EVDB_COSINE);
    double off = 0;
    put(store, 0, ROWS);
    ok(evdb_index_build(store, 0, &why));
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        bool none = strcmp(order[i], "none") == 0;
        ok(evdb_store_set_codec(store, order[i], &why));
        (void)recall(store, EVDB_COSINE);
        ok(evdb_store_recode(store, &why));
        evdb_compression c = compression(store);
        assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
        assert_string_equal(c.in_force, none ? "" : order[i]);
        off += 0x1p-8;
        all_there(store, off);
        assert_true(recall(store, EVDB_COSINE) >= 0.85);
        sound(t);
    }
    evdb_store_close(store);
}

static void what_was_begun_is_ended_by_who_opens_the_store_next(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "docs", NULL, EVDB_EUCLIDEAN);
    put(store, 0, ROWS);
    for (int i = 0; i < 6; i++) {
        ok(evdb_store_set_codec(store, i % 2 ? "f16" : "bf16", &why));
        evdb_store_close(store);
        scratch_reopen(t);
        ok(evdb_store_open(t->db, "docs", &store, &why));
        put(store, i * 100, 100); /* of whichever is in force */
    }
    ok(evdb_store_recode(store, &why));
    assert_int_equal(compression(store).state, EVDB_COMPRESSION_SETTLED);
    all_there(store, 0x1p-6);
    evdb_store_close(store);
    sound(t);
}

static void a_record_keeps_the_codec_it_asked_for(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "docs", "bf16", EVDB_COSINE);
    evdb_record *r;
    put(store, 1, ROWS - 1);
    ok(evdb_record_insert_compressed(store, num(0), rows[0], DIM, "{\"a\":1}", "none", NULL, &why));
    for (int i = 0; i < 3; i++) {
        ok(evdb_record_get(store, num(0), &r, &why));
        assert_memory_equal(r->vector, rows[0], sizeof(rows[0]));
        assert_string_equal(r->metadata, "{\"a\":1}");
        evdb_record_free(r);
        ok(evdb_store_set_codec(store, i % 2 ? "bf16" : "f16", &why));
        ok(evdb_store_recode(store, &why));
    }
    all_there(store, 0x1p-6);
    assert_true(recall(store, EVDB_COSINE) >= 0.9);
    refused(EVDB_EXISTS, evdb_record_insert_compressed(store, num(0), rows[0], DIM, NULL, "f16", NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert_compressed(store, num(-1), rows[0], DIM, NULL, "nonsense", NULL, &why));
    evdb_store_close(store);
    sound(t);
}

/* Codecs that learn from vectors: these are kept as they are until there are enough. */
static void a_trained_codec_waits_for_vectors_and_then_takes_over(void **state)
{
    static const struct { const char *spec; double relative; } trained[] = {
        { "pq:12", 0.6 }, { "pca:20", 0.7 }, { "i8:trained", 0.02 }, { "pca:0.9+i8", 0.6 }, { "opq:12", 0.6 }, { "product_quantization", 0.8 },
    };
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(trained) / sizeof(*trained); i++) {
        evdb_store *store = store_with(t, names[i], trained[i].spec, EVDB_EUCLIDEAN);
        put(store, 0, 5);
        evdb_compression c = compression(store);
        assert_int_equal(c.state, EVDB_COMPRESSION_WAITING);
        assert_string_equal(c.in_force, "");
        assert_true(c.needed > 5);
        put(store, 0, ROWS);
        ok(evdb_store_recode(store, &why));
        c = compression(store);
        assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
        assert_string_equal(c.in_force, c.codec);
        assert_true(c.loss > 0 && c.trained_bytes > 0 && c.vector_bytes < c.plain_bytes);
        all_there(store, trained[i].relative * 2);
        (void)recall(store, EVDB_EUCLIDEAN);
        put(store, 0, 200); /* with the trained one */
        evdb_store_close(store);
        scratch_reopen(t);
        ok(evdb_store_open(t->db, names[i], &store, &why));
        all_there(store, trained[i].relative * 2);
        assert_string_equal(compression(store).in_force, c.codec);
        evdb_store_close(store);
        sound(t);
    }
}

/* rabitq can be had without a sample, and finds more with one. */
static void what_gains_by_a_sample_waits_for_it_unless_told_not_to(void **state)
{
    static const char *const learning[] = { "rabitq", "pca:4" };
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(learning) / sizeof(*learning); i++) {
        evdb_store *store = store_with(t, names[2 * i], learning[i], EVDB_EUCLIDEAN);
        put(store, 0, 10);
        ok(evdb_store_recode(store, &why));
        evdb_compression c = compression(store);
        assert_int_equal(c.state, EVDB_COMPRESSION_WAITING);
        assert_int_equal(c.needed, 1000);
        put(store, 0, 200);
        assert_int_equal(compression(store).state, EVDB_COMPRESSION_WAITING);
        ok(evdb_store_recode(store, &why));
        c = compression(store);
        assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
        assert_string_equal(c.in_force, c.codec);
        assert_true(c.trained_bytes > 0);
        evdb_store_close(store);
        store = store_with(t, names[2 * i + 1], NULL, EVDB_EUCLIDEAN);
        put(store, 0, ROWS);
        ok(evdb_store_set_codec(store, learning[i], &why));
        while ((c = compression(store)).state != EVDB_COMPRESSION_SETTLED || strcmp(c.in_force, c.codec) != 0) continue;
        assert_true(c.trained_bytes > 0 && c.loss > 0);
        evdb_store_close(store);
    }
    sound(t);
}

static void vectors_of_another_kind_make_it_learn_anew(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "docs", "pca:4+i8", EVDB_EUCLIDEAN);
    float moved[ROWS][DIM];
    for (int i = 0; i < ROWS; i++) /* of four elements that matter, and then of four others */
        for (int j = 0; j < DIM; j++) moved[i][j] = rows[i][j] * (j / 4 == 3 ? 1 : 0.001f), rows[i][j] *= j / 4 == 1 ? 1 : 0.001f;
    put(store, 0, ROWS);
    ok(evdb_store_recode(store, &why));
    evdb_compression before = compression(store);
    assert_true(before.loss < 0.1);
    memcpy(rows, moved, sizeof(rows));
    put(store, 0, ROWS);
    ok(evdb_store_recode(store, &why));
    evdb_compression after = compression(store);
    assert_int_equal(after.state, EVDB_COMPRESSION_SETTLED);
    assert_true(after.version > before.version);
    put(store, 0, ROWS);
    ok(evdb_store_recode(store, &why));
    assert_true(compression(store).loss < 0.6);
    evdb_store_close(store);
    sound(t);
    seed_floats(&seed, rows[0], ROWS * DIM);
}

static void what_cannot_have_a_codec_says_so(void **state)
{
    scratch *t = *state;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.codec = "nonsense";
    refused(EVDB_INVALID, evdb_store_create(t->db, "a", &o, NULL, &why));
    expect_says("nonsense");
    o.codec = "bf16";
    o.dtype = EVDB_I8;
    refused(EVDB_UNSUPPORTED, evdb_store_create(t->db, "a", &o, NULL, &why));
    o.codec = NULL;
    ok(evdb_store_create(t->db, "bytes", &o, &store, &why));
    refused(EVDB_UNSUPPORTED, evdb_store_set_codec(store, "bf16", &why));
    evdb_store_close(store);
    store = store_with(t, "plain", NULL, EVDB_COSINE);
    refused(EVDB_INVALID, evdb_store_set_codec(store, "bf17", &why));
    ok(evdb_store_set_codec(store, "none", &why));
    evdb_store_close(store);
}

static void a_store_without_vectors_has_none_to_train_on(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "open", NULL, EVDB_COSINE); /* of a dimension that nobody knows yet */
    refused(EVDB_INVALID, evdb_record_insert_compressed(store, num(0), rows[0], DIM, NULL, "pq:4", NULL, &why));
    expect_says("1024");
    ok(evdb_record_insert_compressed(store, num(0), rows[0], DIM, NULL, "i8", NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert_compressed(store, num(1), rows[1], DIM, NULL, "pq:4", NULL, &why));
    expect_says("1024");
    ok(evdb_record_delete(store, num(0), 0, &why));
    refused(EVDB_INVALID, evdb_record_insert_compressed(store, num(1), rows[1], DIM, NULL, "pq:4", NULL, &why));
    evdb_store_close(store);
    sound(t);
}

/* It was chosen before anybody knew how long vectors would be. */
static void a_codec_that_does_not_fit_the_first_vector_says_so_in_the_status(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_with(t, "docs", "pq:64", EVDB_COSINE);
    evdb_compression c = EVDB_COMPRESSION;
    put(store, 0, 10);
    ok(evdb_store_get_compression(store, &c, &why));
    assert_int_equal(c.state, EVDB_COMPRESSION_WAITING);
    assert_string_equal(c.codec, "pq:64");
    assert_non_null(strstr(c.problem, "'64'"));
    refused(EVDB_INVALID, evdb_store_recode(store, &why));
    ok(evdb_store_set_codec(store, "bf16", &why));
    ok(evdb_store_recode(store, &why));
    assert_int_equal(compression(store).state, EVDB_COMPRESSION_SETTLED);
    evdb_store_close(store);
    sound(t);
}

static void a_database_in_memory_does_it_too(void **state)
{
    scratch t = { .db = NULL };
    (void)state;
    ok(evdb_open(":memory:", NULL, &t.db, &why));
    evdb_store *store = store_with(&t, "docs", "bf16", EVDB_EUCLIDEAN);
    put(store, 0, ROWS);
    assert_true(recall(store, EVDB_EUCLIDEAN) >= 0.9);
    ok(evdb_store_set_codec(store, "f16", &why));
    ok(evdb_store_recode(store, &why));
    assert_int_equal(compression(store).state, EVDB_COMPRESSION_SETTLED);
    all_there(store, 0x1p-7);
    evdb_store_close(store);
    evdb_close(t.db);
}

static void stores_get_the_codec_of_their_database_where_they_can_have_one(void **state)
{
    scratch *t = *state;
    evdb_options o = EVDB_OPTIONS;
    evdb_store_options bits = EVDB_STORE_OPTIONS;
    evdb_store *store;
    evdb *db;
    o.default_codec = "bf17";
    refused(EVDB_INVALID, evdb_open(t->path, &o, &db, &why));
    o.default_codec = "bf16";
    ok(evdb_open(t->path, &o, &db, &why));
    bits.dtype = EVDB_BIT;
    ok(evdb_store_create(db, "bits", &bits, NULL, &why));
    ok(evdb_store_create(db, "given", NULL, &store, &why));
    assert_string_equal(compression(store).codec, "bf16");
    evdb_store_close(store);
    bits.dtype = EVDB_F32;
    bits.codec = "none";
    ok(evdb_store_create(db, "plain", &bits, &store, &why));
    assert_string_equal(compression(store).codec, "");
    evdb_store_close(store);
    evdb_close(db);
}

/* Where floats that small are zeros a row has no direction: it is found, at right angles to all. */
static void queries_and_rows_of_any_length_are_found_under_cosine(void **state)
{
    static const char *const codecs[] = { "none", "f16", "bf16", "i8", "i4" };
    static const float lengths[] = { 1, 1e-20f, 1e-38f, 1e18f, 3e38f };
    enum { MANY = 4 };
    float x[MANY][2] = { { 1, 0 }, { 1, 0.2f }, { 0, 1 }, { 1e-30f, 1e-30f } };
    scratch *t = *state;
    for (size_t c = 0; c < sizeof(codecs) / sizeof(*codecs); c++) {
        evdb_store *store = store_with(t, codecs[c], codecs[c], EVDB_COSINE);
        for (int64_t i = 0; i < MANY; i++) ok(evdb_record_insert(store, (evdb_id){ .number = i }, x[i], 2, NULL, NULL, &why));
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
            evdb_search_options o = EVDB_SEARCH_OPTIONS;
            evdb_result *found;
            float q[2] = { lengths[l], 0 };
            o.k = MANY;
            ok(evdb_search(store, q, 2, &o, &found, &why));
            assert_int_equal(found->count, MANY);
            evdb_result_free(found);
        }
        evdb_store_close(store);
    }
}

int main(void)
{
    seed = seed_print();
    seed_floats(&seed, rows[0], ROWS * DIM);
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)
    const struct CMUnitTest tests[] = {
        TEST(queries_and_rows_of_any_length_are_found_under_cosine),
        TEST(a_store_with_a_codec_keeps_finds_and_reopens),
        TEST(a_graph_over_codes_is_built_saved_and_found_sound),
        TEST(another_codec_later_writes_all_vectors_again),
        TEST(what_was_begun_is_ended_by_who_opens_the_store_next),
        TEST(a_record_keeps_the_codec_it_asked_for),
        TEST(a_trained_codec_waits_for_vectors_and_then_takes_over),
        TEST(what_gains_by_a_sample_waits_for_it_unless_told_not_to),
        TEST(vectors_of_another_kind_make_it_learn_anew),
        TEST(what_cannot_have_a_codec_says_so),
        TEST(a_codec_that_does_not_fit_the_first_vector_says_so_in_the_status),
        TEST(a_store_without_vectors_has_none_to_train_on),
        TEST(a_database_in_memory_does_it_too),
        TEST(stores_get_the_codec_of_their_database_where_they_can_have_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
