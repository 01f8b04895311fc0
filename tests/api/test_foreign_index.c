/* test_foreign_index.c - evdb/foreign.h: the files of a Chroma's index, changed, cut and gone. Each is refused with the name of what is at
 * fault, or the records that are not in the index come alone. */
#include "expect.h"
#include "foreign_files.h"
#include "scratch.h"
#include "transfer_store.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT "00000000-0000-4000-8000-000000000001"
enum { GONE = -1, HEAD = 100, PATH = SCRATCH_PATH_MAX + 100 };

static scratch *t;

static int set_up(void **state)
{
    if (scratch_open(state) != 0) return -1;
    t = *state;
    return transfer_open(state);
}

static int tear_down(void **state)
{
    transfer_close(state);
    *state = t;
    return scratch_remove(state);
}

/* A directory of its own for each. */
static const char *make(char directory[SCRATCH_PATH_MAX])
{
    static int number;
    char name[32];
    snprintf(name, sizeof(name), "chroma-%d", number++);
    snprintf(directory, SCRATCH_PATH_MAX, "%s", scratch_path(t, name));
    assert_true(foreign_chroma(directory));
    return directory;
}

static const char *file_in(const char *directory, const char *file, char path[PATH])
{
    snprintf(path, PATH, "%s/" SEGMENT "/%s", directory, file);
    return path;
}

static void put(const char *directory, const char *file, off_t at, const void *bytes, size_t size)
{
    char path[PATH];
    int fd = open(file_in(directory, file, path), O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

static evdb_status import(const char *directory, evdb_import_report *report)
{
    evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
    evdb_foreign *from = NULL;
    evdb_store *store = transfer_store(EVDB_COSINE);
    options.kind = EVDB_FOREIGN_CHROMA;
    options.name = "docs";
    evdb_status rc = evdb_foreign_open(transfer_database(), directory, &options, &from, &why);
    if (rc == EVDB_OK) rc = evdb_foreign_import(store, from, NULL, report, &why);
    evdb_foreign_close(from);
    evdb_store_close(store);
    return rc;
}

static void a_header_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        off_t at;
        uint64_t value;
        evdb_status status;
        const char *says;
    } cases[] = {
        { 0, 2, EVDB_UNSUPPORTED, "version" },  { 4, 1, EVDB_UNSUPPORTED, "version" },   { 28, 7, EVDB_INVALID, "makes no sense" },
        { 28, UINT64_MAX, EVDB_INVALID, "makes no sense" },                              { 36, 11, EVDB_INVALID, "makes no sense" },
        { 44, 12, EVDB_INVALID, "makes no sense" }, { 44, 5, EVDB_INVALID, "makes no sense" }, { 20, 6, EVDB_INVALID, "ends before" },
        { 20, UINT64_MAX, EVDB_INVALID, "ends before" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char directory[SCRATCH_PATH_MAX];
        evdb_import_report report = { 0 };
        put(make(directory), "header.bin", cases[i].at, &cases[i].value, cases[i].at ? sizeof(cases[i].value) : sizeof(uint32_t));
        evdb_status rc = import(directory, &report);
        if (rc != cases[i].status) fail_msg("case %zu: %s: %s", i, evdb_status_name(rc), why.message);
        expect_says(cases[i].says);
    }
}

static void files_that_are_cut_or_gone_are_named(void **state)
{
    static const struct {
        const char *file;
        off_t size;
        evdb_status status;
    } cases[] = {
        { "header.bin", HEAD / 4, EVDB_INVALID }, { "header.bin", GONE, EVDB_IO },    { "data_level0.bin", 30, EVDB_INVALID },
        { "data_level0.bin", GONE, EVDB_IO },     { "length.bin", 7, EVDB_INVALID },  { "length.bin", GONE, EVDB_IO },
        { "index_metadata.pickle", 20, EVDB_INVALID },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char directory[SCRATCH_PATH_MAX], path[PATH];
        evdb_import_report report = { 0 };
        file_in(make(directory), cases[i].file, path);
        assert_int_equal(cases[i].size == GONE ? unlink(path) : truncate(path, cases[i].size), 0);
        evdb_status rc = import(directory, &report);
        bool named = rc == cases[i].status || (cases[i].size == GONE && rc == EVDB_NOT_FOUND);
        if (!named) fail_msg("%s of %ld bytes: %s: %s", cases[i].file, (long)cases[i].size, evdb_status_name(rc), why.message);
        expect_says(cases[i].file);
    }
}

static void without_labels_there_is_no_index(void **state)
{
    char directory[SCRATCH_PATH_MAX], path[PATH];
    evdb_import_report report = { 0 };
    (void)state;
    assert_int_equal(unlink(file_in(make(directory), "index_metadata.pickle", path)), 0);
    evdb_status rc = import(directory, &report);
    assert_true(rc == EVDB_OK || rc == EVDB_INVALID);
    assert_true(report.written <= FOREIGN_RECORDS / 2);
}

static void a_segment_that_leads_elsewhere_is_refused(void **state)
{
    static const char *const names[] = { "../../../../../../../../../../../../", "00000000-0000-4000-8000-00000000000" };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char directory[SCRATCH_PATH_MAX], path[PATH], sql[300];
        evdb_import_report report = { 0 };
        snprintf(path, sizeof(path), "%s/chroma.sqlite3", make(directory));
        snprintf(sql, sizeof(sql), "UPDATE segments SET id='%s' WHERE scope='VECTOR'; UPDATE max_seq_id SET segment_id='%s' WHERE seq_id=5", names[i], names[i]);
        assert_true(foreign_sql(path, sql));
        assert_int_equal(import(directory, &report), EVDB_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_makes_no_sense_is_refused),
        cmocka_unit_test(files_that_are_cut_or_gone_are_named),
        cmocka_unit_test(without_labels_there_is_no_index),
        cmocka_unit_test(a_segment_that_leads_elsewhere_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
