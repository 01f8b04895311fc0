/* power_cuts.c - implements power_cuts.h. */
#include "power_cuts.h"
#include "gated.h"
#include "seed.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct trial {
    const power_cuts *cuts;
    uint64_t *seed;
    char *dir, *again; /* of images, and of images of what was done with these */
    unsigned images, bad;
    ledger_found found;
} trial;

unsigned power_cuts_wanted(unsigned usual)
{
    const char *given = getenv("EVDB_CUTS");
    return given ? (unsigned)strtoul(given, NULL, 10) : usual;
}

/* True: nothing was wrong. */
static bool look(trial *t, io_gate gate, const char *dir, void *noted)
{
    ledger_found found = { 0 };
    t->cuts->look(t->cuts->context, gate, dir, noted, &found);
    t->images++;
    t->bad += found.lost + found.corrupt > 0;
    t->found.records += found.records;
    t->found.lost += found.lost;
    t->found.corrupt += found.corrupt;
    return found.lost + found.corrupt == 0;
}

static void try_again(trial *t, power *p, size_t at, power_mood mood)
{
    tree files = power_cut(p, at, mood, t->seed);
    tree_write(&files, t->again);
    if (!look(t, (io_gate){ NULL, gated_no_sync }, t->again, p->events[at].noted))
        fprintf(stderr, "... when the power fails again, before operation %zu of %zu, mood %u\n", at, p->count, mood);
    tree_free(&files);
}

/* One image, and one of what is done with it. */
static void try_at(trial *t, power *p, size_t at, power_mood mood)
{
    tree files = power_cut(p, at, mood, t->seed);
    void *noted = malloc(p->notes_size + 1);
    if (!noted) errx(2, "out of memory");
    memcpy(noted, p->events[at].noted, p->notes_size);
    power after = { .dir = t->dir, .bug = t->cuts->then, .base = &files, .notes = noted, .notes_size = p->notes_size };
    tree_write(&files, t->dir);
    if (!look(t, power_gate(&after), t->dir, noted))
        fprintf(stderr, "... when the power fails before operation %zu of %zu, mood %u\n", at, p->count, mood);
    else if (after.count && t->images < t->cuts->count)
        try_again(t, &after, seed_below(t->seed, after.count), (power_mood)seed_below(t->seed, POWER_MOODS));
    power_free(&after);
    tree_free(&files);
    free(noted);
}

unsigned power_refused(evdb_status rc, const evdb_error *err, const char *what)
{
    if (rc != EVDB_OK) fprintf(stderr, "%s: %s: %s\n", what, evdb_status_name(rc), err->message);
    return rc != EVDB_OK;
}

unsigned power_strays(evdb *db, const char *dir)
{
    evdb_store_info **list;
    size_t count;
    evdb_error err;
    if (power_refused(evdb_store_list(db, &list, &count, &err), &err, "list the stores")) return 1;
    evdb_store_list_free(list, count);
    unsigned folders = dir_entries(dir, "stores", false);
    if (folders != count) fprintf(stderr, "%u folders of %zu stores\n", folders, count);
    return folders != count;
}

/* What a bug does need not be read. */
static FILE *silence(void)
{
    FILE *nowhere = fopen("/dev/null", "we");
    if (!nowhere) err(2, "/dev/null");
    return nowhere;
}

unsigned power_cuts_try(power *p, const power_cuts *cuts, uint64_t *seed)
{
    trial t = { .cuts = cuts, .seed = seed, .dir = dir_new(), .again = dir_new() };
    size_t span = p->count - cuts->from, moments = cuts->count / 2 + 1;
    FILE *loud = stderr;
    if (cuts->until_noticed) stderr = silence();
    for (size_t i = 0; t.images < cuts->count && !(t.bad && cuts->until_noticed); i++) {
        size_t at = (i * span + (moments < span ? seed_below(seed, span) : 0)) / moments;
        if (cuts->until_noticed) at = seed_below(seed, span);
        try_at(&t, p, cuts->from + at % span, (power_mood)(i % POWER_MOODS));
    }
    if (cuts->until_noticed) fclose(stderr);
    stderr = loud;
    if (cuts->until_noticed) printf("%s after %u images of %zu disk operations\n", t.bad ? "noticed" : "not noticed", t.images, p->count);
    else
        printf("%u images of %zu disk operations: %u acknowledged records looked for, %u lost, %u corrupt\n", t.images, p->count,
               t.found.records, t.found.lost, t.found.corrupt);
    dir_remove(t.dir);
    dir_remove(t.again);
    return t.bad;
}
