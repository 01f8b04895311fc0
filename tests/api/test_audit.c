/* test_audit.c - the audit log: what it keeps, and that whatever is done to its file is found. */
#include "audit_file.h"
#include "expect.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES = 8 };

/* A log of ENTRIES entries, which is sound. */
static int setup(void **state)
{
    if (scratch_open(state) != 0) return -1;
    scratch *t = *state;
    for (int i = 0; i < ENTRIES; i++) {
        char target[16];
        snprintf(target, sizeof(target), "client-%d", i);
        audit_note(t->db, target);
    }
    return 0;
}

static void entries_are_listed_as_they_were_written(void **state)
{
    scratch *t = *state;
    evdb_audit_act act = { .size = sizeof(act), .who = "local:1000", .via = "cli", .act = "repair_store", .target = "a\"\\\n\xc3\xa9\xff",
                           .outcome = EVDB_AUDIT_BEGUN, .count = 7 };
    evdb_audit_entry *list;
    size_t count;
    uint64_t number = 0;
    ok(evdb_audit_append(t->db, &act, &number, &why));
    assert_int_equal(number, ENTRIES + 1);
    act.of = number;
    act.outcome = EVDB_NOT_FOUND;
    act.count = 0;
    ok(evdb_audit_append(t->db, &act, &number, &why));
    scratch_reopen(t);
    ok(evdb_audit_list(t->db, NULL, &list, &count, &why));
    assert_int_equal(count, ENTRIES + 2);
    for (size_t i = 0; i < count; i++) assert_int_equal(list[i].number, i + 1);
    assert_true(list[0].time_ms > 1700000000000 && list[0].count == 1 && list[0].of == 0 && list[0].outcome == EVDB_OK);
    assert_string_equal(list[3].target, "client-3");
    const evdb_audit_entry *begun = &list[ENTRIES], *ended = begun + 1;
    assert_string_equal(begun->who, "local:1000");
    assert_string_equal(begun->via, "cli");
    assert_string_equal(begun->act, "repair_store");
    assert_string_equal(begun->target, "a\"\\\n\xc3\xa9?");
    assert_true(begun->outcome == EVDB_AUDIT_BEGUN && begun->count == 7);
    assert_true(ended->outcome == EVDB_NOT_FOUND && ended->of == begun->number);
    evdb_audit_list_free(list);
    assert_int_equal(audit_problems(t->db, NULL), 0);
}

static void a_list_begins_where_it_is_told_and_ends_in_time(void **state)
{
    scratch *t = *state;
    static const struct { uint64_t after; uint32_t limit, newest; uint64_t first; size_t count; } wanted[] = {
        { 0, 3, 0, 1, 3 }, { 6, 100, 0, 7, 2 }, { 0, 3, 1, 6, 3 }, { 7, 3, 1, 8, 1 }, { 0, 100, 1, 1, ENTRIES }, { ENTRIES, 0, 0, 0, 0 },
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        evdb_audit_query q = EVDB_AUDIT_QUERY;
        evdb_audit_entry *list;
        size_t count;
        q.after = wanted[i].after;
        q.limit = wanted[i].limit;
        q.newest = wanted[i].newest;
        ok(evdb_audit_list(t->db, &q, &list, &count, &why));
        assert_int_equal(count, wanted[i].count);
        if (count) assert_int_equal(list[0].number, wanted[i].first);
        evdb_audit_list_free(list);
    }
    evdb_audit_query q = EVDB_AUDIT_QUERY;
    evdb_audit_entry *list;
    size_t count;
    q.limit = EVDB_AUDIT_LIST_MAX + 1;
    refused(EVDB_INVALID, evdb_audit_list(t->db, &q, &list, &count, &why));
}

static void what_is_no_entry_is_refused(void **state)
{
    scratch *t = *state;
    const evdb_audit_act good = { .size = sizeof(good), .who = "w", .via = "v", .act = "a" };
    evdb_audit_act bad[] = { good, good, good, good, good, good };
    bad[0].who = NULL;
    bad[1].via = "";
    bad[2].act = NULL;
    bad[3].outcome = -2;
    bad[4].outcome = EVDB_REMOTE + 1;
    bad[5].count = UINT64_MAX;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) refused(EVDB_INVALID, evdb_audit_append(t->db, &bad[i], NULL, &why));
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    refused(EVDB_INVALID, evdb_audit_verify(t->db, "1:abc", NULL, NULL, &report, &why));
    refused(EVDB_INVALID, evdb_audit_verify(t->db, "", NULL, NULL, &report, &why));
}

static void texts_that_are_too_long_are_cut_between_characters(void **state)
{
    scratch *t = *state;
    char text[2000];
    evdb_audit_act act = { .size = sizeof(act), .who = text, .via = text, .act = text, .target = text };
    evdb_audit_entry *list;
    size_t count;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2) memcpy(text + i, "\xc3\xa9", 3);
    ok(evdb_audit_append(t->db, &act, NULL, &why));
    memset(text, 1, sizeof(text) - 1); /* each is six bytes in JSON */
    ok(evdb_audit_append(t->db, &act, NULL, &why));
    ok(evdb_audit_list(t->db, &(evdb_audit_query){ .size = sizeof(evdb_audit_query), .after = ENTRIES }, &list, &count, &why));
    assert_int_equal(count, 2);
    assert_int_equal(strlen(list[0].who), EVDB_AUDIT_WHO_MAX); /* even */
    assert_int_equal(strlen(list[0].via), EVDB_AUDIT_VIA_MAX - 1);
    assert_int_equal(strlen(list[0].target), EVDB_AUDIT_TARGET_MAX - 1);
    assert_int_equal(strlen(list[1].target), EVDB_AUDIT_TARGET_MAX);
    evdb_audit_list_free(list);
    assert_int_equal(audit_problems(t->db, NULL), 0);
}

static void every_byte_that_is_changed_is_found(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    audit_bytes b = audit_bytes_read(t);
    for (size_t i = 0; i < b.size; i++) {
        char was = b.at[i];
        b.at[i] = (char)(was ^ (1 + seed_below(&seed, 255)));
        audit_bytes_write(t, b.at, b.size);
        if (audit_problems(t->db, NULL) == 0) fail_msg("byte %zu changed from %d to %d is not found", i, was, b.at[i]);
        b.at[i] = was;
    }
    audit_bytes_write(t, b.at, b.size);
    assert_int_equal(audit_problems(t->db, NULL), 0);
    free(b.at);
}

/* The log with lines in this order, ended by ENTRIES + 1. */
static void reorder(scratch *t, const audit_bytes *b, const size_t *order)
{
    char *made = malloc(2 * b->size);
    size_t size = 0;
    assert_non_null(made);
    for (; *order <= ENTRIES; order++) {
        size_t from = audit_bytes_line(b, *order), to = audit_bytes_line(b, *order + 1);
        memcpy(made + size, b->at + from, to - from);
        size += to - from;
    }
    audit_bytes_write(t, made, size);
    free(made);
}

static void entries_taken_out_doubled_or_moved_are_found(void **state)
{
    scratch *t = *state;
    audit_bytes b = audit_bytes_read(t);
    for (size_t i = 0; i < ENTRIES; i++) {
        for (size_t j = 0; j < ENTRIES; j++) {
            size_t order[ENTRIES + 2], n = 0;
            for (size_t k = 0; k < ENTRIES; k++) order[n++] = k == i ? j : k == j ? i : k; /* i and j change places; none is taken out */
            order[n] = ENTRIES + 1;
            reorder(t, &b, order);
            assert_int_equal(audit_problems(t->db, NULL) > 0, i != j);
        }
        size_t without[ENTRIES + 1], twice[ENTRIES + 2], n = 0, m = 0;
        for (size_t k = 0; k < ENTRIES; k++) {
            if (k != i) without[n++] = k;
            twice[m++] = k;
            if (k == i) twice[m++] = k;
        }
        without[n] = twice[m] = ENTRIES + 1;
        reorder(t, &b, without);
        assert_true(audit_problems(t->db, NULL) > 0);
        reorder(t, &b, twice);
        assert_true(audit_problems(t->db, NULL) > 0);
    }
    free(b.at);
}

static void a_log_that_was_cut_anywhere_is_found_and_stays_so_while_it_goes_on(void **state)
{
    scratch *t = *state;
    audit_bytes b = audit_bytes_read(t);
    for (size_t size = 0; size < b.size; size++) {
        audit_bytes_write(t, b.at, size);
        if (audit_problems(t->db, NULL) == 0) fail_msg("cut to %zu bytes is not found", size);
    }
    audit_bytes_write(t, b.at, audit_bytes_line(&b, 5) + 20);
    for (int i = 0; i < 3; i++) audit_note(t->db, "behind it");
    assert_true(audit_problems(t->db, NULL) > 0);
    evdb_audit_entry *list;
    size_t count;
    ok(evdb_audit_list(t->db, NULL, &list, &count, &why));
    assert_int_equal(count, 5 + 3);
    assert_int_equal(list[5].number, ENTRIES + 1);
    evdb_audit_list_free(list);
    free(b.at);
}

static void a_file_that_was_removed_or_is_an_older_copy_is_found(void **state)
{
    scratch *t = *state;
    char path[SCRATCH_PATH_MAX + 16];
    audit_bytes old = audit_bytes_read(t);
    audit_note(t->db, "later");
    audit_bytes later = audit_bytes_read(t);
    audit_bytes_write(t, old.at, old.size);
    assert_true(audit_problems(t->db, NULL) > 0);
    snprintf(path, sizeof(path), "%s/audit.log", t->path);
    assert_int_equal(unlink(path), 0);
    assert_true(audit_problems(t->db, NULL) > 0);
    audit_note(t->db, "a new file");
    assert_true(audit_problems(t->db, NULL) > 0);
    audit_bytes_write(t, later.at, later.size);
    assert_true(audit_problems(t->db, NULL) > 0); /* "a new file" is missing from it */
    free(old.at);
    free(later.at);
}

/* Put behind the last entry; *how many findings that makes. */
static uint64_t behind(scratch *t, const audit_bytes *b, const char *text, size_t size)
{
    char *made = malloc(b->size + size);
    assert_non_null(made);
    memcpy(made, b->at, b->size);
    memcpy(made + b->size, text, size);
    audit_bytes_write(t, made, b->size + size);
    free(made);
    return audit_problems(t->db, NULL);
}

static void forged_entries_are_found_and_left_where_they_are(void **state)
{
    scratch *t = *state;
    audit_bytes b = audit_bytes_read(t);
    char forged[1024];
    size_t from = audit_bytes_line(&b, ENTRIES - 1), size = b.size - from;
    memcpy(forged, b.at + from, size);
    assert_true(behind(t, &b, forged, size) > 0); /* the last one again */
    memcpy(strstr(forged, ":8,"), ":9,", 3);
    assert_true(behind(t, &b, forged, size) > 0);
    audit_note(t->db, "behind the forged one");
    assert_int_equal(audit_problems(t->db, NULL), 1);
    assert_true(behind(t, &b, "\n", 1) > 0);
    free(b.at);
}

static void a_piece_that_a_power_failure_left_is_no_finding_and_goes(void **state)
{
    scratch *t = *state;
    audit_bytes b = audit_bytes_read(t), after;
    static const char *const pieces[] = { "{", "{\"number\":9,\"time_ms\":17", "{\"number\":9" };
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) assert_int_equal(behind(t, &b, pieces[i], strlen(pieces[i])), 0);
    assert_int_equal(behind(t, &b, "\0\0\0\0\0\"ok\"}\n", 11), 0); /* a part that never reached the disk reads as zeros */
    audit_note(t->db, "next");
    assert_int_equal(audit_problems(t->db, NULL), 0);
    after = audit_bytes_read(t);
    assert_memory_equal(after.at, b.at, b.size);
    assert_memory_equal(after.at + b.size, "{\"number\":9,", 12);
    free(b.at);
    free(after.at);
}

static void an_anchor_finds_what_the_database_itself_cannot(void **state)
{
    scratch *t = *state;
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    char anchor[EVDB_AUDIT_HEAD_BYTES];
    ok(evdb_audit_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_int_equal(report.entries, ENTRIES);
    assert_memory_equal(report.head, "8:", 2);
    memcpy(anchor, report.head, sizeof(anchor));
    audit_note(t->db, "later");
    assert_int_equal(audit_problems(t->db, anchor), 0);
    ok(evdb_audit_verify(t->db, anchor, NULL, NULL, &report, &why));
    assert_string_not_equal(report.head, anchor);
    char *digit = anchor + strlen(anchor) - 1;
    *digit = *digit == '0' ? '1' : '0';
    assert_int_equal(audit_problems(t->db, anchor), 1); /* another log's */
}

static void a_database_that_was_never_administered_has_no_log(void **state)
{
    scratch *t = *state;
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    evdb_audit_entry *list;
    size_t count;
    ok(evdb_audit_verify(t->db, NULL, NULL, NULL, &report, &why));
    assert_true(report.entries == 0 && report.problems == 0 && !*report.head);
    ok(evdb_audit_list(t->db, NULL, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_audit_list_free(list);
    assert_int_not_equal(access(scratch_path(t, "db/audit.log"), F_OK), 0);
    audit_bytes_write(t, "{}\n", 3);
    assert_int_equal(audit_problems(t->db, NULL), 1);
}

static void a_database_in_memory_keeps_nothing(void **state)
{
    (void)state;
    evdb *db;
    evdb_audit_entry *list;
    size_t count;
    ok(evdb_open(":memory:", NULL, &db, &why));
    audit_note(db, "x");
    ok(evdb_audit_list(db, NULL, &list, &count, &why));
    assert_int_equal(count, 0);
    evdb_audit_list_free(list);
    assert_int_equal(audit_problems(db, NULL), 0);
    evdb_close(db);
}

static void the_log_may_be_read_by_those_who_may_read_the_database(void **state)
{
    scratch *t = *state;
    char secret[EVDB_SECRET_BYTES];
    struct stat st;
    ok(evdb_auth_client_add(t->db, "app", NULL, 0, 0, secret, &why)); /* from now on its owner alone */
    audit_note(t->db, "x");
    assert_int_equal(stat(scratch_path(t, "db/audit.log"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_listed_as_they_were_written, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(a_list_begins_where_it_is_told_and_ends_in_time, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(what_is_no_entry_is_refused, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(texts_that_are_too_long_are_cut_between_characters, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(every_byte_that_is_changed_is_found, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(entries_taken_out_doubled_or_moved_are_found, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(a_log_that_was_cut_anywhere_is_found_and_stays_so_while_it_goes_on, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(a_file_that_was_removed_or_is_an_older_copy_is_found, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(forged_entries_are_found_and_left_where_they_are, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(a_piece_that_a_power_failure_left_is_no_finding_and_goes, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(an_anchor_finds_what_the_database_itself_cannot, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(a_database_that_was_never_administered_has_no_log, scratch_open, scratch_remove),
        cmocka_unit_test(a_database_in_memory_keeps_nothing),
        cmocka_unit_test_setup_teardown(the_log_may_be_read_by_those_who_may_read_the_database, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
