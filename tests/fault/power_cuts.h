/* power_cuts.h - the power fails at many moments of a recorded session, and again while its files are opened and looked at; each time
 * it is looked at what is left.
 *
 * An image is one such set of files. Half of them are of moments spread over the session: with two for each of its operations every
 * operation is one of these, with ten in every mood. The other half are of moments at which these are looked at. */
#ifndef TESTS_FAULT_POWER_CUTS_H
#define TESTS_FAULT_POWER_CUTS_H
#include "ledger.h"
#include "power.h"

typedef struct power_cuts {
    unsigned count;     /* images */
    bool until_noticed; /* ends with the first that has losses, and draws moments at random */
    size_t from;        /* no operation before this one */
    power_bug then;     /* what the program does wrong while images are looked at */
    /* Opens what is in dir with this gate, changes it as users do, and says what is wrong. `noted` is what the session had been told by
     * then; what becomes known is noted there, as the power may fail in here too. */
    void (*look)(void *context, io_gate gate, const char *dir, void *noted, ledger_found *found);
    void *context;
} power_cuts;

/* $EVDB_CUTS, or so many. */
unsigned power_cuts_wanted(unsigned usual);
/* How many images had losses; says so of each, and prints what was looked at. */
unsigned power_cuts_try(power *p, const power_cuts *cuts, uint64_t *seed);
/* For look(), which may not fail where a bug is tried: 1, which it says, unless rc is EVDB_OK. */
unsigned power_refused(evdb_status rc, const evdb_error *err, const char *what);
/* The same unless there is one folder of each store and no other, which nothing would ever remove. */
unsigned power_strays(evdb *db, const char *dir);

#endif
