/* test_flip.c - damaged files: flipped bits, cut, emptied, zeroed, removed and exchanged.
 *
 * Every answer of the damaged database is the original one or EVDB_CORRUPT (or EVDB_IO), and when an answer is missing,
 * verify says so too. Damage to derived files (hint, locks) changes nothing at all.
 *   EVDB_FLIPS=n  flips of a kind of file (150), and the rest in proportion
 *   EVDB_SEED=n   repeats a run */
#include "answers.h"
#include "children.h"
#include "memory_io.h"
#include "tree.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FLIPS = 150, STEP = 512 };

/* A database to damage: closed properly, or left by a process that was killed, with all its records in the logs or with
 * one half in the files. */
enum { CLOSED, KILLED, HALFWAY, SPECIMENS };
typedef struct specimen {
    char *dir;
    tree files;
    answers original;
} specimen;

typedef struct tally {
    unsigned tried, reported, unchanged, wrong;
} tally;

static uint64_t seed;
static specimen specimens[SPECIMENS];

static unsigned rounds(unsigned otherwise)
{
    const char *given = getenv("EVDB_FLIPS");
    return given ? (unsigned)strtoul(given, NULL, 10) : otherwise;
}

static int build_and_die(void *context)
{
    const specimen *s = context;
    (void)answers_build(s->dir, s == &specimens[HALFWAY]);
    kill(getpid(), SIGKILL);
    return 1;
}

static int set_up(void **state)
{
    unsigned problems = 0;
    (void)state;
    seed = seed_print();
    for (int i = 0; i < SPECIMENS; i++) {
        specimen *s = &specimens[i];
        s->dir = dir_new();
        if (i == CLOSED) evdb_close(answers_build(s->dir, false));
        else (void)child_wait(child_start(build_and_die, s));
        s->files = tree_read(s->dir);
        s->original = answers_of(s->dir);
        problems += s->original.verified;
    }
    return problems > 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < SPECIMENS; i++) {
        answers_free(&specimens[i].original);
        tree_free(&specimens[i].files);
        dir_remove(specimens[i].dir);
    }
    return 0;
}

static void the_sound_database_answers_what_clients_were_told(void **state)
{
    static const struct {
        const char *question;
        evdb_status status;
    } told[] = {
        { "token: kept", EVDB_OK },           { "token: voided", EVDB_DENIED },   { "keeper: log in", EVDB_OK },
        { "rotated: log in", EVDB_DENIED },   { "removed: log in", EVDB_DENIED }, { "keeper: refresh", EVDB_OK },
        { "keeper: refresh again", EVDB_GONE },
    };
    (void)state;
    for (int i = 0; i < SPECIMENS; i++)
        for (size_t n = 0; n < sizeof(told) / sizeof(*told); n++)
            assert_int_equal(answers_find(&specimens[i].original, told[n].question)->status, told[n].status);
}

/* Writes the damaged files out and asks everything; `what` describes the damage when something is wrong. */
static verdict examine(specimen *s, tally *t, const char *what, const tree_file *file, size_t at)
{
    tree_write(&s->files, s->dir);
    answers now = answers_of(s->dir);
    verdict v = answers_compare(&s->original, &now);
    answers_free(&now);
    t->tried++;
    t->reported += v.reported > 0;
    t->unchanged += v.reported == 0;
    if (v.wrong || v.unverified) {
        t->wrong++;
        fprintf(stderr, "after %s of %s (%zu bytes) at %zu: %u wrong answers%s\n", what, file->path, file->size, at,
                v.wrong, v.unverified ? ", unknown to verify" : "");
    }
    return v;
}

static void show(const char *what, const tally *t)
{
    if (t->tried)
        printf("%s: %u tried, %u reported, %u without effect, %u wrong\n", what, t->tried, t->reported, t->unchanged,
               t->wrong);
    assert_int_equal(t->wrong, 0);
}

/* One bit or a whole byte, anywhere in the file or (every second time) where bytes other than 0 are near. */
static void flip(specimen *s, tree_file *f, tally *t, bool derived)
{
    size_t at = (size_t)(seed_next(&seed) % f->size);
    for (size_t i = 0; seed % 2 && i < 4096 && at + 1 < f->size && !f->bytes[at]; i++) at++;
    unsigned char was = f->bytes[at], mask = (unsigned char)(1u << seed_next(&seed) % 8);
    f->bytes[at] = seed_next(&seed) % 4 ? was ^ mask : (unsigned char)(was + 1 + seed_next(&seed) % 255);
    verdict v = examine(s, t, "a flip", f, at);
    if (derived) t->wrong += v.reported > 0;
    f->bytes[at] = was;
}

static void flip_all(int which, const char *name, unsigned count, bool derived)
{
    tally t = { 0 };
    specimen *s = &specimens[which];
    tree_file *file;
    unsigned files = 0;
    while (tree_find(&s->files, name, files)) files++;
    for (unsigned i = 0; files && i < count; i++)
        if ((file = tree_find(&s->files, name, i % files))->size) flip(s, file, &t, derived);
    show(name, &t);
}

static void a_flip_in_rows_db_is_reported_by_the_read_that_meets_it(void **state)
{
    (void)state;
    flip_all(CLOSED, "rows.db", rounds(FLIPS), false);
    flip_all(KILLED, "rows.db", rounds(FLIPS) / 10, false);
    flip_all(HALFWAY, "rows.db", rounds(FLIPS) / 2, false);
}

static void a_flip_in_system_db_is_reported(void **state)
{
    (void)state;
    for (int i = 0; i < SPECIMENS; i++) flip_all(i, "system.db", rounds(FLIPS) / 3, false);
}

static void a_flip_in_the_log_of_a_killed_process_never_loses_a_commit_silently(void **state)
{
    (void)state;
    flip_all(KILLED, "rows.db-wal", rounds(FLIPS) / 2, false);
    flip_all(HALFWAY, "rows.db-wal", rounds(FLIPS), false);
    flip_all(KILLED, "system.db-wal", rounds(FLIPS) / 5, false);
}

static void a_flip_in_a_derived_file_changes_nothing(void **state)
{
    static const char *const names[] = { "hint", "rows.lock", "system.lock", "-shm" };
    (void)state;
    for (int s = 0; s < SPECIMENS; s++)
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) flip_all(s, names[i], rounds(FLIPS) / 5, true);
}

/* ---- cruder damage, to every file that holds data ---- */

static const char *const holding[] = { "rows.db", "rows.db-wal", "system.db", "system.db-wal" };
enum { HOLDING = sizeof(holding) / sizeof(*holding) };

typedef void damage(specimen *s, tree_file *f, tally *t);

static void damage_each(const char *what, damage *act)
{
    tally t = { 0 };
    for (specimen *s = specimens; s < specimens + SPECIMENS; s++)
        for (int i = 0; i < HOLDING; i++)
            for (unsigned n = 0; tree_find(&s->files, holding[i], n); n++)
                act(s, tree_find(&s->files, holding[i], n), &t);
    show(what, &t);
}

static void cut(specimen *s, tree_file *f, tally *t)
{
    size_t whole = f->size;
    for (size_t i = 0; i < rounds(FLIPS) / 10 && whole; i++) {
        f->size = (size_t)(seed_next(&seed) % whole);
        if (i % 3) f->size -= f->size % STEP;
        examine(s, t, "a cut", f, whole);
        f->size = whole;
    }
}

static void empty(specimen *s, tree_file *f, tally *t)
{
    size_t whole = f->size;
    f->size = 0;
    examine(s, t, "the emptying", f, whole);
    f->size = whole;
}

static void take_away(specimen *s, tree_file *f, tally *t)
{
    f->absent = 1;
    examine(s, t, "the removal", f, 0);
    f->absent = 0;
}

static void zero_pages(specimen *s, tree_file *f, tally *t)
{
    static const size_t sizes[] = { 4096, 8192, 16384 };
    unsigned char *kept = malloc(f->size + 1);
    assert_non_null(kept);
    memcpy(kept, f->bytes, f->size);
    for (size_t i = 0; i < rounds(FLIPS) / 10 && f->size; i++) {
        size_t size = sizes[i % 3], at = (size_t)(seed_next(&seed) % f->size) / size * size;
        if (at + size > f->size) size = f->size - at;
        memset(f->bytes + at, i % 5 == 4 ? 0xff : 0, size);
        examine(s, t, "the zeroing", f, at);
        memcpy(f->bytes + at, kept + at, size);
    }
    free(kept);
}

static void files_cut_short_are_reported(void **state)
{
    (void)state;
    damage_each("cut", cut);
}
static void emptied_files_are_reported(void **state)
{
    (void)state;
    damage_each("emptied", empty);
}
static void missing_files_are_reported(void **state)
{
    (void)state;
    damage_each("removed", take_away);
}
static void zeroed_pages_are_reported(void **state)
{
    (void)state;
    damage_each("zeroed", zero_pages);
}

static void a_file_of_another_store_is_reported(void **state)
{
    tally t = { 0 };
    (void)state;
    for (specimen *s = specimens; s < specimens + SPECIMENS; s++) {
        tree_file *one = tree_find(&s->files, "rows.db", 0), *two = tree_find(&s->files, "rows.db", 1);
        tree_file was_one = *one, was_two = *two;
        one->bytes = was_two.bytes, one->size = was_two.size;
        two->bytes = was_one.bytes, two->size = was_one.size;
        examine(s, &t, "the exchange", one, 0);
        *one = was_one, *two = was_two;
    }
    show("exchanged", &t);
}

static void derived_files_may_be_missing(void **state)
{
    static const char *const names[] = { "hint", "rows.lock", "system.lock", "-shm" };
    tally t = { 0 };
    (void)state;
    for (specimen *s = specimens; s < specimens + SPECIMENS; s++)
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
            for (unsigned n = 0; tree_find(&s->files, names[i], n); n++) {
                tree_file *f = tree_find(&s->files, names[i], n);
                f->absent = 1;
                t.wrong += examine(s, &t, "the removal", f, 0).reported > 0;
                f->absent = 0;
            }
    show("derived files removed", &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sound_database_answers_what_clients_were_told),
        cmocka_unit_test(a_flip_in_rows_db_is_reported_by_the_read_that_meets_it),
        cmocka_unit_test(a_flip_in_system_db_is_reported),
        cmocka_unit_test(a_flip_in_the_log_of_a_killed_process_never_loses_a_commit_silently),
        cmocka_unit_test(a_flip_in_a_derived_file_changes_nothing),
        cmocka_unit_test(files_cut_short_are_reported),
        cmocka_unit_test(emptied_files_are_reported),
        cmocka_unit_test(missing_files_are_reported),
        cmocka_unit_test(zeroed_pages_are_reported),
        cmocka_unit_test(a_file_of_another_store_is_reported),
        cmocka_unit_test(derived_files_may_be_missing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
