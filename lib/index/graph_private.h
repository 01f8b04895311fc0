/* graph_private.h - the arrays of a graph, and a worker's scratch. */
#ifndef EVDB_INDEX_GRAPH_PRIVATE_H
#define EVDB_INDEX_GRAPH_PRIVATE_H
#include "codec/sq.h"
#include "index/graph.h"
#include <pthread.h>
#include <stdatomic.h>

enum { NO_NODE = UINT32_MAX, GRAPH_ARRAYS = 5 };

/* One element a node, or one row; never moved. */
struct graph {
    graph_options o;
    uint32_t capacity, links; /* links of a node at the bottom: 2 m */
    size_t stride4, stride8;
    uint8_t *codes4, *codes8;
    const uint8_t *_Atomic saved8; /* 8-bit codes in the mapped file, until graph_prepare() copies them: only building wants them */
    uint32_t *bottom;          /* `links` numbers a node, NO_NODE behind the last */
    uint32_t *upper;           /* where a node's rows of upper levels begin in upper_links, in rows; 0 = it has none */
    uint8_t *levels;           /* above the bottom that a node is on; as many rows */
    uint32_t *upper_links;     /* rows of m numbers */
    uint32_t upper_rows;       /* how many there are room for */
    _Atomic uint32_t upper_used;
    _Atomic uint8_t *locks;    /* a node's links are being changed */
    float *mean;
    pthread_mutex_t top;       /* `entry` is being changed */
    _Atomic uint64_t entry;    /* where walks begin: node, and its levels in the upper half; NO_ENTRY: the graph is empty */
    _Atomic uint32_t used;     /* nodes ever put are below; others hold nothing, not even zeros */
    void *blocks[GRAPH_ARRAYS]; /* what the arrays lie in, aligned */
    size_t block_count;
};

/* Candidates, nearest first. The highest bit of `row` says that its neighbours were looked at. */
typedef struct candidates {
    hit *at;
    size_t count, room, looks, next; /* looks: of the nearest, how many are looked at; next: nothing before it is left to */
} candidates;
#define LOOKED_AT 0x80000000u

struct graph_worker {
    const evdb_allocator *mem;
    uint32_t capacity;
    uint8_t *visited, epoch;
    candidates pool;
    hit *hits;             /* GRAPH_EF_MAX + 2 links */
    float *vector;         /* the query, scaled and centred */
    float *row;            /* the caller's: graph_worker_row() */
    sq_query q4, q8;
    const float *query;    /* as it was given, and the node that is linked: what is not GRAPH_L2 measures from these */
    uint32_t from;
    uint32_t rows[SQ_BATCH_MAX], waiting[SQ_BATCH_MAX]; /* waiting: asked for */
    float distances[SQ_BATCH_MAX];
};

/* Links are read while they are changed. */
static inline uint32_t link_read(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline void link_write(uint32_t *at, uint32_t node) { __atomic_store_n(at, node, __ATOMIC_RELEASE); }

static inline uint32_t *links_of(const graph *g, uint32_t node, uint32_t level)
{
    if (!level) return g->bottom + (size_t)node * g->links;
    return g->upper_links + ((size_t)g->upper[node] + level - 1) * g->o.m;
}
static inline uint32_t links_max(const graph *g, uint32_t level) { return level ? g->o.m : g->links; }

static inline bool is_gone(graph_gone gone, uint32_t node) { return gone.bits[node / 8] >> node % 8 & 1; }

#define NO_ENTRY UINT64_MAX
static inline uint64_t entry_of(uint32_t node, uint32_t level) { return (uint64_t)level << 32 | node; }
static inline uint32_t entry_node(uint64_t entry) { return (uint32_t)entry; }
static inline uint32_t entry_level(uint64_t entry) { return (uint32_t)(entry >> 32); }

/* The level that a new node of this number gets. */
uint32_t graph_level_of(const graph *g, uint32_t node);
/* Sorts by distance. */
void sort_hits(hit *at, size_t count);
void graph_lock(graph *g, uint32_t node);
void graph_unlock(graph *g, uint32_t node);
/* Copies a node's links; how many. */
uint32_t graph_links(const graph *g, uint32_t node, uint32_t level, uint32_t *out);
/* With the node locked. */
void graph_set_links(graph *g, uint32_t node, uint32_t level, const uint32_t *links, uint32_t count);

/* A search's query. */
void worker_query(const graph *g, graph_worker *w, const float *vector, float inverse);
/* The node that is linked, as a query. */
void worker_node(const graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse);
/* Bytes from one node's codes to the next; 0 when the kind has none. */
static inline size_t space_stride(const graph_options *o, sq_bits bits) { return o->kind == GRAPH_ROWS ? 0 : sq_stride(bits, o->dim); }
/* The kinds of graph that are not GRAPH_L2 (graph_space.c): a node's codes, w's query of a search, and distances from w's
 * query (SQ_4) or node (SQ_8) to rows. */
void space_encode(const graph *g, graph_worker *w, uint32_t node, const float *vector);
void space_query(const graph *g, graph_worker *w, const float *vector);
void space_measure(const graph *g, graph_worker *w, sq_bits bits, const uint32_t *rows, size_t count);
/* choose_links() of GRAPH_IP. */
uint32_t space_choose(const graph *g, uint32_t of, const hit *sorted, size_t count, uint32_t most, float alpha, uint32_t *out);
/* From one node to others as building compares them, of every kind. */
void space_pairs(const graph *g, uint32_t from, const uint32_t *nodes, size_t count, float *out);
/* Distances from w's query (SQ_4) or node (SQ_8) to rows, at most SQ_BATCH_MAX, into w->distances; of every kind. */
void graph_measure(const graph *g, graph_worker *w, sq_bits bits, const uint32_t *rows, size_t count);
/* Walks greedily from the entry down to above `level`: the node to begin at, and its distance. */
uint32_t walk_down(const graph *g, graph_worker *w, sq_bits bits, uint64_t entry, uint32_t level, float *distance);
/* Fills w->pool with the `room` nearest that are met on one level, beginning at `from`, by looking at the neighbours of the `looks`
 * nearest; never with `skip`. */
void walk_level(const graph *g, graph_worker *w, sq_bits bits, uint32_t level, uint32_t from, float distance, size_t looks,
                size_t room, uint32_t skip);

/* Neighbours for the node `of` out of candidates that are sorted by distance to it: one is taken unless one taken before is nearer to
 * it, by alpha, than the node is. */
uint32_t choose_links(const graph *g, uint32_t of, const hit *sorted, size_t count, uint32_t most, float alpha, uint32_t *out);

#endif
