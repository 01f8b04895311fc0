/* test_io.c - each file operation failing in turn: once, and from then on, with EIO and with ENOSPC.
 *
 * A session opens a database, makes stores, writes, checkpoints, renames, drops, searches, and changes clients. Every call answers
 * success or an error that fits; afterwards the database opens again, holds all that was acknowledged, and can be
 * written.
 *   EVDB_EVERY=n  tries every n-th operation (8), 1 for all of them
 *   EVDB_SEED=n   repeats a run: it says which of the n is the first */
#include "accounts.h"
#include "database_private.h"
#include "ledger.h"
#include "memory_io.h"
#include "tree.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPERATIONS_MAX = 20000, EVERY = 8 };

typedef struct gate {
    unsigned long asked, fail_at; /* fail_at 0 = never */
    bool once;
    int error;
    bool only_kind, skip_syncs;
    io_kind kind; /* with only_kind, and whose path ends so: */
    const char *suffix;
    unsigned long failed;
} gate;

static bool ends_with(const char *path, const char *suffix)
{
    size_t length = strlen(path), wanted = strlen(suffix);
    return length >= wanted && strcmp(path + length - wanted, suffix) == 0;
}

/* Syncs that are to succeed are left out: no power fails here. */
static int before(void *context, const io_event *event)
{
    gate *g = context;
    if (!g->only_kind || (event->kind == g->kind && ends_with(event->path, g->suffix))) {
        unsigned long n = ++g->asked;
        if (g->fail_at && (g->once ? n == g->fail_at : n >= g->fail_at)) {
            g->failed++;
            return g->error;
        }
    }
    return g->skip_syncs && (event->kind == IO_SYNC || event->kind == IO_SYNC_DIR) ? IO_SKIP : 0;
}

static evdb_status open_behind(gate *g, const char *dir, evdb **out, evdb_error *err)
{
    platform p = platform_real;
    p.io = (io_gate){ g, before };
    return db_open_with(&p, dir, NULL, out, err);
}

/* What a session was told: 0 = nothing done, 1 = acknowledged, -1 = failed, so perhaps done. */
typedef struct told {
    int created, extra, renamed, dropped;
    accounts clients;
} told;

/* Is this an answer to the failure of some operation? */
static bool fits(evdb_status rc, const gate *g)
{
    return rc == EVDB_IO || (g->error == ENOSPC && rc == EVDB_FULL) || (!g->once && rc == EVDB_BUSY);
}

static bool well(evdb_status rc, const evdb_error *err, const gate *g, const char *what, int *outcome)
{
    if (outcome) *outcome = rc == EVDB_OK ? 1 : -1;
    if (rc == EVDB_OK) return true;
    if (!g->failed || !fits(rc, g))
        fail_msg("%s, operation %lu fails with %d%s: %s: %s", what, g->fail_at, g->error,
                 g->once ? "" : " and all later ones", evdb_status_name(rc), err->message);
    return false;
}

static void write_some(ledger *l, evdb_store *store, const gate *g)
{
    static const struct {
        evdb_write kind;
        uint32_t at, count;
    } writes[] = {
        { EVDB_INSERT, 0, 1 },   { EVDB_INSERT, 1, 1 },   { EVDB_UPSERT, 10, 30 },
        { EVDB_UPDATE, 12, 1 },  { EVDB_DELETE, 0, 1 },   { EVDB_DELETE, 15, 9 },
        { EVDB_UPDATE, 10, 20 }, { EVDB_INSERT, 40, 40 }, { EVDB_UPSERT, 42, 1 },
    };
    evdb_error err;
    for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
        evdb_status rc = ledger_write(l, store, writes[i].kind, writes[i].at, writes[i].count, &err);
        (void)well(rc, &err, g, "write", NULL);
        if (i % 4 == 2) (void)well(evdb_store_sync(store, &err), &err, g, "sync", NULL);
    }
}

static void search_once(evdb_store *store, const gate *g)
{
    evdb_result *result;
    evdb_error err;
    float query[LEDGER_DIM];
    ledger_vector(1, 1, query);
    if (well(evdb_search(store, query, LEDGER_DIM, NULL, &result, &err), &err, g, "search", NULL))
        evdb_result_free(result);
}

static void change_clients(accounts *a, evdb *db, const gate *g)
{
    static const struct {
        unsigned client;
        account_change change;
    } changes[] = {
        { 0, ACCOUNT_ADD },   { 1, ACCOUNT_ADD },    { 0, ACCOUNT_LOGIN },   { 1, ACCOUNT_LOGIN }, { 1, ACCOUNT_ROTATE },
        { 1, ACCOUNT_LOGIN }, { 0, ACCOUNT_REFRESH }, { 2, ACCOUNT_ADD },     { 2, ACCOUNT_REMOVE },
    };
    evdb_error err;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
        (void)well(accounts_change(a, db, changes[i].client, changes[i].change, &err), &err, g, "change a client", NULL);
}

static void session(const char *dir, gate *g, ledger *l, told *t)
{
    evdb *db;
    evdb_store *store;
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_error err;
    o.metric = EVDB_EUCLIDEAN;
    if (!well(open_behind(g, dir, &db, &err), &err, g, "open", NULL)) return;
    if (well(evdb_store_create(db, "s", &o, &store, &err), &err, g, "create", &t->created)) {
        if (well(evdb_store_create(db, "extra", NULL, NULL, &err), &err, g, "create", &t->extra) &&
            well(evdb_store_rename(db, "extra", "renamed", &err), &err, g, "rename", &t->renamed)) {
            write_some(l, store, g);
            search_once(store, g);
            (void)well(evdb_store_drop(db, "renamed", &err), &err, g, "drop", &t->dropped);
        }
        write_some(l, store, g);
        evdb_store_close(store);
    }
    change_clients(&t->clients, db, g);
    evdb_close(db);
}

static void must(evdb_status rc, const evdb_error *err, const gate *g, const char *what)
{
    if (rc != EVDB_OK)
        fail_msg("%s after operation %lu failed with %d: %s: %s", what, g->fail_at, g->error, evdb_status_name(rc),
                 err->message);
}

static bool there(evdb *db, const char *name)
{
    evdb_store *store;
    if (evdb_store_open(db, name, &store, NULL) != EVDB_OK) return false;
    evdb_store_close(store);
    return true;
}

static void check_afterwards(const char *dir, const gate *g, ledger *l, told *t)
{
    gate open = { .skip_syncs = true };
    evdb *db;
    evdb_store *store;
    evdb_error err;
    uint64_t from = 0;
    must(open_behind(&open, dir, &db, &err), &err, g, "open");
    if (t->created == 1) assert_true(there(db, "s"));
    if (t->extra == 1 && t->renamed == 0) assert_true(there(db, "extra"));
    if (t->renamed == 1 && t->dropped == 0) assert_true(there(db, "renamed"));
    if (t->dropped == 1) assert_false(there(db, "renamed"));
    if (t->renamed == -1) assert_true(there(db, "extra") != there(db, "renamed"));
    if (!there(db, "s")) must(evdb_store_create(db, "s", NULL, NULL, &err), &err, g, "create");
    must(evdb_store_open(db, "s", &store, &err), &err, g, "open the store");
    unsigned bad = ledger_differences(l, store) + ledger_feed_problems(store, &from);
    must(ledger_write(l, store, EVDB_UPSERT, 0, LEDGER_BATCH_MAX, &err), &err, g, "write");
    bad += ledger_differences(l, store) + accounts_differences(&t->clients, db);
    must(accounts_change(&t->clients, db, 0, t->clients.at[0].exists ? ACCOUNT_ROTATE : ACCOUNT_ADD, &err), &err, g,
         "change a client");
    bad += accounts_differences(&t->clients, db) + ledger_verify_problems(db);
    if (bad) fail_msg("%u problems after operation %lu failed with %d, once %d", bad, g->fail_at, g->error, g->once);
    evdb_store_close(store);
    evdb_close(db);
}

/* False when the session ends before operation n. */
static bool attempt(unsigned long n, int error, bool once)
{
    char *dir = dir_new();
    gate g = { .fail_at = n, .error = error, .once = once, .skip_syncs = true };
    ledger l = { .first = 100 };
    told t = { .clients.owner = 'i' };
    session(dir, &g, &l, &t);
    check_afterwards(dir, &g, &l, &t);
    dir_remove(dir);
    return g.failed > 0;
}

static void fail_each(int error)
{
    const char *given = getenv("EVDB_EVERY");
    unsigned long every = given ? strtoul(given, NULL, 10) : EVERY;
    uint64_t seed = seed_print();
    assert_true(every > 0);
    for (int once = 0; once < 2; once++) {
        unsigned long n = 1 + seed_next(&seed) % every, count = 0;
        for (; attempt(n, error, once); n += every) assert_true(count++ < OPERATIONS_MAX);
        printf("%lu operations of about %lu failed, %s\n", count, n, once ? "one at a time" : "with all that followed");
    }
}

static void each_operation_may_fail_with_an_io_error(void **state)
{
    (void)state;
    fail_each(EIO);
}
static void the_disk_may_be_full_at_each_operation(void **state)
{
    (void)state;
    fail_each(ENOSPC);
}

/* ---- a commit that fails half-way ---- */

static void after_a_failed_commit_a_handle_refuses_to_write_until_reopened(void **state)
{
    char *dir = dir_new();
    gate g = { .only_kind = true, .kind = IO_SYNC, .suffix = "rows.db-wal", .error = EIO, .once = true };
    ledger l = { .first = 0 };
    evdb *db;
    evdb_store *store;
    evdb_record *record;
    evdb_error err;
    (void)state;
    assert_int_equal(open_behind(&g, dir, &db, &err), EVDB_OK);
    assert_int_equal(evdb_store_create(db, "s", NULL, &store, &err), EVDB_OK);
    assert_int_equal(ledger_write(&l, store, EVDB_INSERT, 0, 20, &err), EVDB_OK);
    g.fail_at = g.asked + 1;
    assert_int_equal(ledger_write(&l, store, EVDB_INSERT, 50, 1, &err), EVDB_IO);
    assert_int_equal(g.failed, 1);
    assert_int_equal(ledger_write(&l, store, EVDB_INSERT, 60, 1, &err), EVDB_IO);
    assert_non_null(strstr(err.message, "reopen"));
    assert_int_equal(evdb_record_get(store, (evdb_id){ .number = 3 }, &record, &err), EVDB_OK);
    evdb_record_free(record);
    evdb_store_close(store);
    evdb_close(db);
    assert_int_equal(open_behind(&g, dir, &db, &err), EVDB_OK);
    assert_int_equal(evdb_store_open(db, "s", &store, &err), EVDB_OK);
    assert_int_equal(ledger_differences(&l, store), 0);
    assert_int_equal(ledger_write(&l, store, EVDB_UPSERT, 50, 20, &err), EVDB_OK);
    assert_int_equal(ledger_differences(&l, store), 0);
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_store_close(store);
    evdb_close(db);
    dir_remove(dir);
}

/* A large batch overflows SQLite's cache into the log before it is refused. Whatever of it still waits to be written
 * must not come down on what another handle has committed in its place. */
static void what_is_left_of_a_refused_batch_overwrites_nothing(void **state)
{
    enum { BIG_DIM = 4096, BIG = 1000 };
    char *dir = dir_new();
    gate g = { .skip_syncs = true };
    evdb *first, *second;
    evdb_store *big, *other;
    evdb_error err;
    evdb_batch fine = EVDB_BATCH, refused_at_end;
    int64_t ids[BIG], refused_ids[BIG];
    float *vectors = malloc((BIG * BIG_DIM + 1) * sizeof(*vectors)), small[BIG_DIM] = { 1 };
    (void)state;
    assert_non_null(vectors);
    for (size_t i = 0; i <= BIG * BIG_DIM; i++) vectors[i] = (float)(i % 1009) + 1;
    for (int64_t i = 0; i < BIG; i++) ids[i] = i, refused_ids[i] = -1 - i;
    refused_ids[BIG - 1] = -1; /* the second of this name */
    fine.kind = EVDB_UPSERT;
    fine.count = BIG;
    fine.numbers = ids;
    fine.vectors = vectors;
    fine.dim = BIG_DIM;
    refused_at_end = fine;
    refused_at_end.kind = EVDB_INSERT;
    refused_at_end.numbers = refused_ids;
    refused_at_end.vectors = vectors + 1; /* no two pages are the same */
    assert_int_equal(open_behind(&g, dir, &first, &err), EVDB_OK);
    assert_int_equal(evdb_store_create(first, "s", NULL, &big, &err), EVDB_OK);
    assert_int_equal(open_behind(&g, dir, &second, &err), EVDB_OK);
    assert_int_equal(evdb_store_open(second, "s", &other, &err), EVDB_OK);
    for (int64_t round = 0; round < 2; round++) {
        evdb_record *record;
        /* with nothing in the log, undoing the batch reads nothing from it, which would write out what waits */
        assert_int_equal(evdb_store_sync(big, &err), EVDB_OK);
        assert_int_equal(evdb_batch_write(big, &refused_at_end, NULL, &err), EVDB_EXISTS);
        assert_int_equal(evdb_batch_write(other, &fine, NULL, &err), EVDB_OK);
        assert_int_equal(evdb_record_upsert(big, (evdb_id){ .number = 1 }, small, BIG_DIM, NULL, NULL, &err), EVDB_OK);
        assert_int_equal(evdb_record_get(other, (evdb_id){ .number = BIG - 1 }, &record, &err), EVDB_OK);
        evdb_record_free(record);
    }
    assert_int_equal(ledger_verify_problems(first), 0);
    assert_int_equal(ledger_verify_problems(second), 0);
    evdb_store_close(big);
    evdb_close(first);
    assert_int_equal(ledger_verify_problems(second), 0);
    evdb_store_close(other);
    evdb_close(second);
    assert_int_equal(open_behind(&g, dir, &first, &err), EVDB_OK);
    assert_int_equal(ledger_verify_problems(first), 0);
    evdb_close(first);
    free(vectors);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_may_fail_with_an_io_error),
        cmocka_unit_test(the_disk_may_be_full_at_each_operation),
        cmocka_unit_test(after_a_failed_commit_a_handle_refuses_to_write_until_reopened),
        cmocka_unit_test(what_is_left_of_a_refused_batch_overwrites_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
