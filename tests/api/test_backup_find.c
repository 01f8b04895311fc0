/* test_backup_find.c - evdb_backup_find(): which backups name a record, and which cannot be looked through. */
#include "backup_store.h"
#include "expect.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 7 }, other_key[EVDB_BACKUP_KEY_BYTES] = { 8 };
static const float vector[2] = { 1, 2 };


static void put(evdb_store *store, evdb_id id) { ok(evdb_record_upsert(store, id, vector, 2, "{}", NULL, &why)); }

static void make(evdb_store *store, const char *name, const char *base, const unsigned char *with)
{
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.base_name = base;
    o.key = with;
    ok(evdb_backup_create(store, name, &o, NULL, &why));
}

/* "a b!": a holds one, b could not be looked through. */
static void found_ids(evdb_store *store, const evdb_id *ids, size_t count, const unsigned char *with, const char *names)
{
    char found[512] = "";
    evdb_backup_info **list;
    size_t n;
    ok(evdb_backup_find(store, ids, count, with, &list, &n, &why));
    for (size_t i = 0; i < n; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s%s", i ? " " : "", list[i]->name, *list[i]->problem ? "!" : "");
    evdb_backup_list_free(list, n);
    assert_string_equal(found, names);
}

static void found(evdb_store *store, evdb_id id, const char *names) { found_ids(store, &id, 1, NULL, names); }

static void a_backup_is_found_by_what_it_holds_and_by_what_it_says_is_gone(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    found(store, str("a"), "");
    put(store, str("a"));
    put(store, str("b"));
    make(store, "1", NULL, NULL);
    put(store, str("c"));
    make(store, "2", "1", NULL);
    ok(evdb_record_delete(store, str("a"), 0, &why));
    make(store, "3", "2", NULL);
    make(store, "4", NULL, NULL);
    put(store, str("d"));
    make(store, "5", NULL, NULL);
    found(store, str("a"), "1 3 4"); /* 4: the last change of its store */
    found(store, str("b"), "1 4 5");
    found(store, str("c"), "2 4 5");
    found(store, str("nobody"), "");
    const evdb_id both[] = { str("zz"), str("d"), str("c"), str("aa") };
    found_ids(store, both, 4, NULL, "2 4 5");
    found_ids(store, NULL, 0, NULL, "");
    evdb_store_close(store);
}

static void integers_and_their_digits_are_the_same(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    put(store, num(-7));
    put(store, num(70));
    make(store, "n", NULL, NULL);
    found(store, num(-7), "n");
    found(store, str("-7"), "n");
    found(store, num(7), "");
    const evdb_id many[] = { num(9), num(-7), str("x"), num(INT64_MIN) };
    found_ids(store, many, 4, NULL, "n");
    evdb_store_close(store);
}

static void stores_of_another_name_and_history_are_left_out(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN), *other = scratch_store(t, "t", 2, EVDB_EUCLIDEAN);
    put(store, str("a"));
    put(other, str("a"));
    make(store, "of-s", NULL, NULL);
    make(other, "of-t", NULL, NULL);
    found(store, str("a"), "of-s");
    ok(evdb_store_rename(t->db, "s", "u", &why));
    found(store, str("a"), "of-s");
    evdb_store_close(other);
    ok(evdb_store_drop(t->db, "t", &why));
    other = scratch_store(t, "t", 2, EVDB_EUCLIDEAN);
    found(other, str("a"), "of-t");
    evdb_store_close(other);
    evdb_store_close(store);
}

static void what_cannot_be_looked_through_is_listed_with_the_reason(void **state)
{
    scratch *t = *state;
    char path[SCRATCH_PATH_MAX + 200];
    const evdb_id a = str("a"), b = str("b");
    evdb_store *store = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    put(store, a);
    make(store, "open", NULL, NULL);
    make(store, "closed", NULL, key);
    found_ids(store, &a, 1, key, "closed open");
    found_ids(store, &b, 1, key, "");
    found_ids(store, &b, 1, NULL, "closed!");
    found_ids(store, &b, 1, other_key, "closed!");
    snprintf(path, sizeof(path), "%s/backups/open.backup", t->path);
    assert_int_equal(truncate(path, 100), 0);
    found_ids(store, &b, 1, key, "open!");
    refused_item(EVDB_INVALID, 1, evdb_backup_find(store, (evdb_id[]){ a, str("") }, 2, NULL, &(evdb_backup_info **){ NULL }, &(size_t){ 0 }, &why));
    refused(EVDB_LIMIT, evdb_backup_find(store, &a, EVDB_BATCH_MAX + 1, NULL, &(evdb_backup_info **){ NULL }, &(size_t){ 0 }, &why));
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_found_by_what_it_holds_and_by_what_it_says_is_gone, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(integers_and_their_digits_are_the_same, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(stores_of_another_name_and_history_are_left_out, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_looked_through_is_listed_with_the_reason, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
