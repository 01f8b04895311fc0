/* test_repair.c - evdb/repair.h: what is reported, what is refused, what becomes of handles, followers and the damaged files. (What is
 * salvaged of which damage: tests/fault/test_repair.c.) */
#include "expect.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 16384, STORE_PAGE = 3, RECORDS_PAGE = 5, VECTORS_PAGE = 6, ROWS = 30 };

typedef struct findings {
    unsigned problems, lost, ticks, stop_at;
    int64_t last;
    evdb_lost what;
} findings;

static void note_problem(void *context, const char *text)
{
    findings *f = context;
    f->problems++;
    assert_true(*text != 0);
}

static void note_lost(void *context, const evdb_id *id, evdb_lost what)
{
    findings *f = context;
    f->lost++;
    f->last = id->number;
    f->what = what;
}

static int tick(void *context, evdb_transfer_phase phase, uint64_t records)
{
    findings *f = context;
    (void)records;
    assert_int_equal(phase, EVDB_PHASE_WRITE);
    return ++f->ticks == f->stop_at;
}

static evdb_repair_options telling(findings *f)
{
    evdb_repair_options o = EVDB_REPAIR_OPTIONS;
    o.context = f;
    o.problem = note_problem;
    o.lost = note_lost;
    o.progress = tick;
    return o;
}

static evdb_store *filled(scratch *t)
{
    evdb_store *store = scratch_store(t, "docs", 2, EVDB_EUCLIDEAN);
    for (int i = 0; i < ROWS; i++) ok(evdb_record_insert(store, num(i), (float[]){ (float)i, 1 }, 2, "{\"a\":1}", NULL, &why));
    ok(evdb_store_sync(store, &why));
    return store;
}

static void damage(const char *folder, unsigned page)
{
    char path[SCRATCH_PATH_MAX];
    snprintf(path, sizeof(path), "%s/rows.db", folder);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(page - 1) * PAGE + PAGE - 100, SEEK_SET), 0);
    for (int i = 0; i < 50; i++) putc(0x5a, file);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const scratch *t, const char *below)
{
    char path[SCRATCH_PATH_MAX * 2];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", t->path, below);
    return stat(path, &st) == 0;
}

static void sound(scratch *t)
{
    evdb_verify_report report;
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
}

static void a_sound_store_is_left_alone(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    findings f = { 0 };
    evdb_repair_options o = telling(&f);
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_store_info *before, *after;
    ok(evdb_store_describe(store, &before, &why));
    ok(evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_true(!r.repaired && !r.problems && !*r.quarantine && !f.problems && !f.lost && !f.ticks);
    assert_int_equal(r.records, ROWS);
    ok(evdb_store_describe(store, &after, &why));
    assert_string_equal(before->uuid, after->uuid);
    assert_false(is_there(t, "quarantine"));
    evdb_store_info_free(before);
    evdb_store_info_free(after);
    evdb_store_close(store);
}

static unsigned last_page_with(const char *folder, const char *text)
{
    char path[SCRATCH_PATH_MAX];
    size_t size, length = strlen(text), at = 0;
    snprintf(path, sizeof(path), "%s/rows.db", folder);
    char *content = scratch_content(path, &size);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(content + i, text, length) == 0) at = i;
    free(content);
    assert_true(at > 0);
    return (unsigned)(at / PAGE) + 1;
}

/* The page of the trash is damaged. What was in it is left behind, but the store goes on as it was told to. */
static void records_keep_their_authors_and_the_store_what_it_was_told(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    findings f = { 0 };
    evdb_repair_options o = telling(&f);
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_store_info *info;
    evdb_record *was, *is;
    evdb_trash *trash;
    ok(evdb_store_set_authors(store, 1, &why));
    ok(evdb_store_set_trash(store, 5000, &why));
    ok(evdb_record_merge(store, num(21), "{\"b\":2}", "ann", 0, NULL, &why));
    ok(evdb_record_update(store, num(22), NULL, 0, "{}", 0, NULL, &why));
    ok(evdb_record_update(store, num(23), NULL, 0, "{\"secret\":\"cormorant\"}", 0, NULL, &why));
    ok(evdb_record_delete(store, num(23), 0, &why));
    ok(evdb_record_get(store, num(21), &was, &why));
    ok(evdb_store_sync(store, &why));
    damage(scratch_folder(store, t), last_page_with(scratch_folder(store, t), "cormorant"));
    refused(EVDB_CORRUPT, evdb_trash_list(store, 0, 0, &trash, &why));
    ok(evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_true(r.repaired == 1 && r.records == ROWS - 1 && !f.lost);
    evdb_store_close(store);
    ok(evdb_store_open(t->db, "docs", &store, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_true(info->authors == 1 && info->trash_ms == 5000);
    evdb_store_info_free(info);
    ok(evdb_record_get(store, num(21), &is, &why));
    assert_string_equal(is->author, "ann");
    assert_true(is->written_ms == was->written_ms && is->version == was->version);
    evdb_record_free(is);
    ok(evdb_record_get(store, num(22), &is, &why));
    assert_true(!is->author && is->written_ms >= was->written_ms);
    evdb_record_free(is);
    ok(evdb_record_get(store, num(24), &is, &why));
    assert_true(!is->author && !is->written_ms);
    evdb_record_free(is);
    evdb_record_free(was);
    refused(EVDB_NOT_FOUND, evdb_record_get(store, num(23), &is, &why));
    ok(evdb_trash_list(store, 0, 0, &trash, &why));
    assert_int_equal(trash->count, 0);
    evdb_trash_free(trash);
    sound(t);
    evdb_store_close(store);
}

static void lost_records_are_told_by_id_and_the_damaged_files_are_kept(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t), *again;
    findings f = { 0 };
    evdb_repair_options o = telling(&f);
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_changes *changes;
    char kept[200];
    damage(scratch_folder(store, t), VECTORS_PAGE);
    ok(evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_true(r.repaired && r.problems > 0 && r.problems == f.problems && f.ticks > 0);
    assert_int_equal(r.records, 0);
    assert_int_equal(r.lost, ROWS);
    assert_int_equal(f.lost, ROWS);
    assert_int_equal(f.last, ROWS - 1);
    assert_int_equal(f.what, EVDB_LOST_VECTOR);
    assert_true(!r.lost_unnamed && !r.missing_changes && !r.fields_lost);
    snprintf(kept, sizeof(kept), "%s/rows.db", r.quarantine);
    assert_true(is_there(t, kept));
    /* handles are of the store that was; followers read anew; versions go on */
    refused(EVDB_NOT_FOUND, evdb_record_insert(store, num(1), (float[]){ 1, 1 }, 2, NULL, NULL, &why));
    ok(evdb_store_open(t->db, "docs", &again, &why));
    refused(EVDB_GONE, evdb_changes_read(again, ROWS, 10, &changes, &why));
    uint64_t version;
    ok(evdb_record_insert(again, num(1), (float[]){ 1, 1 }, 2, NULL, &version, &why));
    assert_int_equal(version, r.sequence + 1);
    assert_true(r.sequence > ROWS);
    sound(t);
    evdb_store_close(store);
    evdb_store_close(again);
    scratch_reopen(t);
    sound(t);
    assert_true(is_there(t, kept));
}

static void vectors_without_metadata_are_told_so(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    findings f = { 0 };
    evdb_repair_options o = telling(&f);
    damage(scratch_folder(store, t), RECORDS_PAGE);
    ok(evdb_store_repair(t->db, "docs", &o, NULL, &why));
    assert_int_equal(f.lost, ROWS);
    assert_int_equal(f.what, EVDB_LOST_METADATA);
    evdb_store_close(store);
}

static void a_store_without_description_needs_one(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    evdb_repair_options o = EVDB_REPAIR_OPTIONS;
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_store_options description = EVDB_STORE_OPTIONS;
    evdb_store_info *info;
    damage(scratch_folder(store, t), STORE_PAGE);
    refused(EVDB_CORRUPT, evdb_store_repair(t->db, "docs", &o, &r, &why));
    expect_says("description");
    assert_false(is_there(t, "quarantine"));
    o.description = &description;
    description.metric = EVDB_EUCLIDEAN;
    ok(evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_int_equal(r.records, ROWS);
    evdb_store_close(store);
    ok(evdb_store_open(t->db, "docs", &store, &why));
    ok(evdb_store_describe(store, &info, &why));
    assert_true(info->dim == 2 && info->metric == EVDB_EUCLIDEAN && info->id_type == EVDB_ID_INTEGER);
    evdb_store_info_free(info);
    evdb_store_close(store);
    sound(t);
}

static void a_cancelled_repair_changes_nothing(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    findings f = { .stop_at = 1 };
    evdb_repair_options o = telling(&f);
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    char below[100];
    snprintf(below, sizeof(below), "stores/%s", strrchr(scratch_folder(store, t), '/') + 1);
    damage(scratch_folder(store, t), RECORDS_PAGE);
    refused(EVDB_CANCELLED, evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_true(is_there(t, below) && !is_there(t, "quarantine"));
    f.stop_at = 0;
    ok(evdb_store_repair(t->db, "docs", &o, &r, &why));
    assert_true(r.repaired && !is_there(t, below));
    evdb_store_close(store);
}

/* As a repair leaves it that was killed between giving the new store its name and setting the old folder aside. */
static void a_folder_that_was_left_is_set_aside_by_the_next_repair(void **state)
{
    scratch *t = *state;
    evdb_store *store = filled(t);
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    char from[SCRATCH_PATH_MAX * 2], to[SCRATCH_PATH_MAX * 2], kept[64];
    damage(scratch_folder(store, t), RECORDS_PAGE);
    ok(evdb_store_repair(t->db, "docs", NULL, &r, &why));
    memcpy(kept, r.quarantine, sizeof(kept));
    snprintf(from, sizeof(from), "%s/%s", t->path, kept);
    snprintf(to, sizeof(to), "%s/stores/%s", t->path, strrchr(kept, '/') + 1);
    assert_int_equal(rename(from, to), 0);
    ok(evdb_store_repair(t->db, "docs", NULL, &r, &why));
    assert_false(r.repaired);
    assert_true(is_there(t, kept));
    evdb_store_close(store);
}

static void what_cannot_be_repaired_is_refused(void **state)
{
    scratch *t = *state;
    evdb *memory;
    evdb_repair_report r = EVDB_REPAIR_REPORT;
    evdb_store *store = filled(t);
    char folder[SCRATCH_PATH_MAX], elsewhere[SCRATCH_PATH_MAX * 2];
    refused(EVDB_NOT_FOUND, evdb_store_repair(t->db, "missing", NULL, &r, &why));
    refused(EVDB_INVALID, evdb_store_repair(t->db, "No Name", NULL, &r, &why));
    ok(evdb_open(":memory:", NULL, &memory, &why));
    ok(evdb_store_create(memory, "docs", NULL, NULL, &why));
    ok(evdb_store_repair(memory, "docs", NULL, &r, &why));
    assert_false(r.repaired);
    evdb_close(memory);
    snprintf(folder, sizeof(folder), "%s", scratch_folder(store, t));
    evdb_store_close(store);
    evdb_close(t->db);
    snprintf(elsewhere, sizeof(elsewhere), "%s.gone", folder);
    assert_int_equal(rename(folder, elsewhere), 0);
    ok(evdb_open(t->path, NULL, &t->db, &why));
    refused(EVDB_CORRUPT, evdb_store_repair(t->db, "docs", NULL, &r, &why));
    expect_says("restore a backup");
    assert_int_equal(rename(elsewhere, folder), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_store_is_left_alone),
        TEST(records_keep_their_authors_and_the_store_what_it_was_told),
        TEST(lost_records_are_told_by_id_and_the_damaged_files_are_kept),
        TEST(vectors_without_metadata_are_told_so),
        TEST(a_store_without_description_needs_one),
        TEST(a_cancelled_repair_changes_nothing),
        TEST(a_folder_that_was_left_is_set_aside_by_the_next_repair),
        TEST(what_cannot_be_repaired_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
