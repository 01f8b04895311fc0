/* test_foreign.c - evdb/foreign.h: files of other programs as sources of an import. */
#include "expect.h"
#include "foreign_files.h"
#include "scratch.h"
#include "transfer_store.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static scratch *t;
static char path[SCRATCH_PATH_MAX];

static int set_up(void **state)
{
    if (scratch_open(state) != 0) return -1;
    t = *state;
    snprintf(path, sizeof(path), "%s", scratch_path(t, "v.db"));
    return transfer_open(state) || !foreign_sqlite_vec(path);
}

static int tear_down(void **state)
{
    transfer_close(state);
    *state = t;
    return scratch_remove(state);
}

static evdb_foreign *open_as(const char *name, const char *column)
{
    evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
    evdb_foreign *from = NULL;
    options.kind = EVDB_FOREIGN_SQLITE_VEC;
    options.name = name;
    options.column = column;
    ok(evdb_foreign_open(transfer_database(), path, &options, &from, &why));
    return from;
}

static evdb_status open_fails(const char *where, evdb_foreign_kind kind, const char *name, const char *column)
{
    evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
    evdb_foreign *from;
    options.kind = kind;
    options.name = name;
    options.column = column;
    return evdb_foreign_open(transfer_database(), where, &options, &from, &why);
}

static void a_vec0_table_is_read_record_by_record(void **state)
{
    (void)state;
    evdb_foreign *from = open_as(NULL, "v");
    evdb_foreign_info info = EVDB_FOREIGN_INFO;
    evdb_store *store = transfer_store(EVDB_COSINE);
    evdb_import_report report = { 0 };
    ok(evdb_foreign_describe(from, &info, &why));
    assert_true(info.records == FOREIGN_RECORDS && info.dim == 2 && info.metric == EVDB_COSINE && info.dtype == EVDB_F32);
    ok(evdb_foreign_import(store, from, NULL, &report, &why));
    assert_int_equal(report.written, FOREIGN_RECORDS);
    for (int64_t i = 1; i <= FOREIGN_RECORDS; i++) {
        char wanted[160];
        evdb_record *record;
        ok(evdb_record_get(store, (evdb_id){ .number = i }, &record, &why));
        snprintf(wanted, sizeof(wanted), "{\"word\":\"%s\",\"year\":%lld,\"ok\":%s,\"body\":\"body %lld\"}",
                 i % 2 ? "odd" : "even, even more", (long long)i + 2000, i % 3 ? "false" : "true", (long long)i);
        assert_string_equal(record->metadata, wanted);
        assert_true(record->vector[0] == (float)i && record->vector[1] == -1);
        evdb_record_free(record);
    }
    evdb_foreign_close(from);
    evdb_store_close(store);
}

static void a_source_is_read_as_often_as_one_likes(void **state)
{
    (void)state;
    evdb_foreign *from = open_as("plain", NULL);
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    evdb_import_report report = { 0 };
    for (uint32_t batch = 1; batch < 5; batch++) {
        evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
        evdb_record *record;
        options.batch = batch;
        options.resume = 0;
        ok(evdb_foreign_import(store, from, &options, &report, &why));
        assert_int_equal(transfer_count(store), FOREIGN_RECORDS);
        refused_item(EVDB_EXISTS, 1, evdb_foreign_import(store, from, &options, &report, &why));
        expect_says("record 1: id 'n1' is already in the store");
        ok(evdb_record_delete(store, (evdb_id){ .text = "n3" }, 0, &why));
        options.resume = 1;
        ok(evdb_foreign_import(store, from, &options, &report, &why));
        assert_true(report.written == 1 && report.present == FOREIGN_RECORDS - 1);
        ok(evdb_record_get(store, (evdb_id){ .text = "n3" }, &record, &why));
        assert_string_equal(record->metadata, "{\"n\":3}");
        evdb_record_free(record);
        evdb_store_close(store);
    }
    evdb_foreign_close(from);
}

static void a_collection_of_chroma_is_read_from_its_index_and_its_queue(void **state)
{
    (void)state;
    evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
    evdb_foreign_info info = EVDB_FOREIGN_INFO;
    evdb_foreign *from = NULL;
    evdb_import_report report = { 0 };
    evdb_store *store = transfer_store(EVDB_COSINE);
    const char *directory = scratch_path(t, "chroma");
    assert_true(foreign_chroma(directory));
    options.kind = EVDB_FOREIGN_CHROMA;
    ok(evdb_foreign_open(transfer_database(), directory, &options, &from, &why));
    ok(evdb_foreign_describe(from, &info, &why));
    assert_true(info.records == FOREIGN_RECORDS && info.dim == 2 && info.metric == EVDB_COSINE);
    ok(evdb_foreign_import(store, from, NULL, &report, &why));
    assert_int_equal(report.written, FOREIGN_RECORDS);
    for (int i = 1; i <= FOREIGN_RECORDS; i++) {
        char id[16], wanted[160];
        evdb_record *record;
        snprintf(id, sizeof(id), "r%d", i);
        snprintf(wanted, sizeof(wanted), "{\"chroma:document\":\"text %d\",\"n\":%d%s}", i, i, i == 1 ? ",\"list\":[1,2]" : "");
        ok(evdb_record_get(store, (evdb_id){ .text = id }, &record, &why));
        assert_string_equal(record->metadata, wanted);
        assert_true(record->vector[0] == (float)i && record->vector[1] == -(float)i);
        evdb_record_free(record);
    }
    evdb_foreign_close(from);
    evdb_store_close(store);
    refused(EVDB_NOT_FOUND, open_fails(directory, EVDB_FOREIGN_CHROMA, "none", NULL));
    expect_says("there are docs");
    refused(EVDB_INVALID, open_fails(directory, EVDB_FOREIGN_CHROMA, NULL, "v"));
    refused(EVDB_NOT_FOUND, open_fails(scratch_path(t, "nothing"), EVDB_FOREIGN_CHROMA, NULL, NULL));
}

/* A file with a log that was moved into it is read without locks. */
static void a_file_that_is_written_to_meanwhile_is_refused(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
    assert_true(foreign_sql(path, "PRAGMA journal_mode=WAL; CREATE TABLE w(v BLOB); INSERT INTO w VALUES(x'0000803f')"));
    evdb_foreign *from = open_as("w", NULL);
    const struct timespec past = { .tv_sec = 1000 };
    assert_int_equal(utimensat(AT_FDCWD, path, (const struct timespec[2]){ past, past }, 0), 0);
    refused(EVDB_BUSY, evdb_foreign_import(store, from, NULL, NULL, &why));
    expect_says("written to while it was read");
    assert_int_equal(transfer_count(store), 0);
    evdb_foreign_close(from);
    evdb_store_close(store);
    assert_true(foreign_sqlite_vec(path));
}

static void damaged_layouts_are_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *says;
    } cases[] = {
        { "DROP TABLE docs_rowids", "no table docs_rowids" },
        { "DROP TABLE docs_vector_chunks00", "no table docs_vector_chunks00" },
        { "ALTER TABLE docs_rowids RENAME COLUMN chunk_offset TO x", "chunk_offset" },
        { "UPDATE docs_rowids SET chunk_offset=4 WHERE rowid=3", "its place is not in its chunk" },
        { "UPDATE docs_rowids SET chunk_offset=-1 WHERE rowid=3", "its place is not in its chunk" },
        { "UPDATE docs_rowids SET chunk_id=99 WHERE rowid=3", "its place is not in its chunk" },
        { "UPDATE docs_chunks SET size=1000000000", NULL },
        { "UPDATE docs_chunks SET size=100; UPDATE docs_rowids SET chunk_offset=50 WHERE rowid=3", "is not there" },
        { "UPDATE docs_vector_chunks00 SET vectors=x'00' WHERE rowid=1", "its place in docs_vector_chunks00 is not there" },
        { "UPDATE docs_vector_chunks00 SET vectors='text' WHERE rowid=1", "docs_vector_chunks00" },
        { "DELETE FROM docs_vector_chunks00 WHERE rowid=2", "docs_vector_chunks00" },
        { "DELETE FROM docs_metadatatext00", "its text of column word is not there" },
        { "DELETE FROM docs_auxiliary", NULL }, /* null */
        { "DROP TABLE docs_metadatachunks01; CREATE VIEW docs_metadatachunks01 AS SELECT 1", "no table docs_metadatachunks01" },
        { "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE docs USING vec0(v float[0])' WHERE name='docs'",
          "its dimension is not in" },
        { "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE docs USING vec0(v float[2], w float32)' WHERE name='docs'",
          "the type of column 'w' is not known" },
        { "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE docs USING vec0(name text)' WHERE name='docs'",
          "no column of vectors" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        evdb_foreign_options options = EVDB_FOREIGN_OPTIONS;
        evdb_foreign *from = NULL;
        evdb_store *store = transfer_store(EVDB_EUCLIDEAN);
        options.kind = EVDB_FOREIGN_SQLITE_VEC;
        options.name = "docs";
        assert_true(foreign_sqlite_vec(path) && foreign_sql(path, cases[i].sql));
        options.column = i < 14 ? "v" : NULL;
        evdb_status rc = evdb_foreign_open(transfer_database(), path, &options, &from, &why);
        if (rc == EVDB_OK) rc = evdb_foreign_import(store, from, NULL, NULL, &why);
        if (rc != (cases[i].says ? EVDB_INVALID : EVDB_OK)) fail_msg("%s: %s: %s", cases[i].sql, evdb_status_name(rc), why.message);
        if (cases[i].says) expect_says(cases[i].says);
        evdb_foreign_close(from);
        evdb_store_close(store);
    }
    assert_true(foreign_sqlite_vec(path));
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    evdb_store *store = transfer_store(EVDB_COSINE);
    evdb_foreign *from = open_as("plain", "v");
    evdb_foreign_info info = { 0 };
    evdb_import_options options = EVDB_IMPORT_OPTIONS;
    refused(EVDB_INVALID, open_fails(NULL, EVDB_FOREIGN_SQLITE_VEC, NULL, NULL));
    refused(EVDB_INVALID, open_fails(path, (evdb_foreign_kind)0, NULL, NULL));
    refused(EVDB_INVALID, open_fails(path, (evdb_foreign_kind)99, NULL, NULL));
    refused(EVDB_NOT_FOUND, open_fails("/nothing/here.db", EVDB_FOREIGN_SQLITE_VEC, NULL, NULL));
    refused(EVDB_INVALID, open_fails(path, EVDB_FOREIGN_SQLITE_VEC, NULL, NULL));
    expect_says("v and flags");
    refused(EVDB_NOT_FOUND, open_fails(path, EVDB_FOREIGN_SQLITE_VEC, "docs", "x"));
    refused(EVDB_NOT_FOUND, open_fails(path, EVDB_FOREIGN_SQLITE_VEC, "a'b\"c", NULL));
    refused(EVDB_INVALID, evdb_foreign_describe(from, &info, &why)); /* its size is not set */
    refused(EVDB_INVALID, evdb_foreign_describe(NULL, &info, &why));
    refused(EVDB_INVALID, evdb_foreign_import(store, NULL, NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_foreign_import(NULL, from, NULL, NULL, &why));
    options.format = EVDB_FORMAT_JSONL;
    refused(EVDB_INVALID, evdb_foreign_import(store, from, &options, NULL, &why));
    expect_says("no format to choose");
    evdb_foreign_close(from);
    evdb_foreign_close(NULL);
    evdb_store_close(store);
}

static void kinds_have_names(void **state)
{
    (void)state;
    evdb_foreign_kind kind;
    ok(evdb_foreign_kind_parse("sqlite-vec", &kind, &why));
    assert_int_equal(kind, EVDB_FOREIGN_SQLITE_VEC);
    assert_string_equal(evdb_foreign_kind_name(kind), "sqlite-vec");
    ok(evdb_foreign_kind_parse("chroma", &kind, &why));
    assert_int_equal(kind, EVDB_FOREIGN_CHROMA);
    assert_null(evdb_foreign_kind_name((evdb_foreign_kind)0));
    assert_null(evdb_foreign_kind_name((evdb_foreign_kind)99));
    refused(EVDB_INVALID, evdb_foreign_kind_parse("sqlite", &kind, &why));
    refused(EVDB_INVALID, evdb_foreign_kind_parse(NULL, &kind, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vec0_table_is_read_record_by_record),
        cmocka_unit_test(a_source_is_read_as_often_as_one_likes),
        cmocka_unit_test(a_collection_of_chroma_is_read_from_its_index_and_its_queue),
        cmocka_unit_test(a_file_that_is_written_to_meanwhile_is_refused),
        cmocka_unit_test(damaged_layouts_are_refused_and_named),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
