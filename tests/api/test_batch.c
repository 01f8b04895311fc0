/* test_batch.c - evdb/batch.h: many records in one commit. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float floats[6] = { 1, 2, 3, 4, 5, 6 };
static const int64_t numbers[] = { 1, 2, 3, 4, 5, 6 };

static evdb_batch batch_of(evdb_write kind, size_t count, uint32_t dim)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = kind;
    b.count = count;
    b.numbers = numbers;
    b.vectors = floats;
    b.dim = dim;
    return b;
}

static void assert_vector(evdb_store *store, evdb_id id, const float *vector, size_t dim)
{
    evdb_record *r;
    ok(evdb_record_get(store, id, &r, &why));
    assert_int_equal(r->dim, dim);
    assert_memory_equal(r->vector, vector, dim * sizeof(float));
    evdb_record_free(r);
}

static void a_batch_is_one_commit(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 0, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 3, 2);
    evdb_status statuses[3] = { EVDB_IO, EVDB_IO, EVDB_IO };
    uint64_t versions[3] = { 0 };
    const char *const metadata[3] = { "{\"a\":1}", NULL, " {} " };
    size_t written = 0;
    evdb_record *r;
    b.statuses = statuses;
    b.versions = versions;
    b.metadata = metadata;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(statuses[i], EVDB_OK);
        assert_int_equal(versions[i], i + 1);
        assert_vector(store, num(numbers[i]), floats + 2 * i, 2);
    }
    ok(evdb_record_get(store, num(1), &r, &why));
    assert_string_equal(r->metadata, "{\"a\":1}");
    evdb_record_free(r);
    evdb_store_close(store);
}

static void nothing_is_written_when_one_item_is_bad(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 3, 2);
    evdb_status statuses[3];
    uint64_t versions[3] = { 77, 77, 77 };
    size_t written = 99;
    float bad[6] = { 1, 2, 3, NAN, 5, 6 };
    b.statuses = statuses;
    b.versions = versions;
    for (int round = 0; round < 2; round++) {
        memset(statuses, 0x5a, sizeof(statuses));
        if (round == 0) b.vectors = bad; /* known beforehand */
        else { /* known in the transaction only */
            b.vectors = floats;
            ok(evdb_record_insert(store, num(2), floats, 2, NULL, NULL, &why));
        }
        evdb_status wanted = round ? EVDB_EXISTS : EVDB_INVALID;
        refused_item(wanted, 1, evdb_batch_write(store, &b, &written, &why));
        assert_int_equal(written, 99);
        assert_int_equal(statuses[1], wanted);
        assert_int_not_equal(statuses[0], EVDB_OK);
        assert_in_range(statuses[0], EVDB_OK, EVDB_CANCELLED); /* every status is written */
        assert_in_range(statuses[2], EVDB_OK + 1, EVDB_CANCELLED);
        for (int i = 0; i < 3; i++) assert_int_equal(versions[i], 77);
        assert_int_equal(scratch_count(store), round);
    }
    evdb_store_close(store);
}

static void a_partial_batch_writes_the_good_items(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    evdb_id ids[7] = { num(1), num(2), str("x"), num(3), num(4), num(1), num(5) };
    float vectors[14] = { 1, 2, 0, 0, 3, 4, NAN, 1, 5, 6, 7, 8, 9, 10 };
    const char *const metadata[7] = { NULL, NULL, NULL, NULL, "{", NULL, NULL };
    const evdb_status wanted[7] = { EVDB_OK, EVDB_INVALID, EVDB_INVALID, EVDB_INVALID, EVDB_INVALID, EVDB_EXISTS, EVDB_OK };
    evdb_status statuses[7];
    const char *const says[7] = { NULL, "all zeros", "'x'", "not a number", "metadata", "already exists", NULL };
    evdb_error errors[7];
    uint64_t versions[7];
    size_t written;
    evdb_batch b = batch_of(EVDB_INSERT, 7, 2);
    b.flags = EVDB_BATCH_PARTIAL;
    b.numbers = NULL;
    b.ids = ids;
    b.vectors = vectors;
    b.metadata = metadata;
    b.statuses = statuses;
    b.versions = versions;
    b.errors = errors;
    memset(statuses, 0x5a, sizeof(statuses));
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 2);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(statuses[i], wanted[i]);
        if (!says[i]) continue;
        assert_int_equal(errors[i].status, wanted[i]);
        if (!strstr(errors[i].message, says[i])) fail_msg("item %d: \"%s\" does not say %s", i, errors[i].message, says[i]);
    }
    assert_int_equal(versions[0], 1);
    assert_int_equal(versions[6], 2);
    assert_int_equal(scratch_count(store), 2);
    assert_vector(store, num(5), vectors + 12, 2);
    b.statuses = NULL; /* nobody asks which */
    b.versions = NULL;
    b.errors = NULL;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 0);
    ok(evdb_batch_write(store, &b, NULL, &why));
    evdb_store_close(store);
}

static void items_are_applied_in_order_and_an_id_may_repeat(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    const int64_t same[3] = { 7, 7, 7 };
    uint64_t versions[3];
    size_t written;
    evdb_batch b = batch_of(EVDB_UPSERT, 3, 1);
    b.numbers = same;
    b.versions = versions;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 3);
    assert_int_equal(versions[2], 3);
    assert_vector(store, num(7), floats + 2, 1);
    assert_int_equal(scratch_count(store), 1);
    b.kind = EVDB_DELETE;
    refused_item(EVDB_NOT_FOUND, 1, evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(scratch_count(store), 1);
    b.count = 1;
    ok(evdb_batch_write(store, &b, &written, &why));
    b.kind = EVDB_INSERT;
    b.count = 2;
    refused_item(EVDB_EXISTS, 1, evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(scratch_count(store), 0);
    evdb_store_close(store);
}

static void the_bad_item_of_a_batch_of_one_is_item_0(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 1, 1);
    const float nan[1] = { NAN };
    b.vectors = nan;
    refused_item(EVDB_INVALID, 0, evdb_batch_write(store, &b, NULL, &why));
    b.vectors = floats;
    ok(evdb_batch_write(store, &b, NULL, &why));
    refused_item(EVDB_EXISTS, 0, evdb_batch_write(store, &b, NULL, &why));
    b.count = EVDB_BATCH_MAX + 1;
    refused(EVDB_LIMIT, evdb_batch_write(store, &b, NULL, &why)); /* no item's fault */
    evdb_store_close(store);
}

static void versions_are_matched_item_by_item(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 3, 1);
    const uint64_t expected[3] = { 0, 2, 1 };
    evdb_status statuses[3];
    size_t written;
    ok(evdb_batch_write(store, &b, &written, &why));
    b.kind = EVDB_UPDATE;
    b.if_versions = expected;
    b.statuses = statuses;
    refused_item(EVDB_CONFLICT, 2, evdb_batch_write(store, &b, &written, &why));
    b.flags = EVDB_BATCH_PARTIAL;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 2);
    assert_int_equal(statuses[1], EVDB_OK);
    assert_int_equal(statuses[2], EVDB_CONFLICT);
    evdb_store_close(store);
}

static void an_update_keeps_what_an_item_does_not_give(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 2, 2);
    const char *const first[2] = { "{\"a\":1}", "{\"b\":2}" }, *const second[2] = { NULL, "{\"c\":3}" };
    evdb_record *r;
    b.metadata = first;
    ok(evdb_batch_write(store, &b, NULL, &why));
    b.kind = EVDB_UPDATE;
    b.vectors = NULL;
    b.dim = 0;
    b.metadata = second;
    ok(evdb_batch_write(store, &b, NULL, &why));
    for (int i = 0; i < 2; i++) {
        ok(evdb_record_get(store, num(i + 1), &r, &why));
        assert_string_equal(r->metadata, i ? "{\"c\":3}" : "{\"a\":1}");
        assert_memory_equal(r->vector, floats + 2 * i, 2 * sizeof(float));
        evdb_record_free(r);
    }
    evdb_store_close(store);
}

static void a_delete_looks_at_neither_vectors_nor_metadata(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 2, 1);
    const char *const nonsense[2] = { "{", "}" };
    ok(evdb_batch_write(store, &b, NULL, &why));
    b.kind = EVDB_DELETE;
    b.metadata = nonsense;
    b.dim = 0;
    ok(evdb_batch_write(store, &b, NULL, &why));
    assert_int_equal(scratch_count(store), 0);
    evdb_store_close(store);
}

static void vectors_may_be_strided_and_unaligned(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 3, EVDB_EUCLIDEAN);
    enum { ROWS = 5, DIM = 3 };
    const size_t strides[] = { 12, 13, 16, 31 };
    uint64_t seed = seed_print();
    float vectors[ROWS][DIM];
    char bytes[ROWS * 31 + 4];
    for (size_t s = 0; s < 4; s++)
        for (size_t shift = 0; shift < 4; shift++) {
            evdb_batch b = batch_of(EVDB_UPSERT, ROWS, DIM);
            memset(bytes, 0xff, sizeof(bytes)); /* NaNs between the rows */
            for (size_t i = 0; i < ROWS; i++) {
                seed_floats(&seed, vectors[i], DIM);
                memcpy(bytes + shift + i * strides[s], vectors[i], sizeof(vectors[i]));
            }
            b.vectors = bytes + shift;
            b.stride = strides[s];
            ok(evdb_batch_write(store, &b, NULL, &why));
            for (int i = 0; i < ROWS; i++) assert_vector(store, num(i + 1), vectors[i], DIM);
        }
    evdb_store_close(store);
}

static void malformed_batches_are_refused(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_batch b = batch_of(EVDB_INSERT, 0, 1);
    const evdb_id id = num(1);
    size_t written = 9;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, 0);
    b.count = 1;
    b.ids = &id;
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why)); /* ids twice */
    b.ids = NULL, b.numbers = NULL;
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why)); /* none */
    b = batch_of((evdb_write)0, 1, 1);
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why));
    b = batch_of((evdb_write)5, 1, 1);
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why));
    b = batch_of(EVDB_INSERT, 1, 1);
    b.vectors = NULL;
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why));
    b = batch_of(EVDB_UPDATE, 1, 1);
    b.vectors = NULL;
    refused(EVDB_INVALID, evdb_batch_write(store, &b, NULL, &why));
    b = batch_of(EVDB_INSERT, 1, 1);
    b.dtype = EVDB_F16;
    refused(EVDB_UNSUPPORTED, evdb_batch_write(store, &b, NULL, &why));
    assert_int_equal(scratch_count(store), 0);
    evdb_store_close(store);
}

static void a_batch_is_bounded_in_records_and_bytes(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    enum { MEGABYTES = 257 };
    int64_t *many = malloc(EVDB_BATCH_MAX * sizeof(*many));
    float *vectors = malloc(EVDB_BATCH_MAX * sizeof(*vectors));
    char *large = malloc(EVDB_METADATA_BYTES_MAX + 1);
    const char *metadata[MEGABYTES];
    size_t written;
    evdb_batch b = batch_of(EVDB_INSERT, EVDB_BATCH_MAX, 1);
    assert_true(many && vectors && large);
    for (size_t i = 0; i < EVDB_BATCH_MAX; i++) many[i] = (int64_t)i, vectors[i] = (float)i;
    b.numbers = many;
    b.vectors = vectors;
    ok(evdb_batch_write(store, &b, &written, &why));
    assert_int_equal(written, EVDB_BATCH_MAX);
    b.dim = EVDB_DIM_MAX; /* 2.4 GB of vectors, which must not be looked at */
    refused(EVDB_LIMIT, evdb_batch_write(store, &b, &written, &why));
    memset(large, 'x', EVDB_METADATA_BYTES_MAX);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + EVDB_METADATA_BYTES_MAX - 2, "\"}", 3);
    for (size_t i = 0; i < MEGABYTES; i++) metadata[i] = large;
    b.kind = EVDB_UPSERT;
    b.count = MEGABYTES;
    b.dim = 1;
    b.metadata = metadata;
    refused(EVDB_LIMIT, evdb_batch_write(store, &b, &written, &why));
    b.flags = EVDB_BATCH_PARTIAL; /* is no item's fault */
    refused(EVDB_LIMIT, evdb_batch_write(store, &b, &written, &why));
    free(many);
    free(vectors);
    free(large);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_one_commit),
        TEST(nothing_is_written_when_one_item_is_bad),
        TEST(a_partial_batch_writes_the_good_items),
        TEST(items_are_applied_in_order_and_an_id_may_repeat),
        TEST(the_bad_item_of_a_batch_of_one_is_item_0),
        TEST(versions_are_matched_item_by_item),
        TEST(an_update_keeps_what_an_item_does_not_give),
        TEST(a_delete_looks_at_neither_vectors_nor_metadata),
        TEST(vectors_may_be_strided_and_unaligned),
        TEST(malformed_batches_are_refused),
        TEST(a_batch_is_bounded_in_records_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
