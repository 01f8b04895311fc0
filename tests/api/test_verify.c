/* test_verify.c - evdb/verify.h: sound databases are called sound, damaged files are named. */
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>

static const float pair[2] = { 1, 2 };

typedef struct findings {
    int count;
    char store[EVDB_STORE_NAME_MAX + 1], text[500];
} findings;

static void note(void *context, const char *store, const char *text)
{
    findings *f = context;
    f->count++;
    snprintf(f->store, sizeof(f->store), "%s", store ? store : "");
    snprintf(f->text, sizeof(f->text), "%s", text);
}

static void a_sound_database_has_no_problems(void **state)
{
    scratch *t = *state;
    evdb_store *integers = scratch_store(t, "i", 0, EVDB_COSINE), *strings = scratch_store(t, "s", 2, EVDB_EUCLIDEAN);
    evdb_verify_report report;
    findings f = { 0 };
    char id[20];
    ok(evdb_store_create(t->db, "empty", NULL, NULL, &why));
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof(id), "id %d", i);
        ok(evdb_record_upsert(integers, num(i % 150), pair, 2, NULL, NULL, &why));
        ok(evdb_record_insert(strings, str(id), pair, 2, "{\"a\":[1,2,3]}", NULL, &why));
        if (i % 3 == 0) ok(evdb_record_delete(strings, str(id), 0, &why));
        if (i % 5 == 0) ok(evdb_record_update(integers, num(i % 150), NULL, 0, "{\"b\":1}", 0, NULL, &why));
    }
    ok(evdb_changes_trim(strings, 100, &why));
    ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
    if (f.count) fail_msg("%s: %s", f.store, f.text);
    assert_int_equal(report.stores, 3);
    assert_int_equal(report.records, 150 + 133);
    assert_int_equal(report.problems, 0);
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_int_equal(report.stores, 1);
    assert_int_equal(report.records, 133);
    refused(EVDB_NOT_FOUND, evdb_verify(t->db, "missing", note, &f, &report, &why));
    assert_int_equal(report.records, 133); /* outputs are written only on success */
    evdb_store_close(integers);
    evdb_store_close(strings);
}

static void flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = getc(file);
    assert_int_not_equal(byte, EOF);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    putc(byte ^ 0x10, file);
    fclose(file);
}

static void a_damaged_store_is_a_finding_and_the_others_go_on(void **state)
{
    scratch *t = *state;
    evdb_store *bad = scratch_store(t, "bad", 2, EVDB_COSINE), *good = scratch_store(t, "good", 2, EVDB_COSINE);
    evdb_store_info **list;
    evdb_verify_report report;
    evdb_result *found;
    findings f = { 0 };
    size_t count;
    char path[3 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(bad, t));
    for (int i = 0; i < 10; i++) {
        ok(evdb_record_insert(bad, num(i), pair, 2, NULL, NULL, &why));
        ok(evdb_record_insert(good, num(i), pair, 2, NULL, NULL, &why));
    }
    evdb_store_close(bad);
    evdb_store_close(good);
    evdb_close(t->db);
    flip(path, 100); /* in the root of the schema: the store cannot even be opened */
    ok(evdb_open(t->path, NULL, &t->db, &why));
    refused(EVDB_CORRUPT, evdb_store_open(t->db, "bad", &bad, &why));
    ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
    assert_true(report.problems >= 1);
    assert_int_equal(report.problems, f.count);
    assert_string_equal(f.store, "bad");
    assert_non_null(strstr(f.text, "rows.db"));
    assert_int_equal(report.stores, 2);
    assert_int_equal(report.records, 10);
    ok(evdb_verify(t->db, "good", NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    ok(evdb_store_list(t->db, &list, &count, &why));
    assert_int_equal(count, 2);
    assert_string_equal(list[0]->name, "bad");
    assert_int_equal(list[0]->dim, 0);
    assert_int_equal((int)list[0]->metric, 0);
    assert_int_equal(list[1]->dim, 2);
    evdb_store_list_free(list, count);
    ok(evdb_store_open(t->db, "good", &good, &why));
    ok(evdb_search(good, pair, 2, NULL, &found, &why));
    assert_int_equal(found->count, 10);
    evdb_result_free(found);
    evdb_store_close(good);
    ok(evdb_store_drop(t->db, "bad", &why)); /* a damaged store can be given up */
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

static void a_damaged_list_of_stores_is_a_finding(void **state)
{
    scratch *t = *state;
    evdb_verify_report report;
    findings f = { 0 };
    evdb_store_info **list;
    size_t count;
    char path[2 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    ok(evdb_store_create(t->db, "s", NULL, NULL, &why));
    scratch_reopen(t); /* everything is in the main file */
    ok(evdb_store_list(t->db, &list, &count, &why));
    evdb_store_list_free(list, count);
    flip(path, -100); /* in the last page, which need not be read for listing */
    ok(evdb_verify(t->db, NULL, note, &f, &report, &why));
    assert_true(report.problems >= 1);
    assert_non_null(strstr(f.text, "system.db"));
    assert_string_equal(f.store, ""); /* it belongs to no store */
}

static void what_is_still_in_memory_does_not_hide_damage(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    evdb_verify_report report;
    evdb_record *r;
    char path[3 * SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(store, t));
    ok(evdb_record_insert(store, num(1), pair, 2, NULL, NULL, &why));
    ok(evdb_store_sync(store, &why));
    ok(evdb_record_get(store, num(1), &r, &why)); /* its pages are cached now */
    evdb_record_free(r);
    flip(path, -100);
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_true(report.problems >= 1);
    flip(path, -100);
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_database_has_no_problems),
        TEST(a_damaged_store_is_a_finding_and_the_others_go_on),
        TEST(a_damaged_list_of_stores_is_a_finding),
        TEST(what_is_still_in_memory_does_not_hide_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
