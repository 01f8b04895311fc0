/* test_power.c - the power fails at any moment of a session, and only what was synced is sure to be on the disk.
 *
 * Every record that was acknowledged by then is there, what was under way is there whole or not at all, clients and their
 * tokens are as they were told, and verify is content. That the test can tell is tried too: without syncs it finds losses. The hint is mapped and never synced: it
 * may be missing, or as it was at any earlier moment.
 *   EVDB_CUTS=n  moments at which the power fails (120)
 *   EVDB_SEED=n  repeats a run */
#include "accounts.h"
#include "gated.h"
#include "ledger.h"
#include "memory_io.h"
#include "power_cuts.h"
#include "power_hint.h"
#include "recoded.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What vectors are written again with on the way, "" = as they are. None of it rounds, and none waits, which another thread would end. */
static const char *const codecs[] = { "f32+zstd", "", "f32+zlib:9", "f32+zstd:3" };

enum { CUTS = 120, WRITES = 60 };

/* What a session has been told: noted with every operation of the disk. */
typedef struct notes {
    bool created, second;
    ledger ledger;
    accounts clients;
    power_hint hint; /* of store "s" */
} notes;

typedef struct recorder {
    power disk;
    io_gate gate; /* of the disk */
    notes notes;
} recorder;

static int before(void *context, const io_event *event)
{
    recorder *r = context;
    power_hint_note(&r->notes.hint, event);
    return r->gate.before(r->gate.context, event);
}

static void write_again(evdb_store *store, const char *codec)
{
    evdb_compression c = EVDB_COMPRESSION;
    evdb_error err;
    must(recoded(store, codec, &err), &err, "write again");
    must(evdb_store_get_compression(store, &c, &err), &err, "look");
    assert_int_equal(c.state, EVDB_COMPRESSION_SETTLED);
    assert_string_equal(c.in_force, codec);
}

static void session(recorder *r, uint64_t *seed)
{
    notes *n = &r->notes;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    for (int part = 0; part < 2; part++) { /* the second opens what the first has closed */
        must(gated_open((io_gate){ r, before }, r->disk.dir, NULL, &db, &err), &err, "open");
        if (!part) must(evdb_store_create(db, "s", NULL, NULL, &err), &err, "create");
        n->created = true;
        must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
        for (int i = 0; i < WRITES; i++) {
            must(ledger_write_any(&n->ledger, store, seed, &err), &err, "write");
            must(accounts_change_any(&n->clients, db, seed, &err), &err, "change a client");
            if (i % 25 == 24) write_again(store, codecs[part * 2 + i / 25]);
            if (i % 20 == 19) must(evdb_store_sync(store, &err), &err, "sync");
            if (i == 45) must(evdb_store_forget(store, NULL, 0, NULL, &err), &err, "erase what was deleted");
            if (i == 30 && !part) {
                must(evdb_store_create(db, "second", NULL, NULL, &err), &err, "create");
                n->second = true;
            }
        }
        evdb_store_close(store);
        evdb_close(db);
    }
}

/* Opens what the disk holds; the number of things that are not as they were told. */
static unsigned losses(void *context, const char *dir, const void *noted)
{
    notes n = *(const notes *)noted;
    (void)context;
    evdb *db;
    evdb_store *store = NULL, *second = NULL;
    evdb_store_stats stats = EVDB_STORE_STATS;
    evdb_error err;
    unsigned bad = 0;
    if (gated_open((io_gate){ NULL, gated_no_sync }, dir, NULL, &db, &err) != EVDB_OK) {
        fprintf(stderr, "open: %s\n", err.message);
        return 1;
    }
    evdb_status rc = evdb_store_open(db, "s", &store, &err);
    if (rc != EVDB_OK && (n.created || rc != EVDB_NOT_FOUND)) {
        fprintf(stderr, "open the store: %s\n", err.message);
        bad++;
    }
    if (rc == EVDB_OK) {
        bad += evdb_store_get_stats(store, &stats, &err) != EVDB_OK;
        bad += ledger_differences(&n.ledger, store) + ledger_feed_problems(store, &stats.changes_horizon);
        bad += ledger_write(&n.ledger, store, EVDB_UPSERT, 0, 3, &err) != EVDB_OK;
        bad += evdb_store_recode(store, &err) != EVDB_OK;
        bad += ledger_differences(&n.ledger, store);
        evdb_store_close(store);
    }
    bad += accounts_differences(&n.clients, db);
    bad += n.second && evdb_store_open(db, "second", &second, NULL) != EVDB_OK;
    evdb_store_close(second);
    bad += ledger_verify_problems(db);
    evdb_close(db);
    return bad;
}

/* Adds the hint as some earlier moment left it, or (one time in four) none. */
static void add_hint(void *context, tree *files, size_t at, uint64_t *seed)
{
    const recorder *r = context;
    uint64_t random = seed_next(seed);
    const notes *n = r->disk.events[at - random / 4 % (random % 3 ? at : at < 20 ? at : 20)].noted;
    if (random % 4 && *n->hint.path) power_hint_add(files, &n->hint, r->disk.dir);
}

static unsigned cut_power(bool skip_syncs, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->notes.ledger.first = -20;
    r->notes.clients.owner = 'p';
    r->disk = (power){ .dir = dir, .bug = skip_syncs ? POWER_NO_SYNCS : POWER_SOUND, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    r->gate = power_gate(&r->disk);
    session(r, &seed);
    const power_cuts trial = { .count = cuts, .from = 1, .add = skip_syncs ? NULL : add_hint, .losses = losses, .context = r };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    power_free(&r->disk);
    free(r);
    dir_remove(dir);
    return bad;
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
    (void)state;
    assert_int_equal(cut_power(false, power_cuts_wanted(CUTS)), 0);
}

static void without_syncs_a_power_cut_is_noticed(void **state)
{
    (void)state;
    FILE *loud = stderr;
    FILE *silence = fopen("/dev/null", "w");
    assert_non_null(silence);
    stderr = silence;
    unsigned bad = cut_power(true, 24);
    stderr = loud;
    fclose(silence);
    assert_true(bad > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_power_cut),
        cmocka_unit_test(without_syncs_a_power_cut_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
