/* search.h - nearest neighbours.
 *
 * A search sees every write committed before it began, by this process or another, and never one half-way.
 * The store's vectors are held in memory from the first search on. A search scans them all, or, once a graph was built (index.h),
 * walks that and scans what is not in it yet; a range search always scans.
 *
 * With a filter a search finds the nearest of the records that match, and never fewer than k while there are k: few are looked at one
 * and all, many are found by the graph. A filter is about the very records the search sees, also while they change. */
#ifndef EVDB_SEARCH_H
#define EVDB_SEARCH_H
#include <evdb/filter.h>
#include <evdb/record.h>
EVDB_BEGIN

#define EVDB_K_MAX 10000u           /* neighbours a query */
#define EVDB_QUERIES_MAX 100000u    /* queries in one batch */
#define EVDB_SEARCH_THREADS_MAX 64u

#define EVDB_ACCURACY_MIN 0.5f
#define EVDB_ACCURACY_MAX 0.999f

enum {
    EVDB_SEARCH_METADATA = 1, /* fetch the metadata of each hit */
    EVDB_SEARCH_EXACT = 2     /* scan all vectors, also where there is a graph */
};

typedef struct evdb_search_options {
    size_t size;        /* EVDB_SEARCH_OPTIONS sets it */
    uint32_t k;         /* 1..EVDB_K_MAX; 0 = 10 (range search: most hits to return, 0 = EVDB_K_MAX) */
    uint32_t ef;        /* candidates a graph search follows, at least 3/4 k; more find more, slower. 0 = 4 k, at least 100 */
    uint32_t threads;   /* for batches, 1..EVDB_SEARCH_THREADS_MAX; 0 = 1 */
    uint32_t flags;     /* EVDB_SEARCH_... */
    const char *filter; /* only records whose metadata matches (filter.h); NULL = all */
    /* Instead of ef: the share of the k nearest that a graph search shall find on average, EVDB_ACCURACY_MIN..MAX; 0 = not given. The
     * effort for it is found out on a sample of the stored vectors, within about 0.01: by the first search that asks for it and for a
     * k up to the next power of two (8 at least), which takes as long as some 500 exact searches, and again when the store has grown by a
     * quarter. Where no effort is enough the search scans. A range search ignores it. */
    float accuracy;
    uint32_t reserved;
} evdb_search_options;
#define EVDB_SEARCH_OPTIONS { .size = sizeof(evdb_search_options) }

/* Why a search returned what it did. */
typedef enum evdb_stop {
    EVDB_STOP_COMPLETE = 0, /* everything that qualifies, up to k */
    EVDB_STOP_LIMIT = 1     /* range search: more records lie within the radius than were asked for */
} evdb_stop;

/* Hits of all queries, one array a column. Query q owns hits offsets[q] .. offsets[q+1]-1, nearest first
 * (equal distances in no particular order). *Const*; free with evdb_result_free(). */
typedef struct evdb_result {
    size_t queries;
    size_t count;                /* hits in all */
    const size_t *offsets;       /* queries + 1 */
    const evdb_id *ids;          /* count; texts are NUL-terminated */
    const int64_t *numbers;      /* count: the same ids as numbers; NULL in a string store */
    const float *distances;      /* count; smaller is nearer, see distance.h */
    const float *scores;         /* count; larger is better */
    const char *const *metadata; /* count JSON texts with EVDB_SEARCH_METADATA, else NULL */
    int32_t complete;            /* 1 = no query stopped early */
    evdb_stop stop;              /* the reason when one did */
    const char *const *authors;  /* count names with EVDB_SEARCH_METADATA, NULL = not known; NULL when no hit says who wrote it (author.h) */
    const int64_t *written;      /* count Unix times in milliseconds, 0 = not known; NULL when authors is */
} evdb_result;

/* The k nearest to query (dim float32, any alignment). Dimension and values are checked like a
 * record's, and rounded like them in a store of f16. Searching an empty store finds nothing, successfully. EVDB_UNSUPPORTED: the
 * store's custom metric is not registered. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_search(evdb_store *store, const float *query, uint32_t dim,
                                                 const evdb_search_options *options, evdb_result **out,
                                                 evdb_error *err);

/* Every record with distance <= radius, nearest first, at most options->k of them. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_search_range(evdb_store *store, const float *query, uint32_t dim,
                                                       float radius, const evdb_search_options *options,
                                                       evdb_result **out, evdb_error *err);

/* count queries at once on options->threads threads; query i starts at queries + i * stride bytes
 * (0 = packed). All or nothing: err->item is the query at fault. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_search_batch(evdb_store *store, const float *queries, size_t count,
                                                       size_t stride, uint32_t dim,
                                                       const evdb_search_options *options, evdb_result **out,
                                                       evdb_error *err);
EVDB_API void evdb_result_free(evdb_result *result);

EVDB_END
#endif
