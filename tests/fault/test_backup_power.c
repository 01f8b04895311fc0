/* test_backup_power.c - the power fails at any moment while a store is written, backed up and restored in its own place.
 *
 * A backup that was acknowledged is there and sound. The store is the one that was told: the old one with all that was acknowledged,
 * or, from the moment its restore was acknowledged on, the state of the backup; in between either, whole.
 *   EVDB_CUTS=n  images (200)
 *   EVDB_SEED=n  repeats a run */
#include "gated.h"
#include "power_cuts.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CUTS = 200, BUG_CUTS = 3000, WRITES = 6, ROUNDS = 2 };

/* What a session has been told: noted with every operation of the disk. */
typedef struct notes {
    bool created;
    unsigned backups;   /* full-0, more-0, full-1, ... are there */
    ledger ledger;      /* of the store */
    ledger saved;       /* of the last backup */
    char uuid[37];      /* of the store, until the restore that is under way is told to be done */
    bool restoring;
} notes;

typedef struct recorder {
    power disk;
    bool early; /* a program that acknowledges what it is about to write */
    notes notes;
} recorder;

static void name_of(unsigned n, char out[16]) { snprintf(out, 16, "%s-%u", n % 2 ? "more" : "full", n / 2); }

static void write_some(recorder *r, evdb_store *store, uint64_t *seed)
{
    evdb_error err;
    for (int i = 0; i < WRITES; i++) {
        size_t from = r->disk.count;
        must(ledger_write_any(&r->notes.ledger, store, seed, &err), &err, "write");
        for (; r->early && from < r->disk.count; from++) memcpy(r->disk.events[from].noted, &r->notes, sizeof(r->notes));
    }
}

static void back_up(notes *n, evdb_store *store)
{
    char name[16], base[16];
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    evdb_error err;
    name_of(n->backups, name);
    if (n->backups % 2) {
        name_of(n->backups - 1, base);
        o.base_name = base;
    }
    must(evdb_backup_create(store, name, &o, NULL, &err), &err, "backup");
    n->saved = n->ledger;
    n->backups++;
}

static void learn(notes *n, evdb_store *store)
{
    evdb_store_info *info;
    evdb_error err;
    must(evdb_store_describe(store, &info, &err), &err, "describe");
    memcpy(n->uuid, info->uuid, sizeof(n->uuid));
    evdb_store_info_free(info);
}

static void session(recorder *r, uint64_t *seed)
{
    notes *n = &r->notes;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    char name[16];
    o.replace = 1;
    must(gated_open(power_gate(&r->disk), r->disk.dir, NULL, &db, &err), &err, "open");
    must(evdb_store_create(db, "s", NULL, NULL, &err), &err, "create");
    n->created = true;
    for (int round = 0; round < ROUNDS; round++) {
        must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
        learn(n, store);
        write_some(r, store, seed);
        back_up(n, store);
        write_some(r, store, seed);
        back_up(n, store);
        write_some(r, store, seed);
        evdb_store_close(store);
        name_of(n->backups - 1, name);
        n->restoring = true;
        must(evdb_backup_restore(db, name, "s", &o, NULL, &err), &err, "restore");
        n->restoring = false;
        n->ledger = n->saved;
        n->uuid[0] = 0;
    }
    evdb_close(db);
}

static void look_at_store(notes *n, evdb *db, ledger_found *found)
{
    evdb_store *store;
    evdb_store_info *info;
    evdb_error err;
    evdb_status rc = evdb_store_open(db, "s", &store, &err);
    if (rc != EVDB_OK && !n->created && rc == EVDB_NOT_FOUND) return;
    if (rc == EVDB_OK) rc = evdb_store_describe(store, &info, &err);
    if (power_refused(rc, &err, "open the store")) {
        found->corrupt++;
        return;
    }
    bool old = !*n->uuid || strcmp(info->uuid, n->uuid) == 0;
    evdb_store_info_free(info);
    ledger *l = old || !n->restoring ? &n->ledger : &n->saved;
    ledger_compare(l, store, found);
    found->corrupt += ledger_write(l, store, EVDB_UPSERT, 0, 3, &err) != EVDB_OK;
    found->corrupt += ledger_differences(l, store);
    evdb_store_close(store);
}

static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    notes *n = noted;
    (void)context;
    evdb *db;
    evdb_error err;
    if (power_refused(gated_open(gate, dir, NULL, &db, &err), &err, "open")) {
        found->corrupt++;
        return;
    }
    for (unsigned i = 0; i < n->backups; i++) {
        char name[16];
        name_of(i, name);
        evdb_status rc = evdb_backup_verify(db, name, NULL, NULL, &err);
        found->records++;
        if (rc == EVDB_OK) continue;
        fprintf(stderr, "backup %s: %s\n", name, err.message);
        *(rc == EVDB_NOT_FOUND ? &found->lost : &found->corrupt) += 1;
    }
    look_at_store(n, db, found);
    found->corrupt += ledger_verify_problems(db) + power_strays(db, dir);
    evdb_close(db);
}

/* Until it is noticed, where the program has a bug. */
static unsigned cut_power(power_bug bug, bool early, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->notes.ledger.first = -20;
    r->disk = (power){ .dir = dir, .bug = bug, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    r->early = early;
    session(r, &seed);
    const power_cuts trial = { .count = cuts, .until_noticed = bug || early, .from = 1, .look = look };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    power_free(&r->disk);
    free(r);
    dir_remove(dir);
    return bad;
}

static void backups_and_restores_survive_a_power_cut(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, false, power_cuts_wanted(CUTS)), 0);
}

static void each_missing_sync_is_noticed(void **state)
{
    (void)state;
    for (power_bug bug = POWER_NO_SYNCS; bug <= POWER_NO_FOLDER_SYNCS; bug++)
        if (cut_power(bug, false, BUG_CUTS) == 0) fail_msg("bug %d is not noticed", bug);
}

static void an_answer_before_the_commit_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, true, BUG_CUTS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backups_and_restores_survive_a_power_cut),
        cmocka_unit_test(each_missing_sync_is_noticed),
        cmocka_unit_test(an_answer_before_the_commit_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
