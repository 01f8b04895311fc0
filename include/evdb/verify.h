/* verify.h - reading everything and checking every invariant (they are numbered in lib/README.md). */
#ifndef EVDB_VERIFY_H
#define EVDB_VERIFY_H
#include <evdb/store.h>
EVDB_BEGIN

typedef struct evdb_verify_report {
    uint64_t stores;   /* looked at */
    uint64_t records;  /* whose checksums were computed */
    uint64_t problems; /* found; 0 = sound */
} evdb_verify_report;

/* Verifies one store by name, or system.db and every store for name NULL. Each problem is one
 * sentence handed to problem() (may be NULL). Finding problems is a success: look at the report.
 * Works on stores too damaged to open. Other processes may go on reading and writing. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_verify(evdb *db, const char *name,
                                                 void (*problem)(void *context, const char *store, const char *text),
                                                 void *context, evdb_verify_report *out, evdb_error *err);

EVDB_END
#endif
