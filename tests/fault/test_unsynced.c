/* test_unsynced.c - stores that do not wait for the disk (EVDB_SYNC_INTERVAL): when the power fails, the last commits may be gone, and
 * nothing else. What is left is what there was behind some commit, the last sync or a later one, and verify is content with it.
 * Also for the thread sanitizer.
 *   EVDB_CUTS=n  images (120)
 *   EVDB_SEED=n  repeats a run */
#include "expect.h"
#include "gated.h"
#include "power_cuts.h"
#include "seed.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS = 120, BUG_CUTS = 3000, WRITES = 80, SYNC_EVERY = 17, LONG_MS = 3600000 };

/* Behind each commit: its sequence and what there was. */
typedef struct moment {
    uint64_t sequence;
    ledger ledger;
} moment;

typedef struct notes {
    size_t written, synced; /* moments: the last one acknowledged, the last one known to be on the disk */
    bool settled;           /* somebody has seen what was left, and nothing of it may go any more */
    ledger left;
} notes;

typedef struct recorder {
    power disk;
    notes notes;
    size_t told; /* the first operation by which the disk knows that commits are not synced */
    size_t lost; /* commits that were acknowledged and are gone, in all trials */
    moment moments[WRITES + 1];
} recorder;

static evdb *open_with(io_gate gate, const char *dir, const evdb_options *o)
{
    evdb *db = NULL;
    if (gated_open(gate, dir, o, &db, &why) != EVDB_OK) fprintf(stderr, "open: %s\n", why.message);
    return db;
}

static uint64_t sequence_of(evdb_store *store)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    ok(evdb_store_get_stats(store, &stats, &why));
    return stats.sequence;
}

static void session(recorder *r, uint64_t *seed)
{
    evdb_options o = EVDB_OPTIONS;
    ledger l = { .first = -20 };
    evdb_store *store;
    o.sync = EVDB_SYNC_INTERVAL;
    o.sync_interval_ms = LONG_MS;
    evdb *db = open_with(power_gate(&r->disk), r->disk.dir, &o);
    assert_non_null(db);
    ok(evdb_store_create(db, "s", NULL, &store, &why));
    r->moments[0].ledger = l;
    for (size_t i = 1; i <= WRITES; i++) {
        ok(ledger_write_any(&l, store, seed, &why));
        r->moments[i] = (moment){ sequence_of(store), l };
        r->notes.written = i;
        if (i % SYNC_EVERY) continue;
        ok(evdb_store_sync(store, &why));
        r->notes.synced = i;
    }
    evdb_store_close(store);
    evdb_close(db);
}

/* Before it the store is one as any other. */
static size_t told_at(const recorder *r)
{
    for (size_t i = 0; i < r->disk.count; i++) {
        size_t length = strlen(r->disk.events[i].path);
        if (r->disk.events[i].kind == IO_SYNC && length >= 5 && strcmp(r->disk.events[i].path + length - 5, "/hint") == 0) return i + 1;
    }
    fail_msg("nothing was said of commits without a sync");
    return 0;
}

/* What was left, once it is known behind which commit that is. */
static ledger *left_of(recorder *r, notes *then, evdb_store *store)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    size_t i = then->synced;
    if (then->settled) return &then->left;
    if (power_refused(evdb_store_get_stats(store, &stats, &why), &why, "look")) return NULL;
    uint64_t sequence = stats.sequence;
    while (i < WRITES && i <= then->written && r->moments[i].sequence != sequence) i++; /* the one under way counts */
    if (r->moments[i].sequence != sequence) {
        fprintf(stderr, "sequence %llu is behind no commit from the %zuth on\n", (unsigned long long)sequence, then->synced);
        return NULL;
    }
    r->lost += i < then->written ? then->written - i : 0;
    then->left = r->moments[i].ledger;
    then->settled = true;
    return &then->left;
}

/* By a process that waits for the disk. */
static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    evdb_store *store;
    evdb *db = open_with(gate, dir, NULL);
    uint64_t from = 0;
    if (db && evdb_store_open(db, "s", &store, &why) == EVDB_OK) {
        ledger *l = left_of(context, noted, store);
        if (l) {
            ledger_compare(l, store, found);
            found->corrupt += ledger_feed_problems(store, &from);
            found->corrupt += ledger_write(l, store, EVDB_UPSERT, 0, 3, &why) != EVDB_OK;
            found->corrupt += ledger_differences(l, store);
        } else found->lost++;
        evdb_store_close(store);
        found->corrupt += ledger_verify_problems(db);
    } else {
        if (db) fprintf(stderr, "open the store: %s\n", why.message);
        found->corrupt++;
    }
    if (db) evdb_close(db);
}

/* Until it is noticed, where the program has a bug. *lost: commits that may go, and went. */
static unsigned cut_power(power_bug bug, unsigned cuts, size_t *lost)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->disk = (power){ .dir = dir, .bug = bug, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    session(r, &seed);
    r->told = told_at(r);
    const power_cuts trial = { .count = cuts, .until_noticed = bug != POWER_SOUND, .from = r->told, .look = look, .context = r };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    *lost = r->lost;
    power_free(&r->disk);
    free(r);
    dir_remove(dir);
    return bad;
}

static void only_the_last_commits_go_when_the_power_fails(void **state)
{
    unsigned cuts = power_cuts_wanted(CUTS);
    size_t lost;
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, cuts, &lost), 0);
    printf("%zu acknowledged commits lost in all\n", lost);
    assert_true(lost > 0 || cuts < CUTS); /* or nothing was left unsynced, and nothing was tried */
}

static void a_sync_that_was_asked_for_and_not_made_is_noticed(void **state)
{
    size_t lost;
    (void)state;
    assert_int_equal(cut_power(POWER_NO_LOG_SYNCS, BUG_CUTS, &lost), 1);
}

/* ---- when it syncs ---- */

typedef struct counter {
    _Atomic uint64_t syncs;
    atomic_bool fails;
} counter;

static int count(void *context, const io_event *event)
{
    counter *c = context;
    size_t length = strlen(event->path);
    if (event->kind != IO_SYNC || length < 7 || strstr(event->path, "rows.db") == NULL) return 0;
    atomic_fetch_add(&c->syncs, 1);
    return atomic_load(&c->fails) ? EIO : IO_SKIP;
}

/* A store that syncs every interval_ms (0 = at every commit), after some writes. */
static evdb_store *written(counter *c, const char *dir, uint32_t interval_ms, evdb **db)
{
    evdb_options o = EVDB_OPTIONS;
    evdb_store *store;
    o.sync = interval_ms ? EVDB_SYNC_INTERVAL : EVDB_SYNC_FULL;
    o.sync_interval_ms = interval_ms;
    *db = open_with((io_gate){ c, count }, dir, &o);
    assert_non_null(*db);
    ok(evdb_store_create(*db, "s", NULL, &store, &why));
    atomic_store(&c->syncs, 0);
    for (int64_t i = 0; i < WRITES; i++) ok(evdb_record_upsert(store, (evdb_id){ .number = i }, (float[]){ 1, (float)i }, 2, NULL, NULL, &why));
    return store;
}

static void commits_wait_for_the_disk_only_where_they_shall(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        counter c = { 0 };
        char *dir = dir_new();
        evdb *db;
        evdb_store *store = written(&c, dir, waits ? 0 : LONG_MS, &db);
        uint64_t syncs = atomic_load(&c.syncs);
        assert_true(waits ? syncs >= WRITES : syncs < 5);
        evdb_store_close(store);
        evdb_close(db);
        assert_true(atomic_load(&c.syncs) > (waits ? 0 : syncs)); /* at the end everything is */
        dir_remove(dir);
    }
}

static void a_thread_syncs_what_nobody_waits_for(void **state)
{
    counter c = { 0 };
    char *dir = dir_new();
    evdb *db;
    evdb_store *store = written(&c, dir, 1, &db);
    (void)state;
    uint64_t before_it = atomic_load(&c.syncs);
    ok(evdb_record_upsert(store, (evdb_id){ .number = 1 }, (float[]){ 2, 2 }, 2, NULL, NULL, &why));
    while (atomic_load(&c.syncs) == before_it) sched_yield(); /* a test that hangs here has found that it does not */
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

static void a_sync_that_fails_makes_the_store_read_only(void **state)
{
    counter c = { 0 };
    char *dir = dir_new();
    evdb *db;
    uint64_t live;
    evdb_store *store = written(&c, dir, LONG_MS, &db);
    (void)state;
    atomic_store(&c.fails, true);
    refused(EVDB_IO, evdb_store_sync(store, &why));
    atomic_store(&c.fails, false);
    refused(EVDB_IO, evdb_record_upsert(store, (evdb_id){ .number = 1 }, (float[]){ 2, 2 }, 2, NULL, NULL, &why));
    expect_says("reopen");
    ok(evdb_store_count(store, &live, &why));
    assert_int_equal(live, WRITES);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    evdb_options o = EVDB_OPTIONS;
    evdb *db;
    (void)state;
    o.sync = 7;
    refused(EVDB_INVALID, evdb_open(":memory:", &o, &db, &why));
    expect_says("neither full nor interval");
    o.sync = EVDB_SYNC_INTERVAL;
    o.sync_interval_ms = EVDB_SYNC_INTERVAL_MS_MAX + 1;
    refused(EVDB_INVALID, evdb_open(":memory:", &o, &db, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_last_commits_go_when_the_power_fails),
        cmocka_unit_test(a_sync_that_was_asked_for_and_not_made_is_noticed),
        cmocka_unit_test(commits_wait_for_the_disk_only_where_they_shall),
        cmocka_unit_test(a_thread_syncs_what_nobody_waits_for),
        cmocka_unit_test(a_sync_that_fails_makes_the_store_read_only),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
