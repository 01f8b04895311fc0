/* sweep.h - deleting what has expired, and purging the trash, in the background.
 *
 * One thread a store that has records which expire, or some in its trash, in every process that has it open: it waits for the next expiry,
 * deletes what has expired in batches, each an ordinary commit, and ends when there is nothing left to wait for. Who comes second finds nothing left. */
#ifndef EVDB_ENGINE_SWEEP_H
#define EVDB_ENGINE_SWEEP_H
#include "platform/thread.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SWEEP_BATCH = 256, /* records of one commit */
    SWEEP_MOST_S = 10  /* between looks at the clock: it may jump, and others write */
};
#define SWEEP_LEAST_NS UINT64_C(1000000000) /* between sweeps, so that records that expire one by one share commits */

struct engine;

typedef struct sweeper {
    pthread_mutex_t lock; /* job, asked */
    thread_job job;
    bool asked;         /* since the thread last looked */
    atomic_bool stop;
    _Atomic uint32_t word; /* to sleep on */
} sweeper;

void sweep_init(sweeper *s);
void sweep_destroy(struct engine *e);
/* There may be something to sweep: at once, or later. */
void sweep_begin(struct engine *e);
/* Records that expire may have been written, or some gone into the trash: there must be a thread. Cheap. */
void sweep_wrote(struct engine *e);

#endif
