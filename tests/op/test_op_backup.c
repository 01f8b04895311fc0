/* test_op_backup.c - backups as operations: round trips, who may name files, keys. */
#include "call.h"
#include "folder.h"
#include "op/op_key.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct scene {
    evdb *db;
    char dir[FOLDER_PATH];
} scene;

static int scene_open(void **state)
{
    scene *s = calloc(1, sizeof *s);
    if (!s || !(s->db = folder_open(s->dir))) return -1;
    *state = s;
    return 0;
}

static int scene_close(void **state)
{
    scene *s = *state;
    folder_close(s->db, s->dir);
    free(s);
    return 0;
}

static void fill(evdb *db)
{
    call_expect(db, "create_store", "{\"name\":\"docs\"}", NULL);
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", "{\"id\":1,\"version\":1}");
}

static void a_store_goes_into_a_backup_and_comes_back(void **state)
{
    evdb *db = ((scene *)*state)->db;
    fill(db);
    call_expect(db, "list_backups", "{}", "{\"backups\":[]}");
    call_expect(db, "backup_store", "{\"store\":\"docs\",\"backup\":\"one\"}", NULL);
    call_fails(db, "backup_store", "{\"store\":\"docs\",\"backup\":\"one\"}", EVDB_EXISTS, "one");
    call_fails(db, "backup_store", "{\"store\":\"none\",\"backup\":\"two\"}", EVDB_NOT_FOUND, "none");
    call_expect(db, "insert_vector", "{\"store\":\"docs\",\"id\":2,\"vector\":[1,3]}", NULL);
    call_expect(db, "backup_store", "{\"store\":\"docs\",\"backup\":\"two\",\"base\":\"one\"}", NULL);
    call_expect(db, "list_backups", "{}", NULL);
    call_expect(db, "list_backups", "{\"store\":\"other\"}", "{\"backups\":[]}");
    call_expect(db, "verify_backup", "{\"backup\":\"two\"}", NULL);
    call_expect(db, "restore_store", "{\"backup\":\"two\",\"store\":\"again\"}",
                "{\"store\":\"again\",\"backup\":\"two\",\"sequence\":2,\"records\":2}");
    call_fails(db, "restore_store", "{\"backup\":\"two\",\"store\":\"again\"}", EVDB_EXISTS, "again");
    call_expect(db, "restore_store", "{\"backup\":\"two\",\"store\":\"again\",\"replace\":true,\"sequence\":1}",
                "{\"store\":\"again\",\"backup\":\"one\",\"sequence\":1,\"records\":1}");
    call_fails(db, "delete_backup", "{\"backup\":\"one\"}", EVDB_INVALID, "two");
    call_expect(db, "delete_backup", "{\"backup\":\"two\"}", "{\"deleted\":\"two\"}");
    call_fails(db, "restore_store", "{\"backup\":\"two\",\"store\":\"x\"}", EVDB_NOT_FOUND, "two");
}

static void pruning_keeps_what_a_rule_says(void **state)
{
    evdb *db = ((scene *)*state)->db;
    fill(db);
    call_expect(db, "prune_backups", "{\"keep\":1}", "{\"deleted\":[],\"count\":0,\"bytes\":0,\"left\":[]}");
    call_expect(db, "backup_store", "{\"store\":\"docs\",\"backup\":\"one\"}", NULL);
    call_expect(db, "backup_store", "{\"store\":\"docs\",\"backup\":\"two\"}", NULL);
    call_fails(db, "prune_backups", "{}", EVDB_INVALID, "keep");
    call_fails(db, "prune_backups", "{\"keep\":0,\"keep_days\":0}", EVDB_INVALID, "keep");
    call_fails(db, "prune_backups", "{\"keep\":-1}", EVDB_INVALID, "keep");
    call_expect(db, "prune_backups", "{\"keep_days\":1}", "{\"deleted\":[],\"count\":0,\"bytes\":0,\"left\":[]}");
    call_expect(db, "prune_backups", "{\"keep_days\":36500}", "{\"deleted\":[],\"count\":0,\"bytes\":0,\"left\":[]}");
    call_expect(db, "prune_backups", "{\"store\":\"other\",\"keep\":1}", "{\"deleted\":[],\"count\":0,\"bytes\":0,\"left\":[]}");
    call_expect(db, "prune_backups", "{\"keep\":1}", NULL);
    call_fails(db, "verify_backup", "{\"backup\":\"one\"}", EVDB_NOT_FOUND, "one");
    call_expect(db, "verify_backup", "{\"backup\":\"two\"}", NULL);
}

static void only_who_is_at_the_machine_may_name_files(void **state)
{
    scene *s = *state;
    op_call here = { .db = s->db, .local = true };
    char text[700];
    json_t *reply;
    evdb_error err;
    fill(s->db);
    call_expect(s->db, "backup_store", "{\"store\":\"docs\",\"backup\":\"one\"}", NULL);
    snprintf(text, sizeof text, "{\"backup\":\"%s/one.backup\",\"store\":\"again\"}", s->dir);
    call_fails(s->db, "restore_store", text, EVDB_INVALID, "path");
    call_fails(s->db, "verify_backup", "{\"backup\":\"/etc/passwd\"}", EVDB_INVALID, "path");
    call_fails(s->db, "delete_backup", "{\"backup\":\"../one\"}", EVDB_INVALID, "name");
    call_fails(s->db, "backup_store", "{\"store\":\"docs\",\"backup\":\"../one\"}", EVDB_INVALID, "name");
    assert_int_equal(call_op(&here, "restore_store", text, &reply, &err), EVDB_OK);
    json_decref(reply);
}

static void with_a_key_backups_are_encrypted(void **state)
{
    scene *s = *state;
    unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 7 };
    op_call keyed = { .db = s->db, .backup_key = key };
    json_t *reply;
    evdb_error err;
    fill(s->db);
    assert_int_equal(call_op(&keyed, "backup_store", "{\"store\":\"docs\",\"backup\":\"one\"}", &reply, &err), EVDB_OK);
    assert_true(json_is_true(json_object_get(reply, "encrypted")));
    json_decref(reply);
    call_fails(s->db, "restore_store", "{\"backup\":\"one\",\"store\":\"x\"}", EVDB_DENIED, "encrypted");
    assert_int_equal(call_op(&keyed, "restore_store", "{\"backup\":\"one\",\"store\":\"x\"}", &reply, &err), EVDB_OK);
    json_decref(reply);
}

static evdb_status read_key(const scene *s, const char *text, size_t size, unsigned char key[EVDB_BACKUP_KEY_BYTES])
{
    char path[600];
    evdb_error err;
    snprintf(path, sizeof path, "%s/key", s->dir);
    FILE *f = fopen(path, "wbe");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return op_key_read(path, key, &err);
}

static void a_key_file_holds_bytes_or_digits(void **state)
{
    const scene *s = *state;
    static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n";
    unsigned char key[EVDB_BACKUP_KEY_BYTES], wanted[EVDB_BACKUP_KEY_BYTES];
    for (unsigned i = 0; i < sizeof wanted; i++) wanted[i] = (unsigned char)i;
    assert_int_equal(read_key(s, (char *)wanted, sizeof wanted, key), EVDB_OK);
    assert_memory_equal(key, wanted, sizeof key);
    memset(key, 0xff, sizeof key);
    assert_int_equal(read_key(s, digits, strlen(digits), key), EVDB_OK);
    assert_memory_equal(key, wanted, sizeof key);
    assert_int_equal(read_key(s, digits, 63, key), EVDB_INVALID);
    assert_int_equal(read_key(s, "", 0, key), EVDB_INVALID);
    assert_int_equal(read_key(s, "zz0102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", 64, key), EVDB_INVALID);
    assert_int_equal(op_key_read("/nowhere/at/all", key, NULL), EVDB_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_goes_into_a_backup_and_comes_back, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(pruning_keeps_what_a_rule_says, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(only_who_is_at_the_machine_may_name_files, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(with_a_key_backups_are_encrypted, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_key_file_holds_bytes_or_digits, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
