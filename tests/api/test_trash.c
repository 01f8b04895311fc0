/* test_trash.c - evdb/trash.h: what was deleted is kept, listed, brought back, and in the end removed. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 12, RECORDS = 40 };
#define FAR INT64_C(4102444800000)

static evdb_store *store_of(scratch *t, const char *name, evdb_dtype dtype, const char *codec, int64_t trash_ms)
{
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.dim = DIM;
    o.metric = EVDB_EUCLIDEAN;
    o.dtype = dtype;
    o.codec = codec;
    o.trash_ms = trash_ms;
    ok(evdb_store_create(t->db, name, &o, &store, &why));
    return store;
}

static void put(evdb_store *store, evdb_id id, uint64_t *seed, const char *metadata, int64_t expires, const char *codec)
{
    float v[DIM];
    evdb_batch b = EVDB_BATCH;
    seed_floats(seed, v, DIM);
    b.kind = EVDB_INSERT;
    b.count = 1;
    b.ids = &id;
    b.vectors = v;
    b.dim = DIM;
    b.metadata = &metadata;
    b.expires = &expires;
    b.codec = codec;
    ok(evdb_batch_write(store, &b, NULL, &why));
}

static void delete_as(evdb_store *store, evdb_id id, const char *author)
{
    evdb_batch b = EVDB_BATCH;
    b.kind = EVDB_DELETE;
    b.count = 1;
    b.ids = &id;
    b.author = author;
    ok(evdb_batch_write(store, &b, NULL, &why));
}

static evdb_status restore(evdb_store *store, const evdb_id *ids, size_t count, uint32_t flags, evdb_undelete_report *report)
{
    evdb_undelete u = EVDB_UNDELETE;
    u.ids = ids;
    u.count = count;
    u.flags = flags;
    return evdb_trash_restore(store, &u, report, &why);
}

static size_t in_trash(evdb_store *store)
{
    evdb_trash *trash;
    ok(evdb_trash_list(store, 0, 0, &trash, &why));
    size_t count = trash->count;
    evdb_trash_free(trash);
    return count;
}

static void sound(scratch *t)
{
    evdb_verify_report report;
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

static void assert_same(const evdb_record *was, const evdb_record *is)
{
    assert_true(is->version > was->version);
    assert_memory_equal(is->vector, was->vector, DIM * sizeof(float));
    assert_string_equal(is->metadata, was->metadata);
    assert_int_equal(is->expires_ms, was->expires_ms);
}

static void what_was_deleted_comes_back_as_it_was(void **state)
{
    static const evdb_dtype dtypes[] = { EVDB_F32, EVDB_F16, EVDB_F32 };
    scratch *t = *state;
    uint64_t seed = seed_print();
    for (int kind = 0; kind < 3; kind++) {
        char name[16], id_text[16], metadata[40];
        snprintf(name, sizeof(name), "s%d", kind);
        evdb_store *store = store_of(t, name, dtypes[kind], kind == 2 ? "i8" : NULL, EVDB_TRASH_DAY_MS);
        for (int i = 0; i < RECORDS; i++) {
            evdb_record *was, *is;
            snprintf(id_text, sizeof(id_text), "id %d", i);
            snprintf(metadata, sizeof(metadata), "{\"n\":%d,\"x\":1.50}", i);
            evdb_id id = kind ? str(id_text) : num(i - 5);
            put(store, id, &seed, metadata, seed_below(&seed, 2) ? FAR : 0, NULL);
            ok(evdb_record_get(store, id, &was, &why));
            if (seed_below(&seed, 2)) delete_as(store, id, "somebody");
            else ok(evdb_record_delete(store, id, 0, &why));
            refused(EVDB_NOT_FOUND, evdb_record_get(store, id, &is, &why));
            if (seed_below(&seed, 3)) {
                evdb_undelete_report report = EVDB_UNDELETE_REPORT;
                ok(restore(store, &id, 1, 0, &report));
                assert_int_equal(report.restored, 1);
                ok(evdb_record_get(store, id, &is, &why));
                assert_same(was, is);
                evdb_record_free(is);
            }
            evdb_record_free(was);
        }
        sound(t);
        assert_int_equal(scratch_count(store) + in_trash(store), RECORDS);
        evdb_store_close(store);
    }
}

static void nothing_is_kept_unless_the_store_was_told_to(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, NULL, 0);
    evdb_store_info *info;
    const evdb_id id = num(1);
    put(store, id, &seed, NULL, 0, NULL);
    ok(evdb_record_delete(store, id, 0, &why));
    assert_int_equal(in_trash(store), 0);
    refused_item(EVDB_NOT_FOUND, 0, restore(store, &id, 1, 0, NULL));
    expect_says("record 1 is not in the trash");
    refused(EVDB_INVALID, evdb_store_set_trash(store, -1, &why));
    refused(EVDB_INVALID, evdb_store_set_trash(store, EVDB_TRASH_MAX_MS + 1, &why));
    ok(evdb_store_set_trash(store, 5000, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_int_equal(info->trash_ms, 5000);
    evdb_store_info_free(info);
    put(store, id, &seed, NULL, 0, NULL);
    put(store, num(2), &seed, NULL, 0, NULL);
    ok(evdb_record_upsert(store, num(2), (float[DIM]){ 1 }, DIM, NULL, NULL, &why)); /* replaces */
    ok(evdb_record_delete(store, id, 0, &why));
    assert_int_equal(in_trash(store), 1);
    ok(evdb_store_set_trash(store, 0, &why));
    assert_int_equal(in_trash(store), 0);
    sound(t);
    evdb_store_close(store);
}

static void ids_are_restored_all_or_none(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    const evdb_id ids[] = { num(1), num(2), num(3), num(1) };
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    for (int i = 0; i < 3; i++) {
        put(store, ids[i], &seed, NULL, 0, NULL);
        ok(evdb_record_delete(store, ids[i], 0, &why));
    }
    put(store, num(3), &seed, NULL, 0, NULL);
    refused_item(EVDB_EXISTS, 2, restore(store, ids, 3, 0, NULL));
    expect_says("record 3 already exists");
    refused_item(EVDB_NOT_FOUND, 1, restore(store, (evdb_id[]){ num(1), num(4) }, 2, 0, NULL));
    refused_item(EVDB_INVALID, 1, restore(store, (evdb_id[]){ num(1), str("x") }, 2, 0, NULL));
    refused_item(EVDB_EXISTS, 2, restore(store, (evdb_id[]){ num(1), num(2), num(3) }, 3, EVDB_RESTORE_DRY_RUN, NULL));
    assert_int_equal(scratch_count(store), 1);
    assert_int_equal(in_trash(store), 3);
    ok(restore(store, ids, 2, EVDB_RESTORE_DRY_RUN, &report));
    assert_int_equal(report.restored, 2);
    assert_int_equal(scratch_count(store), 1);
    refused_item(EVDB_NOT_FOUND, 1, restore(store, (evdb_id[]){ num(1), num(1) }, 2, 0, NULL)); /* it comes back once */
    ok(restore(store, ids, 2, 0, &report));
    assert_int_equal(scratch_count(store), 3);
    evdb_store_close(store);
}

static void all_that_was_deleted_since_a_time_comes_back(void **state)
{
    enum { MANY = 2500 };
    scratch *t = *state;
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    static float vectors[MANY][DIM];
    uint64_t seed = seed_print();
    evdb_undelete u = EVDB_UNDELETE;
    evdb_undelete_report report = EVDB_UNDELETE_REPORT;
    evdb_batch b = EVDB_BATCH;
    static int64_t numbers[MANY];
    seed_floats(&seed, &vectors[0][0], MANY * DIM);
    for (int i = 0; i < MANY; i++) numbers[i] = i;
    b.kind = EVDB_INSERT;
    b.count = MANY;
    b.numbers = numbers;
    b.vectors = vectors;
    b.dim = DIM;
    ok(evdb_batch_write(store, &b, NULL, &why));
    b.kind = EVDB_DELETE;
    ok(evdb_batch_write(store, &b, NULL, &why));
    put(store, num(7), &seed, NULL, 0, NULL);
    u.since_ms = FAR; /* nothing has been deleted yet by then */
    ok(evdb_trash_restore(store, &u, &report, &why));
    assert_int_equal(report.restored, 0);
    u.since_ms = 1;
    u.flags = EVDB_RESTORE_DRY_RUN;
    ok(evdb_trash_restore(store, &u, &report, &why));
    assert_int_equal(report.restored, MANY - 1);
    assert_int_equal(report.existing, 1);
    assert_int_equal(scratch_count(store), 1);
    u.flags = 0;
    ok(evdb_trash_restore(store, &u, &report, &why));
    assert_int_equal(report.restored, MANY - 1);
    assert_int_equal(report.existing, 1);
    assert_int_equal(scratch_count(store), MANY);
    assert_int_equal(in_trash(store), 1);
    u.flags = 2;
    refused(EVDB_INVALID, evdb_trash_restore(store, &u, NULL, &why));
    sound(t);
    evdb_store_close(store);
}

static void the_trash_is_listed_page_by_page_the_last_deleted_first(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print(), before = 0, seen = 0;
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    evdb_trash *page;
    for (int i = 0; i < RECORDS; i++) {
        char metadata[32];
        snprintf(metadata, sizeof(metadata), "{\"n\":%d}", i);
        put(store, num(i), &seed, metadata, i % 2 ? FAR : 0, NULL);
        delete_as(store, num(i), i % 3 ? "who" : NULL);
    }
    do {
        ok(evdb_trash_list(store, before, 7, &page, &why));
        assert_true(page->count == 7 || !page->next);
        for (size_t i = 0; i < page->count; i++, seen++) {
            const evdb_trashed *r = &page->at[i];
            char metadata[32];
            int64_t n = RECORDS - 1 - (int64_t)seen;
            snprintf(metadata, sizeof(metadata), "{\"n\":%lld}", (long long)n);
            assert_int_equal(r->id.number, n);
            assert_string_equal(r->metadata, metadata);
            assert_int_equal(r->metadata_length, strlen(metadata));
            assert_int_equal(r->expires_ms, n % 2 ? FAR : 0);
            assert_int_equal(r->until_ms, r->deleted_ms + EVDB_TRASH_DAY_MS);
            assert_true(n % 3 ? strcmp(r->deleter, "who") == 0 : !r->deleter);
        }
        before = page->next;
        evdb_trash_free(page);
    } while (before);
    assert_int_equal(seen, RECORDS);
    evdb_store_close(store);
}

static void of_an_id_the_last_delete_counts(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    evdb_record *r;
    evdb_id id = str("a");
    put(store, id, &seed, "{\"v\":1}", 0, NULL);
    ok(evdb_record_delete(store, id, 0, &why));
    put(store, id, &seed, "{\"v\":2}", 0, NULL);
    ok(evdb_record_delete(store, id, 0, &why));
    assert_int_equal(in_trash(store), 1);
    ok(restore(store, &id, 1, 0, NULL));
    ok(evdb_record_get(store, id, &r, &why));
    assert_string_equal(r->metadata, "{\"v\":2}");
    evdb_record_free(r);
    evdb_store_close(store);
}

static void a_record_comes_back_under_another_codec(void **state)
{
    static const char *const own[] = { NULL, "bf16", "none" };
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, "f16", EVDB_TRASH_DAY_MS);
    evdb_record *was[3], *is;
    for (int i = 0; i < 3; i++) {
        put(store, num(i), &seed, NULL, 0, own[i]);
        ok(evdb_record_get(store, num(i), &was[i], &why));
        ok(evdb_record_delete(store, num(i), 0, &why));
    }
    put(store, num(3), &seed, NULL, 0, NULL);
    ok(evdb_store_set_codec(store, "zstd", &why)); /* loses nothing more */
    ok(evdb_store_recode(store, &why));
    sound(t);
    for (int i = 0; i < 3; i++) {
        evdb_id id = num(i);
        ok(restore(store, &id, 1, 0, NULL));
        for (int recoded = 0; recoded < 2; recoded++) {
            ok(evdb_record_get(store, id, &is, &why));
            assert_memory_equal(is->vector, was[i]->vector, DIM * sizeof(float));
            evdb_record_free(is);
            ok(evdb_store_recode(store, &why));
        }
        evdb_record_free(was[i]);
    }
    evdb_result *found;
    ok(evdb_search(store, (float[DIM]){ 1 }, DIM, &(evdb_search_options){ .size = sizeof(evdb_search_options), .k = 9 }, &found, &why));
    assert_int_equal(found->count, 4);
    evdb_result_free(found);
    sound(t);
    evdb_store_close(store);
}

static bool holds(const char *path, const char *text)
{
    size_t size;
    char *content = scratch_content(path, &size);
    bool found = memmem(content, size, text, strlen(text)) != NULL;
    free(content);
    return found;
}

static void forgetting_anything_empties_the_trash_for_good(void **state)
{
    scratch *t = *state;
    char path[2 * SCRATCH_PATH_MAX];
    uint64_t seed = seed_print(), removed;
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    evdb_forget_report report = EVDB_FORGET_REPORT;
    const evdb_id ids[] = { num(1), num(9) };
    put(store, num(1), &seed, NULL, 0, NULL);
    put(store, num(2), &seed, "{\"secret\":\"cormorant\"}", 0, NULL);
    ok(evdb_record_delete(store, num(2), 0, &why));
    ok(evdb_store_sync(store, &why));
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(store, t));
    assert_true(holds(path, "cormorant"));
    ok(evdb_store_forget(store, ids, 2, &report, &why));
    assert_int_equal(report.forgotten, 1);
    assert_false(holds(path, "cormorant"));
    assert_int_equal(in_trash(store), 0);
    put(store, num(3), &seed, NULL, 0, NULL);
    ok(evdb_record_delete(store, num(3), 0, &why));
    ok(evdb_trash_empty(store, &removed, &why));
    assert_true(removed == 1 && in_trash(store) == 0);
    sound(t);
    evdb_store_close(store);
}

static void the_feed_tells_of_the_delete_and_of_the_return(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, NULL, EVDB_TRASH_DAY_MS);
    evdb_changes *changes;
    const evdb_id id = num(1);
    put(store, id, &seed, NULL, 0, NULL);
    ok(evdb_record_delete(store, id, 0, &why));
    ok(restore(store, &id, 1, 0, NULL));
    ok(evdb_changes_read(store, 1, 0, &changes, &why));
    assert_int_equal(changes->count, 2);
    assert_int_equal(changes->at[0].kind, EVDB_CHANGE_DELETE);
    assert_int_equal(changes->at[1].kind, EVDB_CHANGE_PUT);
    evdb_changes_free(changes);
    evdb_store_close(store);
}

static void another_process_obeys_and_what_is_kept_outlives_a_reopening(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = store_of(t, "s", 0, NULL, 0), *other;
    evdb *db;
    evdb_id id = num(1);
    put(store, id, &seed, NULL, 0, NULL);
    ok(evdb_open(t->path, NULL, &db, &why));
    ok(evdb_store_open(db, "s", &other, &why));
    ok(evdb_store_set_trash(other, EVDB_TRASH_DAY_MS, &why));
    ok(evdb_record_delete(store, id, 0, &why));
    assert_int_equal(in_trash(other), 1);
    evdb_store_close(other);
    evdb_close(db);
    evdb_store_close(store);
    scratch_reopen(t);
    ok(evdb_store_open(t->db, "s", &store, &why));
    ok(restore(store, &id, 1, 0, NULL));
    assert_int_equal(scratch_count(store), 1);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_deleted_comes_back_as_it_was),
        TEST(nothing_is_kept_unless_the_store_was_told_to),
        TEST(ids_are_restored_all_or_none),
        TEST(all_that_was_deleted_since_a_time_comes_back),
        TEST(the_trash_is_listed_page_by_page_the_last_deleted_first),
        TEST(of_an_id_the_last_delete_counts),
        TEST(a_record_comes_back_under_another_codec),
        TEST(forgetting_anything_empties_the_trash_for_good),
        TEST(the_feed_tells_of_the_delete_and_of_the_return),
        TEST(another_process_obeys_and_what_is_kept_outlives_a_reopening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
