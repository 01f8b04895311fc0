/* engine.h - one open store inside a process: its rows, its commit queue, its view in memory.
 *
 * This is where disk and index meet. All handles to a store share one engine, kept by the
 * database until it closes or until too many lie idle. */
#ifndef EVDB_ENGINE_H
#define EVDB_ENGINE_H
#include "disk/rows.h"
#include "disk/system.h"
#include "engine/accuracy.h"
#include "engine/codecs.h"
#include "engine/commit.h"
#include "engine/drift.h"
#include "engine/filters.h"
#include "engine/indexer.h"
#include "engine/metrics.h"
#include "engine/recall.h"
#include "engine/recode.h"
#include "engine/sweep.h"
#include "engine/syncer.h"
#include "engine/view.h"
#include "kernel/kernel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum { ENGINES_IDLE_MAX = 64 }; /* open stores without a handle that are kept for the next one */

typedef struct engine engine;
struct secrets;      /* auth/secret.h */
struct signing_keys; /* auth/signing.h */
struct token_cache;  /* auth/token_cache.h */
struct chain;        /* auth/chain.h */

struct evdb {
    platform platform;
    vfs *vfs;
    system_db *system;
    struct secrets *secrets;
    struct signing_keys *signing;
    struct token_cache *tokens;
    struct chain *audit; /* of the audit log */
    char *path; /* as given */
    char *dir;  /* NULL in memory */
    char *backup_dir; /* NULL = there is none */
    void (*log)(void *context, const char *message);
    void *log_context;
    const kernel *kernel;
    bool recall_unwatched;
    metrics metrics;
    char *default_codec; /* of new stores; NULL = none */
    uint64_t sync_ns; /* commits wait that long for the disk, at most; 0 = each has its own sync */
    uint64_t index_memory_max; /* bytes of each store's graph; 0 = no bound */
    const volatile unsigned char *fork_page;
    pid_t pid; /* for kernels without the page */
    pthread_mutex_t lock; /* engines */
    engine *engines;
    uint64_t clock; /* orders releases: which engine lay idle longest */
};

struct engine {
    evdb *db;
    engine *next;
    uint32_t references;
    uint64_t released; /* db->clock at the last release */
    char uuid[37];
    rows *rows;
    evdb_metric metric;
    custom_metric *custom; /* the metric, where it is EVDB_CUSTOM; else NULL */
    evdb_dtype dtype;
    _Atomic uint32_t dim; /* 0 until the first vector */
    _Atomic uint32_t id_type;
    atomic_bool dropped;
    uint32_t m, ef_construction, index_threads;
    commit_queue commits;
    view view;
    codecs codecs;
    recoder recode;
    sweeper sweep;
    drift drift;
    syncer syncer;
    filters filters;
    indexer indexer;
    accuracies accuracy;
    recall_watch recall;
};

struct evdb_store {
    engine *engine;
};

/* Monotonic, nanoseconds: of the database's platform. */
static inline uint64_t engine_now_ns(const engine *e) { return e->db->platform.clock_ns(e->db->platform.clock_context); }

/* EVDB_FORKED in a child of the process that opened db. */
evdb_status db_usable(const evdb *db, evdb_error *err);
/* The same, and EVDB_NOT_FOUND once the store was dropped. Every public call on a store begins with it. */
evdb_status engine_usable(engine *e, evdb_error *err);

/* Directory of a store, or NULL in memory; freed by the caller with mem_free. */
evdb_status engine_dir(evdb *db, const char *uuid, char **out, evdb_error *err);
/* A file in it, freed the same way. */
evdb_status engine_file(evdb *db, const char *dir, const char *name, char **out, evdb_error *err);
/* Takes ownership of rows (new or just opened) on success. */
evdb_status engine_adopt(evdb *db, rows *r, engine **out, evdb_error *err);
/* Finds or opens the store and counts a reference. EVDB_NOT_FOUND only when system.db does not list it any more. */
evdb_status engine_open(evdb *db, const char *uuid, engine **out, evdb_error *err);
void engine_release(engine *e);
/* No new references; files may go. */
void engine_drop(evdb *db, const char *uuid);
void engine_close_all(evdb *db);

/* Reads dim and id type again if one of them is still open: another process may have decided. */
evdb_status engine_learn(engine *e, rows_reader *rd, evdb_error *err);

#endif
