/* indexed_private.h - the tail, and what indexer and searchers share. */
#ifndef EVDB_INDEX_INDEXED_PRIVATE_H
#define EVDB_INDEX_INDEXED_PRIVATE_H
#include "index/graph.h"
#include "index/indexed.h"
#include "platform/thread.h"
#include <pthread.h>

/* Rows to be linked, in order of arrival, as a ring. Positions only grow. */
typedef struct tail_ring {
    uint32_t mask;
    _Atomic uint32_t at[];
} tail_ring;

enum { SEARCHERS = 64, RETIRED_MAX = 8 };

/* Freed when the searches that may use it have ended. */
typedef struct retired {
    graph *graph;
    tail_ring *ring;
    flat_readers readers;
} retired;

typedef struct row_list {
    uint32_t *at;
    size_t count, room;
} row_list;

struct indexed {
    indexed_options o;
    flat *flat;
    _Atomic(graph *) graph;     /* NULL before the first row is linked */
    _Atomic(tail_ring *) ring;
    _Atomic uint64_t head, end; /* of the tail */
    _Atomic uint64_t scans;
    /* the indexer's */
    _Atomic uint64_t linked;
    atomic_bool refining;
    row_list claimed;           /* what this step links */
    size_t claimed_done;        /* of these, linked */
    row_list unrefined;         /* linked, not refined yet */
    row_list leaving;           /* taken out of the graph; released when the readers of then are gone */
    flat_readers leaving_readers;
    uint64_t claim_end;         /* of the tail, when all that was claimed is linked */
    uint32_t needed;            /* nodes that the graph must have room for */
    graph_worker *workers[THREAD_PARTS_MAX];
    retired retired[RETIRED_MAX];
    pthread_mutex_t lock;       /* `retired`, and searchers' workers that nobody uses now: */
    graph_worker *idle[SEARCHERS];
    size_t idle_count;
};

graph_options indexed_graph_options(const indexed *x);
bool row_list_add(const evdb_allocator *mem, row_list *l, uint32_t row);
/* The writer's: row is the newest of the tail. */
evdb_status tail_add(indexed *x, uint32_t row, evdb_error *err);
/* Makes room to retire something; false when older readers still hold all of it. */
bool retire(indexed *x, graph *g, tail_ring *ring);
void retired_sweep(indexed *x);

#endif
