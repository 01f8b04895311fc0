/* rows.h - one store's truth: rows.db, its write-ahead log, its writer lock and its sequence hint.
 *
 * Any number of readers at a time, each with a connection of its own from a small pool; one writer at a time among all
 * processes, by a lock file. In memory there is a single connection and they all take turns. */
#ifndef EVDB_DISK_ROWS_H
#define EVDB_DISK_ROWS_H
#include "disk/vfs.h"
#include <evdb/batch.h>
#include <evdb/changes.h>
#include <evdb/codec.h>
#include <evdb/store.h>
#include <stdbool.h>

enum { ROWS_FORMAT = 4, ROWS_READERS_KEPT = 8 };

typedef struct rows rows;
typedef struct rows_reader rows_reader;

/* Where a store stands. */
typedef struct rows_tip {
    uint64_t sequence; /* of the last commit */
    uint64_t live;     /* records */
} rows_tip;

/* Creates rows.db with this description in directory dir (NULL = in memory). codec_ready: vectors are written with info->codec from the
 * first on; else it is wanted only. */
evdb_status rows_create(const platform *p, const vfs *v, const char *dir, const evdb_store_info *info, bool codec_ready, rows **out,
                        evdb_error *err);
/* EVDB_BUSY while somebody has the lock ROWS_REPAIR_LOCK of the folder. */
evdb_status rows_open(const platform *p, const vfs *v, const char *dir, rows **out, evdb_error *err);
#define ROWS_REPAIR_LOCK "repair.lock"
void rows_close(rows *r);

/* ---- writing: rows_begin .. rows_commit or rows_rollback, one thread at a time ---- */

/* Makes of what is stored and of `metadata` what is to be stored; *text and *length are borrowed until the write has ended. */
typedef evdb_status rows_merge_fn(void *context, const char *stored, size_t stored_length, const char *metadata, size_t metadata_length,
                                  const char **text, size_t *length, evdb_error *err);

struct rows_record;
typedef struct rows_write {
    evdb_write kind;
    evdb_id id;
    const void *vector; /* NULL: none given */
    size_t vector_bytes;
    uint32_t dim;
    uint32_t codec;       /* of the vector's bytes; 0 = elements */
    bool own_codec;       /* the record's own wish: it stays of that one */
    const char *metadata; /* NULL: none given */
    size_t metadata_length;
    uint64_t if_version;
    int64_t expires; /* Unix ms, EVDB_NEVER; 0: none given, so that an update keeps it, and the store decides for others */
    const char *author; /* who writes; NULL: that is not known */
    size_t author_length;
    bool restored;   /* author and written are what they were, none as well, whether or not the store's records say who wrote them */
    int64_t written; /* when, Unix ms; 0: now. Kept, like the author, where the store's records say who wrote them */
    rows_merge_fn *merge; /* of an update, which may be carried out more than once; NULL: metadata takes the place of what is stored */
    void *merge_context;
    struct rows_record *after; /* out, or NULL: the record as it is then, without a vector; its texts are the write's own */
} rows_write;

/* Takes the writer lock of all processes and starts a transaction. */
evdb_status rows_begin(rows *r, evdb_error *err);
evdb_status rows_mark(rows *r, evdb_error *err);   /* a savepoint */
evdb_status rows_unmark(rows *r, evdb_error *err); /* keep what came since */
evdb_status rows_undo(rows *r, evdb_error *err);   /* drop what came since, and the savepoint */
/* One change. Errors of the record itself (EXISTS, NOT_FOUND, CONFLICT, INVALID) leave the transaction as it was. */
evdb_status rows_apply(rows *r, const rows_write *w, uint64_t *version, evdb_error *err);
/* True when SQLite has given up the whole transaction (disk full, I/O error). */
bool rows_lost(const rows *r);
/* Durable when it returns EVDB_OK. A failed commit whose outcome is unknown makes every later rows_begin() fail until reopened. */
evdb_status rows_commit(rows *r, evdb_error *err);
void rows_rollback(rows *r);
evdb_status rows_trim(rows *r, uint64_t through, evdb_error *err); /* within a transaction */
/* The first `count` changes that are kept, but for the last of all. */
evdb_status rows_trim_oldest(rows *r, uint64_t count, evdb_error *err);
/* Within a transaction: it does nothing but delete, so it may use the room that is kept for that (disk/reserve.h). */
void rows_use_reserve(rows *r);
/* Behind a transaction for which there was no room: gives back what the log takes, where nobody reads it. */
void rows_relieve(rows *r);
/* Moves the log into rows.db and syncs it; not within a transaction. */
evdb_status rows_checkpoint(rows *r, evdb_error *err);
/* From now on rows_commit() does not wait for the disk: what it acknowledged is durable behind the next rows_checkpoint(). When the
 * power fails before, the last commits may be lost, and nothing else. A failed rows_checkpoint() counts like a failed rows_commit(). */
evdb_status rows_unsynced(rows *r, evdb_error *err);
/* Whether a commit or a checkpoint failed so that nobody knows how it ended: nothing more is written through this handle. */
bool rows_broken(const rows *r);
/* Whether all that was committed, by any process, is on the disk. */
bool rows_synced(const rows *r);

/* ---- reading: everything between begin and end sees one state ---- */

evdb_status rows_read(rows *r, rows_reader **out, evdb_error *err);
void rows_read_end(rows_reader *rd);

evdb_status rows_tip_now(rows_reader *rd, rows_tip *out, evdb_error *err);
/* Fills a description (fields allocated in one block with it). */
evdb_status rows_info(rows_reader *rd, evdb_store_info **out, evdb_error *err);

typedef struct rows_record {
    evdb_id id;       /* borrowed until the next step or the end of the read, like all below */
    uint64_t version;
    uint64_t slot;
    const char *metadata; /* NUL-terminated */
    size_t metadata_length;
    const void *vector; /* NULL unless asked for */
    size_t vector_bytes;
    uint32_t codec;     /* of the vector */
    int64_t expires;    /* Unix ms; 0 = never */
    const char *author; /* who wrote it; NULL = that is not known */
    size_t author_length;
    int64_t written;    /* when, Unix ms; 0 = that is not known */
} rows_record;

enum {
    ROWS_VECTOR = 1,
    ROWS_LIVE = 2 /* records that have expired count as not there */
};

/* NOT_FOUND; CORRUPT when a checksum fails, naming the record. id is in the store's own form. */
evdb_status rows_get(rows_reader *rd, const evdb_id *id, unsigned flags, rows_record *out, evdb_error *err);
/* Records in order of id, from the one behind `after` (NULL = the first) on. rows_step sets *found false at the
 * end. On CORRUPT out->id still names the record, and the next step goes on behind it. */
evdb_status rows_seek(rows_reader *rd, const evdb_id *after, evdb_error *err);
evdb_status rows_step(rows_reader *rd, unsigned flags, rows_record *out, bool *found, evdb_error *err);

/* One change, with what an index needs: the slot it filled and the slot it freed (-1 = none). */
typedef struct rows_change {
    uint64_t sequence;
    evdb_change_kind kind;
    evdb_id id; /* a text of no bytes: it was erased (rows_forget()) */
    int64_t slot, freed;
} rows_change;
typedef evdb_status rows_change_fn(void *context, const rows_change *change, evdb_error *err);
/* Changes after a sequence, oldest first, at most max. EVDB_GONE below the horizon. */
evdb_status rows_changes(rows_reader *rd, uint64_t after, size_t max, rows_change_fn *each, void *context,
                         evdb_error *err);
evdb_status rows_horizon(rows_reader *rd, uint64_t *out, evdb_error *err);

typedef struct rows_vector {
    uint64_t slot, sequence; /* the change that wrote it */
    evdb_id id;
    const void *bytes;
    size_t size;
    uint32_t codec;
} rows_vector;
typedef evdb_status rows_vector_fn(void *context, const rows_vector *vector, evdb_error *err);
/* Every vector in order of slot, checksums verified. */
evdb_status rows_vectors(rows_reader *rd, rows_vector_fn *each, void *context, evdb_error *err);
/* One above the highest slot that has a vector. */
evdb_status rows_slots(rows_reader *rd, uint64_t *out, evdb_error *err);
/* The vector in a slot, whichever that is. */
evdb_status rows_vector_in(rows_reader *rd, uint64_t slot, rows_vector *out, bool *found, evdb_error *err);
/* The vector in a slot, if it is the one that change `sequence` wrote; else *found is false. */
evdb_status rows_vector_at(rows_reader *rd, uint64_t slot, uint64_t sequence, rows_vector *out, bool *found,
                           evdb_error *err);

/* ---- expiry: records that count as gone from some time on (rows_expiry.c) ---- */

/* The first expiry after a time, INT64_MAX = none. */
evdb_status rows_next_expiry(rows_reader *rd, int64_t after, int64_t *out, evdb_error *err);
typedef evdb_status rows_expired_fn(void *context, const rows_record *record, evdb_error *err);
/* Records whose expiry lies after `after`, and is `through` at the latest, the first to expire first. Of each, id, slot and expiry. */
evdb_status rows_expired(rows_reader *rd, int64_t after, int64_t through, rows_expired_fn *each, void *context, evdb_error *err);
/* Records that are there and not expired now. */
evdb_status rows_count(rows_reader *rd, const rows_tip *tip, uint64_t *out, evdb_error *err);
int64_t rows_clock(const rows *r); /* Unix ms */
/* May a record have been written that expires, or gone into the trash, through this very handle? */
bool rows_wrote_expiry(const rows *r);
/* Within a transaction: how long records to come live, 0 = for ever. */
evdb_status rows_set_ttl(rows *r, int64_t ttl_ms, evdb_error *err);
/* Within a transaction: whether records to come say who wrote them. */
evdb_status rows_set_authors(rows *r, bool on, evdb_error *err);
/* Deletes the records that expired first, at most `most`; one that is damaged stays. */
evdb_status rows_sweep(rows *r, size_t most, size_t *swept, evdb_error *err);

/* ---- erasing (rows_forget.c) ---- */

/* Within a transaction: deletes records, those that are there, and takes the ids of all that are not from the feed: whoever follows it by
 * slots finds all he needs, whoever wants ids cannot go on from before. */
evdb_status rows_forget(rows *r, const evdb_id *ids, size_t count, uint64_t *forgotten, evdb_error *err);
/* Writes the files anew, without a byte of what was deleted; not within a transaction. Takes memory for all of it. */
evdb_status rows_rewrite(rows *r, evdb_error *err);
/* Of what sequence the store was when records were last erased. */
evdb_status rows_forgotten(rows_reader *rd, uint64_t *out, evdb_error *err);

/* ---- codecs: what vectors are written with that are not elements (rows_codec.c) ---- */

typedef struct rows_codec {
    uint32_t id;       /* 0 = it is new */
    bool own;          /* of records that asked for it: their vectors are left as they are */
    const char *spec;  /* borrowed until the next step or the end of the read, like all below */
    double loss;       /* mean relative error when it was trained */
    const void *bytes; /* with its trained parameters; NULL = it has none */
    size_t size;
} rows_codec;
/* EVDB_CORRUPT where a vector says that it is of a codec that is missing. */
evdb_status rows_codec_get(rows_reader *rd, uint32_t id, rows_codec *out, evdb_error *err);
/* The newest of this spec; *found. */
evdb_status rows_codec_find(rows_reader *rd, const char *spec, bool own, rows_codec *out, bool *found, evdb_error *err);

/* How the store's vectors are written. */
typedef struct rows_coding {
    char wanted[EVDB_CODEC_SPEC_MAX + 1]; /* "" = elements */
    uint32_t codec;                 /* of vectors to come */
    uint32_t version;               /* how often that changed: what was made of vectors of an earlier one is outdated */
    int64_t recode_from;            /* slots from here on may hold others; -1 = none do */
} rows_coding;
evdb_status rows_coding_now(rows_reader *rd, rows_coding *out, evdb_error *err);
/* Vectors from a slot on that are neither of this codec nor of a record's own, at most max, as rows_vectors(). */
evdb_status rows_vectors_of_others(rows_reader *rd, uint64_t from, uint32_t codec, size_t max, rows_vector_fn *each, void *context,
                                   evdb_error *err);

/* Within a transaction: */
evdb_status rows_codec_add(rows *r, const rows_codec *codec, uint32_t *id, evdb_error *err);
/* Is it there? */
evdb_status rows_codec_known(rows *r, uint32_t id, bool *known, evdb_error *err);
evdb_status rows_coding_set(rows *r, const rows_coding *coding, evdb_error *err);
/* As the transaction sees it: without what is wanted. */
void rows_coding_within(const rows *r, rows_coding *out);
/* Writes vectors again, each if it is the one that was read (of its slot and sequence); given as they shall be, in order of slot. */
evdb_status rows_recode(rows *r, const rows_vector *vectors, size_t count, evdb_error *err);
/* Forgets codecs that no vector is of: whoever writes one of them yet puts it back. Reads the slots of all. */
evdb_status rows_codecs_sweep(rows *r, evdb_error *err);

/* ---- the hint: how far commits have got, without asking SQLite ---- */

/* True when nothing can have been committed since `sequence`. Any thread, no lock. */
bool rows_unchanged_since(const rows *r, uint64_t sequence);

/* Tells every process that has the store in dir open that it is being dropped. */
void rows_announce_drop(const platform *p, const char *dir);
bool rows_dropped(const rows *r);

/* ---- checking ---- */
typedef void rows_problem_fn(void *context, const char *text);
/* Is this a vector of the store? EVDB_CORRUPT says why not. */
typedef evdb_status rows_vector_check_fn(void *context, rows_reader *rd, const rows_record *record, evdb_error *err);
/* Checks every invariant of rows.db; records counts those whose checksums were computed. */
evdb_status rows_verify(rows_reader *rd, rows_vector_check_fn *check_vector, rows_problem_fn *problem, void *context, uint64_t *records,
                        evdb_error *err);
uint64_t rows_disk_bytes(const rows *r);

#endif
