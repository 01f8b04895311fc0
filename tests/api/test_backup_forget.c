/* test_backup_forget.c - backups and repairs of stores whose records were forgotten: nothing of them comes back, and nothing else is lost. */
#include "backup_store.h"
#include "expect.h"
#include <evdb/repair.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 1500, PAGE = 16384, STORE_PAGE = 3 };

static evdb_id row_id(bool texts, int i)
{
    static char space[ROWS][8];
    if (!texts) return num(i);
    snprintf(space[i], sizeof(space[i]), "r%d", i);
    return str(space[i]);
}

/* Ids from 0 on, which is what an integer is that nobody has set. */
static evdb_store *filled(scratch *t, const char *name, int rows)
{
    static float vectors[ROWS][2];
    evdb_store *store = scratch_store(t, name, 2, EVDB_EUCLIDEAN);
    evdb_id ids[ROWS];
    evdb_batch b = EVDB_BATCH;
    for (int i = 0; i < rows; i++) {
        ids[i] = row_id(name[0] == 't', i);
        vectors[i][0] = (float)i;
    }
    b.kind = EVDB_INSERT;
    b.count = (size_t)rows;
    b.ids = ids;
    b.vectors = vectors;
    b.dim = 2;
    ok(evdb_batch_write(store, &b, NULL, &why));
    return store;
}

static void forget(evdb_store *store, evdb_id id) { ok(evdb_store_forget(store, &id, 1, NULL, &why)); }

static void try(scratch *t, const char *name)
{
    evdb_store *store = filled(t, name, 5), *back;
    bool texts = name[0] == 't';
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    evdb_changes *changes;
    uint64_t version;
    ok(evdb_backup_create(store, "before", NULL, NULL, &why));
    forget(store, row_id(texts, 3));
    o.base_name = "before";
    refused(EVDB_GONE, evdb_backup_create(store, "increment", &o, NULL, &why));
    expect_says("forgotten");
    ok(evdb_backup_create(store, "after", NULL, NULL, &why));
    ok(evdb_backup_verify(t->db, "after", NULL, NULL, &why));
    ok(evdb_backup_restore(t->db, "after", "back", NULL, NULL, &why));
    ok(evdb_store_open(t->db, "back", &back, &why));
    backup_same(store, back);
    refused(EVDB_GONE, evdb_changes_read(back, 5, 0, &changes, &why)); /* the id of the sixth change is not known */
    ok(evdb_changes_read(back, 6, 0, &changes, &why));
    assert_int_equal(changes->count, 0);
    evdb_changes_free(changes);
    ok(evdb_record_insert(back, row_id(texts, 3), (float[]){ 3, 1 }, 2, NULL, &version, &why));
    assert_int_equal(version, 7);
    backup_sound(t->db);
    o.base_name = "after";
    ok(evdb_record_delete(store, row_id(texts, 0), 0, &why));
    ok(evdb_backup_create(store, "increment", &o, NULL, &why));
    ok(evdb_backup_restore(t->db, "increment", "chained", NULL, NULL, &why));
    evdb_store_close(back);
    ok(evdb_store_open(t->db, "chained", &back, &why));
    backup_same(store, back);
    evdb_store_close(back);
    evdb_store_close(store);
}

static void a_backup_of_after_comes_back_and_an_increment_of_before_is_refused(void **state) { try(*state, "ints"); }
static void the_same_of_texts(void **state) { try(*state, "texts"); }

typedef struct meanwhile {
    evdb_store *store;
    bool done;
} meanwhile;

static int forget_meanwhile(void *context, evdb_transfer_phase phase, uint64_t records)
{
    meanwhile *m = context;
    (void)phase, (void)records;
    if (!m->done) forget(m->store, num(0));
    m->done = true;
    return 0;
}

static void a_backup_under_way_does_not_keep_what_is_forgotten_meanwhile(void **state)
{
    scratch *t = *state;
    meanwhile m = { .store = filled(t, "s", ROWS) };
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.progress = forget_meanwhile;
    o.context = &m;
    refused(EVDB_GONE, evdb_backup_create(m.store, "b", &o, NULL, &why));
    ok(evdb_backup_create(m.store, "b", NULL, NULL, &why));
    evdb_store_close(m.store);
}

static void damage(const char *folder, unsigned page)
{
    char path[SCRATCH_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/rows.db", folder);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)page * PAGE - 1, SEEK_SET), 0);
    int last = getc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    putc(~last & 0xff, file);
    assert_int_equal(fclose(file), 0);
}

static void a_repair_does_not_take_erased_changes_for_those_of_others(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t, "s", 20), *again;
    evdb_store_options description = EVDB_STORE_OPTIONS;
    evdb_repair_options o = EVDB_REPAIR_OPTIONS;
    evdb_repair_report report = EVDB_REPAIR_REPORT;
    for (int i = 5; i < 8; i++) forget(store, num(i));
    ok(evdb_store_sync(store, &why));
    damage(scratch_folder(store, t), STORE_PAGE);
    evdb_store_close(store);
    scratch_reopen(t);
    description.dim = 2;
    description.metric = EVDB_EUCLIDEAN;
    o.description = &description;
    ok(evdb_store_repair(t->db, "s", &o, &report, &why));
    assert_int_equal(report.records, 17);
    assert_int_equal(report.lost, 0);
    assert_int_equal(report.lost_unnamed, 0);
    assert_int_equal(report.missing_changes, 0);
    ok(evdb_store_open(t->db, "s", &again, &why));
    assert_int_equal(scratch_count(again), 17);
    evdb_store_close(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_of_after_comes_back_and_an_increment_of_before_is_refused, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(the_same_of_texts, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_backup_under_way_does_not_keep_what_is_forgotten_meanwhile, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_repair_does_not_take_erased_changes_for_those_of_others, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
