/* flat_private.h - the rows of a flat index: what flat.c writes and flat_search.c reads. */
#ifndef EVDB_INDEX_FLAT_PRIVATE_H
#define EVDB_INDEX_FLAT_PRIVATE_H
#include "index/flat.h"
#include "kernel/metric.h"
#include <stdatomic.h>

enum {
    CHUNK_FIRST = 1024, /* rows in chunk 0; chunk i has CHUNK_FIRST << i */
    CHUNKS = 22,        /* almost 2^32 rows */
    READERS = FLAT_READERS, /* snapshots that can be told apart; more only delay the reuse of memory */
    ROW_BYTES = 8, ROW_BYTES_F32 = 32, /* rows are padded to whole words; of floats to whole vectors of the machine */
    ALIGNMENT = 64
};

/* Rows never move, so that readers need no lock; every array has one element a row. The base is a chunk of its own, whose rows
 * were born before all else. */
typedef struct chunk {
    const char *vectors;  /* stride bytes a row */
    void *block;          /* they lie in, aligned; NULL in the base */
    _Atomic uint64_t *births, *deaths; /* births NULL in the base */
    _Atomic uint8_t *held; /* by flat_hold() */
    const float *inverses;  /* COSINE: 1 / norm, see metric.h */
    const int64_t *numbers;
    char **texts;    /* string ids, one block each; NULL array in an integer store and in the base */
    uint32_t *lengths;
    const uint32_t *slots; /* of the record */
    uint32_t *next;  /* writer's: the free list */
} chunk;

struct flat {
    flat_options o;
    size_t stride;       /* bytes */
    float *decoded;      /* the writer's: flat_room() floats, where rows are none */
    chunk chunks[CHUNKS + 1];    /* the last is the base */
    flat_base base;              /* its rows are numbered first; all zero without one */
    _Atomic uint32_t used;       /* rows ever filled behind the base; what lies below is fit to be looked at */
    _Atomic uint64_t published;
    _Atomic uint64_t alive;      /* at `published` */
    _Atomic uint64_t bytes;
    _Atomic uint64_t held_dead;
    /* A reader's snapshot + 1, or 0: free, or 1: about to begin. The writer reuses no row that one of them may see. */
    _Atomic uint64_t readers[READERS];
    _Atomic uint32_t turns[READERS]; /* how often a place was taken */
    _Atomic uint32_t unregistered; /* readers that found no place: nothing is reused while there are any */
    /* the writer's own */
    uint64_t living;
    uint32_t *row_of;  /* slot -> row */
    size_t slots;
    bool abrupt; /* rows have died at a sequence that readers may have had open: they saw them go, and may have found them */
    uint32_t free_first, free_last; /* rows that died, in order of death */
};

enum { NO_ROW = FLAT_NO_ROW };

static inline uint32_t chunk_of(uint32_t row) { return 31u - (uint32_t)__builtin_clz(row / CHUNK_FIRST + 1); }
static inline uint32_t chunk_start(uint32_t c) { return CHUNK_FIRST * ((1u << c) - 1); }
/* The chunk of a row, and its place in it. */
static inline chunk *chunk_at(const flat *f, uint32_t row, uint32_t *at);
static inline bool row_visible(const chunk *c, uint32_t at, uint64_t sequence)
{
    uint64_t death = atomic_load_explicit(&c->deaths[at], memory_order_acquire); /* before birth: see flat_put */
    uint64_t birth = c->births ? atomic_load_explicit(&c->births[at], memory_order_acquire) : 0;
    return birth <= sequence && (death == 0 || death > sequence);
}
static inline uint32_t chunk_rows(uint32_t c) { return (uint32_t)CHUNK_FIRST << c; }
static inline chunk *chunk_at(const flat *f, uint32_t row, uint32_t *at)
{
    uint32_t c = CHUNKS;
    if (row >= f->base.count) {
        row -= f->base.count;
        c = chunk_of(row);
        row -= chunk_start(c);
    }
    *at = row;
    return (chunk *)(uintptr_t)&f->chunks[c];
}

/* Of a row that begins there: codec_inverse_norm(), or of its elements. room: flat_room() floats. */
float row_inverse_norm(const flat *f, const void *row, float *room);
/* Distances from a query to `count` rows of a chunk, from `at` on. */
static inline void row_distances(const flat *f, const chunk *c, uint32_t at, size_t count, const flat_ready *q, float *out)
{
    const float *query = q->vector;
    float inverse = q->inverse;
    const void *rows = c->vectors + at * f->stride;
    const float *inverses = c->inverses ? c->inverses + at : NULL;
    if (q->codes) codec_distances(q->codes, rows, f->stride, count, inverses, out);
    else if (f->o.metric == EVDB_CUSTOM) custom_distances(f->o.custom, query, rows, f->stride / sizeof(float), count, f->o.dim, out);
    else if (f->o.dtype == EVDB_F32)
        metric_distances(f->o.kernel, f->o.metric, query, inverse, rows, f->stride / sizeof(float), count, f->o.dim, inverses, out);
    else
        metric_element_distances(f->o.kernel, f->o.metric, f->o.dtype, query, inverse, rows, f->stride, count, f->o.dim, inverses, out);
}

#endif
