/* test_metric.c - evdb/metric.h: stores whose distances the program computes.
 *
 * Also for the thread sanitizer. */
#include "expect.h"
#include "metric_weights.h"
#include "seed.h"
#include <math.h>
#include <string.h>

enum { DIM = INDEX_DIM, FEW = 500, K = INDEX_K };

static uint64_t seed;

static float backwards(const float *a, const float *b, uint32_t dim, void *context) { return -weights_distance(a, b, dim, context); }

static evdb_store *reopen(scratch *t)
{
    evdb_store *store;
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    return store;
}

/* Records 0 .. FEW - 1, whose vectors are left in `vectors`. */
static void fill(evdb_store *store, float vectors[FEW * DIM])
{
    seed_floats(&seed, vectors, FEW * DIM);
    for (int i = 0; i < FEW; i++)
        ok(evdb_record_insert(store, num(i), vectors + i * DIM, DIM, i % 2 ? "{\"even\":false}" : "{\"even\":true}", NULL, &why));
}

/* The hits from..to-1 are the nearest to the query of every step-th record. */
static void expect_nearest(const evdb_result *r, size_t from, size_t to, const float *query, const float *vectors, int step, weights *w)
{
    size_t nearer = 0;
    for (size_t i = from; i < to; i++) {
        assert_int_equal(r->numbers[i] % step, 0);
        assert_true(r->distances[i] == weights_distance(query, vectors + r->numbers[i] * DIM, DIM, w));
        assert_true(r->scores[i] == -r->distances[i]);
        if (i > from) assert_true(r->distances[i - 1] <= r->distances[i]);
    }
    for (int i = 0; i < FEW; i += step) nearer += weights_distance(query, vectors + i * DIM, DIM, w) < r->distances[to - 1];
    assert_true(nearer < to - from);
}

static void every_kind_of_search_asks_the_function(void **state)
{
    scratch *t = *state;
    float vectors[FEW * DIM], queries[3 * DIM];
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *r;
    weights w;
    weights_draw(&w, &seed);
    ok(metric_register(t->db, "weighted", weights_distance, &w, 0));
    evdb_store *store = metric_store(t, "weighted");
    fill(store, vectors);
    seed_floats(&seed, queries, 3 * DIM);
    ok(evdb_search(store, queries, DIM, NULL, &r, &why));
    assert_int_equal(r->count, K);
    expect_nearest(r, 0, K, queries, vectors, 1, &w);
    float radius = r->distances[4];
    evdb_result_free(r);
    ok(evdb_search_range(store, queries, DIM, radius, NULL, &r, &why));
    assert_int_equal(r->count, 5);
    expect_nearest(r, 0, 5, queries, vectors, 1, &w);
    evdb_result_free(r);
    o.filter = "{\"even\":true}";
    o.flags = EVDB_SEARCH_METADATA;
    ok(evdb_search(store, queries, DIM, &o, &r, &why));
    assert_int_equal(r->count, K);
    expect_nearest(r, 0, K, queries, vectors, 2, &w);
    assert_string_equal(r->metadata[0], o.filter);
    evdb_result_free(r);
    o = (evdb_search_options)EVDB_SEARCH_OPTIONS;
    o.threads = 3;
    atomic_store(&w.calls, 0);
    ok(evdb_search_batch(store, queries, 3, 0, DIM, &o, &r, &why));
    assert_int_equal(atomic_load(&w.calls), 3 * FEW);
    for (size_t q = 0; q < 3; q++) expect_nearest(r, q * K, (q + 1) * K, queries + q * DIM, vectors, 1, &w);
    evdb_result_free(r);
    evdb_store_close(store);
}

static void distances_may_be_negative(void **state)
{
    scratch *t = *state;
    float vectors[FEW * DIM];
    evdb_result *r;
    weights w;
    weights_draw(&w, &seed);
    ok(metric_register(t->db, "backwards", backwards, &w, 0));
    evdb_store *store = metric_store(t, "backwards");
    fill(store, vectors);
    ok(evdb_search(store, vectors, DIM, NULL, &r, &why));
    assert_true(r->distances[0] < r->distances[K - 1] && r->distances[K - 1] < 0);
    float radius = r->distances[2];
    evdb_result_free(r);
    ok(evdb_search_range(store, vectors, DIM, radius, NULL, &r, &why));
    assert_int_equal(r->count, 3);
    evdb_result_free(r);
    evdb_store_close(store);
}

typedef struct text { char at[4096]; size_t length; } text;

static evdb_status append(void *context, const void *bytes, size_t count, evdb_error *err)
{
    text *to = context;
    (void)err;
    assert_true(to->length + count < sizeof(to->at));
    memcpy(to->at + to->length, bytes, count);
    to->length += count;
    to->at[to->length] = 0;
    return EVDB_OK;
}

static void expect_name(const evdb_store_info *info)
{
    assert_int_equal(info->metric, EVDB_CUSTOM);
    assert_string_equal(info->metric_name, "weighted");
    assert_string_equal(info->fields[0], "even");
}

/* All but measuring. */
static void use_without_distances(scratch *t, evdb_store *store)
{
    static const float vector[DIM] = { 0.5f };
    evdb_export_options o = EVDB_EXPORT_OPTIONS;
    evdb_verify_report report;
    evdb_store_info **list, *info;
    evdb_record *record;
    text out = { .length = 0 };
    uint64_t count;
    size_t stores;
    ok(evdb_store_describe(store, &info, &why));
    expect_name(info);
    evdb_store_info_free(info);
    ok(evdb_store_list(t->db, &list, &stores, &why));
    assert_int_equal(stores, 1);
    expect_name(list[0]);
    evdb_store_list_free(list, stores);
    ok(evdb_record_upsert(store, num(1), vector, DIM, "{\"even\":false}", NULL, &why));
    ok(evdb_record_get(store, num(1), &record, &why));
    assert_memory_equal(record->vector, vector, sizeof(vector));
    evdb_record_free(record);
    ok(evdb_filter_count(store, "{\"even\":false}", &count, &why));
    assert_int_equal(count, 1);
    o.format = EVDB_FORMAT_JSON;
    ok(evdb_export(store, &(evdb_sink){ &out, append }, &o, &count, &why));
    assert_non_null(strstr(out.at, "\"metric\":\"custom\",\"metric_name\":\"weighted\""));
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    ok(evdb_store_rename(t->db, "s", "other", &why));
    ok(evdb_store_rename(t->db, "other", "s", &why));
}

static void a_metric_that_is_not_registered_hinders_nothing_but_measuring(void **state)
{
    scratch *t = *state;
    static const float query[DIM] = { 0 };
    evdb_result *r = NULL;
    weights w;
    evdb_store *store = metric_store(t, "weighted");
    weights_draw(&w, &seed);
    for (int again = 0; again < 2; again++) {
        use_without_distances(t, store);
        refused(EVDB_UNSUPPORTED, evdb_search(store, query, DIM, NULL, &r, &why));
        expect_says("'weighted'");
        refused(EVDB_UNSUPPORTED, evdb_search_range(store, query, DIM, 1, NULL, &r, &why));
        refused(EVDB_UNSUPPORTED, evdb_search_batch(store, query, 1, 0, DIM, NULL, &r, &why));
        ok(evdb_index_drop(store, &why));
        refused(EVDB_UNSUPPORTED, evdb_index_build(store, 1, &why));
        refused(EVDB_UNSUPPORTED, evdb_index_create(store, &why));
        expect_says("'weighted'");
        assert_int_equal(index_status(store).state, EVDB_INDEX_DISABLED);
        assert_null(r);
        evdb_store_close(store);
        store = reopen(t);
    }
    ok(evdb_filter_count(store, "{\"even\":false}", &(uint64_t){ 0 }, &why)); /* loads the vectors */
    ok(metric_register(t->db, "weighted", weights_distance, &w, 0));
    ok(evdb_search(store, query, DIM, NULL, &r, &why));
    assert_int_equal(r->count, 1);
    assert_true(r->distances[0] == w.of[0] / 2);
    evdb_result_free(r);
    evdb_store_close(store);
    ok(evdb_store_drop(t->db, "s", &why));
}

static void names_follow_their_pattern(void **state)
{
    static const char *const bad[] = { "", "1a", "-a", "_a", "A", "a b", "a.b", "\xc3\xa9", "cosine", "l2", "dot", "hamming", "custom" };
    scratch *t = *state;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store = NULL;
    char name[EVDB_METRIC_NAME_MAX + 2];
    weights w;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = 0;
    for (size_t i = 0; i <= sizeof(bad) / sizeof(*bad); i++) {
        o.metric_name = i < sizeof(bad) / sizeof(*bad) ? bad[i] : name;
        refused(EVDB_INVALID, metric_register(t->db, o.metric_name, weights_distance, &w, 0));
        refused(EVDB_INVALID, evdb_store_create(t->db, "s", &o, &store, &why));
    }
    refused(EVDB_INVALID, metric_register(t->db, NULL, weights_distance, &w, 0));
    name[EVDB_METRIC_NAME_MAX] = 0;
    o.metric_name = name;
    ok(metric_register(t->db, name, weights_distance, &w, 0));
    ok(evdb_store_create(t->db, "s", &o, NULL, &why));
    o.metric = EVDB_IP;
    refused(EVDB_INVALID, evdb_store_create(t->db, "t", &o, &store, &why));
    expect_says("ip");
    o.metric = EVDB_CUSTOM;
    ok(evdb_store_create(t->db, "t", &o, NULL, &why));
    o.dtype = EVDB_I8;
    refused(EVDB_UNSUPPORTED, evdb_store_create(t->db, "u", &o, &store, &why));
    expect_says("i8");
    o.dtype = EVDB_F32;
    o.metric_name = NULL;
    refused(EVDB_INVALID, evdb_store_create(t->db, "u", &o, &store, &why));
    expect_says("metric_name");
    assert_null(store);
}

static void a_name_stands_for_one_function_of_one_handle(void **state)
{
    scratch *t = *state;
    evdb *other;
    weights w, more;
    ok(metric_register(t->db, "weighted", weights_distance, &w, 0));
    ok(metric_register(t->db, "weighted", weights_distance, &w, 0));
    refused(EVDB_EXISTS, metric_register(t->db, "weighted", backwards, &w, 0));
    expect_says("'weighted'");
    refused(EVDB_EXISTS, metric_register(t->db, "weighted", weights_distance, &more, 0));
    refused(EVDB_EXISTS, metric_register(t->db, "weighted", weights_distance, &w, EVDB_METRIC_GRAPH));
    refused(EVDB_INVALID, metric_register(t->db, "none", NULL, &w, 0));
    refused(EVDB_INVALID, metric_register(t->db, "flags", weights_distance, &w, 6));
    refused(EVDB_INVALID, evdb_metric_register(t->db, "none", NULL, &why));
    ok(evdb_open(t->path, NULL, &other, &why));
    ok(metric_register(other, "weighted", backwards, &more, EVDB_METRIC_GRAPH));
    evdb_close(other);
}

/* Vectors of whole numbers: the first element is what the distance shall be. */
static float first_element(const float *a, const float *b, uint32_t dim, void *context)
{
    (void)dim, (void)context;
    return b[0] == 3 ? NAN : b[0] == 4 ? INFINITY : b[0] == 5 ? -INFINITY : b[0] + a[0];
}

static void count_message(void *context, const char *message)
{
    assert_non_null(strstr(message, "'first'"));
    (*(int *)context)++;
}

static void what_is_no_finite_distance_is_farthest_and_told_once(void **state)
{
    scratch *t = *state;
    evdb_options options = EVDB_OPTIONS;
    evdb_result *r;
    int told = 0;
    options.log = count_message;
    options.log_context = &told;
    evdb_close(t->db);
    ok(evdb_open(t->path, &options, &t->db, &why));
    ok(metric_register(t->db, "first", first_element, NULL, 0));
    evdb_store *store = metric_store(t, "first");
    for (int i = 0; i < 8; i++) ok(evdb_record_insert(store, num(i), &(float){ (float)i }, 1, NULL, NULL, &why));
    for (int again = 0; again < 2; again++) {
        static const int64_t nearest[] = { 0, 1, 2, 6, 7 };
        ok(evdb_search(store, &(float){ 0 }, 1, NULL, &r, &why));
        assert_int_equal(r->count, 8);
        assert_memory_equal(r->numbers, nearest, sizeof(nearest));
        for (size_t i = 5; i < 8; i++) assert_true(r->distances[i] == INFINITY && r->scores[i] == -INFINITY);
        evdb_result_free(r);
        ok(evdb_search_range(store, &(float){ 0 }, 1, 1e30f, NULL, &r, &why));
        assert_int_equal(r->count, 5);
        evdb_result_free(r);
        assert_int_equal(told, 1);
    }
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_search_asks_the_function),
        TEST(distances_may_be_negative),
        TEST(a_metric_that_is_not_registered_hinders_nothing_but_measuring),
        TEST(names_follow_their_pattern),
        TEST(a_name_stands_for_one_function_of_one_handle),
        TEST(what_is_no_finite_distance_is_farthest_and_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
