/* test_backup_prune.c - evdb/backup.h: which backups a rule deletes, and that nothing is left without what it builds on. */
#include "expect.h"
#include "scratch.h"
#include "seed.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_in(evdb_store *store, const char *name, const char *base)
{
    evdb_backup_options o = EVDB_BACKUP_OPTIONS;
    o.base_name = base;
    ok(evdb_backup_create(store, name, &o, NULL, &why));
}

/* Names of a list, each behind a blank, with a '!' where there is a problem. */
static const char *names(evdb_backup_info **list, size_t count)
{
    static char text[4000];
    size_t at = 0;
    *text = 0;
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s", list[i]->name, *list[i]->problem ? "!" : "");
    evdb_backup_list_free(list, count);
    return text;
}

static const char *pruned(evdb *db, const evdb_prune_options *o)
{
    evdb_backup_info **list;
    size_t count;
    ok(evdb_backup_prune(db, o, &list, &count, &why));
    return names(list, count);
}

static const char *listed(evdb *db)
{
    evdb_backup_info **list;
    size_t count;
    ok(evdb_backup_list(db, &list, &count, &why));
    return names(list, count);
}

static int64_t finished(evdb *db, const char *name)
{
    evdb_backup_info info = EVDB_BACKUP_INFO;
    ok(evdb_backup_verify(db, name, NULL, &info, &why));
    return info.finished_ms;
}

/* The clock counts milliseconds: waits for the next one. */
static void let_time_pass(evdb *db, const char *name)
{
    evdb_store *store;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    int64_t was = finished(db, name);
    ok(evdb_store_open(db, "s", &store, &why));
    do {
        ok(evdb_backup_create(store, "tick", NULL, &info, &why));
        ok(evdb_backup_delete(db, "tick", &why));
    } while (info.finished_ms <= was);
    evdb_store_close(store);
}

static void without_a_rule_nothing_is_deleted(void **state)
{
    scratch *t = *state;
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list;
    size_t count;
    o.keep = 1;
    assert_string_equal(pruned(t->db, &o), ""); /* there is no folder yet */
    evdb_store_close(scratch_store(t, "s", 1, EVDB_EUCLIDEAN));
    refused(EVDB_INVALID, evdb_backup_prune(t->db, NULL, &list, &count, &why));
    expect_says("rule");
    o.keep = 0;
    refused(EVDB_INVALID, evdb_backup_prune(t->db, &o, &list, &count, &why));
    o.since_ms = -1;
    refused(EVDB_INVALID, evdb_backup_prune(t->db, &o, &list, &count, &why));
}

static void the_newest_stay_with_what_they_build_on(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    static const char *const made[][2] = { { "f1", NULL }, { "f1a", "f1" }, { "f2", NULL }, { "f2a", "f2" }, { "f2b", "f2a" }, { "f1b", "f1a" } };
    float v = 1;
    for (int i = 0; i < 6; i++) {
        ok(evdb_record_upsert(store, num(i), &v, 1, NULL, NULL, &why));
        make_in(store, made[i][0], made[i][1]);
    }
    o.keep = 6;
    assert_string_equal(pruned(t->db, &o), "");
    o.keep = 4;
    assert_string_equal(pruned(t->db, &o), ""); /* f1b keeps f1 and f1a, though four are newer */
    assert_int_equal(evdb_backup_delete(t->db, "f1b", NULL), EVDB_OK);
    o.keep = 1;
    o.dry_run = 1;
    assert_string_equal(pruned(t->db, &o), " f1 f1a");
    assert_string_equal(listed(t->db), " f1 f1a f2 f2a f2b");
    o.dry_run = 0;
    assert_string_equal(pruned(t->db, &o), " f1 f1a");
    assert_string_equal(listed(t->db), " f2 f2a f2b");
    ok(evdb_backup_verify(t->db, "f2b", NULL, NULL, &why));
    evdb_store_close(store);
}

static void one_rule_is_enough_to_keep(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    static const char *const order[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) {
        make_in(store, order[i], NULL);
        let_time_pass(t->db, order[i]);
    }
    o.dry_run = 1;
    o.since_ms = finished(t->db, "b");
    assert_string_equal(pruned(t->db, &o), " a");
    o.since_ms = finished(t->db, "c") + 1;
    assert_string_equal(pruned(t->db, &o), " a b c");
    o.keep = 2;
    assert_string_equal(pruned(t->db, &o), " a");
    o.since_ms = finished(t->db, "a");
    assert_string_equal(pruned(t->db, &o), "");
    evdb_store_close(store);
}

static void what_cannot_be_restored_is_left_and_told_of(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    char path[SCRATCH_PATH_MAX];
    size_t size;
    make_in(store, "a", NULL);
    make_in(store, "b", NULL);
    make_in(store, "b1", "b");
    make_in(store, "c", NULL);
    make_in(store, "c1", "c");
    make_in(store, "c2", "c1");
    make_in(store, "d", NULL);
    free(scratch_content(scratch_path(t, "db/backups/b1.backup"), &size));
    assert_int_equal(truncate(scratch_path(t, "db/backups/b1.backup"), (off_t)size - 1), 0);
    assert_int_equal(unlink(scratch_path(t, "db/backups/c.backup")), 0);
    o.keep = 1;
    assert_string_equal(pruned(t->db, &o), " a b1! c1! c2!"); /* b stays for b1 */
    assert_string_equal(listed(t->db), " b b1! c1 c2 d");
    snprintf(path, sizeof(path), "%s", scratch_path(t, "db/backups/b.backup"));
    assert_int_equal(truncate(path, 3), 0); /* now nobody can tell what that is */
    assert_string_equal(pruned(t->db, &o), " b! b1! c1! c2!");
    evdb_store_close(store);
}

static void what_cannot_be_read_might_build_on_any(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list;
    size_t count;
    make_in(store, "a", NULL);
    make_in(store, "a1", "a");
    make_in(store, "b", NULL);
    FILE *f = fopen(scratch_path(t, "db/backups/a1.backup"), "r+be");
    assert_non_null(f);
    assert_int_equal(fseek(f, 8, SEEK_SET), 0); /* its format is a newer one */
    assert_int_equal(fputc(99, f), 99);
    assert_int_equal(fclose(f), 0);
    o.keep = 1;
    refused(EVDB_NEWER, evdb_backup_prune(t->db, &o, &list, &count, &why));
    expect_says("a1");
    assert_string_equal(listed(t->db), " a a1! b");
    evdb_store_close(store);
}

static int not_by_hand(void *context, const evdb_backup_info *info)
{
    ++*(int *)context;
    return strncmp(info->name, "by-hand", 7) != 0;
}

static void only_what_is_meant_counts(void **state)
{
    scratch *t = *state;
    evdb_store *s = scratch_store(t, "s", 1, EVDB_EUCLIDEAN), *other = scratch_store(t, "other", 1, EVDB_EUCLIDEAN);
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    float v = 1;
    int asked = 0;
    make_in(s, "first", NULL);
    make_in(s, "second", NULL);
    make_in(other, "x", NULL);
    make_in(other, "y", NULL);
    evdb_store_close(s);
    ok(evdb_store_drop(t->db, "s", &why));
    s = scratch_store(t, "s", 1, EVDB_EUCLIDEAN); /* another one of that name */
    ok(evdb_record_upsert(s, num(1), &v, 1, NULL, NULL, &why));
    make_in(s, "third", NULL);
    make_in(s, "by-hand", NULL);
    make_in(s, "by-hand-1", "third");
    make_in(s, "fourth", NULL);
    o.keep = 1;
    o.store = "s";
    o.counts = not_by_hand;
    o.context = &asked;
    assert_string_equal(pruned(t->db, &o), " first"); /* third is the base of one that stays */
    assert_int_equal(asked, 6);
    ok(evdb_backup_delete(t->db, "by-hand-1", &why));
    o.store = NULL;
    assert_string_equal(pruned(t->db, &o), " third x");
    assert_string_equal(listed(t->db), " by-hand fourth second y");
    evdb_store_close(other);
    evdb_store_close(s);
}

/* ---- any forest of backups, any rule ---- */

enum { STORES = 3, MADE = 14 };

typedef struct forest {
    evdb_store *stores[STORES];
    char names[MADE][16];
    int store[MADE], base[MADE]; /* base -1 = it is full */
    bool there[MADE];
} forest;

static void grow(forest *f, int i, uint64_t *seed)
{
    float v = (float)i;
    f->store[i] = (int)seed_below(seed, STORES);
    snprintf(f->names[i], sizeof(f->names[i]), "%c%d", (char)('a' + (char)seed_below(seed, 26)), i);
    f->base[i] = -1;
    if (i && seed_below(seed, 3)) {
        int wanted = (int)seed_below(seed, (uint64_t)i);
        if (f->store[wanted] == f->store[i]) f->base[i] = wanted;
    }
    f->there[i] = true;
    ok(evdb_record_upsert(f->stores[f->store[i]], num(i), &v, 1, NULL, NULL, &why));
    make_in(f->stores[f->store[i]], f->names[i], f->base[i] >= 0 ? f->names[f->base[i]] : NULL);
}

/* The rule as its words have it. */
static void expect_pruned(forest *f, uint32_t keep)
{
    bool kept[MADE] = { false };
    for (int i = 0; i < MADE; i++) {
        uint32_t newer = 0;
        for (int j = i + 1; j < MADE; j++) newer += f->there[j] && f->store[j] == f->store[i];
        if (!f->there[i] || newer >= keep) continue;
        for (int j = i; j >= 0; j = f->base[j]) kept[j] = true;
    }
    memcpy(f->there, kept, sizeof(kept));
}

static void any_forest_is_pruned_to_what_its_rule_says(void **state)
{
    scratch *t = *state;
    uint64_t seed = seed_print();
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    forest f;
    static const char *const stores[STORES] = { "s", "t", "u" };
    for (int i = 0; i < STORES; i++) f.stores[i] = scratch_store(t, stores[i], 1, EVDB_EUCLIDEAN);
    for (int i = 0; i < MADE; i++) grow(&f, i, &seed);
    for (o.keep = 1 + (uint32_t)seed_below(&seed, 6); o.keep; o.keep--) {
        (void)pruned(t->db, &o);
        expect_pruned(&f, o.keep);
        for (int i = 0; i < MADE; i++) {
            evdb_status rc = evdb_backup_verify(t->db, f.names[i], NULL, NULL, NULL);
            if (rc != (f.there[i] ? EVDB_OK : EVDB_NOT_FOUND)) fail_msg("keep %u: %s is %s", o.keep, f.names[i], evdb_status_name(rc));
        }
    }
    for (int i = 0; i < STORES; i++) evdb_store_close(f.stores[i]);
}

/* ---- bases of increments that are being made ---- */

typedef struct taking { evdb *from; const char *name; evdb_status rc; } taking;

static int take_base(void *context, evdb_transfer_phase phase, uint64_t records)
{
    taking *k = context;
    (void)phase;
    (void)records;
    if (k->rc != EVDB_OK) k->rc = evdb_backup_delete(k->from, k->name, NULL);
    return 0;
}

static void an_increment_never_appears_without_its_base(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_options elsewhere = EVDB_OPTIONS;
    evdb *other; /* another database, that has its backups in the same folder */
    elsewhere.backup_dir = scratch_path(t, "db/backups");
    ok(evdb_open(":memory:", &elsewhere, &other, &why));
    for (int i = 0; i < 2; i++) {
        taking k = { .from = i ? other : t->db, .name = "base", .rc = EVDB_BUSY };
        make_in(store, "base", NULL);
        b.base_name = "base";
        b.progress = take_base;
        b.context = &k;
        refused(EVDB_GONE, evdb_backup_create(store, "more", &b, NULL, &why));
        expect_says("base");
        assert_int_equal(k.rc, EVDB_OK);
        assert_string_equal(listed(t->db), "");
    }
    evdb_close(other);
    evdb_store_close(store);
}

typedef struct race {
    evdb *db;
    atomic_bool stop;
    _Atomic unsigned wrong;
} race;

static void *prune_on(void *context)
{
    race *r = context;
    evdb_prune_options o = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list;
    size_t count;
    o.keep = 1;
    while (!atomic_load(&r->stop)) {
        if (evdb_backup_prune(r->db, &o, &list, &count, NULL) != EVDB_OK) {
            atomic_fetch_add(&r->wrong, 1);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            if (*list[i]->problem) atomic_fetch_add(&r->wrong, 1);
        evdb_backup_list_free(list, count);
    }
    return NULL;
}

static void pruning_and_increments_go_on_together(void **state)
{
    scratch *t = *state;
    evdb_store *store = scratch_store(t, "s", 1, EVDB_EUCLIDEAN);
    race r = { .db = t->db };
    uint64_t seed = seed_print();
    pthread_t pruner;
    evdb_backup_info **list;
    char name[32], bases[3][32] = { "", "", "" };
    size_t count, gone = 0, tries = seed_tries(60);
    assert_int_equal(pthread_create(&pruner, NULL, prune_on, &r), 0);
    for (size_t i = 0; i < tries; i++) {
        evdb_backup_options b = EVDB_BACKUP_OPTIONS;
        float v = (float)i;
        ok(evdb_record_upsert(store, num(1), &v, 1, NULL, NULL, &why));
        snprintf(name, sizeof(name), "n%zu", i);
        b.base_name = i % 4 ? bases[seed_below(&seed, 3)] : NULL;
        evdb_status rc = evdb_backup_create(store, name, &b, NULL, NULL);
        if (rc != EVDB_OK && rc != EVDB_GONE && rc != EVDB_NOT_FOUND && rc != EVDB_INVALID) fail_msg("backup: %s", evdb_status_name(rc));
        gone += rc != EVDB_OK;
        for (size_t j = 0; rc == EVDB_OK && !b.base_name && j < 3; j++) memcpy(bases[j], name, sizeof(name));
        if (rc == EVDB_OK) memcpy(bases[(i + 1) % 3], name, sizeof(name));
    }
    atomic_store(&r.stop, true);
    assert_int_equal(pthread_join(pruner, NULL), 0);
    assert_int_equal(r.wrong, 0);
    ok(evdb_backup_list(t->db, &list, &count, &why));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) ok(evdb_backup_verify(t->db, list[i]->name, NULL, NULL, &why));
    evdb_backup_list_free(list, count);
    printf("%zu backups, %zu of them refused\n", tries, gone);
    evdb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_rule_nothing_is_deleted, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(the_newest_stay_with_what_they_build_on, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(one_rule_is_enough_to_keep, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_restored_is_left_and_told_of, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_might_build_on_any, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(only_what_is_meant_counts, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(any_forest_is_pruned_to_what_its_rule_says, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(an_increment_never_appears_without_its_base, scratch_open, scratch_remove),
        cmocka_unit_test_setup_teardown(pruning_and_increments_go_on_together, scratch_open, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
