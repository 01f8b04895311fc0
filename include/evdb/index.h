/* index.h - the graph that makes searches fast, and how far it has come.
 *
 * Nobody has to ask for it. A store of some thousand vectors, of whatever metric (HAMMING of bits only), gets a graph once its
 * searches have cost about as much as building one; what is written from then on is linked into it in the background. Until a vector is linked it is
 * scanned exactly, so every search sees every write. A graph search is approximate: options->ef says how hard it looks, and
 * EVDB_SEARCH_EXACT that it shall scan. The graph lives in the memory of the process that searches, and in a file that other
 * processes with the store take over: what several want is built by one of them, and what that one had not saved when it was
 * killed by another. All functions are thread-safe. Whether there may be a graph of a custom metric, metric.h tells. */
#ifndef EVDB_INDEX_H
#define EVDB_INDEX_H
#include <evdb/store.h>
EVDB_BEGIN

/* Links everything that is committed now and refines it, on `threads` threads (0 = those of the store's index_threads, or all
 * cores), and returns when nothing is left to do. Waits for another process that is building, and takes over what that has saved.
 * EVDB_CANCELLED: see evdb_index_cancel(); EVDB_LIMIT: the graph would exceed evdb_options.index_memory_max; EVDB_UNSUPPORTED: the
 * store's custom metric is not registered (metric.h). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_build(evdb_store *store, uint32_t threads, evdb_error *err);

/* Append only; 0 is none of them. */
typedef enum evdb_index_state {
    EVDB_INDEX_NONE = 1,     /* there is no graph, and nobody builds one: searches scan */
    EVDB_INDEX_BUILDING = 2, /* vectors are being linked, by this process or another */
    EVDB_INDEX_REFINING = 3, /* links of vectors that are in the graph are being improved */
    EVDB_INDEX_SAVING = 4,
    EVDB_INDEX_READY = 5,    /* there is a graph, in memory or in the file for the first search to take */
    EVDB_INDEX_PAUSED = 6,   /* see evdb_index_pause(); what there is of a graph is used */
    EVDB_INDEX_DISABLED = 7  /* see evdb_index_drop() */
} evdb_index_state;
EVDB_API const char *evdb_index_state_name(evdb_index_state state); /* "ready"; NULL for what is none */

typedef struct evdb_index_status {
    size_t size;           /* in: sizeof(*this) as the caller compiled it */
    uint64_t linked;       /* vectors in the graph */
    uint64_t waiting;      /* vectors that are scanned exactly, because they are not in the graph yet */
    uint64_t memory_bytes; /* of the graph, in this process */
    uint64_t total;        /* records in the store */
    uint64_t disk_bytes;   /* of the file; 0 = none was saved */
    uint64_t saved_sequence; /* change that the file is the state of */
    evdb_index_state state;
    float progress;        /* 0..1, share of the records that are in the graph; refining and saving come after that */
    char problem[256];     /* why a file was last set aside, or a build failed, in this process; "" = neither happened */
} evdb_index_status;
#define EVDB_INDEX_STATUS { .size = sizeof(evdb_index_status) }

/* linked, waiting, memory_bytes and progress are of this process: zero before its first search. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_get_status(evdb_store *store, evdb_index_status *out, evdb_error *err);

/* Bytes of memory that a graph of `count` vectors of dim elements takes, with its codes, when nodes have m links (0 = 16). Vectors are
 * not in it: they take 4 dim each, less where elements are smaller (distance.h), in memory or in the mapped file. EVDB_INVALID for
 * what no store can have. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_estimate(uint32_t dim, uint64_t count, uint32_t m, uint64_t *bytes, evdb_error *err);

/* What follows is for all processes with the store, and but for cancel survives them. */

/* Lets there be a graph again after evdb_index_drop(), and begins to build it in the background, without waiting for searches to
 * be worth it. Returns at once. evdb_index_build() does the same and waits. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_create(evdb_store *store, evdb_error *err);
/* Removes graph and file: searches scan, and nothing is built until evdb_index_create(), build or rebuild. Ends what is being
 * built, and waits for it. Another process lets go of its graph soon after it searches next. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_drop(evdb_store *store, evdb_error *err);
/* Like evdb_index_build(), but from scratch: searches scan meanwhile. The old file stays until the new one is whole. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_rebuild(evdb_store *store, uint32_t threads, evdb_error *err);
/* Building in the background ends, within a step, and does not begin until evdb_index_resume(). What was linked stays in use; what
 * is written meanwhile is scanned. Builds that somebody asked for go on. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_pause(evdb_store *store, evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_resume(evdb_store *store, evdb_error *err);
/* Ends the build under way, if there is one, within a step (some thousand vectors; in this process sooner): evdb_index_build()
 * answers EVDB_CANCELLED to whoever waits. What was linked stays in use in the process that built, but is not saved. The next one
 * begins in the background when searches there have scanned as much as for a first graph; pause to keep it from that. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_cancel(evdb_store *store, evdb_error *err);

EVDB_END
#endif
