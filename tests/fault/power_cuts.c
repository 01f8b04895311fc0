/* power_cuts.c - implements power_cuts.h. */
#include "power_cuts.h"
#include "memory_io.h"
#include <stdio.h>
#include <stdlib.h>

unsigned power_cuts_wanted(unsigned usual)
{
    const char *given = getenv("EVDB_CUTS");
    return given ? (unsigned)strtoul(given, NULL, 10) : usual;
}

unsigned power_cuts_try(const power *p, const power_cuts *cuts, uint64_t *seed)
{
    static const power_mood moods[] = { POWER_LOSES_ALL, POWER_KEEPS_ALL, POWER_ANY, POWER_ANY };
    char *after = dir_new();
    unsigned bad = 0;
    for (unsigned i = 0; i < cuts->count && !(bad && cuts->until_noticed); i++) {
        size_t at = cuts->from + seed_below(seed, p->count - cuts->from);
        tree files = power_cut(p, at, moods[i % 4], seed);
        if (cuts->add) cuts->add(cuts->context, &files, at, seed);
        tree_write(&files, after);
        tree_free(&files);
        unsigned lost = cuts->losses(cuts->context, after, p->events[at].noted);
        if (lost) fprintf(stderr, "%u losses when the power fails before operation %zu, mood %u\n", lost, at, i % 4);
        bad += lost > 0;
    }
    printf("%u power cuts during %zu disk operations: %u with losses\n", cuts->count, p->count, bad);
    dir_remove(after);
    return bad;
}
