/* syncer.h - commits that do not wait for the disk (evdb_options.sync): a thread syncs them, the interval behind the first of them.
 *
 * syncer_note() and syncer_done() are the commit leader's; so what is due is never confused with what comes meanwhile. */
#ifndef EVDB_ENGINE_SYNCER_H
#define EVDB_ENGINE_SYNCER_H
#include "platform/thread.h"
#include <evdb/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;

enum { SYNCER_AGAIN_NS = 1000000000 /* behind a sync that failed for want of room, say */ };

typedef struct syncer {
    pthread_mutex_t lock; /* job */
    thread_job job;
    atomic_bool stop;
    _Atomic uint32_t word; /* to sleep on */
    _Atomic uint64_t due;  /* monotonic; 0 = all is on the disk */
} syncer;

void syncer_init(syncer *s);
/* Ends the thread, and syncs what is left. */
void syncer_destroy(struct engine *e);

void syncer_note(struct engine *e); /* something was committed */
void syncer_done(struct engine *e); /* everything was synced */
/* Syncs before something is made of the rows that must not be newer than they are when the power fails. */
evdb_status syncer_flush(struct engine *e, evdb_error *err);

#endif
