/* test_op_bucket.c - backups as objects of a bucket: what the operations do with one that is in memory, and when it fails. */
#include "call.h"
#include "folder.h"
#include "memory_bucket.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct scene {
    evdb *db;
    char dir[FOLDER_PATH];
    memory_bucket m;
} scene;

static int scene_open(void **state)
{
    scene *s = calloc(1, sizeof *s);
    if (!s || !(s->db = folder_open(s->dir))) return -1;
    call_expect(s->db, "create_store", "{\"name\":\"docs\",\"dim\":2,\"metric\":\"l2\"}", NULL);
    memory_bucket_init(&s->m);
    *state = s;
    return 0;
}

static int scene_close(void **state)
{
    scene *s = *state;
    memory_bucket_free(&s->m);
    folder_close(s->db, s->dir);
    free(s);
    return 0;
}

static evdb_status ask(scene *s, const char *name, const char *text, json_t **reply, evdb_error *err)
{
    const op_call call = { .db = s->db, .bucket = &s->m.bucket };
    *reply = NULL;
    return call_op(&call, name, text, reply, err);
}

static void expect(scene *s, const char *name, const char *text)
{
    json_t *reply;
    evdb_error err;
    if (ask(s, name, text, &reply, &err) != EVDB_OK) fail_msg("%s %s: %s", name, text, err.message);
    json_decref(reply);
}

static void refused(scene *s, const char *name, const char *text, evdb_status status, const char *names)
{
    json_t *reply;
    evdb_error err;
    assert_int_equal(ask(s, name, text, &reply, &err), status);
    if (!strstr(err.message, names)) fail_msg("\"%s\" does not name %s", err.message, names);
}

/* A full backup `a` of three records, an increment `b` and one of that, `c`. */
static void make_chain(scene *s)
{
    expect(s, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}");
    expect(s, "backup_store", "{\"store\":\"docs\",\"backup\":\"a\",\"target\":\"s3\"}");
    expect(s, "insert_vector", "{\"store\":\"docs\",\"id\":2,\"vector\":[2,2]}");
    expect(s, "backup_store", "{\"store\":\"docs\",\"backup\":\"b\",\"base\":\"a\",\"target\":\"s3\"}");
    expect(s, "insert_vector", "{\"store\":\"docs\",\"id\":3,\"vector\":[3,2]}");
    expect(s, "backup_store", "{\"store\":\"docs\",\"backup\":\"c\",\"base\":\"b\",\"target\":\"s3\"}");
}

static void a_chain_comes_back_as_of_each_of_its_states(void **state)
{
    scene *s = *state;
    json_t *reply;
    evdb_error err;
    make_chain(s);
    assert_int_equal(ask(s, "list_backups", "{\"target\":\"s3\"}", &reply, &err), EVDB_OK);
    assert_int_equal(json_array_size(json_object_get(reply, "backups")), 3);
    json_decref(reply);
    for (int sequence = 1; sequence <= 3; sequence++) {
        char text[128];
        snprintf(text, sizeof text, "{\"backup\":\"c\",\"store\":\"back\",\"replace\":true,\"sequence\":%d,\"target\":\"s3\"}", sequence);
        assert_int_equal(ask(s, "restore_store", text, &reply, &err), EVDB_OK);
        assert_int_equal(json_integer_value(json_object_get(reply, "records")), sequence);
        assert_string_equal(json_string_value(json_object_get(reply, "backup")), sequence == 1 ? "a" : sequence == 2 ? "b" : "c");
        json_decref(reply);
    }
    expect(s, "verify_backup", "{\"backup\":\"c\",\"target\":\"s3\"}");
    refused(s, "delete_backup", "{\"backup\":\"a\",\"target\":\"s3\"}", EVDB_INVALID, "'b' is an increment");
    refused(s, "backup_store", "{\"store\":\"docs\",\"backup\":\"c\",\"target\":\"s3\"}", EVDB_EXISTS, "'c' already exists");
    refused(s, "restore_store", "{\"backup\":\"../c\",\"store\":\"x\",\"target\":\"s3\"}", EVDB_INVALID, "path");
    refused(s, "delete_backup", "{\"backup\":\"../c\",\"target\":\"s3\"}", EVDB_INVALID, "name");
    for (const char *name = "cba"; *name; name++) {
        char text[64];
        snprintf(text, sizeof text, "{\"backup\":\"%c\",\"target\":\"s3\"}", *name);
        expect(s, "delete_backup", text);
        refused(s, "verify_backup", text, EVDB_NOT_FOUND, "there is no backup");
    }
    assert_int_equal(s->m.count, 0);
}

static void whatever_call_of_a_bucket_fails_is_told_and_changes_nothing(void **state)
{
    static const char *const asked[][2] = {
        { "list_backups", "{\"target\":\"s3\"}" },
        { "verify_backup", "{\"backup\":\"c\",\"target\":\"s3\"}" },
        { "backup_store", "{\"store\":\"docs\",\"backup\":\"d\",\"base\":\"c\",\"target\":\"s3\"}" },
        { "restore_store", "{\"backup\":\"c\",\"store\":\"docs\",\"replace\":true,\"target\":\"s3\"}" },
        { "delete_backup", "{\"backup\":\"c\",\"target\":\"s3\"}" },
    };
    scene *s = *state;
    json_t *reply;
    evdb_error err;
    make_chain(s);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        int fails = -1;
        evdb_status rc;
        if (i == 3) expect(s, "delete_backup", "{\"backup\":\"d\",\"target\":\"s3\"}");
        do {
            s->m.fail_in = ++fails;
            rc = ask(s, asked[i][0], asked[i][1], &reply, &err);
            json_decref(reply);
            if (rc != EVDB_OK) {
                assert_int_equal(rc, EVDB_REMOTE);
                assert_non_null(strstr(err.message, "the bucket fails"));
                assert_int_equal(s->m.count, 3);
                call_expect(s->db, "count_records", "{\"store\":\"docs\"}", "{\"count\":3}");
            }
        } while (rc != EVDB_OK);
        s->m.fail_in = MEMORY_NEVER;
        print_message("%s makes %d calls\n", asked[i][0], fails);
        assert_true(fails >= 3);
    }
}

static void objects_that_are_damaged_are_listed_with_what_is_wrong_and_refused(void **state)
{
    scene *s = *state;
    uint64_t seed = seed_print();
    make_chain(s);
    const memory_object whole = *memory_bucket_find(&s->m, "a.backup");
    for (size_t i = 0, tries = seed_tries(60); i < tries; i++) {
        size_t size = i % 2 ? (size_t)whole.object.size : seed_below(&seed, whole.object.size);
        char *bytes = malloc(size ? size : 1);
        assert_non_null(bytes);
        memcpy(bytes, whole.bytes, size);
        if (i % 2) bytes[seed_below(&seed, size)] ^= (char)(1 << seed_below(&seed, 8));
        memory_bucket_put(&s->m, "bad.backup", bytes, size);
        json_t *reply;
        evdb_error err;
        evdb_status rc = ask(s, "restore_store", "{\"backup\":\"bad\",\"store\":\"docs\",\"replace\":true,\"target\":\"s3\"}", &reply, &err);
        if (rc != EVDB_CORRUPT && rc != EVDB_NEWER && rc != EVDB_DENIED) fail_msg("%s: %s", evdb_status_name(rc), err.message);
        expect(s, "list_backups", "{\"target\":\"s3\"}");
        call_expect(s->db, "count_records", "{\"store\":\"docs\"}", "{\"count\":3}");
    }
}

static void a_target_that_is_not_there_is_refused(void **state)
{
    scene *s = *state;
    call_fails(s->db, "list_backups", "{\"target\":\"s3\"}", EVDB_UNSUPPORTED, "s3_endpoint");
    call_fails(s->db, "backup_store", "{\"store\":\"docs\",\"backup\":\"a\",\"target\":\"s3\"}", EVDB_UNSUPPORTED, "evdbd");
    call_fails(s->db, "delete_backup", "{\"backup\":\"a\",\"target\":\"s3\"}", EVDB_UNSUPPORTED, "evdbd");
    call_fails(s->db, "prune_backups", "{\"keep\":1,\"target\":\"s3\"}", EVDB_UNSUPPORTED, "s3_endpoint");
    call_fails(s->db, "list_backups", "{\"target\":\"tape\"}", EVDB_INVALID, "target");
}

/* ---- pruning ---- */

enum { MADE = 12 };

static void put_record(scene *s, int id)
{
    char text[128];
    snprintf(text, sizeof text, "{\"store\":\"docs\",\"id\":%d,\"vector\":[%d,2]}", id, id);
    expect(s, "upsert_vector", text);
}

static void make(scene *s, const char *name, const char *base, const char *target)
{
    char text[200];
    size_t at = (size_t)snprintf(text, sizeof text, "{\"store\":\"docs\",\"backup\":\"%s\",\"target\":\"%s\"", name, target);
    if (base) at += (size_t)snprintf(text + at, sizeof text - at, ",\"base\":\"%s\"", base);
    snprintf(text + at, sizeof text - at, "}");
    expect(s, "backup_store", text);
}

/* One byte too few, in both places. */
static void cut(scene *s, const char *name)
{
    char path[FOLDER_PATH + 64], object[64];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s.backup", s->dir, name);
    snprintf(object, sizeof object, "%s.backup", name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 1), 0);
    memory_bucket_find(&s->m, object)->object.size--;
}

/* Names of a list of a reply, or of the objects in its list. */
static void names_of(const json_t *list, char out[600])
{
    size_t i, at = 0;
    json_t *one;
    *out = 0;
    json_array_foreach(list, i, one) {
        const char *name = json_string_value(json_is_object(one) ? json_object_get(one, "backup") : one);
        at += (size_t)snprintf(out + at, 600 - at, " %s", name);
    }
}

/* What an operation answers of both places is the same, but for what no two backups share. */
static void expect_same(scene *s, const char *name, const char *rule, const char *const *lists)
{
    char text[200], there[600], here[600];
    json_t *bucket, *folder;
    evdb_error err;
    snprintf(text, sizeof text, "{%s\"target\":\"s3\"}", rule);
    if (ask(s, name, text, &bucket, &err) != EVDB_OK) fail_msg("%s: %s", text, err.message);
    snprintf(text, sizeof text, "{%s\"target\":\"local\"}", rule);
    if (ask(s, name, text, &folder, &err) != EVDB_OK) fail_msg("%s: %s", text, err.message);
    for (; *lists; lists++) {
        names_of(json_object_get(bucket, *lists), there);
        names_of(json_object_get(folder, *lists), here);
        assert_string_equal(there, here);
    }
    json_decref(bucket);
    json_decref(folder);
}

static void any_forest_is_pruned_in_a_bucket_as_in_a_folder(void **state)
{
    scene *s = *state;
    uint64_t seed = seed_print();
    static const char *const pruned[] = { "deleted", "left", NULL }, *const listed[] = { "backups", NULL };
    char names[MADE][16], rule[64];
    for (int i = 0; i < MADE; i++) {
        const char *base = i && seed_below(&seed, 3) ? names[seed_below(&seed, (uint64_t)i)] : NULL;
        snprintf(names[i], sizeof names[i], "%c%d", (char)('a' + (char)seed_below(&seed, 26)), i);
        put_record(s, i);
        make(s, names[i], base, "s3");
        make(s, names[i], base, "local");
    }
    if (seed_below(&seed, 2)) cut(s, names[seed_below(&seed, MADE)]);
    expect_same(s, "list_backups", "", listed);
    for (uint64_t keep = 1 + seed_below(&seed, MADE); keep; keep--) {
        snprintf(rule, sizeof rule, "\"keep\":%d,\"dry_run\":true,", (int)keep);
        expect_same(s, "prune_backups", rule, pruned);
        expect_same(s, "list_backups", "", listed);
        snprintf(rule, sizeof rule, "\"keep\":%d,", (int)keep);
        expect_same(s, "prune_backups", rule, pruned);
        expect_same(s, "list_backups", "", listed);
    }
    expect_same(s, "prune_backups", "\"keep_days\":1,", pruned);
    refused(s, "prune_backups", "{\"target\":\"s3\"}", EVDB_INVALID, "keep");
}

static void an_object_that_cannot_be_read_might_build_on_any(void **state)
{
    scene *s = *state;
    make_chain(s);
    make(s, "d", NULL, "s3");
    memory_bucket_find(&s->m, "b.backup")->bytes[8] = 99; /* its format is a newer one */
    refused(s, "prune_backups", "{\"keep\":1,\"target\":\"s3\"}", EVDB_NEWER, "'b'");
    assert_int_equal(s->m.count, 4);
}

static void wherever_a_bucket_fails_pruning_leaves_no_increment_without_its_base(void **state)
{
    scene *s = *state;
    json_t *reply;
    evdb_error err;
    evdb_status rc;
    char text[128];
    int cut_short = 0;
    for (int fails = 0; ; fails++) {
        memory_bucket_free(&s->m);
        memory_bucket_init(&s->m);
        put_record(s, fails);
        make(s, "a", NULL, "s3");
        make(s, "b", "a", "s3");
        make(s, "c", "b", "s3");
        make(s, "d", NULL, "s3");
        s->m.fail_in = fails;
        rc = ask(s, "prune_backups", "{\"keep\":1,\"target\":\"s3\"}", &reply, &err);
        json_decref(reply);
        if (rc == EVDB_OK) break;
        assert_int_equal(rc, EVDB_REMOTE);
        cut_short += s->m.count < 4;
        for (size_t i = 0; i < s->m.count; i++) {
            snprintf(text, sizeof text, "{\"backup\":\"%c\",\"target\":\"s3\"}", *s->m.at[i].object.name);
            expect(s, "verify_backup", text);
        }
    }
    assert_int_equal(s->m.count, 1);
    assert_int_equal(cut_short, 2); /* of three that are deleted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_comes_back_as_of_each_of_its_states, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(whatever_call_of_a_bucket_fails_is_told_and_changes_nothing, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(objects_that_are_damaged_are_listed_with_what_is_wrong_and_refused, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(any_forest_is_pruned_in_a_bucket_as_in_a_folder, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(an_object_that_cannot_be_read_might_build_on_any, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(wherever_a_bucket_fails_pruning_leaves_no_increment_without_its_base, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_target_that_is_not_there_is_refused, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
