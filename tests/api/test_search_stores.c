/* test_search_stores.c - evdb/search.h in stores of every state: empty, undecided, of string ids; and what hits carry. */
#include "expect.h"
#include "scratch.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const float pair[2] = { 1, 2 };

static evdb_result *search(evdb_store *store, const float *query, uint32_t flags)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *found;
    o.flags = flags;
    ok(evdb_search(store, query, 2, &o, &found, &why));
    return found;
}

static void an_empty_store_has_no_neighbours(void **state)
{
    scratch *t = *state;
    evdb_store *undecided = scratch_store(t, "u", 0, EVDB_COSINE), *decided = scratch_store(t, "d", 2, EVDB_COSINE);
    evdb_result *found;
    const float zero[2] = { 0, 0 };
    for (int i = 0; i < 2; i++) {
        evdb_store *store = i ? decided : undecided;
        for (uint32_t flags = 0; flags <= EVDB_SEARCH_METADATA; flags++) {
            found = search(store, pair, flags);
            assert_true(found->count == 0 && found->queries == 1 && found->complete);
            assert_true(found->offsets[0] == 0 && found->offsets[1] == 0);
            evdb_result_free(found);
        }
        ok(evdb_search_range(store, pair, 2, 1, NULL, &found, &why));
        assert_true(found->count == 0 && found->complete);
        evdb_result_free(found);
        ok(evdb_search_batch(store, (const float[]){ 1, 2, 3, 4 }, 2, 0, 2, NULL, &found, &why));
        assert_true(found->count == 0 && found->queries == 2 && found->offsets[2] == 0);
        evdb_result_free(found);
        refused(EVDB_INVALID, evdb_search(store, zero, 2, NULL, &found, &why)); /* checked all the same */
    }
    refused(EVDB_INVALID, evdb_search(decided, pair, 1, NULL, &found, &why));
    evdb_store_close(undecided);
    evdb_store_close(decided);
}

/* Whatever was decided, or not, when the store was first searched. */
static void the_first_record_may_come_after_the_first_search(void **state)
{
    scratch *t = *state;
    evdb_store *stores[4] = { scratch_store(t, "a", 0, EVDB_COSINE), scratch_store(t, "b", 2, EVDB_COSINE),
                              scratch_store(t, "c", 0, EVDB_COSINE), scratch_store(t, "d", 2, EVDB_COSINE) };
    for (int i = 0; i < 4; i++) {
        evdb_result_free(search(stores[i], pair, 0));
        ok(evdb_record_insert(stores[i], i < 2 ? str("name") : num(42), pair, 2, NULL, NULL, &why));
        evdb_result *found = search(stores[i], pair, EVDB_SEARCH_METADATA);
        assert_int_equal(found->count, 1);
        if (i < 2) {
            assert_null(found->numbers);
            assert_string_equal(found->ids[0].text, "name");
            assert_int_equal(found->ids[0].length, 4);
        } else {
            assert_null(found->ids[0].text);
            assert_int_equal(found->numbers[0], 42);
        }
        assert_string_equal(found->metadata[0], "{}");
        evdb_result_free(found);
        evdb_store_close(stores[i]);
    }
}

static void hits_carry_their_metadata(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    ok(evdb_record_insert(store, str("far"), (const float[]){ 9, 9 }, 2, "{\"at\":\"far\"}", NULL, &why));
    ok(evdb_record_insert(store, str("near"), (const float[]){ 1, 1 }, 2, "{\"at\":\"near\"}", NULL, &why));
    ok(evdb_record_insert(store, str("bare"), (const float[]){ 5, 5 }, 2, NULL, NULL, &why));
    evdb_result *found = search(store, pair, EVDB_SEARCH_METADATA);
    assert_int_equal(found->count, 3);
    assert_string_equal(found->metadata[0], "{\"at\":\"near\"}");
    assert_string_equal(found->metadata[1], "{}");
    assert_string_equal(found->metadata[2], "{\"at\":\"far\"}");
    evdb_result_free(found);
    ok(evdb_record_update(store, str("bare"), NULL, 0, "{\"new\":true}", 0, NULL, &why));
    found = search(store, pair, EVDB_SEARCH_METADATA);
    assert_string_equal(found->metadata[1], "{\"new\":true}");
    assert_string_equal(found->ids[1].text, "bare");
    evdb_result_free(found);
    evdb_store_close(store);
}

static void scores_belong_to_their_metric(void **state)
{
    scratch *t = *state;
    const struct { evdb_metric metric; float distance, score; } cases[] = {
        { EVDB_COSINE, 0.4f, 0.6f }, { EVDB_EUCLIDEAN, 1.41421356f, 1 / 2.41421356f },
        { EVDB_MANHATTAN, 2, 1.0f / 3 }, { EVDB_IP, -3, 3 },
    };
    const float a[2] = { 2, 1 }, query[2] = { 1, 2 };
    char name[] = "s0";
    for (size_t i = 0; i < 4; i++) {
        name[1] = (char)('0' + i);
        evdb_store *store = scratch_store(t, name, 2, cases[i].metric);
        float stored[2] = { a[0], a[1] };
        if (cases[i].metric == EVDB_COSINE) stored[1] = 0, stored[0] = 1; /* 1 - 1/sqrt 5, below */
        if (cases[i].metric == EVDB_IP) stored[0] = 1, stored[1] = 1;
        ok(evdb_record_insert(store, num(1), stored, 2, NULL, NULL, &why));
        evdb_result *found = search(store, query, 0);
        float distance = cases[i].metric == EVDB_COSINE ? 1 - 1 / sqrtf(5) : cases[i].distance;
        float score = cases[i].metric == EVDB_COSINE ? 1 / sqrtf(5) : cases[i].score;
        assert_true(fabsf(found->distances[0] - distance) < 1e-6f);
        assert_true(fabsf(found->scores[0] - score) < 1e-6f);
        evdb_result_free(found);
        evdb_store_close(store);
    }
}

static void a_vector_is_its_own_nearest_neighbour_within_the_bounds_of_cosine(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    const float vectors[][2] = { { 1, 0 }, { -3, 0 }, { 1e-30f, 1e-30f }, { 1e30f, -1e30f }, { FLT_MIN, FLT_MAX } };
    enum { VECTORS = sizeof(vectors) / sizeof(*vectors) };
    for (int i = 0; i < VECTORS; i++) ok(evdb_record_insert(store, num(i), vectors[i], 2, NULL, NULL, &why));
    for (int i = 0; i < VECTORS; i++) {
        evdb_result *found = search(store, vectors[i], 0);
        assert_int_equal(found->count, VECTORS);
        assert_int_equal(found->numbers[0], i);
        for (size_t j = 0; j < VECTORS; j++) assert_true(found->distances[j] >= 0 && found->distances[j] <= 2);
        assert_true(found->distances[0] < 1e-6f);
        evdb_result_free(found);
    }
    evdb_store_close(store);
}

static void equal_records_are_all_found(void **state)
{
    enum { SAME = 3000, K = 100 };
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    static int64_t numbers[SAME];
    static float vectors[SAME][2];
    static bool seen[SAME];
    evdb_batch b = { .size = sizeof(b), .kind = EVDB_INSERT, .count = SAME, .numbers = numbers, .vectors = vectors, .dim = 2 };
    evdb_search_options o = { .size = sizeof(o), .k = K };
    evdb_result *found;
    for (int i = 0; i < SAME; i++) numbers[i] = i, vectors[i][0] = 1, vectors[i][1] = 2;
    ok(evdb_batch_write(store, &b, NULL, &why));
    ok(evdb_search(store, pair, 2, &o, &found, &why));
    assert_int_equal(found->count, K);
    for (size_t i = 0; i < K; i++) {
        assert_true(found->distances[i] == 0 && found->scores[i] == 1);
        assert_false(seen[found->numbers[i]]);
        seen[found->numbers[i]] = true;
    }
    evdb_result_free(found);
    ok(evdb_search_range(store, pair, 2, 0, NULL, &found, &why));
    assert_int_equal(found->count, SAME);
    evdb_result_free(found);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_has_no_neighbours),
        TEST(the_first_record_may_come_after_the_first_search),
        TEST(hits_carry_their_metadata),
        TEST(scores_belong_to_their_metric),
        TEST(a_vector_is_its_own_nearest_neighbour_within_the_bounds_of_cosine),
        TEST(equal_records_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
