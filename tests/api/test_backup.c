/* test_backup.c - evdb/backup.h: what comes back is what was there, record by record, and what is refused. */
#include "backup_store.h"
#include "expect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, other_key[EVDB_BACKUP_KEY_BYTES] = { 1 };

static evdb_store *opened(evdb *db, const char *name)
{
    evdb_store *store;
    ok(evdb_store_open(db, name, &store, &why));
    return store;
}

/* ---- what comes back ---- */

static void round_trip(evdb *db, evdb_store *store, const unsigned char *with)
{
    evdb_backup_info info = EVDB_BACKUP_INFO, checked = EVDB_BACKUP_INFO;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    memory_sink file = backup_bytes(store, NULL, with, &info);
    memory_source bytes = memory_from(file.bytes, file.size);
    evdb_source source = memory_reading(&bytes);
    o.key = with;
    bytes.most = 1009;
    ok(evdb_backup_check(db, &source, &o, &checked, &why));
    assert_memory_equal(&info, &checked, sizeof(info));
    assert_int_equal(info.file_bytes, file.size);
    assert_int_equal(info.records, scratch_count(store));
    ok(backup_read(db, file.bytes, file.size, "back", &o, &why));
    evdb_store *back = opened(db, "back");
    backup_same(store, back);
    evdb_store_close(back);
    backup_sound(db);
    ok(evdb_store_drop(db, "back", &why));
    memory_sink_free(&file);
}

static void a_restored_store_equals_the_original_record_by_record(void **state)
{
    static const char *const names[] = { "numbers", "texts" }, *const fields[] = { "n", "deep.x\"y" };
    static const evdb_dtype dtypes[] = { EVDB_F32, EVDB_F16 };
    scratch *t = *state;
    uint64_t seed = seed_print();
    for (int i = 0; i < 4; i++) {
        evdb_store_options o = EVDB_STORE_OPTIONS;
        evdb_store *store;
        o.metric = EVDB_EUCLIDEAN;
        o.dtype = dtypes[i / 2];
        o.m = 7;
        o.ttl_ms = i * INT64_C(1000000000000);
        o.authors = i % 2;
        o.field_count = 2;
        o.fields = fields;
        ok(evdb_store_create(t->db, names[i % 2], &o, &store, &why));
        round_trip(t->db, store, NULL); /* of nothing */
        backup_change(store, &seed, 600);
        round_trip(t->db, store, i % 2 ? key : NULL);
        evdb_store_close(store);
        ok(evdb_store_drop(t->db, names[i % 2], &why));
    }
}

static evdb_status read_at(void *context, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    const memory_sink *file = context;
    (void)err;
    if (count > 4096) return EVDB_IO; /* only both ends are looked at */
    assert_true(at + count <= file->size);
    memcpy(buffer, file->bytes + at, count);
    return EVDB_OK;
}

static void both_ends_tell_what_a_backup_is(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    evdb_backup_info info = EVDB_BACKUP_INFO, seen = EVDB_BACKUP_INFO;
    backup_change(store, &seed, 300);
    memory_sink file = backup_bytes(store, NULL, key, &info);
    evdb_bytes bytes = { .context = &file, .size = file.size, .read = read_at };
    ok(evdb_backup_look(t->db, &bytes, &seen, &why));
    assert_memory_equal(&info, &seen, sizeof(info));
    for (bytes.size = 0; bytes.size < file.size; bytes.size += 1 + seed_below(&seed, 400)) {
        seen = (evdb_backup_info)EVDB_BACKUP_INFO;
        refused(EVDB_CORRUPT, evdb_backup_look(t->db, &bytes, &seen, &why));
        assert_int_equal(seen.file_bytes, bytes.size);
    }
    assert_string_equal(seen.id, info.id); /* its head was whole */
    refused(EVDB_INVALID, evdb_backup_name_check("../x", &why));
    expect_says("../x");
    ok(evdb_backup_name_check("monday-1.full", &why));
    evdb_store_close(store);
    memory_sink_free(&file);
}

/* Vectors are being written again, perhaps: some are of one codec, some of the other. */
static void in_the_middle(evdb *db, evdb_store *store)
{
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    ok(backup_read(db, file.bytes, file.size, "middle", NULL, &why));
    evdb_store *back = opened(db, "middle");
    assert_int_equal(scratch_count(back), scratch_count(store));
    backup_sound(db);
    ok(evdb_store_recode(back, &why));
    backup_sound(db);
    evdb_store_close(back);
    ok(evdb_store_drop(db, "middle", &why));
    memory_sink_free(&file);
}

static void codecs_come_back_as_they_were_trained(void **state)
{
    static const char *const codecs[] = { "i8", "pca:6+i8+zstd", "f16" };
    scratch *t = *state;
    uint64_t seed = seed_print();
    float v[BACKUP_DIM];
    for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
        evdb_store *store = scratch_store(t, "coded", 0, EVDB_EUCLIDEAN);
        backup_change(store, &seed, 300);
        ok(evdb_store_set_codec(store, codecs[i], &why));
        in_the_middle(t->db, store);
        ok(evdb_store_recode(store, &why));
        seed_floats(&seed, v, BACKUP_DIM);
        ok(evdb_record_insert_compressed(store, num(100000), v, BACKUP_DIM, NULL, "none", NULL, &why));
        round_trip(t->db, store, NULL);
        evdb_store_close(store);
        ok(evdb_store_drop(t->db, "coded", &why));
    }
}

static void the_change_sequence_goes_on_where_the_backup_was_taken(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print(), version, sequence;
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    evdb_backup_info info = EVDB_BACKUP_INFO;
    evdb_changes *changes;
    float v[BACKUP_DIM] = { 1 };
    backup_change(store, &seed, 100);
    ok(evdb_record_upsert(store, num(1), v, BACKUP_DIM, NULL, NULL, &why));
    if (seed_below(&seed, 2)) ok(evdb_record_delete(store, num(1), 0, &why));
    memory_sink file = backup_bytes(store, NULL, NULL, &info);
    sequence = info.sequence;
    ok(backup_read(t->db, file.bytes, file.size, "back", NULL, &why));
    evdb_store *back = opened(t->db, "back");
    ok(evdb_changes_read(back, sequence - 1, 0, &changes, &why));
    assert_int_equal(changes->count, 1);
    assert_int_equal(changes->horizon, sequence - 1);
    evdb_changes_free(changes);
    refused(EVDB_GONE, evdb_changes_read(back, sequence - 2, 0, &changes, &why));
    ok(evdb_record_upsert(back, num(5), v, BACKUP_DIM, NULL, &version, &why));
    assert_int_equal(version, sequence + 1);
    evdb_store_close(back);
    evdb_store_close(store);
    memory_sink_free(&file);
}

static void a_restored_store_is_searched_and_written_as_any_other(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    evdb_result *a, *b;
    float q[BACKUP_DIM];
    backup_change(store, &seed, 500);
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    ok(backup_read(t->db, file.bytes, file.size, "back", NULL, &why));
    evdb_store *back = opened(t->db, "back");
    for (int round = 0; round < 3; round++) {
        seed_floats(&seed, q, BACKUP_DIM);
        ok(evdb_search(store, q, BACKUP_DIM, NULL, &a, &why));
        ok(evdb_search(back, q, BACKUP_DIM, NULL, &b, &why));
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->distances, b->distances, a->count * sizeof(float));
        evdb_result_free(a);
        evdb_result_free(b);
        uint64_t again = seed;
        backup_change(store, &seed, 100);
        backup_change(back, &again, 100);
        backup_same(store, back);
    }
    evdb_store_close(back);
    evdb_store_close(store);
    memory_sink_free(&file);
    backup_sound(t->db);
}

static void databases_in_memory_give_and_take_backups(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb *db;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    ok(evdb_open(":memory:", NULL, &db, &why));
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_COSINE), *inside, *back;
    backup_change(store, &seed, 200);
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    ok(backup_read(db, file.bytes, file.size, "s", NULL, &why));
    inside = opened(db, "s");
    backup_same(store, inside);
    memory_sink second = backup_bytes(inside, NULL, NULL, NULL);
    o.replace = 1;
    ok(backup_read(db, second.bytes, second.size, "s", &o, &why));
    refused(EVDB_NOT_FOUND, evdb_store_sync(inside, &why));
    ok(backup_read(t->db, second.bytes, second.size, "back", NULL, &why));
    back = opened(t->db, "back");
    backup_same(store, back);
    backup_sound(db);
    refused(EVDB_UNSUPPORTED, evdb_backup_create(back = (evdb_store_close(inside), evdb_store_close(back), opened(db, "s")), "b", NULL, NULL, &why));
    evdb_store_close(back);
    evdb_store_close(store);
    memory_sink_free(&file);
    memory_sink_free(&second);
    evdb_close(db);
}

/* ---- in place ---- */

static void in_place_the_old_store_is_there_until_the_new_one_is(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN), *copy, *back;
    backup_change(store, &seed, 200);
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    ok(backup_read(t->db, file.bytes, file.size, "copy", NULL, &why));
    copy = opened(t->db, "copy");
    backup_change(store, &seed, 50);
    refused(EVDB_EXISTS, backup_read(t->db, file.bytes, file.size, "s", &o, &why));
    o.replace = 1;
    file.bytes[file.size / 2] ^= 1;
    refused(EVDB_CORRUPT, backup_read(t->db, file.bytes, file.size, "s", &o, &why));
    assert_true(evdb_store_sync(store, &why) == EVDB_OK);
    file.bytes[file.size / 2] ^= 1;
    ok(backup_read(t->db, file.bytes, file.size, "s", &o, &why));
    refused(EVDB_NOT_FOUND, evdb_store_sync(store, &why));
    evdb_store_close(store);
    scratch_reopen((evdb_store_close(copy), t));
    back = opened(t->db, "s");
    copy = opened(t->db, "copy");
    backup_same(copy, back);
    backup_sound(t->db);
    evdb_store_close(copy);
    evdb_store_close(back);
    memory_sink_free(&file);
}

/* ---- keys ---- */

static void an_encrypted_backup_needs_its_key(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    backup_change(store, &seed, 100);
    evdb_backup_info info = EVDB_BACKUP_INFO;
    memory_sink plain = backup_bytes(store, NULL, NULL, NULL), file = backup_bytes(store, NULL, key, &info);
    for (size_t i = 0; i + 3 < file.size; i++) assert_memory_not_equal(file.bytes + i, "\"n\"", 3);
    refused(EVDB_DENIED, backup_read(t->db, file.bytes, file.size, "x", NULL, &why));
    o.key = other_key;
    refused(EVDB_DENIED, backup_read(t->db, file.bytes, file.size, "x", &o, &why));
    expect_says("key");
    o.key = key;
    refused(EVDB_DENIED, backup_read(t->db, plain.bytes, plain.size, "x", &o, &why));
    evdb_backup_options more = EVDB_BACKUP_OPTIONS;
    evdb_sink sink = memory_writing(&plain);
    more.base = &info;
    refused(EVDB_INVALID, evdb_backup_write(store, &sink, &more, NULL, &why));
    expect_says("key");
    ok(backup_read(t->db, file.bytes, file.size, "x", &o, &why));
    evdb_store_close(store);
    memory_sink_free(&plain);
    memory_sink_free(&file);
}

/* ---- progress ---- */

static int stop_at(void *context, evdb_transfer_phase phase, uint64_t records)
{
    (void)records;
    return phase == *(evdb_transfer_phase *)context;
}

static void backup_and_restore_end_when_they_are_told_to(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    memory_sink nowhere = memory_to();
    evdb_sink sink = memory_writing(&nowhere);
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_transfer_phase phase = EVDB_PHASE_WRITE;
    backup_change(store, &seed, 100);
    b.progress = o.progress = stop_at;
    b.context = o.context = &phase;
    refused(EVDB_CANCELLED, evdb_backup_write(store, &sink, &b, NULL, &why));
    memory_sink file = backup_bytes(store, NULL, NULL, NULL);
    refused(EVDB_CANCELLED, backup_read(t->db, file.bytes, file.size, "x", &o, &why));
    phase = EVDB_PHASE_CHECK;
    refused(EVDB_CANCELLED, backup_read(t->db, file.bytes, file.size, "x", &o, &why));
    refused(EVDB_NOT_FOUND, evdb_store_drop(t->db, "x", &why));
    evdb_store_close(store);
    memory_sink_free(&file);
    memory_sink_free(&nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_restored_store_equals_the_original_record_by_record, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(both_ends_tell_what_a_backup_is, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(codecs_come_back_as_they_were_trained, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(the_change_sequence_goes_on_where_the_backup_was_taken, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_restored_store_is_searched_and_written_as_any_other, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(databases_in_memory_give_and_take_backups, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(in_place_the_old_store_is_there_until_the_new_one_is, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(an_encrypted_backup_needs_its_key, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(backup_and_restore_end_when_they_are_told_to, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
