/* test_audit_power.c - the power fails at any moment while entries are appended to the audit log, and again while that is mended.
 *
 * Every entry that was acknowledged is there, and nothing that the power left behind passes for tampering, neither before the next append
 * nor behind it.
 *   EVDB_CUTS=n  images (200)
 *   EVDB_SEED=n  repeats a run */
#include "gated.h"
#include "power_cuts.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CUTS = 200, BUG_CUTS = 3000, ENTRIES = 24 };

/* What a session has been told: noted with every operation of the disk. */
typedef struct notes {
    bool opened;
    uint64_t acknowledged; /* entries, each with its number as the count of the acts that it stands for */
} notes;

typedef struct recorder {
    power disk;
    bool early; /* a program that acknowledges what it is about to write */
    notes notes;
} recorder;

/* Lines of many lengths: some cross a sector's end, some several. */
static evdb_status append(evdb *db, uint64_t *acknowledged, evdb_error *err)
{
    char target[EVDB_AUDIT_TARGET_MAX + 1];
    evdb_audit_act act = { .size = sizeof(act), .who = "admin", .via = "test", .act = "nothing", .target = target };
    size_t length = *acknowledged * 37 % sizeof(target);
    memset(target, 'a' + (int)(*acknowledged % 20), length);
    target[length] = 0;
    uint64_t number;
    evdb_status rc = evdb_audit_append(db, &act, &number, err);
    if (rc == EVDB_OK) *acknowledged = number;
    return rc;
}

static void session(recorder *r)
{
    evdb *db;
    evdb_error err;
    must(gated_open(power_gate(&r->disk), r->disk.dir, NULL, &db, &err), &err, "open");
    r->notes.opened = true;
    for (int i = 0; i < ENTRIES; i++) {
        size_t from = r->disk.count;
        must(append(db, &r->notes.acknowledged, &err), &err, "append");
        for (; r->early && from < r->disk.count; from++) memcpy(r->disk.events[from].noted, &r->notes, sizeof(r->notes));
    }
    evdb_close(db);
}

static void print(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void check(evdb *db, const notes *n, ledger_found *found)
{
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    evdb_audit_entry *list;
    size_t count;
    evdb_error err;
    if (power_refused(evdb_audit_verify(db, NULL, print, NULL, &report, &err), &err, "verify the log")) {
        found->corrupt++;
        return;
    }
    found->corrupt += (unsigned)report.problems;
    if (power_refused(evdb_audit_list(db, NULL, &list, &count, &err), &err, "list the log")) found->corrupt++;
    else {
        found->lost += count < n->acknowledged ? (unsigned)(n->acknowledged - count) : 0;
        for (size_t i = 0; i < count; i++) found->corrupt += list[i].number != i + 1;
        evdb_audit_list_free(list);
    }
}

static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    notes *n = noted;
    evdb *db;
    evdb_error err;
    (void)context;
    if (power_refused(gated_open(gate, dir, NULL, &db, &err), &err, "open")) {
        found->corrupt += n->opened;
        return;
    }
    found->records += (unsigned)n->acknowledged;
    check(db, n, found);
    for (int i = 0; i < 2; i++) {
        found->corrupt += power_refused(append(db, &n->acknowledged, &err), &err, "append");
        check(db, n, found);
    }
    found->corrupt += ledger_verify_problems(db);
    evdb_close(db);
}

/* Until it is noticed, where the program has a bug. */
static unsigned cut_power(power_bug bug, bool early, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder r = { .early = early };
    r.disk = (power){ .dir = dir, .bug = bug, .notes = &r.notes, .notes_size = sizeof(r.notes) };
    session(&r);
    const power_cuts trial = { .count = cuts, .until_noticed = bug || early, .from = 1, .look = look };
    unsigned bad = power_cuts_try(&r.disk, &trial, &seed);
    power_free(&r.disk);
    dir_remove(dir);
    return bad;
}

static void acknowledged_entries_survive_a_power_cut_and_nothing_passes_for_tampering(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, false, power_cuts_wanted(CUTS)), 0);
}

static void missing_syncs_are_noticed(void **state)
{
    (void)state;
    static const power_bug bugs[] = { POWER_NO_SYNCS, POWER_NO_LOG_SYNCS, POWER_NO_FOLDER_SYNCS };
    for (size_t i = 0; i < sizeof(bugs) / sizeof(*bugs); i++)
        if (cut_power(bugs[i], false, BUG_CUTS) == 0) fail_msg("bug %d is not noticed", bugs[i]);
}

static void an_answer_before_the_entry_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, true, BUG_CUTS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_entries_survive_a_power_cut_and_nothing_passes_for_tampering),
        cmocka_unit_test(missing_syncs_are_noticed),
        cmocka_unit_test(an_answer_before_the_entry_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
