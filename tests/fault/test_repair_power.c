/* test_repair_power.c - the power fails at any moment of a repair, and again while what is left is repaired anew.
 *
 * The store is the damaged one, which the next repair makes whole of all its records, or already the repaired one, and that for certain
 * once a repair was acknowledged. In the end nothing is left in `stores` but the store, and the damaged files are in quarantine.
 *   EVDB_CUTS=n  images (120)
 *   EVDB_SEED=n  repeats a run's choices */
#include "gated.h"
#include "power_cuts.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CUTS = 120, BUG_CUTS = 3000, WRITES = 30, PAGE = 16384 };

typedef struct notes {
    bool repaired; /* was acknowledged */
    ledger ledger;
} notes;

typedef struct recorder {
    power disk;
    tree damaged;
    notes notes;
} recorder;

/* The page of the schema: all records can be read, and no store opened. */
static void damage(recorder *r)
{
    r->damaged = tree_read(r->disk.dir);
    tree_file *f = tree_find(&r->damaged, "/rows.db", 0);
    assert_true(f && f->size > PAGE);
    memset(f->bytes + PAGE - 500, 0x5a, 100);
    tree_write(&r->damaged, r->disk.dir);
    r->disk.base = &r->damaged;
}

static void make_store(recorder *r, uint64_t *seed)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    must(gated_open((io_gate){ NULL, gated_no_sync }, r->disk.dir, NULL, &db, &err), &err, "open");
    must(evdb_store_create(db, "s", NULL, &store, &err), &err, "create");
    for (int i = 0; i < WRITES; i++) must(ledger_write_any(&r->notes.ledger, store, seed, &err), &err, "write");
    must(ledger_write(&r->notes.ledger, store, EVDB_UPSERT, 0, LEDGER_BATCH_MAX, &err), &err, "write");
    evdb_store_close(store);
    evdb_close(db);
}

static void session(recorder *r, uint64_t *seed)
{
    evdb_repair_report report = EVDB_REPAIR_REPORT;
    evdb *db;
    evdb_error err;
    make_store(r, seed);
    damage(r);
    must(gated_open(power_gate(&r->disk), r->disk.dir, NULL, &db, &err), &err, "open");
    must(evdb_store_repair(db, "s", NULL, &report, &err), &err, "repair");
    assert_true(report.repaired && !report.lost && !report.lost_unnamed);
    r->notes.repaired = true;
    evdb_close(db);
}

static unsigned said(bool bad, const char *what)
{
    if (bad) fprintf(stderr, "%s\n", what);
    return bad;
}

static void look_at_store(notes *n, evdb *db, ledger_found *found)
{
    evdb_store *store;
    evdb_error err;
    if (power_refused(evdb_store_open(db, "s", &store, &err), &err, "open the store")) {
        found->corrupt++;
        return;
    }
    ledger_compare(&n->ledger, store, found);
    found->corrupt += ledger_write(&n->ledger, store, EVDB_UPSERT, 0, 3, &err) != EVDB_OK;
    found->corrupt += ledger_differences(&n->ledger, store);
    evdb_store_close(store);
}

static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    notes *n = noted;
    evdb_repair_report report = EVDB_REPAIR_REPORT;
    evdb *db;
    evdb_error err;
    (void)context;
    if (power_refused(gated_open(gate, dir, NULL, &db, &err), &err, "open")) {
        found->corrupt++;
        return;
    }
    if (power_refused(evdb_store_repair(db, "s", NULL, &report, &err), &err, "repair")) {
        found->corrupt++;
        evdb_close(db);
        return;
    }
    found->corrupt += said(report.repaired && n->repaired, "a repair that was acknowledged is undone");
    found->lost += said(report.lost || report.lost_unnamed || report.missing_changes, "a repair says that something is lost");
    n->repaired = true;
    look_at_store(n, db, found);
    found->corrupt += ledger_verify_problems(db) + power_strays(db, dir);
    evdb_close(db);
    tree files = tree_read(dir);
    bool kept = false;
    for (unsigned i = 0; i < files.count; i++)
        kept |= strncmp(files.files[i].path, "quarantine/", 11) == 0 && strstr(files.files[i].path, "/rows.db");
    found->lost += said(!kept, "the damaged files are not in quarantine");
    tree_free(&files);
}

static unsigned cut_power(power_bug bug, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->notes.ledger.first = -20;
    r->disk = (power){ .dir = dir, .bug = bug, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    session(r, &seed);
    const power_cuts trial = { .count = cuts, .until_noticed = bug != POWER_SOUND, .look = look };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    power_free(&r->disk);
    tree_free(&r->damaged);
    free(r);
    dir_remove(dir);
    return bad;
}

static void a_repair_survives_power_cuts(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, power_cuts_wanted(CUTS)), 0);
}

static void each_missing_sync_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_SYNCS, BUG_CUTS), 1);
    assert_int_equal(cut_power(POWER_NO_FOLDER_SYNCS, BUG_CUTS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repair_survives_power_cuts),
        cmocka_unit_test(each_missing_sync_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
