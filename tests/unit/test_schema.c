/* test_schema.c - PRAGMA user_version: migrations run once each, and a newer database is refused unchanged. */
#include "client.h"
#include "disk/schema.h"
#include "disk/sql.h"
#include "disk/vfs.h"
#include "expect.h"
#include "platform/platform.h"
#include "scratch.h"
#include "tamper.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_unchanged(const char *path, char *before, size_t size)
{
    size_t now;
    char *after = scratch_content(path, &now);
    assert_int_equal(now, size);
    assert_memory_equal(after, before, size);
    free(before);
    free(after);
}

static void a_newer_database_is_refused_unchanged(void **state)
{
    scratch *t = *state;
    char path[2 * SCRATCH_PATH_MAX];
    size_t size;
    evdb *db = NULL;
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    evdb_close(t->db);
    t->db = NULL;
    tamper(path, "PRAGMA user_version=99");
    char *before = scratch_content(path, &size);
    refused(EVDB_NEWER, evdb_open(t->path, NULL, &db, &why));
    expect_says("99");
    assert_null(db);
    assert_unchanged(path, before, size);
}

static void a_newer_store_is_refused_unchanged_and_the_others_go_on(void **state)
{
    scratch *t = *state;
    const float v[1] = { 1 };
    char path[3 * SCRATCH_PATH_MAX];
    size_t size;
    evdb_store *newer = scratch_store(t, "newer", 1, EVDB_EUCLIDEAN), *other = scratch_store(t, "other", 1, EVDB_EUCLIDEAN);
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(newer, t));
    ok(evdb_record_insert(newer, num(1), v, 1, NULL, NULL, &why));
    evdb_store_close(newer);
    evdb_store_close(other);
    evdb_close(t->db);
    tamper(path, "PRAGMA user_version=98");
    char *before = scratch_content(path, &size);
    ok(evdb_open(t->path, NULL, &t->db, &why));
    refused(EVDB_NEWER, evdb_store_open(t->db, "newer", &newer, &why));
    ok(evdb_store_open(t->db, "other", &other, &why));
    ok(evdb_record_insert(other, num(1), v, 1, NULL, NULL, &why));
    evdb_store_close(other);
    assert_unchanged(path, before, size);
}

static void steps_run_once_each_and_all_or_none(void **state)
{
    static const char *const steps[] = { "CREATE TABLE a(x);", "CREATE TABLE b(x); INSERT INTO a VALUES(1);", "NONSENSE" };
    scratch *t = *state;
    char path[2 * SCRATCH_PATH_MAX];
    int64_t number;
    sql s;
    vfs *v;
    snprintf(path, sizeof(path), "%s/file.db", t->dir);
    ok(vfs_create(&platform_real, &v, &why));
    ok(sql_open(&platform_real, v, path, SQL_CREATE, &s, &why));
    ok(sql_migrate(&s, steps, 1, &why));
    ok(sql_migrate(&s, steps, 2, &why));
    ok(sql_migrate(&s, steps, 2, &why));
    ok(sql_integer(&s, "SELECT count(*) FROM a", &number, &why));
    assert_int_equal(number, 1);
    assert_int_not_equal(sql_migrate(&s, steps, 3, &why), EVDB_OK);
    ok(sql_integer(&s, "PRAGMA user_version", &number, &why));
    assert_int_equal(number, 2);
    refused(EVDB_NEWER, sql_migrate(&s, steps, 1, &why));
    ok(sql_integer(&s, "PRAGMA page_size", &number, &why));
    assert_int_equal(number, SQL_PAGE_SIZE);
    sql_close(&s);
    vfs_free(v);
}

/* Replaces the database's system.db by one of the first format, which names one store. */
static void make_format_1(scratch *t, const char *uuid, const char *name)
{
    char path[2 * SCRATCH_PATH_MAX], insert[300];
    int64_t number;
    sql s;
    vfs *v;
    snprintf(path, sizeof(path), "%s/system.db", t->path);
    assert_int_equal(remove(path), 0);
    ok(vfs_create(&platform_real, &v, &why));
    ok(sql_open(&platform_real, v, path, SQL_CREATE, &s, &why));
    ok(sql_migrate(&s, schema_system, 1, &why));
    snprintf(insert, sizeof(insert), "INSERT INTO stores VALUES('%s', '%s', 7); INSERT INTO debris VALUES('gone')", uuid, name);
    ok(sql_exec(&s, insert, &why));
    ok(sql_integer(&s, "PRAGMA user_version", &number, &why));
    assert_int_equal(number, 1);
    ok(sql_integer(&s, "SELECT count(*) FROM sqlite_schema WHERE name IN ('keys', 'clients', 'refresh')", &number, &why));
    assert_int_equal(number, 0);
    sql_close(&s);
    vfs_free(v);
}

static void a_database_of_format_1_gains_clients(void **state)
{
    scratch *t = *state;
    const float v[1] = { 1 };
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_store_info *info;
    evdb_verify_report report;
    ok(evdb_record_insert(store, num(1), v, 1, NULL, NULL, &why));
    ok(evdb_store_describe(store, &info, &why));
    evdb_store_close(store);
    evdb_close(t->db);
    make_format_1(t, info->uuid, "older");
    evdb_store_info_free(info);
    ok(evdb_open(t->path, NULL, &t->db, &why));
    ok(evdb_store_open(t->db, "older", &store, &why));
    assert_int_equal(scratch_count(store), 1);
    evdb_store_close(store);
    client c = client_new(t->db, "a");
    evdb_token token = client_login(t->db, &c);
    scratch_reopen(t); /* the second time there is nothing to do */
    assert_true(client_token_good(t->db, token.access));
    (void)client_refresh(t->db, &c, token.refresh);
    ok(evdb_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.records, 1);
}

static void opening_a_store_writes_nothing(void **state)
{
    scratch *t = *state;
    const float v[1] = { 1 };
    char path[3 * SCRATCH_PATH_MAX], log[3 * SCRATCH_PATH_MAX];
    size_t size, log_size, log_now;
    int64_t number;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN), *again;
    evdb_record *r;
    evdb *other;
    sql s;
    vfs *own;
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(store, t));
    snprintf(log, sizeof(log), "%s/rows.db-wal", scratch_folder(store, t));
    ok(evdb_record_insert(store, num(1), v, 1, NULL, NULL, &why));
    char *before = scratch_content(path, &size);
    free(scratch_content(log, &log_size));
    ok(evdb_open(t->path, NULL, &other, &why)); /* connections of its own */
    ok(evdb_store_open(other, "s", &again, &why));
    ok(evdb_record_get(again, num(1), &r, &why));
    evdb_record_free(r);
    evdb_store_close(again);
    evdb_close(other);
    free(scratch_content(log, &log_now));
    assert_int_equal(log_now, log_size);
    assert_unchanged(path, before, size);
    ok(vfs_create(&platform_real, &own, &why));
    ok(sql_open(&platform_real, own, path, SQL_READER, &s, &why));
    ok(sql_integer(&s, "PRAGMA auto_vacuum", &number, &why));
    assert_int_equal(number, 2); /* incremental, from its creation on */
    sql_close(&s);
    vfs_free(own);
    evdb_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_newer_database_is_refused_unchanged),
        TEST(a_database_of_format_1_gains_clients),
        TEST(a_newer_store_is_refused_unchanged_and_the_others_go_on),
        TEST(opening_a_store_writes_nothing),
        TEST(steps_run_once_each_and_all_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
