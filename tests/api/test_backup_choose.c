/* test_backup_choose.c - evdb/backup.h: which of backups that are kept anywhere a rule deletes, and in which order. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = 7 };

/* In no order: a chain of three, a full one, and three that cannot be restored. */
static void describe(evdb_backup_info at[ALL], const evdb_backup_info *backups[ALL], uint64_t *seed)
{
    const evdb_backup_info all[ALL] = {
        { .name = "a", .id = "1", .uuid = "s", .sequence = 1 }, { .name = "a1", .id = "2", .base = "1", .uuid = "s", .sequence = 2 },
        { .name = "a2", .id = "3", .base = "2", .uuid = "s", .sequence = 3 }, { .name = "b", .id = "4", .uuid = "s", .sequence = 4 },
        { .name = "lost", .id = "5", .base = "9", .uuid = "s", .sequence = 5 }, { .name = "bad", .problem = "it is cut" },
        { .name = "round", .id = "6", .base = "6", .uuid = "s", .sequence = 6 },
    };
    for (size_t i = 0; i < ALL; i++) {
        size_t other = seed_below(seed, i + 1);
        at[i] = all[i];
        at[i].size = sizeof(at[i]);
        backups[i] = backups[other];
        backups[other] = &at[i];
    }
}

/* Names, each behind a blank, with a '!' where there is a problem. */
static const char *chosen(evdb *db, const evdb_prune_options *o, const evdb_backup_info *const *backups, size_t all)
{
    static char text[400];
    evdb_backup_info **list;
    size_t count, at = 0;
    *text = 0;
    ok(evdb_backup_choose(db, o, backups, all, &list, &count, &why));
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s", list[i]->name, *list[i]->problem ? "!" : "");
    evdb_backup_list_free(list, count);
    return text;
}

static void increments_come_before_what_they_build_on_and_what_is_left_at_the_end(void **state)
{
    scratch *t = *state;
    evdb_backup_info at[ALL];
    const evdb_backup_info *backups[ALL] = { NULL };
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    uint64_t seed = seed_print();
    describe(at, backups, &seed);
    o.keep = 1;
    assert_string_equal(chosen(t->db, &o, backups, ALL), " a2 a1 a bad! lost! round!");
    assert_string_equal(at[4].problem, ""); /* the caller's own are as they were */
    o.keep = 2;
    assert_string_equal(chosen(t->db, &o, backups, ALL), " bad! lost! round!"); /* the second keeps all it builds on */
    assert_string_equal(chosen(t->db, &o, NULL, 0), "");
}

static void a_choice_needs_a_rule_and_backups_that_are_some(void **state)
{
    scratch *t = *state;
    evdb_backup_info at[ALL];
    const evdb_backup_info *backups[ALL] = { NULL };
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list;
    size_t count;
    uint64_t seed = seed_print();
    describe(at, backups, &seed);
    refused(EVDB_INVALID, evdb_backup_choose(t->db, NULL, backups, ALL, &list, &count, &why));
    expect_says("rule");
    o.keep = 1;
    at[seed_below(&seed, ALL)].size = 3;
    refused(EVDB_INVALID, evdb_backup_choose(t->db, &o, backups, ALL, &list, &count, &why));
    expect_says("evdb_backup_info");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(increments_come_before_what_they_build_on_and_what_is_left_at_the_end, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(a_choice_needs_a_rule_and_backups_that_are_some, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
