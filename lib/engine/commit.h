/* commit.h - group commit: writers queue, one of them commits for all.
 *
 * Whoever finds nobody committing leads: begins a transaction, carries out what is queued (a savepoint each, so
 * that a bad request fails alone), and what comes meanwhile, makes all of it durable with one fsync and wakes the others.
 * Since many short commits cost as much as their fsyncs, a leader that knows of more writers than have come yet waits for
 * them before it commits, at most half as long as the last commit took.
 *
 * Where the disk is full the log is emptied, and each request of the group tried by itself: those that only delete have a reserve. */
#ifndef EVDB_ENGINE_COMMIT_H
#define EVDB_ENGINE_COMMIT_H
#include "disk/rows.h"
#include "engine/codecs.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    COMMIT_GROUP_REQUESTS = 1024,
    COMMIT_GROUP_BYTES = 64 << 20,
    COMMIT_LINGER_MAX_NS = 2000000,
    COMMIT_TRIM_CHANGES = 2000 /* what a delete takes from the feed where there is no other room: as many deletes fit in again */
};

struct engine;

typedef enum commit_kind { COMMIT_WRITES, COMMIT_TRIM, COMMIT_WORK, COMMIT_SYNC, COMMIT_REWRITE } commit_kind;

typedef struct commit_request {
    commit_kind kind;
    const rows_write *writes;
    size_t count;
    const codec_met *codec; /* that they are of, or NULL */
    bool partial;           /* good items stay when others fail */
    evdb_status *statuses;  /* count, or NULL unless partial; items that are not EVDB_OK are skipped */
    evdb_error *errors;     /* count, or NULL: why items of a partial request failed */
    uint64_t *versions;     /* count, or NULL; written when all is durable, 0 for items that are not */
    uint64_t through;       /* COMMIT_TRIM */
    evdb_status (*work)(void *context, rows *r, evdb_error *err); /* COMMIT_WORK: whatever it does within the transaction */
    void *context;
    bool deletes;           /* COMMIT_WORK: it does nothing but delete */
    /* out */
    size_t written;
    uint64_t first_version; /* of the first item written */
    evdb_status status;
    evdb_error error;
    /* the queue's own */
    atomic_bool done; /* set when everything above is */
    struct commit_request *next;
} commit_request;

typedef struct commit_queue {
    pthread_mutex_t lock;
    _Atomic uint32_t changed; /* what waiters sleep on: a group is done, or a leader is wanted */
    _Atomic uint32_t arrived; /* what a leader sleeps on that waits for more writers */
    commit_request *first, **last;
    size_t queued;
    size_t wanted;     /* the leader sleeps until this many are queued; 0 = it does not */
    bool leading;      /* somebody commits */
    size_t expected;   /* writers at work during the last commit */
    uint64_t last_ns;  /* what it took */
} commit_queue;

void commit_init(commit_queue *q);
void commit_destroy(commit_queue *q);

/* Queues a request and waits until it is carried out, carrying it out itself if need be. */
evdb_status commit_run(struct engine *e, commit_request *r, evdb_error *err);
/* The two halves of it. A request must stay in place until commit_wait() returned. */
void commit_enqueue(struct engine *e, commit_request *r);
evdb_status commit_wait(struct engine *e, commit_request *r, evdb_error *err);
/* Carries out whatever is still queued without a waiter. */
void commit_flush(struct engine *e);

#endif
