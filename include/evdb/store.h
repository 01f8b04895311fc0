/* store.h - stores: named sets of records of one dimension and metric.
 *
 * evdb_store* is *shared*: every thread may use it at any time. Handles to the same store share
 * one engine inside the process. A store that is dropped while handles are open answers
 * EVDB_NOT_FOUND from then on. */
#ifndef EVDB_STORE_H
#define EVDB_STORE_H
#include <evdb/database.h>
#include <evdb/distance.h>
#include <evdb/metric.h>
EVDB_BEGIN

#define EVDB_STORE_NAME_MAX 64u    /* names match ^[a-z0-9][a-z0-9_-]{0,63}$ */
#define EVDB_STORE_FIELDS_MAX 64u  /* declared metadata fields */
#define EVDB_FIELD_NAME_MAX 256u   /* bytes in one field's name */
#define EVDB_STORES_MAX 100000u    /* stores in one database */

typedef struct evdb_store evdb_store;

/* How records of a store are named. The first record decides unless it was set at creation. In a
 * string store an integer given as an id means its decimal text; in an integer store a string that is
 * the canonical decimal of an int64 means that number, any other string is refused. */
typedef enum evdb_id_type { EVDB_ID_UNDECIDED = 0, EVDB_ID_INTEGER = 1, EVDB_ID_STRING = 2 } evdb_id_type;

typedef struct evdb_store_options {
    size_t size;             /* EVDB_STORE_OPTIONS sets it */
    uint32_t dim;            /* elements in a vector, 1..EVDB_DIM_MAX; 0 = taken from the first vector */
    evdb_metric metric;      /* 0 = EVDB_COSINE */
    evdb_dtype dtype;        /* of elements as they are stored (distance.h); 0 = EVDB_F32 */
    evdb_id_type id_type;    /* 0 = decided by the first record */
    /* The graph index (index.h): links a node (2..128, 0 = 16), search effort
     * while building (8..4096, 0 = 200), threads to build with (0 = all). */
    uint32_t m, ef_construction, index_threads;
    uint32_t field_count;      /* how many names follow */
    const char *const *fields; /* metadata fields, as paths (filter.h), that filters will be fast on */
    const char *metric_name;   /* of a metric of the program's own (metric.h): then metric is 0 or EVDB_CUSTOM; else NULL */
    const char *codec;         /* to keep vectors with (codec.h, compress.h); NULL = evdb_options.default_codec, "" or "none" = no codec */
    int64_t ttl_ms;            /* milliseconds that records live which are written without an expiry (expiry.h); 0 = for ever */
    int64_t trash_ms;          /* milliseconds that deleted records can be restored (trash.h); 0 = not at all */
    uint32_t authors;          /* 1 = records say who wrote them, and when (author.h) */
    uint32_t reserved;
} evdb_store_options;
#define EVDB_STORE_OPTIONS { .size = sizeof(evdb_store_options) }

/* What a store is. Returned by describe and list; *const*; strings live as long as the struct. */
typedef struct evdb_store_info {
    char name[EVDB_STORE_NAME_MAX + 1];
    char uuid[37];             /* never changes, also not on rename */
    uint32_t dim;              /* 0 = no vector yet */
    evdb_metric metric;
    evdb_dtype dtype;
    evdb_id_type id_type;
    uint32_t m, ef_construction, index_threads;
    uint32_t format;           /* on-disk format of this store */
    int64_t created_ms;        /* Unix time in milliseconds */
    uint32_t field_count;
    const char *const *fields;
    const char *metric_name;   /* with EVDB_CUSTOM; else NULL */
    const char *codec;         /* that its vectors are kept with (codec.h, compress.h); NULL = elements of dtype */
    int64_t ttl_ms;            /* that records live which are written without an expiry (expiry.h); 0 = for ever */
    int64_t trash_ms;          /* that deleted records can be restored (trash.h); 0 = not at all */
    uint32_t authors;          /* 1 = records say who wrote them, and when (author.h) */
    uint32_t reserved;
} evdb_store_info;

typedef struct evdb_store_stats {
    size_t size;              /* in: sizeof(*this) as the caller compiled it */
    uint64_t records;         /* live records; those that have expired are not */
    uint64_t sequence;        /* change sequence of the last commit */
    uint64_t changes_horizon; /* oldest sequence the change feed can continue from */
    uint64_t memory_bytes;    /* held in this process for searching this store */
    uint64_t disk_bytes;      /* of all files of this store */
    uint64_t loaded_sequence; /* sequence the in-memory view has reached; 0 before the first search */
    uint64_t filter_reads;    /* records read by this process because a filter asked for a field that is not declared */
    /* One search in 64 by the graph is done again in the background and compared with a scan, as far as a hundredth of a processor
     * goes: the share of the nearest that this process's latest searches found, and how many were compared. */
    uint64_t recall_samples;
    float recall;             /* 0 without samples */
    uint32_t reserved;
} evdb_store_stats;
#define EVDB_STORE_STATS { .size = sizeof(evdb_store_stats) }

/* Creates a store; *out may be NULL when no handle is wanted. EVDB_EXISTS when the name is taken,
 * EVDB_INVALID for a bad name or option. Atomic: after a crash the store is there whole or not at all. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_create(evdb *db, const char *name, const evdb_store_options *options,
                                                       evdb_store **out, evdb_error *err);
/* EVDB_NOT_FOUND names the store. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_open(evdb *db, const char *name, evdb_store **out, evdb_error *err);
EVDB_API void evdb_store_close(evdb_store *store);

/* Renames without touching the store's files; open handles stay good. EVDB_NOT_FOUND, EVDB_EXISTS. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_rename(evdb *db, const char *name, const char *new_name,
                                                       evdb_error *err);
/* Removes a store and its files. EVDB_NOT_FOUND. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_drop(evdb *db, const char *name, evdb_error *err);

/* All stores, sorted by name: an array of *count infos in one block, freed with evdb_store_list_free().
 * A damaged store is listed with what system.db knows of it (dim 0, metric 0). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_list(evdb *db, evdb_store_info ***out, size_t *count, evdb_error *err);
EVDB_API void evdb_store_list_free(evdb_store_info **list, size_t count);

EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_describe(evdb_store *store, evdb_store_info **out, evdb_error *err);
EVDB_API void evdb_store_info_free(evdb_store_info *info);

EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_get_stats(evdb_store *store, evdb_store_stats *out, evdb_error *err);
/* Live records; constant time but for records that have expired and are yet to be swept. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_count(evdb_store *store, uint64_t *out, evdb_error *err);
/* Forces everything written so far into the main files and to disk (a checkpoint). Commits are durable without
 * it; use it before copying files, or to shrink the write-ahead log. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_sync(evdb_store *store, evdb_error *err);

EVDB_END
#endif
