/* test_damaged_record.c - records that are wrong on sound pages: no read returns them, and a cursor can go on behind them. */
#include "disk/rows_private.h"
#include "expect.h"
#include "scratch.h"
#include "tamper.h"
#include <stdio.h>
#include <string.h>

static const float pair[2] = { 1, 2 };

/* Closes the database and changes a store's rows behind its back, with page checksums that match. */
static void tamper_with(scratch *t, const char *name, const char *statement)
{
    evdb_store *store;
    char path[3 * SCRATCH_PATH_MAX];
    ok(evdb_store_open(t->db, name, &store, &why));
    snprintf(path, sizeof(path), "%s/rows.db", scratch_folder(store, t));
    evdb_store_close(store);
    evdb_close(t->db);
    tamper(path, statement);
    ok(evdb_open(t->path, NULL, &t->db, &why));
}

static void fill(scratch *t, bool strings)
{
    evdb_store *store = scratch_store(t, "s", 2, EVDB_COSINE);
    char id[2] = "0";
    for (int i = 0; i < 5; i++, id[0]++)
        ok(evdb_record_insert(store, strings ? str(id) : num(i), pair, 2, "{\"a\":1}", NULL, &why));
    evdb_store_close(store);
}

/* Walks the store and counts good and bad records; gives up after more than there are. */
static void walk(evdb_store *store, uint32_t flags, int *good, int *bad)
{
    evdb_cursor_options o = { .size = sizeof(o), .flags = flags };
    const evdb_record *r = NULL;
    evdb_cursor *cursor;
    *good = *bad = 0;
    ok(evdb_cursor_open(store, &o, &cursor, &why));
    while (*good + *bad < 20) {
        evdb_status rc = evdb_cursor_next(cursor, &r, &why);
        if (rc == EVDB_OK && !r) break;
        if (rc == EVDB_OK) ++*good;
        else {
            assert_int_equal(rc, EVDB_CORRUPT);
            assert_int_equal(why.status, EVDB_CORRUPT);
            ++*bad;
        }
    }
    evdb_cursor_close(cursor);
}

static void assert_damage(scratch *t, evdb_id id, bool vector_too)
{
    evdb_store *store;
    evdb_record *r;
    evdb_result *found;
    evdb_verify_report report;
    int good, bad;
    ok(evdb_store_open(t->db, "s", &store, &why));
    refused(EVDB_CORRUPT, evdb_record_get(store, id, &r, &why));
    walk(store, EVDB_CURSOR_SKIP_DAMAGED, &good, &bad);
    assert_int_equal(good, 4);
    assert_int_equal(bad, 1);
    walk(store, 0, &good, &bad); /* stays where it is */
    assert_true(bad > 1);
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_true(report.problems >= 1);
    if (vector_too) refused(EVDB_CORRUPT, evdb_search(store, pair, 2, NULL, &found, &why));
    evdb_store_close(store);
}

static void changed_metadata_is_never_returned(void **state)
{
    scratch *t = *state;
    fill(t, false);
    tamper_with(t, "s", "UPDATE records SET metadata='{\"a\":2}' WHERE id=3");
    assert_damage(t, num(3), false);
}

static void the_record_of_id_0_is_skipped_like_any_other(void **state)
{
    scratch *t = *state;
    fill(t, false);
    tamper_with(t, "s", "UPDATE records SET metadata='{\"a\":2}' WHERE id=0");
    assert_damage(t, num(0), false);
}

static void a_changed_version_is_never_returned(void **state)
{
    scratch *t = *state;
    fill(t, true);
    tamper_with(t, "s", "UPDATE records SET sequence=2 WHERE id='3'");
    assert_damage(t, str("3"), false);
}

static void a_changed_vector_is_never_returned_or_searched(void **state)
{
    scratch *t = *state;
    fill(t, true);
    tamper_with(t, "s", "UPDATE vectors SET bytes=x'0000803f0000803f' WHERE id='2'");
    assert_damage(t, str("2"), true);
}

/* Bytes that pass the checksum, and are no vector of this store all the same. */
static void replace_vector(scratch *t, int64_t id, const unsigned char *bytes, size_t size)
{
    char statement[300], hex[2 * 16 + 1] = "";
    uint64_t sequence = (uint64_t)id + 1, slot = (uint64_t)id;
    for (size_t i = 0; i < size; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    snprintf(statement, sizeof(statement), "UPDATE vectors SET bytes=x'%s', checksum=%lld WHERE id=%lld", hex,
             (long long)rows_checksum(&(evdb_id){ .number = id }, slot, sequence, 0, bytes, size), (long long)id);
    tamper_with(t, "s", statement);
}

static void a_vector_of_another_size_is_never_returned_or_searched(void **state)
{
    scratch *t = *state;
    fill(t, false);
    replace_vector(t, 2, (const unsigned char[4]){ 0 }, 4);
    assert_damage(t, num(2), true);
}

static void elements_that_were_never_stored_are_not_returned_or_searched(void **state)
{
    static const struct { const char *name; evdb_dtype dtype; size_t size; unsigned char bytes[4]; } cases[] = {
        { "bits behind the end", EVDB_BIT, 1, { 0x07 } }, { "too many bits", EVDB_BIT, 2, { 1, 0 } },
        { "an infinity", EVDB_F16, 4, { 0, 0x7c, 0, 0 } }, { "floats", EVDB_I8, 4, { 0 } },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const float one[2] = { 1, 1 };
        evdb_store_options o = EVDB_STORE_OPTIONS;
        evdb_store *store;
        scratch *t = *state;
        o.dtype = cases[i].dtype;
        ok(evdb_store_create(t->db, "s", &o, &store, &why));
        for (int r = 0; r < 5; r++) ok(evdb_record_insert(store, num(r), one, 2, NULL, NULL, &why));
        evdb_store_close(store);
        replace_vector(t, 3, cases[i].bytes, cases[i].size);
        print_message("%s\n", cases[i].name);
        assert_damage(t, num(3), false);
        ok(evdb_store_open(t->db, "s", &store, &why));
        refused(EVDB_CORRUPT, evdb_search(store, one, 2, NULL, &(evdb_result *){ NULL }, &why));
        expect_says("record 3");
        evdb_store_close(store);
        ok(evdb_store_drop(t->db, "s", &why));
    }
}

static void a_missing_vector_is_reported(void **state)
{
    scratch *t = *state;
    fill(t, false);
    tamper_with(t, "s", "DELETE FROM vectors WHERE id=2");
    assert_damage(t, num(2), false);
}

static void swapped_vectors_are_noticed(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    evdb_record *r;
    evdb_verify_report report;
    fill(t, false);
    tamper_with(t, "s",
                "UPDATE records SET slot=(SELECT sum(slot) FROM records WHERE id IN (1,2))-slot WHERE id IN (1,2)");
    ok(evdb_store_open(t->db, "s", &store, &why));
    refused(EVDB_CORRUPT, evdb_record_get(store, num(1), &r, &why));
    refused(EVDB_CORRUPT, evdb_record_get(store, num(2), &r, &why));
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_true(report.problems >= 2);
    evdb_store_close(store);
}

static void an_id_longer_than_any_is_reported(void **state)
{
    scratch *t = *state;
    evdb_store *store;
    evdb_verify_report report;
    int good, bad;
    fill(t, true);
    tamper_with(t, "s", "UPDATE records SET id=printf('%.*c', 100000, 'x') WHERE id='4'");
    ok(evdb_store_open(t->db, "s", &store, &why));
    walk(store, EVDB_CURSOR_SKIP_DAMAGED, &good, &bad);
    assert_int_equal(good, 4);
    assert_true(bad >= 1);
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_true(report.problems >= 1);
    evdb_store_close(store);
}

static void a_record_that_vanished_is_missed_by_verify(void **state)
{
    scratch *t = *state;
    evdb_verify_report report;
    fill(t, false);
    tamper_with(t, "s", "DELETE FROM records WHERE id=2");
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_true(report.problems >= 2); /* the count, and a vector that belongs to nobody */
}

static void a_gap_in_the_changes_is_found_by_verify(void **state)
{
    scratch *t = *state;
    evdb_verify_report report;
    fill(t, false);
    tamper_with(t, "s", "DELETE FROM changes WHERE sequence=3");
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 1);
}

static void a_slot_that_is_free_and_used_is_found_by_verify(void **state)
{
    scratch *t = *state;
    evdb_verify_report report;
    fill(t, false);
    tamper_with(t, "s", "INSERT INTO free SELECT slot FROM vectors LIMIT 1");
    ok(evdb_verify(t->db, "s", NULL, NULL, &report, &why));
    assert_int_equal(report.problems, 1);
}

static void fill_signed(scratch *t)
{
    evdb_store_options o = { .size = sizeof(o), .dim = 2, .authors = 1 };
    evdb_batch b = EVDB_BATCH;
    evdb_store *store;
    ok(evdb_store_create(t->db, "s", &o, &store, &why));
    b.kind = EVDB_INSERT;
    b.count = 1;
    b.vectors = pair;
    b.dim = 2;
    b.author = "ann";
    for (int64_t i = 0; i < 5; i++) {
        b.numbers = &i;
        ok(evdb_batch_write(store, &b, NULL, &why));
    }
    evdb_store_close(store);
}

/* Each way to say that somebody else wrote a record, or nobody, or at another time. */
static void a_changed_author_is_never_returned(void **state)
{
    static const char *const changes[] = { "author='bob'", "author=NULL", "author='ann '", "written=written+1", "written=NULL", "author=''",
                                           "author=hex(zeroblob(200))" };
    scratch *t = *state;
    char statement[80];
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        fill_signed(t);
        snprintf(statement, sizeof(statement), "UPDATE records SET %s WHERE id=3", changes[i]);
        tamper_with(t, "s", statement);
        assert_damage(t, num(3), false);
        ok(evdb_store_drop(t->db, "s", &why));
    }
}

/* One that has none is not given one either. */
static void an_author_that_was_not_there_is_never_returned(void **state)
{
    scratch *t = *state;
    fill(t, false);
    tamper_with(t, "s", "UPDATE records SET author='ann', written=5 WHERE id=3");
    assert_damage(t, num(3), false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changed_metadata_is_never_returned),
        TEST(the_record_of_id_0_is_skipped_like_any_other),
        TEST(a_changed_version_is_never_returned),
        TEST(a_changed_author_is_never_returned),
        TEST(an_author_that_was_not_there_is_never_returned),
        TEST(a_changed_vector_is_never_returned_or_searched),
        TEST(a_vector_of_another_size_is_never_returned_or_searched),
        TEST(elements_that_were_never_stored_are_not_returned_or_searched),
        TEST(a_missing_vector_is_reported),
        TEST(swapped_vectors_are_noticed),
        TEST(an_id_longer_than_any_is_reported),
        TEST(a_record_that_vanished_is_missed_by_verify),
        TEST(a_gap_in_the_changes_is_found_by_verify),
        TEST(a_slot_that_is_free_and_used_is_found_by_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
