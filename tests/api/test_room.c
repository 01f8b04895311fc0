/* test_room.c - what evdb/record.h says of deletes: how much room they give back, on disk and in memory. */
#include "expect.h"
#include "index_rows.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DIM = INDEX_DIM, BATCH = 5000, WIDE = 256, WIDE_ROWS = 10000, FIXED = 1 << 20, WIDE_BYTES = WIDE * 4 + 250 /* with the record, its ids, a free slot */ };

static void delete_all_but(evdb_store *store, uint64_t *seed, int64_t rows, uint64_t one_in)
{
    int64_t *ids = malloc((size_t)rows * sizeof *ids);
    evdb_batch b = EVDB_BATCH;
    size_t count = 0;
    for (int64_t id = 0; id < rows; id++)
        if (seed_below(seed, one_in)) ids[count++] = id;
    b.kind = EVDB_DELETE;
    b.numbers = ids;
    b.count = count;
    ok(evdb_batch_write(store, &b, NULL, &why));
    free(ids);
}

static void insert_wide(evdb_store *store, uint64_t *seed)
{
    float *vectors = malloc(sizeof(float) * WIDE * WIDE_ROWS);
    int64_t *ids = malloc(sizeof *ids * WIDE_ROWS);
    evdb_batch b = EVDB_BATCH;
    seed_floats(seed, vectors, (size_t)WIDE * WIDE_ROWS);
    for (int64_t i = 0; i < WIDE_ROWS; i++) ids[i] = i;
    b.kind = EVDB_INSERT;
    b.count = WIDE_ROWS;
    b.numbers = ids;
    b.vectors = vectors;
    b.dim = WIDE;
    ok(evdb_batch_write(store, &b, NULL, &why));
    free(ids);
    free(vectors);
}

static uint64_t rows_bytes(evdb_store *store, const scratch *t)
{
    char path[2 * SCRATCH_PATH_MAX];
    struct stat st;
    ok(evdb_store_sync(store, &why));
    snprintf(path, sizeof path, "%s/rows.db", scratch_folder(store, t));
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static void deletes_give_pages_back(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", WIDE, EVDB_EUCLIDEAN);
    insert_wide(store, &seed);
    uint64_t full = rows_bytes(store, t);
    delete_all_but(store, &seed, WIDE_ROWS, 10);
    ok(evdb_changes_trim(store, UINT64_MAX, &why));
    uint64_t tenth = rows_bytes(store, t), live = scratch_count(store);
    assert_true(tenth < 3 * live * WIDE_BYTES + FIXED);
    assert_true(tenth < full / 2);
    evdb_store_close(store);
}

static void an_index_with_many_holes_is_saved_without_them_by_itself(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", DIM, EVDB_EUCLIDEAN);
    const float q[DIM] = { 1 };
    evdb_result *r;
    for (int64_t from = 0; from < 2 * BATCH; from += BATCH) index_rows(store, &seed, from, BATCH, EVDB_INSERT);
    ok(evdb_index_build(store, 0, &why));
    delete_all_but(store, &seed, 2 * BATCH, 2);
    do {
        ok(evdb_search(store, q, DIM, NULL, &r, &why));
        evdb_result_free(r);
    } while (index_status(store).linked > scratch_count(store));
    assert_int_equal(index_status(store).linked, scratch_count(store));
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deletes_give_pages_back, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(an_index_with_many_holes_is_saved_without_them_by_itself, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
