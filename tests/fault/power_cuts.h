/* power_cuts.h - the power fails at many moments of a recorded session, and each time it is looked at what is left. */
#ifndef TESTS_FAULT_POWER_CUTS_H
#define TESTS_FAULT_POWER_CUTS_H
#include "power.h"

typedef struct power_cuts {
    unsigned count;      /* of moments */
    bool until_noticed;  /* ends with the first loss */
    size_t from;         /* no operation before this one */
    /* Adds what no recorder of file operations has seen, as of operation `at`; NULL = there is none. */
    void (*add)(void *context, tree *files, size_t at, uint64_t *seed);
    /* What is wrong with the files in dir; `noted` is what the session had been told by then. */
    unsigned (*losses)(void *context, const char *dir, const void *noted);
    void *context;
} power_cuts;

/* $EVDB_CUTS, or so many. */
unsigned power_cuts_wanted(unsigned usual);
/* How many moments had losses; says so of each. */
unsigned power_cuts_try(const power *p, const power_cuts *cuts, uint64_t *seed);

#endif
