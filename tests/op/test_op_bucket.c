/* test_op_bucket.c - backups as objects of a bucket: what the operations do with one that is in memory, and when it fails. */
#include "call.h"
#include "op/op_bucket.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { OBJECTS = 16, NEVER = -1 };

typedef struct stored {
    op_object object;
    char *bytes;
} stored;

typedef struct memory {
    stored at[OBJECTS];
    size_t count;
    unsigned tags;
    int fail_in; /* calls until one fails; NEVER */
    op_bucket bucket;
} memory;

static evdb_status turn(memory *m, evdb_error *err)
{
    if (m->fail_in == NEVER || m->fail_in-- > 0) return EVDB_OK;
    m->fail_in = NEVER;
    return op_fail(err, EVDB_REMOTE, "the bucket fails");
}

static stored *at_name(memory *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->at[i].object.name, name) == 0) return &m->at[i];
    return NULL;
}

static evdb_status list(void *context, evdb_status (*each)(void *to, const op_object *object, evdb_error *err), void *to, evdb_error *err)
{
    memory *m = context;
    evdb_status rc = turn(m, err);
    for (size_t i = 0; rc == EVDB_OK && i < m->count; i++) rc = each(to, &m->at[i].object, err);
    return rc;
}

static evdb_status find(void *context, const char *name, op_object *out, evdb_error *err)
{
    memory *m = context;
    evdb_status rc = turn(m, err);
    const stored *s = at_name(m, name);
    if (rc == EVDB_OK && !s) return op_fail(err, EVDB_NOT_FOUND, "there is no %s", name);
    if (rc == EVDB_OK) *out = s->object;
    return rc;
}

static evdb_status read_at(void *context, const op_object *object, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    memory *m = context;
    evdb_status rc = turn(m, err);
    const stored *s = at_name(m, object->name);
    if (rc != EVDB_OK) return rc;
    if (!s) return op_fail(err, EVDB_NOT_FOUND, "there is no %s", object->name);
    if (strcmp(s->object.tag, object->tag) != 0) return op_fail(err, EVDB_BUSY, "%s was replaced", object->name);
    assert_true(at + count <= s->object.size);
    memcpy(buffer, s->bytes + at, count);
    return EVDB_OK;
}

static stored *put(memory *m, const char *name, char *bytes, size_t size)
{
    stored *s = at_name(m, name);
    assert_true(s || m->count < OBJECTS);
    if (!s) s = &m->at[m->count++];
    else free(s->bytes);
    *s = (stored){ .bytes = bytes, .object.size = size };
    snprintf(s->object.name, sizeof s->object.name, "%s", name);
    snprintf(s->object.tag, sizeof s->object.tag, "%u", ++m->tags);
    return s;
}

static evdb_status take(void *context, const void *bytes, size_t count, evdb_error *err)
{
    (void)err;
    return fwrite(bytes, 1, count, context) == count ? EVDB_OK : EVDB_IO;
}

static evdb_status write_new(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err),
                             void *from, evdb_error *err)
{
    memory *m = context;
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&bytes, &size);
    const evdb_sink sink = { .context = f, .write = take };
    assert_non_null(f);
    evdb_status rc = produce(from, &sink, err);
    fclose(f);
    if (rc == EVDB_OK) rc = turn(m, err);
    if (rc == EVDB_OK && at_name(m, name)) rc = op_fail(err, EVDB_EXISTS, "there is a %s", name);
    if (rc == EVDB_OK) put(m, name, bytes, size);
    else free(bytes);
    return rc;
}

static evdb_status remove_one(void *context, const char *name, evdb_error *err)
{
    memory *m = context;
    evdb_status rc = turn(m, err);
    stored *s = at_name(m, name);
    if (rc != EVDB_OK || !s) return rc;
    free(s->bytes);
    *s = m->at[--m->count];
    return EVDB_OK;
}



typedef struct scene {
    evdb *db;
    memory m;
} scene;

static int scene_open(void **state)
{
    scene *s = calloc(1, sizeof *s);
    if (!s || call_open((void **)&s->db) != 0) return -1;
    s->m.fail_in = NEVER;
    s->m.bucket = (op_bucket){ .context = &s->m, .list = list, .find = find, .read = read_at, .write = write_new, .remove = remove_one };
    *state = s;
    return 0;
}

static int scene_close(void **state)
{
    scene *s = *state;
    for (size_t i = 0; i < s->m.count; i++) free(s->m.at[i].bytes);
    evdb_close(s->db);
    free(s);
    return 0;
}

static evdb_status ask(scene *s, const char *name, const char *text, json_t **reply, evdb_error *err)
{
    const op_call call = { .db = s->db, .subject = "test", .bucket = &s->m.bucket };
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
        s->m.fail_in = NEVER;
        print_message("%s makes %d calls\n", asked[i][0], fails);
        assert_true(fails >= 3);
    }
}

static void objects_that_are_damaged_are_listed_with_what_is_wrong_and_refused(void **state)
{
    scene *s = *state;
    uint64_t seed = seed_print();
    make_chain(s);
    const stored whole = *at_name(&s->m, "a.backup");
    for (size_t i = 0, tries = seed_tries(60); i < tries; i++) {
        size_t size = i % 2 ? (size_t)whole.object.size : seed_below(&seed, whole.object.size);
        char *bytes = malloc(size ? size : 1);
        assert_non_null(bytes);
        memcpy(bytes, whole.bytes, size);
        if (i % 2) bytes[seed_below(&seed, size)] ^= (char)(1 << seed_below(&seed, 8));
        put(&s->m, "bad.backup", bytes, size);
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
    call_fails(s->db, "list_backups", "{\"target\":\"tape\"}", EVDB_INVALID, "target");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_comes_back_as_of_each_of_its_states, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(whatever_call_of_a_bucket_fails_is_told_and_changes_nothing, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(objects_that_are_damaged_are_listed_with_what_is_wrong_and_refused, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_target_that_is_not_there_is_refused, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
