/* test_backup_head.c - format/backup_head.h on heads whose checksums are right: each member that is missing, of another type or out of
 * bounds is refused, and so is a foot of something else. */
#include "base/checksum.h"
#include "expect.h"
#include "format/backup_head.h"
#include "platform/platform.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char sound[] =
    "{\"name\":\"b\",\"store\":\"s\",\"uuid\":\"u\",\"id\":\"000102030405060708090a0b0c0d0e0f\",\"base\":\"\",\"base_sequence\":0,"
    "\"created_ms\":1,\"dim\":2,\"metric\":\"euclidean\",\"dtype\":\"f32\",\"id_type\":0,\"m\":16,\"ef_construction\":200,\"index_threads\":0,"
    "\"store_created_ms\":1,\"fields\":[\"a\"],\"metric_name\":\"mine\",\"codec\":\"i8\",\"ttl_ms\":5,"
    "\"encryption\":\"secretstream_xchacha20poly1305\",\"salt\":\"000102030405060708090a0b0c0d0e0f1011121314151617\"}";

/* Takes root over. */
static evdb_status read_head(json_t *root, backup_head *head, evdb_error *err)
{
    static const char magic[] = "evdbback";
    char *json = json_dumps(root, JSON_COMPACT);
    uint32_t numbers[2] = { BACKUP_FORMAT, (uint32_t)strlen(json) };
    buf file;
    buf_init(&file, &platform_real.mem);
    assert_true(buf_add(&file, magic, 8) && buf_add(&file, numbers, sizeof(numbers)) && buf_add(&file, json, strlen(json)));
    uint64_t sum = checksum(file.at, file.size, BACKUP_FORMAT);
    size_t size = 0;
    assert_true(buf_add(&file, &sum, sizeof(sum)));
    assert_int_equal(backup_head_size(file.at, &size, NULL), EVDB_OK);
    assert_int_equal(size, file.size);
    evdb_status rc = backup_head_read(file.at, file.size, head, err);
    buf_free(&file);
    free(json);
    json_decref(root);
    return rc;
}

static json_t *root_of(const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    return root;
}

static void refuses(const char *member, const char *value)
{
    backup_head head;
    evdb_error err;
    json_t *root = root_of(sound), *other = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    assert_true(!value || other);
    if (other) json_object_set_new(root, member, other);
    else json_object_del(root, member);
    evdb_status rc = read_head(root, &head, &err);
    if (rc != EVDB_CORRUPT) fail_msg("'%s': %s is taken", member, value ? value : "(missing)");
    assert_non_null(strstr(err.message, "makes no sense"));
}

static void a_sound_head_is_read(void **state)
{
    backup_head head;
    evdb_error err;
    (void)state;
    if (read_head(root_of(sound), &head, &err) != EVDB_OK) fail_msg("%s", err.message);
    assert_true(head.full && head.encrypted && head.store.field_count == 1 && head.store.ttl_ms == 5);
    assert_string_equal(head.store.codec, "i8");
    assert_int_equal(head.id[15], 15);
    backup_head_free(&head);
}

static void members_that_must_be_there_are_missed(void **state)
{
    static const char *const needed[] = { "name", "store", "uuid", "id", "base", "base_sequence", "created_ms", "dim", "metric", "dtype", "id_type",
                                          "m", "ef_construction", "index_threads", "store_created_ms", "fields", "salt" };
    (void)state;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        refuses(needed[i], NULL);
        refuses(needed[i], "null");
        refuses(needed[i], "{}");
    }
}

static void values_out_of_bounds_are_refused(void **state)
{
    static const char *const bad[][2] = {
        { "base_sequence", "-1" }, { "dim", "-1" }, { "dim", "16777217" }, { "id_type", "3" }, { "id_type", "-1" }, { "m", "4294967296" },
        { "ef_construction", "-1" }, { "index_threads", "4294967296" }, { "ttl_ms", "-1" }, { "ttl_ms", "9223372036854775807" },
        { "ttl_ms", "\"5\"" }, { "metric", "\"nearness\"" }, { "dtype", "\"f31\"" }, { "metric_name", "\"\"" }, { "metric_name", "5" },
        { "codec", "\"\"" }, { "codec", "5" }, { "encryption", "\"rot13\"" }, { "encryption", "\"\"" }, { "encryption", "5" }, { "id", "\"00\"" },
        { "id", "\"00010203040506070809 a0b0c0d0e0f\"" }, { "id", "\"0001020304050607080g0a0b0c0d0e0f\"" },
        { "id", "\"000102030405060708090a0b0c0d0e0F\"" }, { "base", "\"00\"" }, { "salt", "\"00\"" },
        { "salt", "\"zz0102030405060708090a0b0c0d0e0f1011121314151617\"" }, { "fields", "[5]" }, { "fields", "{}" },
        { "uuid", "\"01234567890123456789012345678901234567\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) refuses(bad[i][0], bad[i][1]);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = { "[]", "[{}]", "{}" };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        backup_head head;
        evdb_error err;
        assert_int_equal(read_head(root_of(texts[i]), &head, &err), EVDB_CORRUPT);
    }
}

static void a_foot_belongs_to_its_head(void **state)
{
    backup_head head = { .sum = 7, .base_sequence = 5 };
    backup_foot foot = { .head_sum = 7, .sequence = 5 }, other;
    evdb_error err;
    (void)state;
    backup_foot_seal(&foot);
    assert_int_equal(backup_foot_check(&foot, &head, &err), EVDB_OK);
    other = foot, other.magic[0] = 'x';
    assert_int_equal(backup_foot_check(&other, &head, &err), EVDB_CORRUPT);
    other = foot, other.records++;
    assert_int_equal(backup_foot_check(&other, &head, &err), EVDB_CORRUPT);
    static const backup_foot strange[] = { { .head_sum = 8, .sequence = 5 }, { .head_sum = 7, .sequence = 4 }, { .head_sum = 7, .sequence = UINT64_MAX } };
    for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
        other = strange[i];
        backup_foot_seal(&other);
        assert_int_equal(backup_foot_check(&other, &head, &err), EVDB_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_head_is_read),
        cmocka_unit_test(members_that_must_be_there_are_missed),
        cmocka_unit_test(values_out_of_bounds_are_refused),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_foot_belongs_to_its_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
