/* test_repair.c - repairs of damaged stores: bits flipped, pages zeroed, files cut and removed, processes killed.
 *
 * A repair never fails but for want of a description, which is then given. It invents and alters nothing, keeps all that could still be
 * read, and tells what is lost; afterwards verify finds nothing in the whole database (repair_store.h).
 *   EVDB_FLIPS=n  damages of a kind (6)
 *   EVDB_SEED=n   repeats a run */
#include "repair_store.h"
#include "seed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DAMAGES = 6, PAGE = 16384, FIRST_PAGES = 12, SEVERAL = 6 };

static uint64_t seed;
static repair_specimen specimens[REPAIR_SPECIMENS];

static unsigned rounds(void)
{
    const char *given = getenv("EVDB_FLIPS");
    return given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)seed_tries(DAMAGES);
}

static int set_up(void **state)
{
    (void)state;
    seed = seed_print();
    for (int how = 0; how < REPAIR_SPECIMENS; how++) repair_build(&specimens[how], how);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int how = 0; how < REPAIR_SPECIMENS; how++) repair_free(&specimens[how]);
    return 0;
}

static void show(const char *what, const repair_tally *t)
{
    printf("%s: %u tried, %u sound, %u described, %u wrong; of %llu records %.2f %% salvaged, %llu lost, %llu of those unnamed, %llu outdated\n", what,
           t->tried, t->sound, t->described, t->wrong, (unsigned long long)t->records,
           t->records ? 100.0 * (double)t->salvaged / (double)t->records : 0, (unsigned long long)(t->lost + t->unnamed),
           (unsigned long long)t->unnamed, (unsigned long long)t->outdated);
    assert_true(t->tried > 0);
    assert_int_equal(t->wrong, 0);
}

/* A place where bytes other than 0 are near, and what it was. */
static size_t flip(tree_file *f, unsigned char *was)
{
    size_t at = (size_t)seed_below(&seed, f->size);
    for (size_t i = 0; i < 4096 && at + 1 < f->size && !f->bytes[at]; i++) at++;
    *was = f->bytes[at];
    f->bytes[at] ^= (unsigned char)(1u << seed_below(&seed, 8));
    return at;
}

static void flip_some(repair_specimen *s, repair_kind kind, tree_file *f, unsigned count, repair_tally *t)
{
    size_t at[SEVERAL];
    unsigned char was[SEVERAL];
    char what[100];
    int used = snprintf(what, sizeof(what), "flips in %s at", strrchr(f->path, '/') + 1);
    for (unsigned i = 0; i < count; i++) {
        at[i] = flip(f, &was[i]);
        if (used < 80) used += snprintf(what + used, sizeof(what) - (size_t)used, " %zu", at[i]);
    }
    repair_examine(s, kind, what, t);
    while (count--) f->bytes[at[count]] = was[count];
}

typedef void damage(repair_specimen *s, repair_kind kind, tree_file *f, repair_tally *t);

static void damage_each(const char *what, const char *end, damage *act)
{
    repair_tally t = { 0 };
    for (unsigned i = 0; i < rounds(); i++)
        for (int how = 0; how < REPAIR_SPECIMENS; how++) {
            repair_kind kind = (repair_kind)(i % REPAIR_KINDS);
            tree_file *f = repair_file(&specimens[how], kind, end);
            if (f && f->size) act(&specimens[how], kind, f, &t);
        }
    show(what, &t);
}

static void one_flip(repair_specimen *s, repair_kind kind, tree_file *f, repair_tally *t) { flip_some(s, kind, f, 1, t); }
static void several_flips(repair_specimen *s, repair_kind kind, tree_file *f, repair_tally *t)
{
    flip_some(s, kind, f, 2 + (unsigned)seed_below(&seed, SEVERAL - 1), t);
}

static void zero_pages(repair_specimen *s, repair_kind kind, tree_file *f, repair_tally *t)
{
    size_t size = PAGE * (1 + (size_t)seed_below(&seed, 3)), at = (size_t)seed_below(&seed, f->size) / PAGE * PAGE;
    char what[100];
    if (at + size > f->size) size = f->size - at;
    unsigned char *kept = malloc(size);
    assert_non_null(kept);
    memcpy(kept, f->bytes + at, size);
    memset(f->bytes + at, seed_below(&seed, 2) ? 0 : 0xff, size);
    snprintf(what, sizeof(what), "%zu bytes at %zu zeroed", size, at);
    repair_examine(s, kind, what, t);
    memcpy(f->bytes + at, kept, size);
    free(kept);
}

static void cut(repair_specimen *s, repair_kind kind, tree_file *f, repair_tally *t)
{
    size_t whole = f->size;
    char what[100];
    f->size = (size_t)seed_below(&seed, whole);
    snprintf(what, sizeof(what), "%s cut from %zu to %zu", strrchr(f->path, '/') + 1, whole, f->size);
    repair_examine(s, kind, what, t);
    f->size = whole;
}

static void flipped_bits_cost_the_records_they_are_in(void **state)
{
    (void)state;
    damage_each("one flip in rows.db", "", one_flip);
    damage_each("several flips in rows.db", "", several_flips);
}

static void flipped_bits_in_the_log_cost_the_commits_they_are_in(void **state)
{
    (void)state;
    damage_each("one flip in the log", "-wal", one_flip);
    damage_each("several flips in the log", "-wal", several_flips);
}

static void zeroed_pages_cost_the_records_they_held(void **state)
{
    (void)state;
    damage_each("zeroed pages of rows.db", "", zero_pages);
    damage_each("zeroed pages of the log", "-wal", zero_pages);
}

static void files_cut_short_cost_what_was_behind(void **state)
{
    (void)state;
    damage_each("rows.db cut", "", cut);
    damage_each("the log cut", "-wal", cut);
}

static void files_that_are_gone_are_told_of(void **state)
{
    static const char *const ends[] = { "", "-wal" };
    repair_tally t = { 0 };
    (void)state;
    for (int how = 0; how < REPAIR_SPECIMENS; how++)
        for (int kind = 0; kind < REPAIR_KINDS; kind++)
            for (int i = 0; i < 2; i++) {
                tree_file *f = repair_file(&specimens[how], (repair_kind)kind, ends[i]);
                if (!f) continue;
                f->absent = 1;
                repair_examine(&specimens[how], (repair_kind)kind, i ? "the log is gone" : "rows.db is gone", &t);
                f->absent = 0;
            }
    show("missing files", &t);
}

/* The schema, the map of pages, the description and the roots of all tables. */
static void no_single_page_is_needed(void **state)
{
    repair_tally t = { 0 };
    (void)state;
    for (int kind = 0; kind < REPAIR_KINDS; kind++) {
        tree_file *f = repair_file(&specimens[REPAIR_CLOSED], (repair_kind)kind, "");
        for (size_t page = 0; page < FIRST_PAGES && (page + 1) * PAGE <= f->size; page++) {
            unsigned char kept[PAGE];
            char what[40];
            memcpy(kept, f->bytes + page * PAGE, PAGE);
            memset(f->bytes + page * PAGE + 1, 0x55, PAGE - 1);
            snprintf(what, sizeof(what), "page %zu is damaged", page + 1);
            repair_examine(&specimens[REPAIR_CLOSED], (repair_kind)kind, what, &t);
            memcpy(f->bytes + page * PAGE, kept, PAGE);
        }
    }
    show("each of the first pages", &t);
}

static void a_sound_store_is_left_alone(void **state)
{
    repair_tally t = { 0 };
    (void)state;
    for (int how = 0; how < REPAIR_SPECIMENS; how++)
        for (int kind = 0; kind < REPAIR_KINDS; kind++) repair_examine(&specimens[how], (repair_kind)kind, "nothing is damaged", &t);
    show("sound stores", &t);
    assert_int_equal(t.sound, t.tried);
    assert_int_equal(t.salvaged, t.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_is_left_alone),
        cmocka_unit_test(flipped_bits_cost_the_records_they_are_in),
        cmocka_unit_test(flipped_bits_in_the_log_cost_the_commits_they_are_in),
        cmocka_unit_test(zeroed_pages_cost_the_records_they_held),
        cmocka_unit_test(files_cut_short_cost_what_was_behind),
        cmocka_unit_test(files_that_are_gone_are_told_of),
        cmocka_unit_test(no_single_page_is_needed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
