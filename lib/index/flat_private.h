/* flat_private.h - the rows of a flat index: what flat.c writes and flat_search.c reads. */
#ifndef EVDB_INDEX_FLAT_PRIVATE_H
#define EVDB_INDEX_FLAT_PRIVATE_H
#include "index/flat.h"
#include <stdatomic.h>

enum {
    CHUNK_FIRST = 1024, /* rows in chunk 0; chunk i has CHUNK_FIRST << i */
    CHUNKS = 22,        /* almost 2^32 rows */
    READERS = 128,      /* snapshots that can be told apart; more only delay the reuse of memory */
    ROW_FLOATS = 8,     /* rows are padded to whole vectors of the machine */
    ALIGNMENT = 64
};

/* Rows never move, so that readers need no lock; every array has one element a row. */
typedef struct chunk {
    float *vectors;  /* stride floats a row, aligned within `block` */
    void *block;
    _Atomic uint64_t *births, *deaths;
    float *inverses; /* COSINE: 1 / norm, see metric.h */
    int64_t *numbers;
    char **texts;    /* string ids, one block each; NULL array in an integer store */
    uint32_t *lengths;
    uint32_t *next;  /* writer's: the free list */
} chunk;

struct flat {
    flat_options o;
    size_t stride; /* floats */
    chunk chunks[CHUNKS];
    _Atomic uint32_t used;       /* rows ever filled; what lies below is fit to be looked at */
    _Atomic uint64_t published;
    _Atomic uint64_t alive;      /* at `published` */
    _Atomic uint64_t bytes;
    /* A reader's snapshot + 1, or 0: free, or 1: about to begin. The writer reuses no row that one of them may see. */
    _Atomic uint64_t readers[READERS];
    _Atomic uint32_t unregistered; /* readers that found no place: nothing is reused while there are any */
    /* the writer's own */
    uint64_t living;
    uint32_t *row_of;  /* slot -> row */
    size_t slots;
    uint32_t free_first, free_last; /* rows that died, in order of death */
};

enum { NO_ROW = UINT32_MAX };

static inline uint32_t chunk_of(uint32_t row) { return 31u - (uint32_t)__builtin_clz(row / CHUNK_FIRST + 1); }
static inline uint32_t chunk_start(uint32_t c) { return CHUNK_FIRST * ((1u << c) - 1); }
static inline uint32_t chunk_rows(uint32_t c) { return (uint32_t)CHUNK_FIRST << c; }

#endif
