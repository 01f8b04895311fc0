/* record.h - one record: an id, a vector, a JSON object of metadata, a version.
 *
 * Each write is one durable commit when it returns EVDB_OK (SQLite WAL, synchronous=FULL); writes of
 * several threads and processes share commits, so many threads writing single records are much
 * faster than one. For bulk loading use batch.h.
 *
 * Deletes give room back. On disk: with every 64 records that are deleted, expire or are replaced, all pages that have come free go back
 * to the file system, so that rows.db stays below three times what its records, and those in its trash (trash.h), take and 1 MB; beside it the log has at most 64 MB until
 * evdb_store_sync(), and each change some 50 bytes until evdb_changes_trim(). In memory: rows are used again; where there is a graph,
 * once an eighth of it (and more than 1,000 records) is gone, the next searches have it saved anew without them and use that, and
 * where there is none the memory of the most records there were is kept until the store is opened again. */
#ifndef EVDB_RECORD_H
#define EVDB_RECORD_H
#include <evdb/store.h>
EVDB_BEGIN

#define EVDB_ID_BYTES_MAX 512u              /* of a string id */
#define EVDB_METADATA_BYTES_MAX (1u << 20)  /* of one record's metadata, as text */
#define EVDB_METADATA_DEPTH_MAX 63u         /* nested arrays and objects in metadata */
#define EVDB_NEVER INT64_MAX                /* as an expiry (expiry.h): none */

/* An integer id (text NULL) or a string id of 1..EVDB_ID_BYTES_MAX bytes of UTF-8 without NUL.
 * Functions borrow text for the call only; ids in results live as long as the result. */
typedef struct evdb_id {
    int64_t number;
    const char *text;
    size_t length; /* bytes of text; 0 with text set means "use strlen" */
} evdb_id;

/* A record as stored. *const*, owned by whoever it was returned to. */
typedef struct evdb_record {
    evdb_id id;           /* text is NUL-terminated */
    uint64_t version;     /* change sequence of its last write; grows with every write of the record */
    evdb_dtype dtype;     /* as which vector is stored */
    uint32_t dim;
    const float *vector;  /* dim elements, bit for bit what was written, but rounded in a store of f16; NULL when not asked for */
    const char *metadata; /* JSON object text, NUL-terminated; "{}" when none was given */
    size_t metadata_length;
    int64_t expires_ms;   /* Unix time in milliseconds from which it is gone (expiry.h); 0 = never */
    const char *author;   /* who wrote it last (author.h); NULL = that is not known */
    int64_t written_ms;   /* Unix time in milliseconds when that was; 0 = that is not known */
} evdb_record;

/* Writes. vector has dim float32 (any alignment); NaN and infinity are refused, what the store's elements cannot hold
 * (distance.h), and a zero vector under cosine. metadata is JSON object text or NULL for {}: stored as given but for white space between
 * tokens, so numbers keep their digits. *version (may be NULL) receives the new version.
 *   insert  EVDB_EXISTS when the id is there
 *   upsert  inserts or replaces the whole record
 *   update  EVDB_NOT_FOUND when missing; vector NULL or metadata NULL keeps that part
 *   delete  EVDB_NOT_FOUND when missing
 *   merge   changes single members of the metadata (see below); EVDB_NOT_FOUND when missing
 * if_version other than 0 must equal the stored version, else EVDB_CONFLICT and nothing changes. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_insert(evdb_store *store, evdb_id id, const float *vector,
                                                        uint32_t dim, const char *metadata, uint64_t *version,
                                                        evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_upsert(evdb_store *store, evdb_id id, const float *vector,
                                                        uint32_t dim, const char *metadata, uint64_t *version,
                                                        evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_update(evdb_store *store, evdb_id id, const float *vector,
                                                        uint32_t dim, const char *metadata, uint64_t if_version,
                                                        uint64_t *version, evdb_error *err);
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_delete(evdb_store *store, evdb_id id, uint64_t if_version,
                                                        evdb_error *err);

/* Merges patch, JSON object text, into the metadata of a record and leaves its vector and expiry alone (RFC 7396): a member of the patch
 * takes the place of that of its name, null takes it away, an object is merged into an object. Members that the patch does not name stay
 * as they are written, to the last digit. Read and written in one commit, so that merges at once are all there afterwards. EVDB_LIMIT
 * when the metadata would become too large. author is who writes, as in evdb_batch, or NULL. *out (may be NULL) receives the record as it is
 * then, without its vector, and with its id as it was given here. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_merge(evdb_store *store, evdb_id id, const char *patch, const char *author,
                                                       uint64_t if_version, evdb_record **out, evdb_error *err);

/* Reads the committed record, also what another process committed a moment ago. EVDB_NOT_FOUND;
 * EVDB_CORRUPT when its checksum does not hold: damaged data is reported, never returned. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_record_get(evdb_store *store, evdb_id id, evdb_record **out,
                                                     evdb_error *err);
EVDB_API void evdb_record_free(evdb_record *record);

EVDB_END
#endif
