/* test_expiry_power.c - the power fails at any moment while records are written that expire, and while those that have are deleted.
 *
 * What has expired is not returned, whether it is deleted or its deletion is lost; what has not is there with the expiry that was
 * acknowledged; the store has the lifetime that it was told to give. Under a clock that stands still while the database is open, and
 * jumps before it is opened again: then the thread that deletes begins at once, and is waited for.
 *   EVDB_CUTS=n  images (120)
 *   EVDB_SEED=n  repeats a run's choices */
#include "database_private.h"
#include "engine/engine.h"
#include "gated.h"
#include "power_cuts.h"
#include "seed.h"
#include "store_private.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CUTS = 120, BUG_CUTS = 3000, PARTS = 4, WRITES = 12, BEGIN_MS = 1000000, JUMP_MS = 1000 };

/* What a session has been told: noted with every operation of the disk. */
typedef struct notes {
    bool created;
    int64_t now;
    ledger ledger;
    int64_t expires[LEDGER_ROWS], wanted[LEDGER_ROWS]; /* as the ledger's states; EVDB_NEVER */
    int64_t ttl, wanted_ttl; /* differ while it is being changed; 0 = none */
} notes;

typedef struct recorder {
    power disk;
    notes notes;
} recorder;

static int64_t clock_ms(void *context) { return ((const notes *)context)->now; }

static evdb_status open_at(notes *n, io_gate gate, const char *dir, evdb **db, evdb_error *err)
{
    platform p = platform_real;
    p.io = gate;
    p.clock_context = n;
    p.clock_ms = clock_ms;
    return db_open_with(&p, dir, NULL, db, err);
}

static int64_t expiry_of(const notes *n) { return n->ttl ? n->now + n->ttl : EVDB_NEVER; }

/* The clock has jumped: what has expired counts as deleted, whichever of its two states a record is in. */
static void let_expire(notes *n)
{
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) {
        ledger_row *row = &n->ledger.rows[i];
        if (n->expires[i] <= n->now) row->acknowledged = (ledger_state){ 0, 0 };
        if (row->under_way && n->wanted[i] <= n->now) row->wanted = (ledger_state){ 0, 0 };
    }
}

static void jump(notes *n)
{
    n->now += JUMP_MS;
    let_expire(n);
}

/* Until the disk holds nothing that has expired. */
static void await_sweep(const notes *n, evdb_store *store)
{
    int64_t next = 0;
    evdb_error err;
    while (next <= n->now) {
        rows_reader *rd = NULL;
        must(rows_read(store->engine->rows, &rd, &err), &err, "read");
        must(rows_next_expiry(rd, INT64_MIN, &next, &err), &err, "look for the next expiry");
        rows_read_end(rd);
        sched_yield();
    }
}

/* ---- the session ---- */

/* An insert or upsert gives records an expiry, an update lets them keep theirs. */
static evdb_status write_some(notes *n, evdb_store *store, evdb_write kind, uint64_t *seed, evdb_error *err)
{
    ledger *l = &n->ledger;
    bool put = kind == EVDB_INSERT || kind == EVDB_UPSERT;
    uint32_t count = seed_below(seed, 2) ? 1 : (uint32_t)seed_below(seed, LEDGER_BATCH_MAX) + 1;
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) n->wanted[i] = put ? expiry_of(n) : n->expires[i];
    evdb_status rc = ledger_write(l, store, kind, (uint32_t)seed_below(seed, LEDGER_ROWS), count, err);
    for (uint32_t i = 0; i < LEDGER_ROWS; i++)
        if (put && l->rows[i].acknowledged.vector == l->tag) n->expires[i] = n->wanted[i];
    return rc;
}

static void set_expiry(notes *n, evdb_store *store, uint64_t *seed)
{
    uint32_t i = (uint32_t)seed_below(seed, LEDGER_ROWS);
    ledger_row *row = &n->ledger.rows[i];
    evdb_error err;
    if (!row->acknowledged.vector) return;
    n->wanted[i] = seed_below(seed, 2) ? EVDB_NEVER : n->now + 1 + (int64_t)seed_below(seed, 2 * JUMP_MS);
    row->wanted = row->acknowledged;
    row->under_way = ++n->ledger.tag;
    must(evdb_record_set_expiry(store, (evdb_id){ .number = n->ledger.first + i }, n->wanted[i], 0, NULL, &err), &err, "give an expiry");
    n->expires[i] = n->wanted[i];
    row->under_way = 0;
}

static void set_ttl(notes *n, evdb_store *store, uint64_t *seed)
{
    evdb_error err;
    n->wanted_ttl = (int64_t)seed_below(seed, 3) * JUMP_MS * 3 / 4;
    must(evdb_store_set_ttl(store, n->wanted_ttl, &err), &err, "give a lifetime");
    n->ttl = n->wanted_ttl;
}

static void do_any(notes *n, evdb_store *store, uint64_t *seed)
{
    static const evdb_write kinds[] = { EVDB_UPDATE, EVDB_DELETE, EVDB_INSERT, EVDB_UPSERT, EVDB_UPSERT, EVDB_UPSERT };
    evdb_error err;
    uint64_t what = seed_below(seed, 8);
    if (what == 6) set_ttl(n, store, seed);
    else if (what == 7) set_expiry(n, store, seed);
    else must(write_some(n, store, kinds[what], seed, &err), &err, "write");
}

static void session(recorder *r, uint64_t *seed)
{
    notes *n = &r->notes;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb *db;
    evdb_store *store;
    evdb_error err;
    o.ttl_ms = n->ttl = n->wanted_ttl = JUMP_MS / 2;
    o.metric = EVDB_EUCLIDEAN;
    for (int part = 0; part < PARTS; part++) {
        if (part) jump(n);
        must(open_at(n, power_gate(&r->disk), r->disk.dir, &db, &err), &err, "open");
        if (!part) must(evdb_store_create(db, "s", &o, NULL, &err), &err, "create");
        n->created = true;
        must(evdb_store_open(db, "s", &store, &err), &err, "open the store");
        await_sweep(n, store);
        for (int i = 0; i < WRITES; i++) do_any(n, store, seed);
        if (part == 1) must(evdb_index_build(store, 1, &err), &err, "build an index");
        evdb_store_close(store);
        evdb_close(db);
    }
}

/* ---- what is left ---- */

/* The expiry that a record has must be the one of the state that it is in; which that is counts from now on. */
static void look_at_expiries(notes *n, evdb_store *store, ledger_found *found)
{
    evdb_record *record;
    evdb_error err;
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) {
        const ledger_row *row = &n->ledger.rows[i];
        if (evdb_record_get(store, (evdb_id){ .number = n->ledger.first + i }, &record, &err) != EVDB_OK) continue; /* see the ledger */
        int64_t at = record->expires_ms ? record->expires_ms : EVDB_NEVER;
        evdb_record_free(record);
        if (at != n->expires[i] && !(row->under_way && at == n->wanted[i])) {
            fprintf(stderr, "record %u expires at %lld, not %lld\n", i, (long long)at, (long long)n->expires[i]);
            found->corrupt++;
        }
        n->expires[i] = at;
    }
}

static void look_at_ttl(notes *n, evdb_store *store, ledger_found *found)
{
    evdb_store_info *info;
    evdb_error err;
    if (power_refused(evdb_store_describe(store, &info, &err), &err, "describe")) {
        found->corrupt++;
        return;
    }
    if (info->ttl_ms != n->ttl && info->ttl_ms != n->wanted_ttl) {
        fprintf(stderr, "records live for %lld, not %lld\n", (long long)info->ttl_ms, (long long)n->ttl);
        found->corrupt++;
    }
    n->ttl = n->wanted_ttl = info->ttl_ms;
    evdb_store_info_free(info);
}

/* A search for all finds as many as there are. */
static void look_by_searching(const notes *n, evdb_store *store, ledger_found *found)
{
    evdb_search_options o = EVDB_SEARCH_OPTIONS;
    evdb_result *result;
    evdb_error err;
    float query[LEDGER_DIM] = { 1 };
    size_t there = 0;
    for (uint32_t i = 0; i < LEDGER_ROWS; i++) there += n->ledger.rows[i].acknowledged.vector != 0;
    if (!there) return;
    o.k = o.ef = LEDGER_ROWS;
    if (power_refused(evdb_search(store, query, LEDGER_DIM, &o, &result, &err), &err, "search")) {
        found->corrupt++;
        return;
    }
    if (result->count != there) fprintf(stderr, "a search finds %zu records of %zu\n", result->count, there);
    found->corrupt += result->count != there;
    evdb_result_free(result);
}

static void look_at_store(notes *n, evdb_store *store, ledger_found *found)
{
    evdb_store_stats stats = EVDB_STORE_STATS;
    uint64_t seed = n->ledger.tag;
    evdb_error err;
    look_at_expiries(n, store, found);
    ledger_compare(&n->ledger, store, found);
    look_at_ttl(n, store, found);
    look_by_searching(n, store, found);
    found->corrupt += power_refused(evdb_store_get_stats(store, &stats, &err), &err, "look");
    found->corrupt += ledger_feed_problems(store, &stats.changes_horizon);
    found->corrupt += power_refused(write_some(n, store, EVDB_UPSERT, &seed, &err), &err, "write");
}

/* As it was left, and after another while, behind which what has expired is deleted. */
static void look(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found)
{
    notes *n = noted;
    (void)context;
    for (int part = 0; part < 2; part++) {
        evdb *db;
        evdb_store *store;
        evdb_error err;
        if (part) jump(n);
        if (power_refused(open_at(n, gate, dir, &db, &err), &err, "open")) {
            found->corrupt++;
            return;
        }
        evdb_status rc = evdb_store_open(db, "s", &store, &err);
        if (rc == EVDB_OK) {
            look_at_store(n, store, found);
            if (part && !found->lost && !found->corrupt) await_sweep(n, store); /* what is damaged is never deleted */
            evdb_store_close(store);
        } else if (n->created || rc != EVDB_NOT_FOUND) found->corrupt += power_refused(rc, &err, "open the store");
        if (part) found->corrupt += ledger_verify_problems(db) + power_strays(db, dir);
        evdb_close(db);
    }
}

static unsigned cut_power(power_bug bug, unsigned cuts)
{
    uint64_t seed = seed_print();
    char *dir = dir_new();
    recorder *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    r->notes.now = BEGIN_MS;
    r->notes.ledger.first = -20;
    r->disk = (power){ .dir = dir, .bug = bug, .notes = &r->notes, .notes_size = sizeof(r->notes) };
    session(r, &seed);
    const power_cuts trial = { .count = cuts, .until_noticed = bug != POWER_SOUND, .from = 1, .look = look };
    unsigned bad = power_cuts_try(&r->disk, &trial, &seed);
    power_free(&r->disk);
    free(r);
    dir_remove(dir);
    return bad;
}

static void what_has_expired_does_not_come_back_and_what_has_not_is_there(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_SOUND, power_cuts_wanted(CUTS)), 0);
}

static void commits_without_a_sync_of_the_log_are_noticed(void **state)
{
    (void)state;
    assert_int_equal(cut_power(POWER_NO_LOG_SYNCS, BUG_CUTS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_expired_does_not_come_back_and_what_has_not_is_there),
        cmocka_unit_test(commits_without_a_sync_of_the_log_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
