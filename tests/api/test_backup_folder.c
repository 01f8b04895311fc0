/* test_backup_folder.c - evdb/backup.h by name: making, listing, verifying, restoring and deleting in a folder of files. */
#include "backup_store.h"
#include "expect.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wbe");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* The file of a backup, in static storage. */
static const char *file_of(const scratch *t, const char *name)
{
    static char path[SCRATCH_PATH_MAX + 200];
    snprintf(path, sizeof(path), "%s/backups/%s.backup", t->path, name);
    return path;
}

static bool there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static size_t listed(evdb *db)
{
    evdb_backup_info **list;
    size_t count;
    ok(evdb_backup_list(db, &list, &count, &why));
    evdb_backup_list_free(list, count);
    return count;
}

static void make(evdb_store *store, const char *name, const char *base, evdb_backup_info *out)
{
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.base_name = base;
    ok(evdb_backup_create(store, name, &o, out, &why));
}

static void backups_are_made_listed_restored_and_deleted_by_name(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN), *back;
    evdb_backup_info made = EVDB_BACKUP_INFO, found = EVDB_BACKUP_INFO, **list;
    size_t count;
    assert_int_equal(listed(t->db), 0);
    backup_change(store, &seed, 100);
    make(store, "Monday.1", NULL, &made);
    refused(EVDB_EXISTS, evdb_backup_create(store, "Monday.1", NULL, NULL, &why));
    backup_change(store, &seed, 20);
    make(store, "a-monday", NULL, NULL);
    ok(evdb_backup_list(t->db, &list, &count, &why));
    assert_int_equal(count, 2);
    assert_string_equal(list[0]->name, "Monday.1");
    assert_string_equal(list[0]->store, "s");
    assert_string_equal(list[0]->problem, "");
    assert_int_equal(list[0]->sequence, made.sequence);
    assert_string_equal(list[1]->name, "a-monday");
    evdb_backup_list_free(list, count);
    ok(evdb_backup_verify(t->db, "a-monday", NULL, &found, &why));
    ok(evdb_backup_restore(t->db, "a-monday", "back", NULL, &found, &why));
    assert_string_equal(found.name, "a-monday");
    back = (ok(evdb_store_open(t->db, "back", &back, &why)), back);
    backup_same(store, back);
    ok(evdb_backup_delete(t->db, "a-monday", &why));
    refused(EVDB_NOT_FOUND, evdb_backup_delete(t->db, "a-monday", &why));
    refused(EVDB_NOT_FOUND, evdb_backup_verify(t->db, "a-monday", NULL, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_backup_restore(t->db, "a-monday", "c", NULL, NULL, &why));
    assert_int_equal(listed(t->db), 1);
    evdb_store_close(back);
    evdb_store_close(store);
}

static void a_chain_is_found_by_the_name_or_path_of_its_last_file(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN), *back;
    evdb_backup_info infos[3], found = EVDB_BACKUP_INFO;
    static const char *const names[] = { "zz", "yy", "xx" };
    char path[SCRATCH_PATH_MAX + 200], moved[SCRATCH_PATH_MAX + 200];
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    for (int i = 0; i < 3; i++) {
        infos[i] = (evdb_backup_info)EVDB_BACKUP_INFO;
        backup_change(store, &seed, 50);
        make(store, names[i], i ? names[i - 1] : NULL, &infos[i]);
    }
    ok(evdb_backup_verify(t->db, "xx", NULL, NULL, &why));
    ok(evdb_backup_restore(t->db, "xx", "back", NULL, NULL, &why));
    ok(evdb_store_open(t->db, "back", &back, &why));
    backup_same(store, back);
    evdb_store_close(back);
    o.replace = 1;
    o.sequence = infos[1].sequence + 1;
    ok(evdb_backup_restore(t->db, "xx", "back", &o, &found, &why));
    assert_string_equal(found.name, "yy");
    o.sequence = infos[0].sequence - 1;
    refused(EVDB_NOT_FOUND, evdb_backup_restore(t->db, "xx", "back", &o, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_delete(t->db, "yy", &why));
    expect_says("xx");
    snprintf(path, sizeof(path), "%s", file_of(t, "xx"));
    snprintf(moved, sizeof(moved), "%s/elsewhere", t->dir);
    assert_int_equal(rename(path, moved), 0);
    o.sequence = 0;
    ok(evdb_backup_restore(t->db, moved, "back", &o, &found, &why));
    assert_int_equal(found.sequence, infos[2].sequence);
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(remove(file_of(t, "yy")), 0);
    refused(EVDB_NOT_FOUND, evdb_backup_restore(t->db, "xx", "back", &o, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_backup_verify(t->db, "xx", NULL, NULL, &why));
    evdb_store_close(store);
}

static void names_and_paths_that_are_none_are_refused(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    char longest[EVDB_BACKUP_NAME_MAX + 2];
    static const char *const bad[] = { "", ".", "..", ".hidden", "-x", "a b", "a/b", "../a", "a\\b", "\xc3\xa4", NULL };
    memset(longest, 'n', sizeof(longest));
    longest[EVDB_BACKUP_NAME_MAX + 1] = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        refused(EVDB_INVALID, evdb_backup_create(store, bad[i], NULL, NULL, &why));
        refused(EVDB_INVALID, evdb_backup_delete(t->db, bad[i], &why));
    }
    refused(EVDB_INVALID, evdb_backup_create(store, longest, NULL, NULL, &why));
    longest[EVDB_BACKUP_NAME_MAX] = 0;
    ok(evdb_backup_create(store, longest, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_restore(t->db, NULL, "x", NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_restore(t->db, "..", "x", NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_restore(t->db, longest, "X", NULL, NULL, &why));
    refused(EVDB_NOT_FOUND, evdb_backup_restore(t->db, "/nowhere/at/all", "x", NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_restore(t->db, t->path, "x", NULL, NULL, &why));
    refused(EVDB_CORRUPT, evdb_backup_restore(t->db, scratch_path(t, "db/system.db"), "x", NULL, NULL, &why));
    evdb_store_close(store);
}

static void damaged_files_are_listed_with_what_is_wrong(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", BACKUP_DIM, EVDB_EUCLIDEAN);
    evdb_backup_info **list;
    uint64_t seed = seed_print();
    size_t count, size;
    backup_change(store, &seed, 50);
    make(store, "good", NULL, NULL);
    char *bytes = scratch_content(file_of(t, "good"), &size);
    write_file(file_of(t, "cut"), bytes, size - 7);
    write_file(file_of(t, "empty"), "", 0);
    write_file(file_of(t, "text"), "this is not a backup at all", 27);
    bytes[8]++;
    write_file(file_of(t, "newer"), bytes, size);
    write_file(scratch_path(t, "db/backups/notes.txt"), "x", 1);
    free(bytes);
    ok(evdb_backup_list(t->db, &list, &count, &why));
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        if ((strcmp(list[i]->name, "good") == 0) == (list[i]->problem[0] != 0)) fail_msg("%s: %s", list[i]->name, list[i]->problem);
    evdb_backup_list_free(list, count);
    refused(EVDB_CORRUPT, evdb_backup_restore(t->db, "cut", "x", NULL, NULL, &why));
    refused(EVDB_CORRUPT, evdb_backup_verify(t->db, "empty", NULL, NULL, &why));
    refused(EVDB_NEWER, evdb_backup_restore(t->db, "newer", "x", NULL, NULL, &why));
    ok(evdb_backup_delete(t->db, "cut", &why));
    evdb_store_close(store);
}

static void what_a_dead_process_left_is_cleared_away(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    make(store, "one", NULL, NULL);
    write_file(scratch_path(t, "db/backups/.two.0011223344556677.new"), "half", 4);
    write_file(scratch_path(t, "db/backups/.settings.new"), "other", 5); /* of another program */
    assert_int_equal(listed(t->db), 1);
    make(store, "two", NULL, NULL);
    assert_false(there(scratch_path(t, "db/backups/.two.0011223344556677.new")));
    assert_true(there(scratch_path(t, "db/backups/.settings.new")));
    assert_int_equal(listed(t->db), 2);
    evdb_store_close(store);
}

static void the_folder_may_be_elsewhere(void **state)
{
    scratch *t = *state;
    evdb_options o = EVDB_OPTIONS;
    evdb *db;
    evdb_store *store;
    o.backup_dir = "below";
    ok(evdb_open(t->path, &o, &db, &why));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_backup_create(store, "b", NULL, NULL, &why));
    assert_true(there(scratch_path(t, "db/below/b.backup")));
    evdb_store_close(store);
    evdb_close(db);
    o.backup_dir = scratch_path(t, "beside");
    ok(evdb_open(":memory:", &o, &db, &why));
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    ok(evdb_backup_create(store, "b", NULL, NULL, &why));
    assert_true(there(scratch_path(t, "beside/b.backup")));
    evdb_store_close(store);
    evdb_close(db);
    o.backup_dir = "below";
    refused(EVDB_INVALID, evdb_open(":memory:", &o, &db, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backups_are_made_listed_restored_and_deleted_by_name, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_chain_is_found_by_the_name_or_path_of_its_last_file, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(names_and_paths_that_are_none_are_refused, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(damaged_files_are_listed_with_what_is_wrong, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_a_dead_process_left_is_cleared_away, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(the_folder_may_be_elsewhere, scratch_closed, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
