/* database.h - opening a database: a directory, or ":memory:".
 *
 * The directory holds system.db (names of stores; clients, see auth.h), stores/<uuid>/ (one folder a store) and lock
 * files. Any number of processes may have it open and write at the same time; each sees what the
 * others committed at its next call. Do not put it on a network file system: locks and mapped
 * memory must work between all its users.
 *
 * evdb* is *shared*: every thread may use it at any time. Close it after all its stores, cursors
 * and tickets are closed. */
#ifndef EVDB_DATABASE_H
#define EVDB_DATABASE_H
#include <evdb/error.h>
#include <stddef.h>
#include <stdint.h>
EVDB_BEGIN

typedef struct evdb evdb;

/* Replaces malloc and friends for everything libevdb itself allocates (SQLite, jansson and libzstd keep their own).
 * All three must be set and thread-safe; allocate/reallocate return NULL on failure; blocks must
 * be aligned like malloc's. The struct is copied; context must outlive the database and all results. */
typedef struct evdb_allocator {
    void *context;
    void *(*allocate)(void *context, size_t bytes);
    void *(*reallocate)(void *context, void *block, size_t bytes);
    void (*release)(void *context, void *block); /* block may be NULL */
} evdb_allocator;

enum {
    EVDB_OPEN_EXISTING = 1, /* answer EVDB_NOT_FOUND rather than create a database */
    EVDB_OPEN_NO_RECALL = 2 /* do not watch how good searches are (evdb_store_stats.recall) */
};

/* When a write is on the disk. Nothing that was acknowledged is lost when a process dies; when the power fails or the kernel stops:
 *   EVDB_SYNC_FULL      nothing either
 *   EVDB_SYNC_INTERVAL  what was written within the last sync_interval_ms (and as long as one sync takes) may be lost, the last
 *                       commits and nothing else: a store is then as it was a moment before. evdb_store_sync() and closing the
 *                       database make all durable. The numbers of lost changes are used again. A sync that fails makes the store
 *                       read-only until it is reopened.
 * Stores, clients and tokens are synced at once in both. Processes that have one database open may differ: a commit of one that
 * waits for the disk makes durable what the others wrote to the store before. */
typedef enum evdb_sync { EVDB_SYNC_FULL = 0, EVDB_SYNC_INTERVAL = 1 } evdb_sync;
#define EVDB_SYNC_INTERVAL_MS 30000u
#define EVDB_SYNC_INTERVAL_MS_MAX 86400000u

typedef struct evdb_options {
    size_t size;                     /* EVDB_OPTIONS sets it */
    uint32_t flags;                  /* EVDB_OPEN_... */
    uint32_t reserved;
    const evdb_allocator *allocator; /* NULL = malloc */
    /* Called for what deserves attention but is not an error of the call (a damaged cache set aside,
     * a lock taken over). May be called from any thread, must not call evdb. NULL = silence. */
    void (*log)(void *context, const char *message);
    void *log_context;
    /* Bytes that the graph of each store may take in this process (evdb_index_estimate()); 0 = no bound. One that would take more is
     * not built, nor loaded where another process saved it: what is not in a graph is scanned. */
    uint64_t index_memory_max;
    /* The codec of stores whose creator names none (codec.h, compress.h), where they can have one; NULL = none. Copied. */
    const char *default_codec;
    evdb_sync sync;            /* 0 = EVDB_SYNC_FULL */
    uint32_t sync_interval_ms; /* with EVDB_SYNC_INTERVAL; 0 = EVDB_SYNC_INTERVAL_MS. Alone it changes nothing */
    /* The folder of backups (backup.h), made when it is needed; relative = below path; NULL = "backups". A database in memory has none
     * unless it is given, from the root. Copied. */
    const char *backup_dir;
} evdb_options;
#define EVDB_OPTIONS { .size = sizeof(evdb_options) }

/* Opens the database in directory path, creating it (and the directory, if only its last component is
 * missing) when there is none; ":memory:" is a private one that vanishes at close. Errors:
 * EVDB_INVALID when the directory holds something else, EVDB_NOT_FOUND (missing parent, or
 * EVDB_OPEN_EXISTING), EVDB_DENIED, EVDB_NEWER, EVDB_CORRUPT (system.db), EVDB_IO, EVDB_NO_MEMORY. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_open(const char *path, const evdb_options *options, evdb **out,
                                               evdb_error *err);
EVDB_API void evdb_close(evdb *db);

/* The path as given to evdb_open(); valid until evdb_close(). */
EVDB_API const char *evdb_path(const evdb *db);

EVDB_END
#endif
