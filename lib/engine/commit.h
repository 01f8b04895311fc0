/* commit.h - group commit: writers queue, one of them commits for all.
 *
 * Whoever finds nobody committing becomes the leader: takes what is queued, writes it in one transaction (a
 * savepoint each, so that a bad request fails alone), makes it durable with one fsync and wakes the
 * others. Since many short commits cost as much as their fsyncs, a writer that knows of more writers
 * than have queued up yet waits for them, at most half as long as the last commit took. */
#ifndef EVDB_ENGINE_COMMIT_H
#define EVDB_ENGINE_COMMIT_H
#include "disk/rows.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    COMMIT_GROUP_REQUESTS = 1024,
    COMMIT_GROUP_BYTES = 64 << 20,
    COMMIT_LINGER_MAX_NS = 2000000
};

struct engine;

typedef enum commit_kind { COMMIT_WRITES, COMMIT_TRIM, COMMIT_SYNC } commit_kind;

typedef struct commit_request {
    commit_kind kind;
    const rows_write *writes;
    size_t count;
    bool partial;           /* good items stay when others fail */
    evdb_status *statuses;  /* count, or NULL unless partial; items that are not EVDB_OK are skipped */
    uint64_t *versions;     /* count, or NULL; written when all is durable, 0 for items that are not */
    uint64_t through;       /* COMMIT_TRIM */
    /* out */
    size_t written;
    uint64_t first_version; /* of the first item written */
    evdb_status status;
    evdb_error error;
    /* the queue's own */
    atomic_bool done; /* set when everything above is */
    struct commit_request *next;
} commit_request;

typedef enum commit_state {
    COMMIT_IDLE,
    COMMIT_GATHERING, /* `gatherer` waits for more writers; who completes the group leads it */
    COMMIT_LEADING    /* somebody commits */
} commit_state;

typedef struct commit_queue {
    pthread_mutex_t lock;
    _Atomic uint32_t changed; /* what waiters sleep on: a group is done, or a leader is wanted */
    commit_request *first, **last;
    size_t queued;
    commit_state state;
    const commit_request *gatherer;
    size_t expected;   /* writers at work during the last commit */
    uint64_t last_ns;  /* what it took */
} commit_queue;

void commit_init(commit_queue *q);
void commit_destroy(commit_queue *q);

/* Queues a request; it must stay in place until commit_wait() returned. */
void commit_enqueue(struct engine *e, commit_request *r);
/* Waits until it is carried out, carrying it out itself if need be. */
evdb_status commit_wait(struct engine *e, commit_request *r, evdb_error *err);
/* Carries out whatever is still queued without a waiter. */
void commit_flush(struct engine *e);

#endif
