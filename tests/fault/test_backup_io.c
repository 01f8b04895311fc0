/* test_backup_io.c - each file operation of a backup and of a restore in place failing in turn: once, and from then on, with EIO and with
 * ENOSPC.
 *
 * Every call answers success or an error that fits. Afterwards the database opens, each backup that has a name is sound, the store is the
 * old one or the restored one, whole, and no folder is left over.
 *   EVDB_EVERY=n  tries every n-th operation (3), 1 for all of them
 *   EVDB_SEED=n   repeats a run: it says which of the n is the first */
#include "database_private.h"
#include "gated.h"
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

enum { OPERATIONS_MAX = 20000, EVERY = 3, WRITES = 40 };

typedef struct gate {
    unsigned long asked, fail_at; /* fail_at 0 = never */
    bool once;
    int error;
    unsigned long failed;
} gate;

static int before(void *context, const io_event *event)
{
    gate *g = context;
    unsigned long n = ++g->asked;
    if (g->fail_at && (g->once ? n == g->fail_at : n >= g->fail_at)) {
        g->failed++;
        return g->error;
    }
    return event->kind == IO_SYNC || event->kind == IO_SYNC_DIR ? IO_SKIP : 0; /* no power fails here */
}

static evdb_status open_behind(gate *g, const char *dir, evdb **out, evdb_error *err)
{
    platform p = platform_real;
    p.io = (io_gate){ g, before };
    return db_open_with(&p, dir, NULL, out, err);
}

/* What the store was when "first" was made, and is now. */
typedef struct model {
    tree files;
    ledger saved, now;
    char uuid[37];
} model;

static void make_model(model *m, uint64_t *seed)
{
    char *dir = dir_new();
    gate never = { 0 };
    evdb *db;
    evdb_store *store;
    evdb_store_info *info;
    evdb_error err;
    m->now.first = 5;
    must(open_behind(&never, dir, &db, &err), &err, "open");
    must(evdb_store_create(db, "s", NULL, &store, &err), &err, "create");
    must(evdb_store_describe(store, &info, &err), &err, "describe");
    memcpy(m->uuid, info->uuid, sizeof(m->uuid));
    evdb_store_info_free(info);
    for (int i = 0; i < WRITES; i++) must(ledger_write_any(&m->now, store, seed, &err), &err, "write");
    must(evdb_backup_create(store, "first", NULL, NULL, &err), &err, "backup");
    m->saved = m->now;
    for (int i = 0; i < WRITES; i++) must(ledger_write_any(&m->now, store, seed, &err), &err, "write");
    evdb_store_close(store);
    evdb_close(db);
    m->files = tree_read(dir);
    dir_remove(dir);
}

/* Did it go well? Else it must be an answer to the failure of some operation. */
static bool well(evdb_status rc, const evdb_error *err, const gate *g, const char *what)
{
    bool fits = rc == EVDB_IO || (g->error == ENOSPC && rc == EVDB_FULL) || (!g->once && rc == EVDB_BUSY);
    if (rc == EVDB_OK) return true;
    if (!g->failed || !fits)
        fail_msg("%s, operation %lu fails with %d%s: %s: %s", what, g->fail_at, g->error, g->once ? "" : " and all later ones",
                 evdb_status_name(rc), err->message);
    return false;
}

/* True when the restore was acknowledged. */
static bool session(gate *g, const char *dir)
{
    evdb *db;
    evdb_store *store;
    evdb_error err;
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_prune_options rule = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **pruned;
    size_t count;
    if (!well(open_behind(g, dir, &db, &err), &err, g, "open")) return false;
    b.base_name = "first";
    if (well(evdb_store_open(db, "s", &store, &err), &err, g, "open the store")) {
        (void)well(evdb_backup_create(store, "full", NULL, NULL, &err), &err, g, "backup");
        (void)well(evdb_backup_create(store, "more", &b, NULL, &err), &err, g, "increment");
        evdb_store_close(store);
    }
    o.replace = 1;
    bool restored = well(evdb_backup_restore(db, "first", "s", &o, NULL, &err), &err, g, "restore");
    rule.keep = 1;
    if (well(evdb_backup_prune(db, &rule, &pruned, &count, &err), &err, g, "prune")) evdb_backup_list_free(pruned, count);
    evdb_close(db);
    return restored;
}

static void check(const char *dir, const model *m, bool restored)
{
    ledger saved = m->saved, now = m->now;
    gate never = { 0 };
    evdb *db;
    evdb_store *store;
    evdb_store_info *info;
    evdb_backup_info **list;
    evdb_error err;
    size_t count;
    must(open_behind(&never, dir, &db, &err), &err, "open again");
    must(evdb_backup_list(db, &list, &count, &err), &err, "list");
    for (size_t i = 0; i < count; i++) must(evdb_backup_verify(db, list[i]->name, NULL, NULL, &err), &err, list[i]->name);
    evdb_backup_list_free(list, count);
    assert_true(count >= 1);
    must(evdb_store_open(db, "s", &store, &err), &err, "open the store again");
    must(evdb_store_describe(store, &info, &err), &err, "describe");
    bool old = strcmp(info->uuid, m->uuid) == 0;
    evdb_store_info_free(info);
    assert_false(restored && old);
    assert_int_equal(ledger_differences(old ? &now : &saved, store), 0);
    evdb_store_close(store);
    assert_int_equal(ledger_verify_problems(db), 0);
    evdb_close(db);
    assert_int_equal(dir_entries(dir, "stores", false), 1);
}

static void a_failing_operation_loses_nothing(void **state)
{
    (void)state;
    uint64_t seed = seed_print();
    const char *given = getenv("EVDB_EVERY");
    unsigned long every = given ? strtoul(given, NULL, 10) : EVERY, tried = 0;
    static const int errors[] = { EIO, ENOSPC };
    char *dir = dir_new();
    model m = { .now = { .first = 0 } };
    make_model(&m, &seed);
    for (int how = 0; how < 4; how++)
        for (unsigned long at = 1 + seed_below(&seed, every); at < OPERATIONS_MAX; at += every, tried++) {
            gate g = { .fail_at = at, .once = how / 2, .error = errors[how % 2] };
            tree_write(&m.files, dir);
            bool restored = session(&g, dir);
            check(dir, &m, restored);
            if (!g.failed) break; /* it was beyond the last one */
        }
    printf("%lu failures of operations\n", tried);
    tree_free(&m.files);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_failing_operation_loses_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
