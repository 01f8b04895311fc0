/* test_record.c - evdb/record.h: writing, reading and checking single records. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <float.h>
#include <math.h>
#include <string.h>

static void assert_record(evdb_store *store, evdb_id id, const float *vector, uint32_t dim, const char *metadata,
                          uint64_t version)
{
    evdb_record *r;
    ok(evdb_record_get(store, id, &r, &why));
    assert_int_equal(r->dim, dim);
    assert_int_equal(r->dtype, EVDB_F32);
    assert_memory_equal(r->vector, vector, dim * sizeof(float));
    assert_string_equal(r->metadata, metadata);
    assert_int_equal(r->metadata_length, strlen(metadata));
    assert_int_equal(r->version, version);
    evdb_record_free(r);
}

static void an_inserted_record_reads_back_bit_for_bit(void **state)
{
    scratch *t = *state;
    float odd[8] = { -0.0f, 1e-45f, FLT_MAX, -FLT_MAX, FLT_MIN, 1.0f / 3, 0, 16777217.0f }, random[300];
    evdb_store *store = scratch_store(t, "odd", 8, EVDB_EUCLIDEAN), *other = scratch_store(t, "random", 300, EVDB_IP);
    uint64_t seed = seed_print(), version = 0;
    ok(evdb_record_insert(store, num(0), odd, 8, "{\"a\":1}", &version, &why));
    assert_int_equal(version, 1);
    assert_record(store, num(0), odd, 8, "{\"a\":1}", 1);
    for (int i = 0; i < 20; i++) {
        seed_floats(&seed, random, 300);
        ok(evdb_record_upsert(other, num(i), random, 300, NULL, &version, &why));
        assert_record(other, num(i), random, 300, "{}", version);
    }
    evdb_store_close(other);
    evdb_store_close(store);
}

static void a_record_is_still_there_after_reopening(void **state)
{
    scratch *t = *state;
    float v[3] = { 1, 2, 3 };
    evdb_store *store = scratch_store(t, "s", 0, EVDB_COSINE);
    ok(evdb_record_insert(store, str("a"), v, 3, "{\"k\":[1,2]}", NULL, &why));
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    assert_record(store, str("a"), v, 3, "{\"k\":[1,2]}", 1);
    evdb_store_close(store);
}

static void inserting_an_id_twice_is_refused_and_changes_nothing(void **state)
{
    scratch *t = *state;
    float v[2] = { 1, 2 }, w[2] = { 3, 4 };
    uint64_t version = 77;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    ok(evdb_record_insert(store, num(5), v, 2, "{\"a\":1}", NULL, &why));
    refused(EVDB_EXISTS, evdb_record_insert(store, num(5), w, 2, NULL, &version, &why));
    expect_says("5");
    assert_int_equal(version, 77);
    assert_record(store, num(5), v, 2, "{\"a\":1}", 1);
    assert_int_equal(scratch_count(store), 1);
    evdb_store_close(store);
}

static void upsert_replaces_the_whole_record(void **state)
{
    scratch *t = *state;
    float v[2] = { 1, 2 }, w[2] = { 3, 4 };
    uint64_t version;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    ok(evdb_record_upsert(store, num(5), v, 2, "{\"a\":1}", &version, &why));
    assert_record(store, num(5), v, 2, "{\"a\":1}", version);
    ok(evdb_record_upsert(store, num(5), w, 2, NULL, &version, &why));
    assert_record(store, num(5), w, 2, "{}", version);
    assert_int_equal(version, 2);
    assert_int_equal(scratch_count(store), 1);
    evdb_store_close(store);
}

static void update_keeps_what_it_is_not_given(void **state)
{
    scratch *t = *state;
    float v[2] = { 1, 2 }, w[2] = { 3, 4 };
    uint64_t version;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    ok(evdb_record_insert(store, num(5), v, 2, "{\"a\":1}", NULL, &why));
    ok(evdb_record_update(store, num(5), NULL, 0, "{\"b\":2}", 0, &version, &why));
    assert_record(store, num(5), v, 2, "{\"b\":2}", version);
    ok(evdb_record_update(store, num(5), w, 2, NULL, 0, &version, &why));
    assert_record(store, num(5), w, 2, "{\"b\":2}", version);
    ok(evdb_record_update(store, num(5), v, 2, "{}", 0, &version, &why));
    assert_record(store, num(5), v, 2, "{}", 4);
    refused(EVDB_INVALID, evdb_record_update(store, num(5), NULL, 0, NULL, 0, &version, &why));
    refused(EVDB_NOT_FOUND, evdb_record_update(store, num(6), w, 2, NULL, 0, &version, &why));
    expect_says("6");
    assert_int_equal(version, 4);
    evdb_store_close(store);
}

static void a_deleted_record_is_gone_and_may_come_back(void **state)
{
    scratch *t = *state;
    float v[2] = { 1, 2 };
    evdb_record *r = (evdb_record *)&v;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    refused(EVDB_NOT_FOUND, evdb_record_delete(store, str("x"), 0, &why));
    ok(evdb_record_insert(store, str("x"), v, 2, NULL, NULL, &why));
    ok(evdb_record_delete(store, str("x"), 0, &why));
    refused(EVDB_NOT_FOUND, evdb_record_get(store, str("x"), &r, &why));
    expect_says("'x'");
    assert_ptr_equal(r, &v); /* outputs are written only on success */
    refused(EVDB_NOT_FOUND, evdb_record_delete(store, str("x"), 0, &why));
    assert_int_equal(scratch_count(store), 0);
    ok(evdb_record_insert(store, str("x"), v, 2, NULL, NULL, &why));
    assert_record(store, str("x"), v, 2, "{}", 3); /* a version is never used twice */
    evdb_store_close(store);
}

static void a_version_that_does_not_match_is_a_conflict(void **state)
{
    scratch *t = *state;
    float v[1] = { 1 }, w[1] = { 2 };
    uint64_t first, second;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    ok(evdb_record_insert(store, num(1), v, 1, NULL, &first, &why));
    ok(evdb_record_update(store, num(1), w, 1, NULL, first, &second, &why));
    assert_true(second > first);
    refused(EVDB_CONFLICT, evdb_record_update(store, num(1), v, 1, NULL, first, &first, &why));
    refused(EVDB_CONFLICT, evdb_record_update(store, num(1), v, 1, NULL, UINT64_MAX, NULL, &why));
    refused(EVDB_CONFLICT, evdb_record_delete(store, num(1), first, &why));
    assert_record(store, num(1), w, 1, "{}", second);
    ok(evdb_record_delete(store, num(1), second, &why));
    refused(EVDB_NOT_FOUND, evdb_record_delete(store, num(1), second, &why));
    evdb_store_close(store);
}

static void vectors_that_cannot_be_stored_are_refused(void **state)
{
    scratch *t = *state;
    float bad[5] = { 1, 2, 3, 4, 5 }, zero[5] = { 0, -0.0f };
    evdb_store *cosine = scratch_store(t, "c", 5, EVDB_COSINE), *plain = scratch_store(t, "e", 5, EVDB_EUCLIDEAN);
    const float values[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 15; i++) {
        float was = bad[i % 5];
        bad[i % 5] = values[i / 5];
        refused(EVDB_INVALID, evdb_record_insert(plain, num(1), bad, 5, NULL, NULL, &why));
        refused(EVDB_INVALID, evdb_record_upsert(cosine, num(1), bad, 5, NULL, NULL, &why));
        bad[i % 5] = was;
    }
    refused(EVDB_INVALID, evdb_record_insert(cosine, num(1), zero, 5, NULL, NULL, &why));
    expect_says("zero");
    ok(evdb_record_insert(plain, num(1), zero, 5, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert(plain, num(2), bad, 4, NULL, NULL, &why));
    expect_says("4");
    expect_says("5");
    refused(EVDB_INVALID, evdb_record_insert(plain, num(2), bad, 0, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert(plain, num(2), NULL, 5, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_record_insert(plain, num(2), bad, EVDB_DIM_MAX + 1, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_record_update(plain, num(1), bad, 4, NULL, 0, NULL, &why));
    assert_int_equal(scratch_count(plain), 1);
    evdb_store_close(cosine);
    evdb_store_close(plain);
}

static void a_vector_may_lie_at_any_address(void **state)
{
    scratch *t = *state;
    char bytes[3 * sizeof(float) + 4];
    float v[3] = { 1, 2, 3 };
    evdb_store *store = scratch_store(t, "s", 3, EVDB_COSINE);
    for (int shift = 0; shift < 4; shift++) {
        memcpy(bytes + shift, v, sizeof(v));
        ok(evdb_record_upsert(store, num(shift), (const float *)(const void *)(bytes + shift), 3, NULL, NULL, &why));
        memset(bytes, 0, sizeof(bytes)); /* it was borrowed for the call only */
        assert_record(store, num(shift), v, 3, "{}", (uint64_t)shift + 1);
    }
    evdb_store_close(store);
}

static void the_longest_vector_is_accepted(void **state)
{
    static float v[EVDB_DIM_MAX];
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", 0, EVDB_COSINE);
    seed_floats(&seed, v, EVDB_DIM_MAX);
    ok(evdb_record_insert(store, num(1), v, EVDB_DIM_MAX, NULL, NULL, &why));
    assert_record(store, num(1), v, EVDB_DIM_MAX, "{}", 1);
    evdb_store_close(store);
}

static void a_record_outlives_its_store_and_database(void **state)
{
    scratch *t = *state;
    float v[2] = { 1, 2 };
    evdb_record *r;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    ok(evdb_record_insert(store, str("name"), v, 2, "{\"a\":1}", NULL, &why));
    ok(evdb_record_get(store, str("name"), &r, &why));
    ok(evdb_record_delete(store, str("name"), 0, &why));
    evdb_store_close(store);
    evdb_close(t->db);
    t->db = NULL;
    assert_string_equal(r->id.text, "name");
    assert_int_equal(r->id.length, 4);
    assert_string_equal(r->metadata, "{\"a\":1}");
    assert_memory_equal(r->vector, v, sizeof(v));
    evdb_record_free(r);
    evdb_record_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_inserted_record_reads_back_bit_for_bit),
        TEST(a_record_is_still_there_after_reopening),
        TEST(inserting_an_id_twice_is_refused_and_changes_nothing),
        TEST(upsert_replaces_the_whole_record),
        TEST(update_keeps_what_it_is_not_given),
        TEST(a_deleted_record_is_gone_and_may_come_back),
        TEST(a_version_that_does_not_match_is_a_conflict),
        TEST(vectors_that_cannot_be_stored_are_refused),
        TEST(a_vector_may_lie_at_any_address),
        TEST(the_longest_vector_is_accepted),
        TEST(a_record_outlives_its_store_and_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
