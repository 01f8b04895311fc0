/* test_backup_run.c - scheduled backups (server/backup_run.h) on a clock that is given. */
#include "backup_run.h"
#include "expect.h"
#include "log.h"
#include "op/bucket_backup.h"
#include "op/memory_bucket.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HOUR INT64_C(3600)
#define FIRST INT64_C(10413802800) /* 2300-01-01 03:00 UTC: behind the creation of any store here */

static evdb_store *store_of(scratch *t, const char *name)
{
    evdb_store *store = scratch_store(t, name, 1, EVDB_EUCLIDEAN);
    float v = 1;
    ok(evdb_record_upsert(store, num(1), &v, 1, NULL, NULL, &why));
    return store;
}

static void change(evdb_store *store, int64_t id)
{
    float v = (float)id;
    ok(evdb_record_upsert(store, num(id), &v, 1, NULL, NULL, &why));
}

static void run_at(backup_run *r, int64_t due) { backup_run_once(r, due, due * 1000 + 250); }

/* Names, each behind a blank, with a '+' before an increment. Without the day, which is always the same. */
static const char *names(evdb_backup_info **list, size_t count)
{
    static char text[4000];
    size_t at = 0;
    *text = 0;
    for (size_t i = 0; i < count; i++) {
        char *day = strstr(list[i]->name, "23000101T");
        if (day) memmove(day, day + 9, strlen(day + 9) + 1);
        at += (size_t)snprintf(text + at, sizeof text - at, " %s%s", *list[i]->base ? "+" : "", list[i]->name);
    }
    return text;
}

static const char *listed(evdb *db)
{
    evdb_backup_info **list;
    size_t count;
    ok(evdb_backup_list(db, &list, &count, &why));
    const char *text = names(list, count);
    evdb_backup_list_free(list, count);
    return text;
}

static const char *in_bucket(evdb *db, const memory_bucket *m)
{
    const op_call call = { .db = db, .bucket = &m->bucket };
    evdb_backup_info **list;
    size_t count;
    ok(bucket_backup_list(&call, &list, &count, &why));
    const char *text = names(list, count);
    free(list);
    return text;
}

static void each_store_is_backed_up_once_a_time(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db };
    evdb_store *a = store_of(t, "a"), *b = store_of(t, "b-23000101t030000z");
    run_at(&r, FIRST);
    assert_string_equal(listed(t->db), " a-030000Z b-23000101t030000z-030000Z");
    run_at(&r, FIRST); /* another process, or a second start */
    backup_run_once(&r, FIRST, (FIRST + 5 * HOUR) * 1000);
    assert_string_equal(listed(t->db), " a-030000Z b-23000101t030000z-030000Z");
    ok(evdb_store_rename(t->db, "a", "c", &why));
    run_at(&r, FIRST);
    run_at(&r, FIRST + 1);
    assert_string_equal(listed(t->db), " a-030000Z b-23000101t030000z-030000Z b-23000101t030000z-030001Z c-030001Z");
    evdb_store_close(a);
    evdb_store_close(b);
}

static void a_store_made_after_a_time_is_not_due(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db };
    evdb_store *store = store_of(t, "a");
    backup_run_once(&r, 1000000000, FIRST * 1000); /* 2001 */
    assert_string_equal(listed(t->db), "");
    run_at(&r, FIRST);
    assert_string_equal(listed(t->db), " a-030000Z");
    evdb_store_close(store);
}

static void every_so_many_increments_there_is_a_full_one(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db, .full_every = 2 };
    evdb_store *store = store_of(t, "a");
    for (int64_t i = 0; i < 7; i++) {
        change(store, i);
        run_at(&r, FIRST + i);
    }
    assert_string_equal(listed(t->db), " a-030000Z +a-030001Z +a-030002Z a-030003Z +a-030004Z +a-030005Z a-030006Z");
    ok(evdb_backup_verify(t->db, "a-23000101T030005Z", NULL, NULL, &why));
    evdb_store_close(store);
}

static void where_no_increment_can_be_made_there_is_a_full_one(void **state)
{
    scratch *t = *state;
    unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 1 };
    backup_run r = { .db = t->db, .full_every = 100 };
    evdb_store *store = store_of(t, "a");
    run_at(&r, FIRST);
    change(store, 2);
    change(store, 3);
    ok(evdb_changes_trim(store, 3, &why)); /* the changes since the base are gone */
    run_at(&r, FIRST + 1);
    assert_string_equal(listed(t->db), " a-030000Z a-030001Z");
    r.key = key; /* a chain is encrypted or not */
    run_at(&r, FIRST + 2);
    run_at(&r, FIRST + 3);
    assert_string_equal(listed(t->db), " a-030000Z a-030001Z a-030002Z +a-030003Z");
    r.began_ms = FIRST * 1000; /* a start behind all of these, perhaps with another key */
    run_at(&r, FIRST + 4);
    assert_string_equal(listed(t->db), " a-030000Z a-030001Z a-030002Z +a-030003Z a-030004Z");
    evdb_store_close(store);
}

static void old_ones_are_deleted_and_others_left(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db, .keep = 2, .full_every = 1 };
    evdb_store *a = store_of(t, "a"), *b = store_of(t, "b");
    ok(evdb_backup_create(a, "a-by-hand", NULL, NULL, &why));
    for (int64_t i = 0; i < 5; i++) {
        change(a, i);
        change(b, i);
        run_at(&r, FIRST + i);
        if (i) continue;
        ok(evdb_store_drop(t->db, "b", &why));
        evdb_store_close(b);
        b = store_of(t, "b"); /* another one of that name */
    }
    /* Of the last two of a the older one is an increment. */
    assert_string_equal(listed(t->db), " a-030002Z +a-030003Z a-030004Z a-by-hand b-030000Z b-030003Z +b-030004Z");
    evdb_store_close(a);
    evdb_store_close(b);
}

static void days_count_from_the_given_time(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db, .keep_days = 3 };
    evdb_store *store = store_of(t, "a");
    run_at(&r, FIRST);
    assert_string_equal(listed(t->db), ""); /* it was done long before that time */
    r.keep = 1;
    run_at(&r, FIRST);
    assert_string_equal(listed(t->db), " a-030000Z"); /* one rule is enough */
    r.keep = 0;
    r.keep_days = 200000;
    run_at(&r, FIRST + 1);
    assert_string_equal(listed(t->db), " a-030000Z a-030001Z");
    evdb_store_close(store);
}

static void names_of_the_future_do_not_count(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db };
    evdb_store *store = store_of(t, "a");
    static const char *const none[] = { "a-23010101T030000Z", "a-23000101T030000", "a-23000231T030000Z", "a-2300101T0300000Z", "23000101T030000Z" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) ok(evdb_backup_create(store, none[i], NULL, NULL, &why));
    run_at(&r, FIRST - 1);
    ok(evdb_backup_verify(t->db, "a-23000101T025959Z", NULL, NULL, &why));
    evdb_store_close(store);
}

static void what_fails_is_left_for_the_next_time_and_others_go_on(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db };
    evdb_store *a = store_of(t, "a"), *b = store_of(t, "b");
    assert_int_equal(mkdir(scratch_path(t, "db/backups"), 0700), 0);
    assert_int_equal(mkdir(scratch_path(t, "db/backups/a-23000101T030000Z.backup"), 0700), 0);
    run_at(&r, FIRST);
    ok(evdb_backup_verify(t->db, "b-23000101T030000Z", NULL, NULL, &why));
    refused(EVDB_INVALID, evdb_backup_verify(t->db, "a-23000101T030000Z", NULL, NULL, &why));
    run_at(&r, FIRST + 1);
    ok(evdb_backup_verify(t->db, "a-23000101T030001Z", NULL, NULL, &why));
    evdb_store_close(a);
    evdb_store_close(b);
}

static void who_stops_leaves_nothing_half_done(void **state)
{
    scratch *t = *state;
    backup_run r = { .db = t->db, .stop = true };
    evdb_store *store = store_of(t, "a");
    run_at(&r, FIRST);
    assert_string_equal(listed(t->db), "");
    evdb_store_close(store);
}

/* ---- in a bucket ---- */

static void a_bucket_is_kept_as_a_folder_is(void **state)
{
    scratch *t = *state;
    unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 1 };
    memory_bucket m;
    memory_bucket_init(&m);
    backup_run r = { .db = t->db, .bucket = &m.bucket, .key = key, .keep = 2, .full_every = 1 };
    const op_call call = { .db = t->db, .bucket = &m.bucket, .backup_key = key };
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    evdb_store *a = store_of(t, "a"), *b = store_of(t, "b");
    assert_int_equal(bucket_backup_create(&call, a, "a-by-hand", NULL, &info, NULL), EVDB_OK);
    for (int64_t i = 0; i < 5; i++) {
        change(a, i);
        run_at(&r, FIRST + i);
        run_at(&r, FIRST + i); /* another process, or a second start */
    }
    assert_string_equal(in_bucket(t->db, &m), " a-030002Z +a-030003Z a-030004Z a-by-hand b-030002Z +b-030003Z b-030004Z");
    o.key = key;
    ok(bucket_backup_verify(&call, "a-23000101T030003Z", &o, &info, &why));
    change(a, 5);
    change(a, 6);
    ok(evdb_changes_trim(a, 8, &why)); /* the changes since the base are gone */
    run_at(&r, FIRST + 5);
    assert_string_equal(in_bucket(t->db, &m), " a-030004Z a-030005Z a-by-hand b-030004Z +b-030005Z");
    assert_string_equal(listed(t->db), "");
    memory_bucket_free(&m);
    evdb_store_close(a);
    evdb_store_close(b);
}

static void whatever_a_bucket_fails_at_is_made_up_for_the_next_time(void **state)
{
    scratch *t = *state;
    evdb_store *store = store_of(t, "a");
    memory_bucket m;
    memory_bucket_init(&m);
    backup_run r = { .db = t->db, .bucket = &m.bucket, .keep = 1 };
    bool failed = true;
    for (int i = 0; failed; i++) {
        m.fail_in = i;
        run_at(&r, FIRST + 2 * i);
        failed = m.fail_in == MEMORY_NEVER;
        m.fail_in = MEMORY_NEVER;
        if (failed) assert_in_range(m.count, 0, 2); /* what was made, and the one before */
        run_at(&r, FIRST + 2 * i + 1);
        assert_int_equal(m.count, 1);
    }
    memory_bucket_free(&m);
    evdb_store_close(store);
}

static backup_run *stopped;

static evdb_status take(void *context, const void *bytes, size_t count, evdb_error *err)
{
    (void)context;
    (void)bytes;
    (void)count;
    (void)err;
    return EVDB_OK;
}

static evdb_status write_while_stopping(void *context, const char *name, evdb_status (*produce)(void *from, const evdb_sink *sink, evdb_error *err),
                                        void *from, evdb_error *err)
{
    static const evdb_sink sink = { .write = take };
    (void)context;
    assert_string_equal(name, "a-23000101T030000Z.backup");
    atomic_store(&stopped->stop, true);
    evdb_status rc = produce(from, &sink, err);
    assert_int_equal(rc, EVDB_CANCELLED);
    return rc;
}

static void who_stops_gives_up_a_backup_into_a_bucket(void **state)
{
    scratch *t = *state;
    memory_bucket m;
    memory_bucket_init(&m);
    backup_run r = { .db = t->db, .bucket = &m.bucket };
    evdb_store *a = store_of(t, "a"), *b = store_of(t, "b");
    m.bucket.write = write_while_stopping;
    stopped = &r;
    run_at(&r, FIRST);
    assert_true(r.stop);
    assert_int_equal(m.count, 0);
    memory_bucket_free(&m);
    evdb_store_close(a);
    evdb_store_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_store_is_backed_up_once_a_time, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_store_made_after_a_time_is_not_due, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(every_so_many_increments_there_is_a_full_one, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(where_no_increment_can_be_made_there_is_a_full_one, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(old_ones_are_deleted_and_others_left, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(days_count_from_the_given_time, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(names_of_the_future_do_not_count, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_fails_is_left_for_the_next_time_and_others_go_on, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_bucket_is_kept_as_a_folder_is, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(whatever_a_bucket_fails_at_is_made_up_for_the_next_time, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(who_stops_gives_up_a_backup_into_a_bucket, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(who_stops_leaves_nothing_half_done, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
