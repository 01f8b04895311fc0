/* recode.h - bringing a store's vectors to the codec that is wanted: training it, and writing them again, slot by slot.
 *
 * How far that has come is in rows.db, in the transaction that wrote the vectors: whoever is killed half-way has lost a batch at
 * most, and anybody goes on. One thread of one process at a time does it, with the lock file `recode.lock`. Vectors are read and
 * encoded outside of any transaction; one that was replaced meanwhile is left alone. */
#ifndef EVDB_ENGINE_RECODE_H
#define EVDB_ENGINE_RECODE_H
#include "platform/thread.h"
#include <evdb/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;

enum {
    RECODE_BATCH = 500,            /* vectors of one commit, ... */
    RECODE_BATCH_BYTES = 8 << 20,  /* ... as floats no more than this */
    RECODE_LEAST = 1000,           /* vectors that training waits for: of fewer it learns what the next ones do not have; ... */
    RECODE_FEWEST = 16,            /* ... that do where the caller says so */
    RECODE_SAMPLE = 25000,         /* vectors to train on, ... */
    RECODE_SAMPLE_BYTES = 256 << 20, /* ... as floats no more than this */
    RECODE_HELD_BACK = 500,        /* vectors that the error is measured on, and that were not trained on where there are others */
    RECODE_LOOK_NS = 1000000000,   /* between looks whether another process is still at it */
    RECODE_WAIT_NS = 20000000      /* between tries to get the lock */
};

typedef enum recode_phase { RECODE_IDLE, RECODE_TRAINING, RECODE_WRITING } recode_phase;

typedef struct recoder {
    pthread_mutex_t turn; /* of doing it, between threads */
    pthread_mutex_t lock; /* job, problem */
    thread_job job;
    atomic_bool stop;
    _Atomic uint32_t phase;
    _Atomic uint32_t word;      /* to sleep on */
    _Atomic uint64_t next_look; /* monotonic */
    char problem[256];
} recoder;

void recode_init(recoder *r);
void recode_destroy(struct engine *e);

/* Another codec is wanted, "" = none: decided and durable when it returns; vectors are not written yet. */
evdb_status recode_choose(struct engine *e, const char *spec, evdb_error *err);
/* Begins what is to be done in the background, if there is something to do. Cheap: may be called by any search or write. */
void recode_begin(struct engine *e);
/* Does it now, with fewer vectors to train on than it would wait for. */
evdb_status recode_run(struct engine *e, evdb_error *err);
void recode_problem(struct engine *e, char *out, size_t size);

#endif
