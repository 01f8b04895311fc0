/* test_power.c - the power fails at any moment of a session, and again while what is left is opened, and only what was synced is sure
 * to be on the disk.
 *
 * Every record that was acknowledged by then is there, what was under way is there whole or not at all, clients and their
 * tokens are as they were told, searches find what is there, and verify is content, with the graph on the disk too. That the test can
 * tell is tried: a session whose program leaves out syncs, or answers before the commit, has losses.
 *   EVDB_CUTS=n  images (200)
 *   EVDB_SEED=n  repeats a run */
#include "accounts.h"
#include "gated.h"
#include "power_cuts.h"
#include "recoded.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What vectors are written again with on the way, "" = as they are. None of it rounds, and none waits, which another thread would end. */
static const char *const codecs[] = { "f32+zstd", "", "f32+zlib:9", "f32+zstd:3" };

enum { CUTS = 200, BUG_CUTS = 3000, WRITES = 20, SEARCHES = 4 };

/* What a session has been told: noted with every operation of the disk. */
typedef struct notes {
    bool created, second;
    ledger ledger;
    accounts clients;
} notes;

typedef struct recorder {
    power disk;
    bool early; /* a program that acknowledges what it is about to write */
    notes notes;
} recorder;

static void write_again(evdb_store *store, const char *codec)
{
    evdb_compression c = EVDB_COMPRESSION;
    evdb_error err;
    must(recoded(store, codec, &err), &err, "write again");
    must(evdb_store_get_compression(store, &c, &err), &err, "look");
    assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
    assert_string_equal(c.in_force, codec);
}

static void write_some(recorder *r, evdb_store *store, uint64_t *seed)
{
    evdb_error err;
    size_t from = r->disk.count;
    must(ledger_write_any(&r->notes.ledger, store, seed, &err), &err, "write");
    for (; r->early && from < r->disk.count; from++) memcpy(r->disk.events[from].noted, &r->notes, sizeof(r->notes));
}

static void session(recorder *r, uint64_t *seed)
{
    notes *n = &r->notes;
    evdb_store_options keeping = EVDB_STORE_OPTIONS;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    keeping.trash_ms = EVDB_TRASH_DAY_MS;
    for (int part = 0; part < 2; part++) { /* the second opens what the first has closed */
        must(gated_open(power_gate(&r->disk), r->disk.dir, NULL, &db, &err), &err, "open");
        if (!part) must(evdb_store_create(db, "s", &keeping, NULL, &err), &err, "create");
        n->created = true;
        must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
        for (int i = 0; i < WRITES; i++) {
            write_some(r, store, seed);
            if (i % 2) must(accounts_change_any(&n->clients, db, seed, &err), &err, "change a client");
            if (i % 9 == 8) write_again(store, codecs[part * 2 + i / 9]);
            if (i % 8 == 7) must(evdb_store_sync(store, &err), &err, "sync");
            if (i % 7 == 6) must(evdb_index_build(store, 1, &err), &err, "build an index");
            if (i == 18) ledger_trash_emptied(&n->ledger);
            if (i == 18) must(evdb_store_forget(store, NULL, 0, NULL, &err), &err, "erase what was deleted");
            if (i != 12 || part) continue;
            must(evdb_store_create(db, "second", NULL, NULL, &err), &err, "create");
            n->second = true;
        }
        evdb_store_close(store);
        evdb_close(db);
    }
}

/* Some records, by their own vectors. */
static unsigned not_found(const ledger *l, evdb_store *store)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    evdb_error err;
    unsigned bad = 0, looked = 0;
    o.k = 1;
    o.ef = LEDGER_ROWS;
    for (uint32_t i = 0; i < LEDGER_ROWS && looked < SEARCHES; i++) {
        float query[LEDGER_DIM];
        if (!l->rows[i].acknowledged.vector) continue;
        ledger_vector(l->first + i, l->rows[i].acknowledged.vector, query);
        looked++;
        if (power_refused(evdb_search(store, query, LEDGER_DIM, &o, &result, &err), &err, "search")) return bad + 1;
        bool right = result->count == 1 && result->numbers[0] == l->first + i;
        if (!right) fprintf(stderr, "a search does not find record %lld\n", (long long)l->first + i);
        bad += !right;
        evdb_result_free(result);
    }
    return bad;
}

/* A file that was set aside: it got its name before its content, which no power failure excuses. */
static unsigned index_was_bad(evdb_store *store)
{
    evdb_index_status status = EVDB_INDEX_STATUS;
    evdb_error err;
    if (power_refused(evdb_index_get_status(store, &status, &err), &err, "look at the index")) return 1;
    if (*status.problem) fprintf(stderr, "the index: %s\n", status.problem);
    return *status.problem != 0;
}

static void look_at_store(notes *n, evdb_store *store, ledger_found *found)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_error err;
    found->corrupt += evdb_store_get_stats(store, &stats, &err) != EVDB_OK;
    ledger_compare(&n->ledger, store, found);
    found->lost += ledger_trash_differences(&n->ledger, store);
    found->corrupt += ledger_feed_problems(store, &stats.changes_horizon) + not_found(&n->ledger, store) + index_was_bad(store);
    found->corrupt += ledger_write(&n->ledger, store, EVDB_UPSERT, 0, 3, &err) != EVDB_OK;
    found->corrupt += evdb_store_recode(store, &err) != EVDB_OK;
    found->corrupt += ledger_differences(&n->ledger, store) + ledger_trash_restore(&n->ledger, store);
}

static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    notes *n = noted;
    (void)context;
    evdb *db;
    evdb_store *store = NULL, *second = NULL;
    evdb_error err;
    if (power_refused(gated_open(gate, dir, NULL, &db, &err), &err, "open")) {
        found->corrupt++;
        return;
    }
    evdb_status rc = evdb_store_open(db, "s", &store, &err);
    if (n->created || rc != EVDB_NOT_FOUND) found->corrupt += power_refused(rc, &err, "open the store");
    if (rc == EVDB_OK) look_at_store(n, store, found);
    evdb_store_close(store);
    found->corrupt += accounts_differences(&n->clients, db);
    found->corrupt += n->second && evdb_store_open(db, "second", &second, NULL) != EVDB_OK;
    evdb_store_close(second);
    found->corrupt += ledger_verify_problems(db) + power_strays(db, dir);
    evdb_close(db);
}

/* Until it is noticed, where the program has a bug. */
static unsigned cut_power(power_bug bug, bool early, power_bug then, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->notes.ledger.first = -20;
    r->notes.clients.owner = 'p';
    r->early = early;
    r->disk = (power){ .dir = dir, .bug = bug, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    session(r, &seed);
    const power_cuts trial = { .count = cuts, .until_noticed = bug || early || then, .from = 1, .then = then, .look = look };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    power_free(&r->disk);
    free(r);
    dir_remove(dir);
    return bad;
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, false, POWER_SOUND, power_cuts_wanted(CUTS)), 0);
}

static void power_cuts_without_any_sync_are_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_SYNCS, false, POWER_SOUND, BUG_CUTS), 1);
}

static void commits_without_a_sync_of_the_log_are_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_LOG_SYNCS, false, POWER_SOUND, BUG_CUTS), 1);
}

static void renames_before_a_sync_of_the_file_are_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_SYNCS_BEFORE_RENAMES, false, POWER_SOUND, BUG_CUTS), 1);
}

static void names_without_a_sync_of_the_folder_are_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_FOLDER_SYNCS, false, POWER_SOUND, BUG_CUTS), 1);
}

static void an_answer_before_the_commit_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, true, POWER_SOUND, BUG_CUTS), 1);
}

static void a_recovery_without_syncs_is_noticed_when_the_power_fails_again(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, false, POWER_NO_LOG_SYNCS, BUG_CUTS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_power_cut),
        cmocka_unit_test(power_cuts_without_any_sync_are_noticed),
        cmocka_unit_test(commits_without_a_sync_of_the_log_are_noticed),
        cmocka_unit_test(renames_before_a_sync_of_the_file_are_noticed),
        cmocka_unit_test(names_without_a_sync_of_the_folder_are_noticed),
        cmocka_unit_test(an_answer_before_the_commit_is_noticed),
        cmocka_unit_test(a_recovery_without_syncs_is_noticed_when_the_power_fails_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
