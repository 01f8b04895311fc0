/* recall.h - how good searches by the graph are, watched while they happen.
 *
 * Now and then a search that was just answered is done again in the background, by the graph and by a scan, and the two are
 * compared. What that costs is kept to a hundredth of a processor: after a check that took t, the next waits for 99 t. */
#ifndef EVDB_ENGINE_RECALL_H
#define EVDB_ENGINE_RECALL_H
#include "platform/thread.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    RECALL_EACH = 64,    /* of so many searches one may be checked */
    RECALL_SHARE = 100,  /* of a processor's time, one part in so many */
    RECALL_MEMORY = 1000 /* checks that the estimate looks back to, about */
};

struct engine;

typedef struct recall_watch {
    pthread_mutex_t lock; /* job, estimate */
    thread_job job;
    _Atomic uint64_t searches, next; /* monotonic, nanoseconds */
    uint64_t samples;
    double estimate;
    float *query;         /* of the check under way */
    uint32_t k, ef;
} recall_watch;

void recall_init(recall_watch *r);
void recall_destroy(struct engine *e);
/* A search by the graph was answered. */
void recall_searched(struct engine *e, const float *query, uint32_t k, uint32_t ef);
/* The share of the exact answer that was found; 0 and no samples before the first. */
void recall_now(struct engine *e, float *estimate, uint64_t *samples);

#endif
