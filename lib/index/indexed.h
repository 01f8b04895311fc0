/* indexed.h - a store's vectors in memory: all of them in a flat index, most of them in a graph as well.
 *
 * What is put lies in the *tail*, which searches scan exactly, until the indexer has linked it into the graph. The flat index says
 * what a snapshot sees and what a distance is; the graph only says where to look. Rows that died stay in the graph, to be walked
 * through, until enough of them are taken out together; only then is their memory used again. */
#ifndef EVDB_INDEX_INDEXED_H
#define EVDB_INDEX_INDEXED_H
#include "index/flat.h"
#include "index/saved.h"
#include <stdatomic.h>

enum {
    INDEXED_CLAIM_MAX = 4096, /* rows that one step of the indexer links */
    INDEXED_RERANK_MIN = 40,  /* candidates whose exact distance is computed, or 2 k ... */
    INDEXED_RERANK_FUTILE = 5, /* ... unless this and k in a row are not among the best */
    INDEXED_GONE_SHARE = 8    /* dead rows are taken out once they are one in so many */
};

typedef struct indexed indexed;

typedef struct indexed_options {
    flat_options flat;
    uint32_t m, ef_construction;
    uint64_t seed;
    uint64_t memory_max; /* bytes of the graph; 0 = no bound. A saved graph that would be larger is not loaded */
} indexed_options;

evdb_status indexed_create(const indexed_options *options, indexed **out, evdb_error *err);
void indexed_free(indexed *x);
flat *indexed_flat(indexed *x);

/* The writer: flat_put(), flat_remove() and flat_publish(), with the graph told. Serialised by the caller. */
evdb_status indexed_put(indexed *x, uint64_t slot, uint64_t sequence, const evdb_id *id, const void *vector, evdb_error *err);

/* Can vectors of this metric be in a graph? */
bool indexed_has_graph(const indexed *x);
/* Bytes of a graph with all rows there are, and whether they are within the bound. */
bool indexed_fits(const indexed *x, uint64_t *bytes);
typedef struct indexed_state {
    uint64_t waiting;      /* rows in the tail */
    uint64_t linked;       /* rows in the graph, dead ones among them */
    uint64_t gone;         /* of these, dead */
    uint64_t memory_bytes; /* graph and tail */
    bool refining;         /* the step under way does that */
    uint64_t scans;        /* queries that had to look at all rows after all */
} indexed_state;
void indexed_state_now(const indexed *x, indexed_state *out);

/* One step of the one indexer. begin() and end() are called as the writer is; work() is not, and shares its work among that many
 * threads; it stops early when *stop is set. Each linked row counts at end(). *more: there is something left to do. */
evdb_status indexed_begin(indexed *x, bool *more, evdb_error *err);
evdb_status indexed_work(indexed *x, uint32_t threads, const atomic_bool *stop, evdb_error *err);
void indexed_end(indexed *x);

/* Hands out everything that the snapshot sees, as it saw it. With the indexer's turn, between its steps; writers and searches go on. */
evdb_status indexed_save(indexed *x, const flat_snapshot *s, const saver *to, evdb_error *err);
/* Whether something is wrong with the graph of an index that was just loaded, said in `out`. */
bool indexed_problem(const indexed *x, char *out, size_t size);
/* The same back, as the state of `sequence`. What find() answers must stay until release(owner), which the index calls from then on
 * when it succeeds. */
evdb_status indexed_load(const indexed_options *options, uint64_t sequence, const loader *from, void *owner,
                         void (*release)(void *owner), indexed **out, evdb_error *err);

/* The k nearest of each query by way of the graph, as flat_search() answers them; `ef` is the effort: less than three quarters of k
 * count as that. Whoever asks before a graph is there gets an exact answer. EVDB_NO_MEMORY. */
evdb_status indexed_search(indexed *x, const flat_snapshot *s, const flat_query *q, uint32_t ef, hit *hits, size_t *found,
                           evdb_error *err);

#endif
