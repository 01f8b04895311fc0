/* graph.h - approximate nearest neighbours: a navigable graph (HNSW, Malkov and Yashunin 2016) over scalar codes.
 *
 * What differs from the paper, and why:
 *  - Distances while walking come from 4-bit codes of the vectors, while building from 8-bit ones (codec/sq.h): a walk waits for
 *    memory, and these are an eighth and a quarter of the floats. The caller ranks what is found anew by exact distances.
 *  - Candidates are one sorted array instead of two heaps: insertions are short moves in the first-level cache.
 *  - After linking, each node is refined once: searched for again in the finished graph, its links chosen anew with some slack
 *    (alpha), and its row of links filled. It costs as much as building and makes searches a tenth to a third faster.
 *  - Levels come from a hash of the node's number and the seed: nothing to store, and the same graph every time on one thread.
 *
 * Nodes are numbered by the caller, below the capacity. What they are compared by is the graph's kind: Euclidean distance (for
 * cosine the caller asks for unit length, which orders alike), inner product, or a function of the caller's. Any number of
 * searchers run while workers link, refine and unlink: a row of links may be seen half old, half new, and every mixture of it is
 * a fit set of neighbours.
 *
 * The inner product is no metric: the nearest to a vector are long ones, seldom itself. Linked by Euclidean distance, long vectors,
 * which are what is looked for, lie at the rim and few links lead there: where lengths vary, a walk hardly found any of them. So
 * candidates are those of the largest inner product (ip-NSW, Morozov and Babenko 2018). Choosing among them by inner products
 * too, as that paper and hnswlib do, lets a long vector cover all others where they point the same way by and large, as images
 * do: recall stayed below 0.8 however hard one looked. So choosing goes by angle alone: a candidate is covered by one that is taken
 * if their angle is less than the one to the node. index/README.md has the figures. */
#ifndef EVDB_INDEX_GRAPH_H
#define EVDB_INDEX_GRAPH_H
#include "base/topk.h"
#include "index/row_set.h"
#include "index/saved.h"
#include "kernel/kernel.h"
#include <evdb/error.h>
#include <evdb/database.h>
#include <stdbool.h>

enum { GRAPH_M_MAX = 128, GRAPH_EF_MAX = 16384, GRAPH_LEVELS_MAX = 16 };

typedef struct graph graph;

/* What is compared. Saved graphs hold these numbers. */
typedef enum graph_kind {
    GRAPH_L2 = 0,  /* Euclidean distance, by codes */
    GRAPH_IP = 1,  /* inner product, by codes; the larger, the nearer */
    GRAPH_ROWS = 2 /* whatever `rows` measures, and no codes */
} graph_kind;

/* Vectors that lie with the caller, who knows their distances (not squared): any metric. Called by all threads at once. */
typedef struct graph_rows {
    const void *context;
    void (*from_query)(const void *context, const float *query, const uint32_t *nodes, size_t count, float *out);
    void (*from_node)(const void *context, uint32_t node, const uint32_t *nodes, size_t count, float *out);
} graph_rows;

typedef struct graph_options {
    const evdb_allocator *mem; /* borrowed */
    const kernel *kernel;
    uint32_t dim;
    uint32_t m;               /* links of a node on upper levels; twice as many at the bottom */
    uint32_t ef_construction; /* candidates while linking */
    uint64_t seed;
    bool unit;                /* vectors are scaled to length 1 first (cosine); with GRAPH_L2 */
    graph_kind kind;
    graph_rows rows;          /* with GRAPH_ROWS */
    size_t row_room;          /* floats of graph_worker_row() */
} graph_options;

/* mean (dim floats, copied, may be NULL): the middle of the vectors to come, after scaling; codes are finer around it. */
evdb_status graph_create(const graph_options *options, uint32_t capacity, const float *mean, graph **out, evdb_error *err);
/* A copy with more room. Nobody may change `from` meanwhile. */
evdb_status graph_grow(const graph *from, uint32_t capacity, graph **out, evdb_error *err);
void graph_free(graph *g);
uint32_t graph_capacity(const graph *g);
/* NULL, or what is wrong with *node, as the rest of a sentence. Of a graph just loaded: later there are numbers that no node has. */
const char *graph_sound(const graph *g, uint32_t *node);
/* Bytes that a graph of so many nodes takes, with its codes. */
uint64_t graph_estimate(uint32_t dim, uint32_t m, uint64_t nodes);
/* Bytes of the nodes that were put. */
uint64_t graph_memory(const graph *g);

/* What one thread needs to search or build; not to be shared. It fits graphs up to the capacity it was made for. */
typedef struct graph_worker graph_worker;
evdb_status graph_worker_create(const graph *g, graph_worker **out, evdb_error *err);
void graph_worker_free(graph_worker *w);
bool graph_worker_fits(const graph_worker *w, const graph *g);
/* Room for GRAPH_EF_MAX hits that graph_search() may fill; building uses it too. */
hit *graph_worker_space(graph_worker *w);
float *graph_worker_row(graph_worker *w); /* `row_room` floats for a vector that is put, linked or refined; the caller's */

/* Before anything of the following is done to a graph that may have been loaded; by one thread. */
void graph_prepare(graph *g);
/* Building; any number of workers at once, each node by one of them. `inverse` is 1 / norm of the vector, used with `unit`. */
void graph_put(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse); /* codes; nobody finds it yet */
void graph_link(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse);
void graph_refine(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse);
void graph_fill(graph *g, uint32_t node);
/* Taking nodes out: first each other node's links to them are replaced, by what they linked to; then they are forgotten. A search
 * that began before may still come by until it ends. */
typedef struct graph_gone { const uint8_t *bits; } graph_gone; /* one a node */
void graph_repair(graph *g, graph_worker *w, uint32_t node, graph_gone gone);
void graph_forget(graph *g, graph_gone gone);

/* Hands out the nodes listed, numbered anew by their place in the list; number_of[node] is that number. UINT32_MAX for others, to
 * which no link is saved, and for a listed one that was never linked. Nobody changes the graph meanwhile. */
evdb_status graph_save(const graph *g, const uint32_t *nodes, uint32_t count, const uint32_t *number_of, const saver *to,
                       evdb_error *err);
/* What `from` hands out must last as long as the graph. */
evdb_status graph_load(const graph_options *options, uint32_t capacity, uint32_t nodes, const loader *from, graph **out,
                       evdb_error *err);

/* The `room` nearest that a walk meets which looks at the neighbours of the ef nearest; nearest first (squared distances by codes,
 * inner products by codes with the sign changed, or what graph_rows says); out has room entries. */
size_t graph_search(const graph *g, graph_worker *w, const float *query, float inverse, size_t ef, size_t room, hit *out);
/* The `most` nearest by codes among these nodes, all of which were put: no walk, each is looked at. */
size_t graph_scan(const graph *g, graph_worker *w, const float *query, float inverse, const row_set *nodes, size_t most, hit *out);

#endif
