/* index.h - the graph that makes searches fast, and how far it has come.
 *
 * Nobody has to ask for it. A store of some thousand vectors under the cosine or euclidean metric gets a graph once its searches
 * have cost about as much as building one; what is written from then on is linked into it in the background. Until a vector is
 * linked it is scanned exactly, so every search sees every write. A graph search is approximate: options->ef says how hard it
 * looks, and EVDB_SEARCH_EXACT that it shall scan. The graph lives in the memory of the process that searches, and in a file that other processes with
 * the store take over: what several want is built by one of them, and what that one had not saved when it was killed by another. All
 * functions are thread-safe. */
#ifndef EVDB_INDEX_H
#define EVDB_INDEX_H
#include <evdb/store.h>
EVDB_BEGIN

/* Links everything that is committed now and refines it, on `threads` threads (0 = those of the store's index_threads, or all
 * cores), and returns when nothing is left to do. Waits for another process that is building, and takes over what that has saved. A store whose
 * metric has no graph is done at once. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_index_build(evdb_store *store, uint32_t threads, evdb_error *err);

/* Append only; 0 is none of them. */
typedef enum evdb_index_state {
    EVDB_INDEX_NONE = 1,     /* there is no graph, and nobody builds one: searches scan */
    EVDB_INDEX_BUILDING = 2, /* vectors are being linked, by this process or another */
    EVDB_INDEX_REFINING = 3, /* links of vectors that are in the graph are being improved */
    EVDB_INDEX_SAVING = 4,
    EVDB_INDEX_READY = 5     /* there is a graph, in memory or in the file for the first search to take */
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

EVDB_END
#endif
