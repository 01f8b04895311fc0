/* test_op_meter.c - what operations take from their caller's quota: the records that they write, and the bytes of requests that do. */
#include "call.h"
#include "op/op_meter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { BYTES = 100, NOON_MS = 43200000 };

typedef struct metered {
    evdb_principal who;
    op_meter meter;
    op_call call;
} metered;

static int64_t still_ns(void *context) { return *(int64_t *)context; }
static int64_t noon_ms(void *context) { return *(int64_t *)context + NOON_MS; }

static void begin(metered *m, evdb *db, evdb_quota quota)
{
    static int64_t at_first;
    quotas_options o = { .now_ns = still_ns, .unix_ms = noon_ms, .context = &at_first };
    *m = (metered){ .who = { .client = "app", .scopes = EVDB_SCOPE_READ | EVDB_SCOPE_WRITE | EVDB_SCOPE_ADMIN, .quota = quota } };
    m->meter = (op_meter){ quotas_create(&o), &m->who, BYTES };
    assert_non_null(m->meter.quotas);
    m->call = (op_call){ .db = db, .who = &m->who, .meter = &m->meter };
}

static evdb_status call_with(metered *m, const char *name, const char *text, evdb_error *err)
{
    json_t *reply = NULL;
    m->meter.bytes = BYTES; /* another request */
    evdb_status rc = call_op(&m->call, name, text, &reply, err);
    json_decref(reply);
    return rc;
}

static void expect(metered *m, const char *name, const char *text, evdb_status status, uint64_t records_then)
{
    evdb_error err = { .message = "" };
    evdb_status rc = call_with(m, name, text, &err);
    if (rc != status) fail_msg("%s %s: %s %s", name, text, evdb_status_name(rc), err.message);
    assert_int_equal(quotas_used(m->meter.quotas, "app").records, records_then);
}

static void records_that_are_written_are_taken_and_others_given_back(void **state)
{
    metered m;
    begin(&m, *state, (evdb_quota){ .records = 1000 });
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_OK, 1);
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_EXISTS, 1);
    expect(&m, "insert_vector", "{\"store\":\"none\",\"id\":1,\"vector\":[1,2]}", EVDB_NOT_FOUND, 1);
    expect(&m, "upsert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_OK, 2);
    expect(&m, "update_vector", "{\"store\":\"docs\",\"id\":1,\"metadata\":{}}", EVDB_OK, 3);
    expect(&m, "update_metadata", "{\"store\":\"docs\",\"id\":7,\"metadata\":{}}", EVDB_NOT_FOUND, 3);
    expect(&m, "insert_compressed", "{\"store\":\"docs\",\"id\":9,\"vector\":[1,2],\"codec\":\"f16\"}", EVDB_OK, 4);
    expect(&m, "write_batch", "{\"store\":\"docs\",\"partial\":true,\"records\":[{\"id\":1,\"vector\":[1,2]},{\"id\":2,\"vector\":[1,2]}]}",
           EVDB_OK, 5);
    expect(&m, "write_batch", "{\"store\":\"docs\",\"records\":[{\"id\":1,\"vector\":[1,2]},{\"id\":3,\"vector\":[1,2]}]}", EVDB_EXISTS, 5);
    expect(&m, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4]],\"first_id\":20}", EVDB_OK, 7);
    expect(&m, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4]],\"first_id\":20}", EVDB_EXISTS, 7);
    quotas_free(m.meter.quotas);
}

static void deleting_and_reading_take_nothing(void **state)
{
    metered m;
    begin(&m, *state, (evdb_quota){ .records = 2, .bytes = 2 * BYTES });
    expect(&m, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4]],\"first_id\":1}", EVDB_OK, 2);
    expect(&m, "write_batch", "{\"store\":\"docs\",\"mode\":\"delete\",\"records\":[{\"id\":1}]}", EVDB_OK, 2);
    expect(&m, "delete_records", "{\"store\":\"docs\",\"ids\":[2]}", EVDB_OK, 2);
    expect(&m, "search_vectors", "{\"store\":\"docs\",\"vector\":[1,2]}", EVDB_OK, 2);
    assert_int_equal(quotas_used(m.meter.quotas, "app").bytes, BYTES);
    quotas_free(m.meter.quotas);
}

static void who_has_nothing_left_is_told_when_there_is_more(void **state)
{
    metered m;
    evdb_error err;
    begin(&m, *state, (evdb_quota){ .records = 1 });
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_OK, 1);
    assert_int_equal(call_with(&m, "insert_vector", "{\"store\":\"docs\",\"id\":2,\"vector\":[1,2]}", &err), EVDB_THROTTLED);
    assert_int_equal(err.retry_s, NOON_MS / 1000);
    assert_non_null(strstr(err.message, "'app' may write 1 records a day"));
    assert_int_equal(call_with(&m, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4]],\"first_id\":5}", &err), EVDB_LIMIT);
    call_expect(*state, "count_records", "{\"store\":\"docs\"}", "{\"count\":1}");
    quotas_free(m.meter.quotas);
}

static void the_bytes_of_a_request_that_writes_are_taken_once(void **state)
{
    metered m;
    begin(&m, *state, (evdb_quota){ .bytes = 2 * BYTES + 1 });
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_OK, 1);
    expect(&m, "load_vectors", "{\"store\":\"docs\",\"vectors\":[[1,2],[3,4]],\"first_id\":20}", EVDB_OK, 3);
    assert_int_equal(quotas_used(m.meter.quotas, "app").bytes, 2 * BYTES);
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":3,\"vector\":[1,2]}", EVDB_THROTTLED, 3);
    quotas_free(m.meter.quotas);
}

/* An operation that is to be added here has to say what it takes. */
static void every_operation_that_writes_is_metered_or_known_to_add_nothing(void **state)
{
    static const char *const metered_ones[] = { "undelete_records", "insert_vector", "upsert_vector", "update_vector", "update_metadata", "insert_compressed",
                                                "write_batch", "load_vectors", "import_store" };
    static const char *const free_ones[] = { "delete_record", "delete_records", "forget_records", "empty_trash", "sync_store" };
    (void)state;
    for (const op *const *o = ops; *o; o++) {
        bool known = (*o)->effect != OP_WRITES;
        for (size_t i = 0; i < sizeof metered_ones / sizeof *metered_ones; i++) known |= strcmp((*o)->name, metered_ones[i]) == 0;
        for (size_t i = 0; i < sizeof free_ones / sizeof *free_ones; i++) known |= strcmp((*o)->name, free_ones[i]) == 0;
        if (!known) fail_msg("%s writes: does it take from the quota of its caller (op_meter.h)?", (*o)->name);
    }
}

static void quotas_are_set_shown_and_taken_back(void **state)
{
    evdb *db = *state;
    metered m;
    call_expect(db, "register_client", "{\"client_id\":\"app\",\"client_secret\":\"correct horse\"}", NULL);
    call_expect(db, "get_quota", "{\"client_id\":\"app\"}", "{\"client_id\":\"app\",\"requests\":0,\"records\":0,\"bytes\":0}");
    call_expect(db, "set_quota", "{\"client_id\":\"app\",\"requests\":5,\"bytes\":-1}",
                "{\"client_id\":\"app\",\"requests\":5,\"records\":0,\"bytes\":-1}");
    call_expect(db, "get_quota", "{\"id\":\"app\"}", "{\"client_id\":\"app\",\"requests\":5,\"records\":0,\"bytes\":-1}");
    call_expect(db, "set_quota", "{\"client_id\":\"app\"}", "{\"client_id\":\"app\",\"requests\":0,\"records\":0,\"bytes\":0}");
    call_fails(db, "set_quota", "{\"client_id\":\"app\",\"requests\":1000001}", EVDB_INVALID, "requests");
    call_fails(db, "set_quota", "{\"client_id\":\"app\",\"records\":-2}", EVDB_INVALID, "records");
    call_fails(db, "set_quota", "{\"client_id\":\"nobody\"}", EVDB_NOT_FOUND, "nobody");
    call_fails(db, "get_quota", "{\"client_id\":\"nobody\"}", EVDB_NOT_FOUND, "nobody");
    begin(&m, db, (evdb_quota){ .records = 10 });
    expect(&m, "insert_vector", "{\"store\":\"docs\",\"id\":1,\"vector\":[1,2]}", EVDB_OK, 1);
    json_t *reply = NULL;
    evdb_error err;
    assert_int_equal(call_op(&m.call, "get_quota", "{\"client_id\":\"app\"}", &reply, &err), EVDB_OK);
    assert_int_equal(json_integer_value(json_object_get(reply, "records_today")), 1);
    json_decref(reply);
    quotas_free(m.meter.quotas);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, call_open, call_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_that_are_written_are_taken_and_others_given_back),
        TEST(deleting_and_reading_take_nothing),
        TEST(who_has_nothing_left_is_told_when_there_is_more),
        TEST(the_bytes_of_a_request_that_writes_are_taken_once),
        TEST(every_operation_that_writes_is_metered_or_known_to_add_nothing),
        TEST(quotas_are_set_shown_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
