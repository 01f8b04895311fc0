/* test_flat.c - lib/index: what an exact scan finds, what snapshots see, when rows are used again.
 *
 * Also for the thread sanitizer. */
#include "index/flat.h"
#include "platform/platform.h"
#include "seed.h"
#include <evdb/distance.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static flat *make(const evdb_allocator *mem, uint32_t dim, evdb_metric metric, bool strings)
{
    flat_options o = { .mem = mem, .kernel = kernel_best(), .dim = dim, .metric = metric, .string_ids = strings };
    flat *f;
    assert_int_equal(flat_create(&o, &f, NULL), EVDB_OK);
    return f;
}

static flat *new_flat(uint32_t dim, evdb_metric metric) { return make(&platform_real.mem, dim, metric, false); }

static void put(flat *f, uint64_t slot, uint64_t sequence, int64_t id, const float *vector)
{
    evdb_error err;
    if (flat_put(f, slot, sequence, &(evdb_id){ .number = id }, vector, &err) != EVDB_OK) fail_msg("%s", err.message);
}

/* One query, all rows. */
static size_t search(const flat_snapshot *s, const float *query, uint32_t k, float radius, hit *hits, bool *cut)
{
    flat_query q = { .queries = query, .count = 1, .k = k, .radius = radius, .threads = 1 };
    size_t found;
    assert_int_equal(flat_search(s, &q, hits, &found, cut, NULL), EVDB_OK);
    return found;
}

/* Ids of the k nearest to (x), for indexes of one dimension. */
static void expect_ids(const flat_snapshot *s, float x, size_t count, const int64_t *ids)
{
    hit hits[16];
    assert_int_equal(search(s, &x, 16, INFINITY, hits, NULL), count);
    for (size_t i = 0; i < count; i++) assert_int_equal(flat_id(s, hits[i].row).number, ids[i]);
}

/* ---- what a scan finds ---- */

static int upwards(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* rows vectors, of which every third is then replaced and every fifth removed; ids are slots. */
static flat *fill(uint32_t dim, evdb_metric metric, uint32_t rows, float *vectors)
{
    flat *f = new_flat(dim, metric);
    uint64_t sequence = 0;
    seed_floats(&seed, vectors, (size_t)rows * dim);
    for (uint32_t i = 0; i < rows; i++) put(f, i, ++sequence, i, vectors + (size_t)i * dim);
    for (uint32_t i = 0; i < rows; i += 3) {
        seed_floats(&seed, vectors + (size_t)i * dim, dim);
        put(f, i, ++sequence, i, vectors + (size_t)i * dim);
    }
    for (uint32_t i = 0; i < rows; i += 5) flat_remove(f, i, ++sequence);
    flat_publish(f, sequence);
    return f;
}

static float distance_of(evdb_metric metric, const float *a, const float *b, uint32_t dim)
{
    float out;
    assert_int_equal(evdb_distance(metric, a, b, dim, &out, NULL), EVDB_OK);
    return out;
}

static void compare_with_sorting(uint32_t dim, evdb_metric metric, uint32_t rows, uint32_t k)
{
    float *vectors = malloc((size_t)rows * dim * sizeof(float)), *all = malloc(rows * sizeof(float));
    float *query = malloc(dim * sizeof(float));
    hit *hits = malloc(k * sizeof(*hits));
    assert_true(vectors && all && query && hits);
    flat *f = fill(dim, metric, rows, vectors);
    flat_snapshot s;
    seed_floats(&seed, query, dim);
    size_t alive = 0;
    for (uint32_t i = 0; i < rows; i++)
        if (i % 5) all[alive++] = distance_of(metric, query, vectors + (size_t)i * dim, dim);
    qsort(all, alive, sizeof(*all), upwards);
    assert_true(flat_count(f) == alive);
    flat_begin(f, &s);
    size_t found = search(&s, query, k, INFINITY, hits, NULL);
    assert_int_equal(found, alive < k ? alive : k);
    for (size_t i = 0; i < found; i++) {
        int64_t id = flat_id(&s, hits[i].row).number;
        assert_true(hits[i].distance == distance_of(metric, query, vectors + (size_t)id * dim, dim));
        assert_true(hits[i].distance == all[i]);
        assert_true(id % 5 != 0);
        if (i && hits[i].distance == hits[i - 1].distance) assert_true(hits[i - 1].row < hits[i].row);
    }
    flat_end(&s);
    flat_free(f);
    free(vectors), free(all), free(query), free(hits);
}

static void the_k_nearest_are_those_that_sorting_all_distances_finds(void **state)
{
    (void)state;
    static const uint32_t dims[] = { 1, 3, 8, 33, 100 }, rows[] = { 1, 7, 1024, 1025, 3100 }, ks[] = { 1, 10, 5000 };
    for (size_t i = 0; i < 5 * 5 * 3; i++)
        for (evdb_metric m = EVDB_COSINE; m <= EVDB_IP; m++)
            compare_with_sorting(dims[i % 5], m, rows[i / 5 % 5], ks[i / 25]);
    for (uint32_t dim = 1; dim <= 40; dim++)
        for (evdb_metric m = EVDB_COSINE; m <= EVDB_IP; m++) compare_with_sorting(dim, m, 150, 20);
    for (evdb_metric m = EVDB_COSINE; m <= EVDB_IP; m++) compare_with_sorting(784, m, 150, 20);
    compare_with_sorting(20000, EVDB_EUCLIDEAN, 30, 4); /* rows larger than a tile wants */
}

static void a_batch_on_several_threads_finds_what_single_searches_find(void **state)
{
    (void)state;
    enum { DIM = 12, ROWS = 2500, QUERIES = 101, STRIDE = DIM + 3, K = 7 };
    static float vectors[ROWS * DIM], queries[QUERIES * STRIDE];
    static hit hits[QUERIES * K], alone[K];
    size_t found[QUERIES];
    flat *f = fill(DIM, EVDB_COSINE, ROWS, vectors);
    flat_snapshot s;
    seed_floats(&seed, queries, QUERIES * STRIDE);
    flat_begin(f, &s);
    for (uint32_t threads = 1; threads <= 200; threads = threads * 3 + 1) {
        bool cut = false;
        flat_query q = { .queries = queries, .count = QUERIES, .stride = STRIDE, .k = K, .radius = INFINITY, .threads = threads };
        memset(found, 0, sizeof(found));
        memset(hits, 0, sizeof(hits));
        assert_int_equal(flat_search(&s, &q, hits, found, &cut, NULL), EVDB_OK);
        for (size_t i = 0; i < QUERIES; i++) {
            assert_int_equal(found[i], search(&s, queries + i * STRIDE, K, INFINITY, alone, NULL));
            for (size_t j = 0; j < K; j++) {
                assert_int_equal(hits[i * K + j].row, alone[j].row);
                assert_true(hits[i * K + j].distance == alone[j].distance);
            }
        }
    }
    flat_query none = { .queries = queries, .k = K, .radius = INFINITY, .threads = 4 };
    assert_int_equal(flat_search(&s, &none, hits, found, NULL, NULL), EVDB_OK);
    flat_end(&s);
    flat_free(f);
}

static void a_radius_includes_its_edge_and_says_when_it_held_more_than_k(void **state)
{
    (void)state;
    hit hits[8];
    bool cut;
    flat *f = new_flat(1, EVDB_EUCLIDEAN);
    flat_snapshot s;
    const float zero = 0;
    for (int i = 0; i < 6; i++) put(f, (uint64_t)i, 1, i, &(float){ 0.1f * (float)(5 - i) }); /* nearest last */
    flat_publish(f, 1);
    flat_begin(f, &s);
    for (int i = 0; i < 6; i++) {
        float edge = search(&s, &zero, 8, INFINITY, hits, NULL) == 6 ? hits[i].distance : NAN;
        assert_int_equal(search(&s, &zero, 8, edge, hits, &cut), i + 1);
        assert_false(cut);
        assert_true(hits[i].distance == edge);
        assert_int_equal(search(&s, &zero, (uint32_t)i + 1, edge, hits, &cut), i + 1);
        assert_false(cut); /* exactly k are all there are */
        assert_int_equal(search(&s, &zero, 8, nextafterf(edge, -1), hits, &cut), i);
        if (i == 0) continue;
        assert_int_equal(search(&s, &zero, (uint32_t)i, edge, hits, &cut), i);
        assert_true(cut);
        assert_int_equal(flat_id(&s, hits[0].row).number, 5); /* and the nearest are kept */
    }
    flat_end(&s);
    flat_free(f);
}

static void distances_beyond_float_come_last_and_none_is_nan(void **state)
{
    (void)state;
    const float big = 3e38f, rows[][2] = { { big, big }, { -big, -big }, { big, -big }, { 1, 2 }, { 1e-44f, -3e-44f } };
    enum { ROWS = sizeof(rows) / sizeof(*rows) };
    hit hits[ROWS];
    for (evdb_metric m = EVDB_COSINE; m <= EVDB_IP; m++) {
        flat *f = new_flat(2, m);
        flat_snapshot s;
        for (size_t i = 0; i < ROWS; i++) put(f, i, 1, (int64_t)i, rows[i]);
        flat_publish(f, 1);
        flat_begin(f, &s);
        for (size_t q = 0; q < ROWS; q++) {
            assert_int_equal(search(&s, rows[q], ROWS, INFINITY, hits, NULL), ROWS); /* every row, infinity or not */
            for (size_t i = 0; i < ROWS; i++) assert_false(isnan(hits[i].distance));
            for (size_t i = 1; i < ROWS; i++) assert_true(hits[i - 1].distance <= hits[i].distance);
            if (m != EVDB_IP) assert_int_equal(flat_id(&s, hits[0].row).number, q);
            if (m != EVDB_COSINE) continue;
            for (size_t i = 0; i < ROWS; i++) assert_true(hits[i].distance >= 0 && hits[i].distance <= 2);
        }
        flat_end(&s);
        flat_free(f);
    }
}

/* ---- snapshots ---- */

static void a_snapshot_sees_its_sequence_and_nothing_later(void **state)
{
    (void)state;
    flat *f = new_flat(1, EVDB_EUCLIDEAN);
    flat_snapshot empty, two, later;
    flat_begin(f, &empty);
    put(f, 0, 1, 10, &(float){ 1 });
    expect_ids(&empty, 0, 0, NULL); /* not published */
    put(f, 7, 2, 20, &(float){ 2 });
    flat_publish(f, 2);
    assert_true(flat_count(f) == 2 && flat_sequence(f) == 2);
    flat_begin(f, &two);
    flat_remove(f, 0, 3);
    put(f, 7, 4, 20, &(float){ 9 });  /* replaced */
    put(f, 0, 5, 30, &(float){ 3 });  /* the slot again, for another record */
    flat_remove(f, 99999, 5);         /* nobody's */
    assert_true(flat_count(f) == 2 && flat_sequence(f) == 2);
    flat_publish(f, 5);
    flat_begin(f, &later);
    expect_ids(&empty, 0, 0, NULL);
    expect_ids(&two, 0, 2, (const int64_t[]){ 10, 20 });
    expect_ids(&later, 0, 2, (const int64_t[]){ 30, 20 });
    expect_ids(&later, 9, 2, (const int64_t[]){ 20, 30 });
    flat_end(&empty);
    expect_ids(&two, 0, 2, (const int64_t[]){ 10, 20 });
    flat_end(&two);
    flat_end(&later);
    flat_free(f);
}

/* Memory of an index whose one slot was replaced many times more. The id is the sequence. */
static uint64_t after_replacing(flat *f, uint64_t *sequence, unsigned times)
{
    while (times--) {
        ++*sequence;
        put(f, 0, *sequence, (int64_t)*sequence, &(float){ 1 });
        flat_publish(f, *sequence);
    }
    return flat_memory(f);
}

static void the_memory_of_dead_rows_is_used_again_once_no_snapshot_sees_them(void **state)
{
    (void)state;
    enum { TIMES = 3000, MANY = 300 };
    flat *f = new_flat(1, EVDB_EUCLIDEAN);
    uint64_t sequence = 0, before = after_replacing(f, &sequence, 10);
    assert_true(after_replacing(f, &sequence, TIMES) == before);
    flat_snapshot many[MANY]; /* more than have a place in the index */
    for (size_t i = 0; i < MANY; i++) {
        flat_begin(f, &many[i]);
        assert_true(many[i].sequence == 10 + TIMES + 2 * i);
        before = after_replacing(f, &sequence, 2);
    }
    assert_true(after_replacing(f, &sequence, TIMES) > before);
    for (size_t ended = 0; ended < MANY; ended++) { /* oldest first: those without a place are left over */
        for (size_t i = ended; i < MANY; i++) expect_ids(&many[i], 0, 1, (int64_t[]){ (int64_t)many[i].sequence });
        flat_end(&many[ended]);
        after_replacing(f, &sequence, 20);
    }
    before = after_replacing(f, &sequence, 10);
    assert_true(after_replacing(f, &sequence, 2 * TIMES) == before);
    flat_free(f);
}

static void string_ids_are_kept_as_copies_with_their_rows(void **state)
{
    (void)state;
    enum { ROWS = 1500 };
    flat *f = make(&platform_real.mem, 1, EVDB_EUCLIDEAN, true);
    flat_snapshot old, now;
    hit hits[1];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ROWS; i++) {
            char text[32];
            snprintf(text, sizeof(text), "%s-%d, not this", round ? "new" : "old", i);
            evdb_id id = { .text = text, .length = strcspn(text, ",") };
            assert_int_equal(flat_put(f, (uint64_t)i, (uint64_t)round + 1, &id, &(float){ (float)i }, NULL), EVDB_OK);
            memset(text, '?', sizeof(text));
        }
        flat_publish(f, (uint64_t)round + 1);
        flat_begin(f, round ? &now : &old);
    }
    for (int i = 0; i < ROWS; i += 100) {
        char text[32];
        const float x = (float)i;
        for (int round = 0; round < 2; round++) {
            const flat_snapshot *s = round ? &now : &old;
            assert_int_equal(search(s, &x, 1, INFINITY, hits, NULL), 1);
            evdb_id id = flat_id(s, hits[0].row);
            snprintf(text, sizeof(text), "%s-%d", round ? "new" : "old", i);
            assert_string_equal(id.text, text);
            assert_int_equal(id.length, strlen(text));
        }
    }
    flat_end(&old);
    flat_end(&now);
    flat_free(f);
}

static void a_slot_beyond_32_bits_is_refused(void **state)
{
    (void)state;
    evdb_error err;
    flat *f = new_flat(1, EVDB_IP);
    assert_int_equal(flat_put(f, UINT32_MAX, 1, &(evdb_id){ .number = 1 }, &(float){ 1 }, &err), EVDB_LIMIT);
    assert_non_null(strstr(err.message, "4294967295"));
    flat_remove(f, UINT64_MAX, 1);
    flat_publish(f, 1);
    assert_true(flat_count(f) == 0);
    flat_free(f);
}

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_k_nearest_are_those_that_sorting_all_distances_finds),
        cmocka_unit_test(a_batch_on_several_threads_finds_what_single_searches_find),
        cmocka_unit_test(a_radius_includes_its_edge_and_says_when_it_held_more_than_k),
        cmocka_unit_test(distances_beyond_float_come_last_and_none_is_nan),
        cmocka_unit_test(a_snapshot_sees_its_sequence_and_nothing_later),
        cmocka_unit_test(the_memory_of_dead_rows_is_used_again_once_no_snapshot_sees_them),
        cmocka_unit_test(string_ids_are_kept_as_copies_with_their_rows),
        cmocka_unit_test(a_slot_beyond_32_bits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
