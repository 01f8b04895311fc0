/* transfer.h - records in and out of files, through the caller's own reading and writing.
 *
 * Formats:
 *   JSON   one document: {"store": {...}, "vectors": [{"id","vector","metadata"}, ...]}; on import also a bare
 *          array of such records
 *   JSONL  one such record a line; empty lines are skipped
 *   NPY    NumPy array (n, dim) of <f4 (on import also <f2, <f8, |u1, |i1), C order
 *   FVECS  per vector: int32 dim, dim float32, little-endian
 *   BVECS  per vector: int32 dim, little-endian, dim bytes 0..255; an export refuses elements that are no such number
 * NPY, FVECS and BVECS carry vectors only: ids and metadata travel in a companion JSONL, line i
 * {"id":..., "metadata":{...}} for row i; without one, rows are numbered from first_id.
 * A record may also have "expires_ms", a Unix time (expiry.h); null says that it never expires. One without it takes the store's default;
 * exported are only those that have not expired, from a store with a default each with its own.
 * "author" and "written_ms" say who wrote it last and when, where that is known (author.h).
 * Floats are written so that reading them back gives the same bits. */
#ifndef EVDB_TRANSFER_H
#define EVDB_TRANSFER_H
#include <evdb/batch.h>
EVDB_BEGIN

#define EVDB_LINE_BYTES_MAX (8u << 20) /* one JSON record in a file */

typedef enum evdb_format {
    EVDB_FORMAT_JSON = 1,
    EVDB_FORMAT_JSONL = 2,
    EVDB_FORMAT_NPY = 3,
    EVDB_FORMAT_FVECS = 4,
    EVDB_FORMAT_BVECS = 5
} evdb_format;

/* "json", "jsonl" (or "ndjson"), "npy", "fvecs", "bvecs". */
EVDB_API const char *evdb_format_name(evdb_format format);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_format_parse(const char *name, evdb_format *out, evdb_error *err);

/* Where bytes come from. read() fills up to capacity bytes and sets *got, 0 only at the end. rewind()
 * goes back to the first byte: an import reads everything twice. Both return a status, with *err
 * filled in on failure. */
typedef struct evdb_source {
    void *context;
    evdb_status (*read)(void *context, void *buffer, size_t capacity, size_t *got, evdb_error *err);
    evdb_status (*rewind)(void *context, evdb_error *err);
} evdb_source;

/* Where bytes go. write() takes all of them or fails. */
typedef struct evdb_sink {
    void *context;
    evdb_status (*write)(void *context, const void *bytes, size_t count, evdb_error *err);
} evdb_sink;

typedef enum evdb_transfer_phase { EVDB_PHASE_CHECK = 1, EVDB_PHASE_WRITE = 2 } evdb_transfer_phase;

typedef struct evdb_import_options {
    size_t size;             /* EVDB_IMPORT_OPTIONS sets it */
    evdb_format format;      /* required */
    evdb_write kind;         /* EVDB_INSERT (0 = default) or EVDB_UPSERT */
    uint32_t keep_going;     /* 1 = skip bad records, reporting each through bad() */
    uint32_t batch;          /* records a commit, 1..EVDB_BATCH_MAX; 0 = 1000 */
    int64_t first_id;        /* NPY, FVECS, BVECS without a companion: id of the first row */
    const evdb_source *companion; /* NPY, FVECS, BVECS: ids and metadata, or NULL */
    /* Called now and then; anything but 0 cancels (EVDB_CANCELLED). May be NULL. */
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records);
    /* keep_going: called for each bad record. line is 1-based (for NPY, FVECS and BVECS: the row). */
    void (*bad)(void *context, uint64_t line, const evdb_error *why);
    void *context;           /* handed to progress and bad */
    uint32_t resume;         /* 1 = go on with an import that was broken off, see below */
    uint32_t keep_authors;   /* 1 = "author" and "written_ms" of JSON and JSONL are believed (author.h); 0 = who imports is the author, now */
    const char *author;      /* who imports, as in evdb_batch, or NULL */
} evdb_import_options;
#define EVDB_IMPORT_OPTIONS { .size = sizeof(evdb_import_options) }

typedef struct evdb_import_report {
    uint64_t written; /* records committed */
    uint64_t skipped; /* bad records left out with keep_going */
    uint64_t present; /* with resume: records that were in the store already */
} evdb_import_report;

/* Checks the whole input first (syntax, ids, duplicates within it and against the store, dimensions,
 * values), and only then writes: a bad record on line 40,000 is reported by err->item and nothing is written.
 * Constant memory. *report (may be NULL) is written on failure too, when some batches were committed.
 *
 * An import that is broken off, by a failure, progress() or the end of its process, leaves the batches committed before that. With
 * `resume` the same import of the same input then does the rest: a record that the store has with the same vector (as it is stored)
 * and the same metadata is passed over; one whose id the store has with other content is a bad record (EVDB_EXISTS), but replaced with
 * EVDB_UPSERT. So what stands afterwards is what an unbroken import would have left. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_import(evdb_store *store, const evdb_source *source,
                                                 const evdb_import_options *options, evdb_import_report *report,
                                                 evdb_error *err);

typedef struct evdb_export_options {
    size_t size;               /* EVDB_EXPORT_OPTIONS sets it */
    evdb_format format;        /* required */
    uint32_t reserved;
    const evdb_sink *companion; /* NPY, FVECS, BVECS: receives ids and metadata, or NULL */
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records);
    void *context;
} evdb_export_options;
#define EVDB_EXPORT_OPTIONS { .size = sizeof(evdb_export_options) }

/* Writes every record in order of id. *count (may be NULL) receives how many. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_export(evdb_store *store, const evdb_sink *sink,
                                                 const evdb_export_options *options, uint64_t *count,
                                                 evdb_error *err);

EVDB_END
#endif
