/* test_forget.c - evdb/forget.h: of what was erased not a byte is left in the database's folder, whoever else has it open. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 700, DIM = 24, VICTIMS = 3 };

static const char id_mark[] = "canary-of-ids", text_mark[] = "canary-of-metadata", older_mark[] = "canary-of-an-older-version";
static const float element = 0.333251953125f; /* 0x3555 as f16: repeated, it is like no other vector of the store */

/* ---- looking ---- */

static const void *wanted;
static size_t wanted_size, files_with;

static int look_into(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    size_t size;
    (void)st, (void)where;
    if (kind != FTW_F) return 0;
    char *bytes = scratch_content(path, &size);
    if (memmem(bytes, size, wanted, wanted_size)) {
        print_message("found in %s\n", path);
        files_with++;
    }
    free(bytes);
    return 0;
}

static size_t files_that_have(const scratch *t, const void *bytes, size_t size)
{
    wanted = bytes;
    wanted_size = size;
    files_with = 0;
    assert_int_equal(nftw(t->path, look_into, 16, FTW_PHYS), 0);
    return files_with;
}

static size_t traces(const scratch *t)
{
    static const uint16_t half[8] = { 0x3555, 0x3555, 0x3555, 0x3555, 0x3555, 0x3555, 0x3555, 0x3555 };
    float whole[4] = { element, element, element, element };
    return files_that_have(t, id_mark, sizeof id_mark - 1) + files_that_have(t, text_mark, sizeof text_mark - 1) +
           files_that_have(t, older_mark, sizeof older_mark - 1) + files_that_have(t, half, sizeof half) +
           files_that_have(t, whole, sizeof whole);
}

/* ---- stores with something to forget ---- */

static evdb_store *make_store(scratch *t, const char *codec)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = DIM;
    o.metric = EVDB_EUCLIDEAN;
    o.codec = codec;
    ok(evdb_store_create(t->db, "s", &o, &store, &why));
    return store;
}

static void put(evdb_store *store, const char *id, const float *vector, const char *metadata)
{
    ok(evdb_record_upsert(store, str(id), vector, DIM, metadata, NULL, &why));
}

static void victim_id(char *out, size_t size, int i) { snprintf(out, size, "%s-%d", id_mark, i); }

/* Among others, in several versions, and moved about as pages fill. */
static void fill(evdb_store *store, uint64_t *seed)
{
    float v[DIM], marked[DIM];
    char id[40], metadata[200];
    for (int i = 0; i < DIM; i++) marked[i] = element;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < ROWS; i++) {
            seed_floats(seed, v, DIM);
            snprintf(id, sizeof id, "other-%llu", (unsigned long long)seed_below(seed, 3 * ROWS));
            snprintf(metadata, sizeof metadata, "{\"n\":%d,\"more\":\"%0*d\"}", i, (int)seed_below(seed, 150), 0);
            put(store, id, v, metadata);
            if (i % (ROWS / VICTIMS)) continue;
            victim_id(id, sizeof id, i / (ROWS / VICTIMS) % VICTIMS);
            snprintf(metadata, sizeof metadata, "{\"text\":\"%s %0*d\"}", round ? text_mark : older_mark, (int)seed_below(seed, 150), 0);
            put(store, id, marked, metadata);
        }
}

static evdb_status forget_all(evdb_store *store, evdb_forget_report *report)
{
    char texts[VICTIMS][40];
    evdb_id ids[VICTIMS];
    for (int i = 0; i < VICTIMS; i++) {
        victim_id(texts[i], sizeof texts[i], i);
        ids[i] = str(texts[i]);
    }
    return evdb_store_forget(store, ids, VICTIMS, report, &why);
}

static void search_once(evdb_store *store)
{
    evdb_result *r;
    float q[DIM];
    for (int i = 0; i < DIM; i++) q[i] = element;
    ok(evdb_search(store, q, DIM, NULL, &r, &why));
    evdb_result_free(r);
}

static void no_problem(void *context, const char *store, const char *text)
{
    (void)context;
    fail_msg("%s: %s", store, text);
}

static void check_forgotten(scratch *t, evdb_store *store, uint64_t others)
{
    evdb_verify_report report;
    evdb_changes *changes;
    evdb_record *record;
    char id[40];
    assert_int_equal(traces(t), 0);
    assert_int_equal(scratch_count(store), others);
    victim_id(id, sizeof id, 0);
    refused(EVDB_NOT_FOUND, evdb_record_get(store, str(id), &record, &why));
    refused(EVDB_GONE, evdb_changes_read(store, 0, 0, &changes, &why));
    ok(evdb_verify(t->db, NULL, no_problem, NULL, &report, &why));
    search_once(store);
}

static void try(scratch *t, const char *codec, uint64_t *seed)
{
    evdb_store *store = make_store(t, codec), *elsewhere;
    evdb_forget_report report = EVDB_FORGET_REPORT;
    evdb *other;
    fill(store, seed);
    ok(evdb_index_build(store, 1, &why));
    ok(evdb_open(t->path, NULL, &other, &why)); /* as another process would */
    ok(evdb_store_open(other, "s", &elsewhere, &why));
    search_once(elsewhere);
    ok(evdb_store_sync(store, &why));
    uint64_t all = scratch_count(store);
    assert_true(traces(t) >= 4);
    ok(forget_all(store, &report));
    assert_int_equal(report.forgotten, VICTIMS);
    assert_int_equal(report.missing, 0);
    check_forgotten(t, store, all - VICTIMS);
    search_once(elsewhere);
    assert_int_equal(scratch_count(elsewhere), all - VICTIMS);
    put(elsewhere, "later", (const float[DIM]){ 1 }, NULL);
    ok(evdb_index_rebuild(elsewhere, 1, &why));
    assert_int_equal(traces(t), 0);
    evdb_store_close(elsewhere);
    evdb_close(other);
    evdb_store_close(store);
    ok(evdb_store_drop(t->db, "s", &why));
}

static void not_a_byte_is_left_of_what_was_forgotten(void **state)
{
    uint64_t seed = seed_print();
    try(*state, NULL, &seed);
    try(*state, "f16", &seed);
}

static void what_was_deleted_before_is_erased_too(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_forget_report report = EVDB_FORGET_REPORT;
    evdb_store *store = make_store(t, NULL);
    char id[40];
    fill(store, &seed);
    uint64_t all = scratch_count(store);
    for (int i = 0; i < VICTIMS; i++) {
        victim_id(id, sizeof id, i);
        ok(evdb_record_delete(store, str(id), 0, &why));
    }
    assert_true(traces(t) > 0);
    ok(forget_all(store, &report));
    assert_int_equal(report.missing, VICTIMS);
    check_forgotten(t, store, all - VICTIMS);
    evdb_store_close(store);
}

/* The process that is to save it has not heard of anything yet. */
static void an_index_of_before_is_not_saved_after(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb *other;
    evdb_store *store = make_store(t, NULL), *elsewhere;
    fill(store, &seed);
    ok(evdb_open(t->path, NULL, &other, &why));
    ok(evdb_store_open(other, "s", &elsewhere, &why));
    search_once(elsewhere);
    ok(forget_all(store, NULL));
    ok(evdb_index_build(elsewhere, 1, &why));
    assert_int_equal(traces(t), 0);
    evdb_store_close(elsewhere);
    evdb_close(other);
    evdb_store_close(store);
}

static void bad_ids_are_refused_and_nothing_is_a_success(void **state)
{
    scratch *t = *state;
    evdb_store *store = make_store(t, NULL);
    evdb_id ids[2] = { { .text = "a" }, { .text = "" } };
    refused_item(EVDB_INVALID, 1, evdb_store_forget(store, ids, 2, NULL, &why));
    refused(EVDB_LIMIT, evdb_store_forget(store, ids, EVDB_BATCH_MAX + 1, NULL, &why));
    refused(EVDB_INVALID, evdb_store_forget(store, NULL, 1, NULL, &why));
    ok(evdb_store_forget(store, NULL, 0, NULL, &why));
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(not_a_byte_is_left_of_what_was_forgotten, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_was_deleted_before_is_erased_too, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(an_index_of_before_is_not_saved_after, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(bad_ids_are_refused_and_nothing_is_a_success, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
