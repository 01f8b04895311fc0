/* indexer.h - who brings a store's vectors from the tail into the graph, and when.
 *
 * Building costs some hundred scans of what is built, so it begins by itself only when scans have cost about as much: whoever
 * opens a store for a few searches never pays. From then on the tail is kept short. One thread of one process at a time does it,
 * sharing the work among several; it begins when there is work and ends when there is none. Others follow what it saves. */
#ifndef EVDB_ENGINE_INDEXER_H
#define EVDB_ENGINE_INDEXER_H
#include "platform/thread.h"
#include "engine/control.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_ROWS_MIN = 5000,     /* fewer are scanned faster than a graph is walked */
    INDEX_SCANS = 300,         /* scans of all rows that are worth a graph */
    INDEX_TAIL_MAX = 1000,     /* rows that may wait once there is a graph */
    INDEX_LOOK_NS = 100000000, /* between looks at what other processes do */
    INDEX_WAIT_NS = 5000000    /* between tries to get the turn of all processes */
};

struct engine;

typedef enum indexer_phase { INDEXER_IDLE, INDEXER_BUILDING, INDEXER_SAVING } indexer_phase;

typedef struct indexer {
    pthread_mutex_t turn;      /* of building, between threads */
    pthread_mutex_t lock;      /* job, and more */
    thread_job job;
    atomic_bool stop;
    atomic_bool halt;          /* the build under way, or the wait for one, shall end */
    bool asked;                /* under `lock`: somebody waits for the build under way */
    atomic_bool patient;       /* one was cancelled: the next begins when scans have cost as much as a whole graph */
    atomic_bool marks[CONTROL_MARKS]; /* in memory */
    _Atomic uint32_t word;     /* to sleep on */
    _Atomic uint32_t phase;    /* indexer_phase, of the build under way */
    char problem[256];         /* under `lock`: what the log was last told */
    _Atomic uint64_t scanned;  /* rows, since the graph was last without a tail */
    _Atomic uint64_t next_look; /* monotonic */
} indexer;

void indexer_init(indexer *i);
void indexer_destroy(struct engine *e);

/* A search has scanned that many rows: begins indexing in the background if that is worth it by now. */
void indexer_scanned(struct engine *e, uint64_t count);
/* Indexes all there is, now, on `threads` threads (0 = the store's); behind another process that is at it. `anew`: as if there were
 * no graph yet. EVDB_CANCELLED when somebody ended it. */
evdb_status indexer_drain(struct engine *e, uint32_t threads, bool anew, evdb_error *err);
/* Begins the same in the background. */
void indexer_begin(struct engine *e);
/* What is under way, in this process or another, ends within a step. */
evdb_status indexer_cancel(struct engine *e, evdb_error *err);
/* Background building ends, and none begins, in all processes; or may again. */
evdb_status indexer_pause(struct engine *e, bool paused, evdb_error *err);
/* No graph, no file, and none again until somebody asks for it. */
evdb_status indexer_drop(struct engine *e, evdb_error *err);

/* The index as it is now takes the place of the file, which may hold records that were erased: when it returns, it does not. */
evdb_status indexer_forget(struct engine *e, evdb_error *err);

/* Tells the log, and remembers it for whoever asks how the index does. */
void indexer_say(struct engine *e, const char *message);
void indexer_problem(struct engine *e, char *out, size_t size);

#endif
