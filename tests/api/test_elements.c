/* test_elements.c - stores of every element type under every metric: what comes back, what is found, what is refused. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 61, ROWS = 2000, CENTRES = 40, K = 10, QUERIES = 40 };

static const evdb_dtype dtypes[] = { EVDB_F32, EVDB_F16, EVDB_I8, EVDB_BIT };
static const evdb_metric metrics[] = { EVDB_COSINE, EVDB_EUCLIDEAN, EVDB_MANHATTAN, EVDB_IP, EVDB_HAMMING };
enum { DTYPES = sizeof(dtypes) / sizeof(*dtypes), METRICS = sizeof(metrics) / sizeof(*metrics) };
static uint64_t seed;

/* Rows around some centres. Under hamming elements are few different things, of which a row has its centre's or another. */
typedef struct world {
    evdb_dtype dtype;
    evdb_metric metric;
    float centres[CENTRES][DIM], rows[ROWS][DIM];
    evdb_store *store;
} world;

static float element_of(const world *w, float centre, float noise)
{
    bool other = seed_below(&seed, 6) == 0;
    if (w->dtype == EVDB_BIT) return (centre > 0) != other;
    if (w->metric == EVDB_HAMMING) return other ? (float)seed_below(&seed, 4) : floorf(centre * 2) + 2;
    if (w->dtype == EVDB_I8) return rintf((centre + noise / 2) * 80);
    return centre + noise / 2;
}

static void draw(const world *w, float *out)
{
    const float *centre = w->centres[seed_below(&seed, CENTRES)];
    float noise[DIM];
    seed_floats(&seed, noise, DIM);
    for (int i = 0; i < DIM; i++) out[i] = element_of(w, centre[i], noise[i]);
    out[0] = 1; /* no zeros under cosine */
}

static evdb_store *store_of(scratch *t, const char *name, uint32_t dim, evdb_dtype dtype, evdb_metric metric)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = dim;
    o.dtype = dtype;
    o.metric = metric;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

static const char *name_of(evdb_dtype dtype, evdb_metric metric)
{
    static char name[40];
    snprintf(name, sizeof(name), "%s-%s", evdb_dtype_name(dtype), evdb_metric_name(metric));
    return name;
}

static world *world_make(scratch *t, evdb_dtype dtype, evdb_metric metric)
{
    world *w = calloc(1, sizeof(*w));
    int64_t ids[ROWS];
    evdb_batch b = EVDB_BATCH;
    assert_non_null(w);
    w->dtype = dtype;
    w->metric = metric;
    seed_floats(&seed, &w->centres[0][0], CENTRES * DIM);
    for (int i = 0; i < ROWS; i++) draw(w, w->rows[i]), ids[i] = i;
    w->store = store_of(t, name_of(dtype, metric), DIM, dtype, metric);
    b.kind = EVDB_INSERT;
    b.count = ROWS;
    b.numbers = ids;
    b.vectors = w->rows;
    b.dim = DIM;
    ok(evdb_batch_write(w->store, &b, NULL, &why));
    return w;
}

static void world_free(world *w)
{
    evdb_store_close(w->store);
    free(w);
}

/* Computed from vectors as they are read back. */
static double oracle(evdb_metric metric, const float *a, const float *b)
{
    double dot = 0, aa = 0, bb = 0, square = 0, sum = 0, differ = 0;
    for (int i = 0; i < DIM; i++) {
        double x = a[i], y = b[i];
        dot += x * y, aa += x * x, bb += y * y, square += (x - y) * (x - y), sum += fabs(x - y), differ += x != y;
    }
    switch (metric) {
    case EVDB_COSINE: return 1 - dot / sqrt(aa * bb);
    case EVDB_EUCLIDEAN: return sqrt(square);
    case EVDB_MANHATTAN: return sum;
    case EVDB_IP: return -dot;
    case EVDB_HAMMING: return differ;
    case EVDB_CUSTOM: break;
    }
    return NAN;
}

static void assert_stored(evdb_dtype dtype, const float *got, const float *given)
{
    for (int i = 0; i < DIM; i++)
        if (dtype != EVDB_F16) assert_true(got[i] == given[i]);
        else assert_true(fabsf(got[i] - given[i]) <= fabsf(given[i]) / 2048 + 0x1p-25f);
}

/* Replaces w's rows by what is stored: read one by one, and the same again by walking. */
static void read_back(world *w)
{
    evdb_cursor *cursor;
    const evdb_record *at;
    evdb_record *r;
    ok(evdb_cursor_open(w->store, NULL, &cursor, &why));
    for (int i = 0; i < ROWS; i++) {
        ok(evdb_cursor_next(cursor, &at, &why));
        ok(evdb_record_get(w->store, num(i), &r, &why));
        assert_int_equal(r->dim, DIM);
        assert_int_equal(r->dtype, w->dtype);
        assert_int_equal(at->dtype, w->dtype);
        assert_memory_equal(at->vector, r->vector, DIM * sizeof(float));
        assert_stored(w->dtype, r->vector, w->rows[i]);
        memcpy(w->rows[i], r->vector, sizeof(w->rows[i]));
        evdb_record_free(r);
    }
    evdb_cursor_close(cursor);
}

/* What is stored finds itself; distances of all hits are right; the graph finds as near as the scan does. */
static double check_searches(world *w, uint32_t flags, float accuracy)
{
    float queries[QUERIES][DIM];
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *near, *exact;
    size_t good = 0;
    double scale = w->metric == EVDB_COSINE ? 1 : w->dtype == EVDB_I8 ? 1e5 : 100;
    for (int i = 0; i < QUERIES; i++) draw(w, queries[i]);
    for (int i = 0; i < QUERIES / 2; i++) memcpy(queries[i], w->rows[i], sizeof(queries[i]));
    o.k = K;
    o.flags = flags;
    o.accuracy = accuracy;
    ok(evdb_search_batch(w->store, &queries[0][0], QUERIES, 0, DIM, &o, &near, &why));
    o.flags = EVDB_SEARCH_EXACT;
    ok(evdb_search_batch(w->store, &queries[0][0], QUERIES, 0, DIM, &o, &exact, &why));
    assert_int_equal(near->count, QUERIES * K);
    for (size_t i = 0; i < near->count; i++) {
        size_t q = i / K;
        double wanted = oracle(w->metric, queries[q], w->rows[near->numbers[i]]), off = fabs(near->distances[i] - wanted);
        /* queries of f16 are rounded first */
        if (w->dtype != EVDB_F16 || q < QUERIES / 2) assert_true(off <= 1e-6 * scale);
        if (w->metric == EVDB_HAMMING) assert_true(off == 0);
        good += near->distances[i] <= exact->distances[q * K + K - 1];
        if (q < QUERIES / 2 && i % K == 0 && w->metric != EVDB_IP) assert_true(fabs(exact->distances[i]) <= 1e-6 * scale);
    }
    evdb_result_free(near);
    evdb_result_free(exact);
    return (double)good / (QUERIES * K);
}

static void what_is_stored_comes_back_and_is_found_also_by_the_graph_and_from_its_file(void **state)
{
    scratch *t = *state;
    for (int d = 0; d < DTYPES; d++)
        for (int m = 0; m < METRICS; m++) {
            evdb_verify_report report;
            world *w = world_make(t, dtypes[d], metrics[m]);
            read_back(w);
            assert_true(check_searches(w, EVDB_SEARCH_EXACT, 0) == 1);
            ok(evdb_index_build(w->store, 1, &why));
            evdb_index_status s = EVDB_INDEX_STATUS;
            ok(evdb_index_get_status(w->store, &s, &why));
            bool graph = metrics[m] != EVDB_HAMMING || dtypes[d] == EVDB_BIT;
            assert_int_equal(s.linked, graph ? ROWS : 0);
            double built = check_searches(w, 0, 0), asked = check_searches(w, 0, 0.9f);
            evdb_store_close(w->store);
            scratch_reopen(t);
            ok(evdb_store_open(t->db, name_of(dtypes[d], metrics[m]), &w->store, &why));
            double mapped = check_searches(w, 0, 0);
            if (!graph) assert_true(built == 1 && mapped == 1 && asked == 1);
            if (built < 0.95 || mapped < 0.95 || asked < 0.85)
                fail_msg("%s: recall %.4f built, %.4f from the file, %.4f where 0.9 was asked for", name_of(dtypes[d], metrics[m]), built,
                         mapped, asked);
            read_back(w);
            ok(evdb_verify(t->db, name_of(dtypes[d], metrics[m]), NULL, NULL, &report, &why));
            assert_int_equal(report.problems, 0);
            world_free(w);
        }
}

static void changes_are_followed(void **state)
{
    scratch *t = *state;
    for (int d = 0; d < DTYPES; d++) {
        world *w = world_make(t, dtypes[d], EVDB_EUCLIDEAN);
        read_back(w);
        assert_true(check_searches(w, EVDB_SEARCH_EXACT, 0) == 1);
        for (int i = 0; i < ROWS; i += 7) {
            draw(w, w->rows[i]);
            ok(evdb_record_upsert(w->store, num(i), w->rows[i], DIM, NULL, NULL, &why));
        }
        read_back(w);
        assert_true(check_searches(w, EVDB_SEARCH_EXACT, 0) == 1);
        world_free(w);
    }
}

static void what_an_element_cannot_hold_is_refused_and_named(void **state)
{
    static const struct { evdb_dtype dtype; float bad; const char *says; } cases[] = {
        { EVDB_F16, 65520, "element 2 of the vector is 65520, but f16 holds" },
        { EVDB_F16, -1e9f, "-65504 to 65504" },
        { EVDB_I8, 1.5f, "element 2 of the vector is 1.5, but i8 holds whole numbers from -128 to 127" },
        { EVDB_I8, 128, "is 128" },
        { EVDB_BIT, 2, "element 2 of the vector is 2, but bit holds 0 and 1" },
        { EVDB_BIT, NAN, "not a number" },
    };
    scratch *t = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        float v[3] = { 1, 0, cases[i].bad }, good[6] = { 1, 0, 1 };
        evdb_store *store = store_of(t, (char[]){ (char)('a' + i), 0 }, 3, cases[i].dtype, EVDB_EUCLIDEAN);
        evdb_batch b = EVDB_BATCH;
        evdb_result *r;
        refused(EVDB_INVALID, evdb_record_insert(store, num(1), v, 3, NULL, NULL, &why));
        expect_says(cases[i].says);
        memcpy(good + 3, v, sizeof(v));
        b.kind = EVDB_INSERT;
        b.count = 2;
        b.numbers = (const int64_t[]){ 1, 2 };
        b.vectors = good;
        b.dim = 3;
        refused_item(EVDB_INVALID, 1, evdb_batch_write(store, &b, NULL, &why));
        expect_says(cases[i].says);
        assert_int_equal(scratch_count(store), 0);
        ok(evdb_record_insert(store, num(1), good, 3, NULL, NULL, &why));
        refused(EVDB_INVALID, evdb_search(store, v, 3, NULL, &r, &why));
        expect_says(cases[i].says);
        refused(EVDB_INVALID, evdb_record_update(store, num(1), v, 3, NULL, 0, NULL, &why));
        evdb_store_close(store);
    }
}

static void what_rounds_to_zeros_is_refused_under_cosine(void **state)
{
    scratch *t = *state;
    const float tiny[2] = { 0x1p-25f, -1e-30f }, small[2] = { 0x1p-24f, 0 };
    evdb_store *store = store_of(t, "s", 2, EVDB_F16, EVDB_COSINE);
    evdb_result *r;
    refused(EVDB_INVALID, evdb_record_insert(store, num(1), tiny, 2, NULL, NULL, &why));
    expect_says("zeros in f16");
    ok(evdb_record_insert(store, num(1), small, 2, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_search(store, tiny, 2, NULL, &r, &why));
    ok(evdb_search(store, (const float[]){ 5, 0 }, 2, NULL, &r, &why));
    assert_true(r->distances[0] <= 1e-6f);
    evdb_result_free(r);
    evdb_store_close(store);
}

/* At any alignment and stride, as a ticket too: what is encoded is what was given, not its surroundings. */
static void any_alignment_and_stride_is_taken(void **state)
{
    enum { STRIDE = 3 * sizeof(float) + 5 };
    scratch *t = *state;
    for (int d = 0; d < DTYPES; d++) {
        char block[2 * STRIDE + 1];
        const float rows[2][3] = { { 1, 0, 0 }, { 0, 1, 1 } };
        evdb_store *store = store_of(t, evdb_dtype_name(dtypes[d]), 0, dtypes[d], EVDB_MANHATTAN);
        evdb_batch b = EVDB_BATCH;
        evdb_ticket *ticket;
        evdb_record *r;
        evdb_result *found;
        memset(block, 0x7f, sizeof(block));
        for (int i = 0; i < 2; i++) memcpy(block + 1 + i * STRIDE, rows[i], sizeof(rows[i]));
        b.kind = EVDB_UPSERT;
        b.count = 2;
        b.numbers = (const int64_t[]){ 0, 1 };
        b.vectors = block + 1;
        b.stride = STRIDE;
        b.dim = 3;
        ok(evdb_batch_write(store, &b, NULL, &why));
        ok(evdb_batch_submit(store, &b, &ticket, &why));
        ok(evdb_search_batch(store, (const float *)(const void *)(block + 1), 2, STRIDE, 3, NULL, &found, &why));
        memset(block, 0, sizeof(block));
        ok(evdb_ticket_wait(ticket, NULL, &why));
        evdb_ticket_free(ticket);
        for (int i = 0; i < 2; i++) {
            ok(evdb_record_get(store, num(i), &r, &why));
            assert_memory_equal(r->vector, rows[i], sizeof(rows[i]));
            evdb_record_free(r);
            assert_int_equal(found->numbers[i * 2], i);
            assert_true(found->distances[i * 2] == 0 && found->distances[i * 2 + 1] == 3);
        }
        evdb_result_free(found);
        evdb_store_close(store);
    }
}

/* Short ones are compared as bits by a scan, long ones are not: nobody can tell. */
static void bits_of_any_number_are_counted_exactly(void **state)
{
    static const uint32_t dims[] = { 1, 64, 65, 8191, 8192, 8193, 20000 };
    enum { FEW = 30, MOST = 20000 };
    scratch *t = *state;
    float *rows = malloc(FEW * MOST * sizeof(*rows));
    assert_non_null(rows);
    for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++) {
        uint32_t dim = dims[d];
        evdb_search_options o = EVDB_SEARCH_OPTIONS;
        evdb_store *store = store_of(t, (char[]){ (char)('a' + d), 0 }, dim, EVDB_BIT, EVDB_HAMMING);
        evdb_result *r;
        for (size_t i = 0; i < (size_t)FEW * dim; i++) rows[i] = (float)seed_below(&seed, 2);
        for (int i = 0; i < FEW; i++) ok(evdb_record_insert(store, num(i), rows + (size_t)i * dim, dim, NULL, NULL, &why));
        o.k = FEW;
        ok(evdb_search_batch(store, rows, FEW, 0, dim, &o, &r, &why));
        assert_int_equal(r->count, FEW * FEW);
        for (size_t i = 0; i < r->count; i++) {
            const float *a = rows + i / FEW * dim, *b = rows + (size_t)r->numbers[i] * dim;
            float differ = 0;
            for (uint32_t j = 0; j < dim; j++) differ += a[j] != b[j];
            assert_true(r->distances[i] == differ);
        }
        evdb_result_free(r);
        evdb_store_close(store);
    }
    free(rows);
}

static void smaller_elements_take_less_room_on_disk_and_in_memory(void **state)
{
    scratch *t = *state;
    uint64_t bytes[DTYPES], memory[DTYPES];
    for (int d = 0; d < DTYPES; d++) {
        evdb_store_stats s = EVDB_STORE_STATS;
        evdb_store_info *info;
        evdb_result *r;
        float v[2000] = { 1 };
        evdb_store *store = store_of(t, evdb_dtype_name(dtypes[d]), 2000, dtypes[d], EVDB_EUCLIDEAN);
        for (int i = 0; i < 100; i++) ok(evdb_record_insert(store, num(i), v, 2000, NULL, NULL, &why));
        ok(evdb_store_sync(store, &why));
        ok(evdb_store_describe(store, &info, &why));
        assert_int_equal(info->dtype, dtypes[d]);
        evdb_store_info_free(info);
        ok(evdb_search(store, v, 2000, NULL, &r, &why));
        evdb_result_free(r);
        ok(evdb_store_get_stats(store, &s, &why));
        memory[d] = s.memory_bytes;
        bytes[d] = s.disk_bytes;
        evdb_store_close(store);
    }
    for (int d = 1; d < DTYPES; d++) assert_true(bytes[d] < bytes[d - 1]);
    assert_int_equal(memory[0] - memory[1], 100 * 4000);
    assert_int_equal(memory[1] - memory[2], 100 * 2000);
    assert_int_equal(memory[2] - memory[3], 100 * (2000 - 256)); /* rows of bits are whole words */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    seed = seed_print();
    const struct CMUnitTest tests[] = {
        TEST(what_is_stored_comes_back_and_is_found_also_by_the_graph_and_from_its_file),
        TEST(changes_are_followed),
        TEST(what_an_element_cannot_hold_is_refused_and_named),
        TEST(what_rounds_to_zeros_is_refused_under_cosine),
        TEST(any_alignment_and_stride_is_taken),
        TEST(bits_of_any_number_are_counted_exactly),
        TEST(smaller_elements_take_less_room_on_disk_and_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
