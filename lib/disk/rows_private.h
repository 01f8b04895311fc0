/* rows_private.h - what the files that implement rows.h share. */
#ifndef EVDB_DISK_ROWS_PRIVATE_H
#define EVDB_DISK_ROWS_PRIVATE_H
#include "disk/rows.h"
#include "disk/rows_trash.h"
#include "disk/sql.h"
#include "disk/wal.h"
#include "platform/lock.h"
#include <pthread.h>
#include <stdatomic.h>

/* The mapped file `hint`: a writer sets begun before it commits and done after. They differ while
 * a commit is under way, or when its process died in the middle; readers then ask SQLite. */
typedef struct rows_hint {
    _Atomic uint64_t begun, done;
    _Atomic uint64_t done_check; /* ~done, or the hint is not to be believed */
    char uuid[40]; /* of the store the numbers belong to */
    _Atomic uint64_t dropped; /* HINT_DROPPED once it is */
    _Atomic uint64_t unsynced; /* HINT_UNSYNCED: commits behind `synced` may be lost when the power fails */
    _Atomic uint64_t synced, synced_check;
} rows_hint;

enum { HINT_BYTES = 4096 };
#define HINT_UNSYNCED UINT64_C(0x6e6f742073796e63)
#define HINT_DROPPED UINT64_C(0x64726f7070656421) /* so that a flipped bit does not drop a store */

enum write_statement {
    W_BEGIN, W_COMMIT, W_ROLLBACK, W_MARK, W_UNMARK, W_UNDO, W_TIP, W_SLOT, W_FREE_SLOT, W_FIND, W_RECORD_IN, W_RECORD_UP,
    W_RECORD_OUT, W_VECTOR_IN, W_VECTOR_OUT, W_CHANGE, W_FREE_IN, W_FREE_OUT, W_DECIDE, W_DECIDED, W_TRIM, W_VACUUM, W_CODEC,
    W_CODEC_IN, W_CODEC_OUT, W_CODING, W_RECODE_FROM, W_RECODE, W_TTL, W_AUTHORS, W_EXPIRED, W_BLANK, W_FORGOTTEN, W_PAGES, W_TRIM_OLDEST,
    W_VECTOR, W_TRASH_IN, W_TRASH_OF, W_TRASH_AT, W_TRASH_SINCE, W_TRASH_OUT, W_TRASH_OLD, W_TRASH_EMPTY, W_SET_TRASH, W_CODEC_OWN, W_COUNT
};
enum read_statement {
    R_BEGIN, R_END, R_TIP, R_STORE, R_FIELDS, R_GET, R_FIRST, R_AFTER, R_VECTOR, R_VECTORS, R_CHANGES, R_HORIZON, R_CODEC,
    R_CODEC_OF, R_CODING, R_OTHERS, R_SLOTS, R_NEXT_EXPIRY, R_EXPIRED, R_EXPIRED_COUNT, R_FORGOTTEN,
    R_TRASH, R_TRASH_ALL, R_NEXT_PURGE, R_COUNT
};

/* What a transaction has come to; copied by rows_mark so that rows_undo can go back. */
typedef struct rows_state {
    uint64_t sequence, live, next_slot;
    bool has_free;
    uint32_t dim;
    evdb_id_type id_type;
    uint32_t codec, coding;
    int64_t recode_from; /* -1 = none */
    int64_t ttl_ms;      /* 0 = none */
    bool authors;        /* records say who wrote them */
    int64_t trash_ms;    /* how long deleted records are kept, 0 = not at all */
} rows_state;

struct rows_reader {
    rows *of;
    rows_reader *next;
    sql connection;
    bool borrowed; /* in memory: the writer's connection */
    sqlite3_stmt *statements[R_COUNT];
    sqlite3_stmt *scan; /* R_FIRST or R_AFTER, positioned by rows_seek */
};

struct rows {
    const platform *platform;
    const vfs *vfs;
    char *dir; /* NULL in memory, and so the paths */
    char *path, *lock_path, *hint_path;
    char uuid[37];
    sql writer;
    sqlite3_stmt *statements[W_COUNT];
    lock_file lock;
    rows_hint *hint;
    pthread_mutex_t turn; /* in memory: one user of the connection at a time */
    pthread_mutex_t pool_lock;
    rows_reader *pool;
    uint32_t pooled;
    rows_state now, marked;
    bool current; /* `now` is what our last commit left */
    uint64_t deleted; /* since the last incremental vacuum */
    bool unsynced; /* commits do not wait for the disk */
    atomic_bool broken; /* a commit or a sync failed and nobody knows how it ended */
    atomic_bool wrote_expiry; /* or put into the trash, where nothing stays for ever either */
    int64_t clock_ms; /* when the transaction began: what has expired by then is gone for all of it */
};

/* Prepares a statement at its first use. */
evdb_status rows_statement(sql *s, sqlite3_stmt **slot, const char *text, evdb_error *err);

/* Of a change whose record was erased: an empty blob in the file, a text of no bytes in memory, for no record has such an id. */
static inline bool rows_id_erased(const evdb_id *id) { return id->text && !id->length; }
void rows_bind_id(sqlite3_stmt *st, int at, const evdb_id *id);
/* NULL for NULL; the text must stay until the statement has run. */
void rows_bind_text(sqlite3_stmt *st, int at, const char *text, size_t length);
/* NULL for 0. */
void rows_bind_time(sqlite3_stmt *st, int at, int64_t time);
evdb_id rows_column_id(sqlite3_stmt *st, int at);

/* The checksum of a record (bytes = metadata) or a vector: bound to its id, slot and sequence, so that sound
 * bytes in the wrong place do not pass; and to its codec, 0 = none. */
int64_t rows_checksum(const evdb_id *id, uint64_t slot, uint64_t sequence, uint32_t codec, const void *bytes, size_t size);

/* A record's own: bound to its expiry too, where it has one, and to its author. */
int64_t rows_record_checksum(const rows_record *record);
static inline bool rows_is_expired(int64_t expires, int64_t now) { return expires && expires <= now; }
int64_t rows_codec_checksum(const rows_codec *codec);

#define TRASH_COLUMNS "number, id, deleted, deleter, sequence, checksum, codec, expires, author, written, metadata, bytes"
/* Reads the vector row that st, of the columns of VECTOR_COLUMNS, stands on, verified. */
#define VECTOR_COLUMNS "slot, sequence, id, checksum, bytes, codec"
evdb_status rows_take_vector(rows_reader *rd, sqlite3_stmt *st, rows_vector *out, evdb_error *err);
/* The same of every row of st, from its first on. */
evdb_status rows_each_vector(rows_reader *rd, sqlite3_stmt *st, rows_vector_fn *each, void *context, evdb_error *err);
evdb_status rows_read_statement(rows_reader *rd, enum read_statement which, sqlite3_stmt **out, evdb_error *err);
/* Loads the first row of a statement of `count` integers; missing rows and NULLs leave the defaults. */
evdb_status rows_integers(rows *r, enum write_statement which, int64_t *out, int count, evdb_error *err);
/* Deletes a record without asking whether it has expired. NOT_FOUND; CORRUPT when its checksum fails, and it stays. */
evdb_status rows_delete(rows *r, const evdb_id *id, evdb_error *err);
/* Into the trash: what is about to be deleted. Of `t` all but number, codec, bytes and size counts. CORRUPT when the checksum of its vector,
 * which lies in `slot`, fails. (rows_trash.c) */
evdb_status rows_trash_put(rows *r, const rows_trashed *t, uint64_t slot, evdb_error *err);
/* Into a slot that has none. */
evdb_status rows_put_vector(rows *r, const rows_vector *v, evdb_error *err);
/* A record's row: all of it but the vector. */
evdb_status rows_put_record(rows *r, enum write_statement which, const rows_record *record, evdb_error *err);
/* Who wrote the record that st stands on: `author` and `written` are its columns from `first` on. */
void rows_column_author(sqlite3_stmt *st, int first, rows_record *out);
/* The row of change r->now.sequence; slot and freed may be NULL. */
evdb_status rows_log_change(rows *r, const evdb_id *id, evdb_change_kind kind, const uint64_t *slot, const uint64_t *freed, evdb_error *err);
/* With the writers' lock held: who waited for it may have waited for the store's end. Nobody would see a commit, and a repair wants the
 * files as they are. */
evdb_status rows_check_kept(const rows *r, evdb_error *err);
/* Says that changes up to r->now.sequence may have lost their ids. */
evdb_status rows_note_forgotten(rows *r, evdb_error *err);
evdb_status rows_write_statement(rows *r, enum write_statement which, sqlite3_stmt **out, evdb_error *err);

/* The hint (rows_hint.c), all under the writer's lock. Says in it that commits up to sequence are acknowledged, */
void rows_hint_done(rows *r, uint64_t sequence);
/* that all are synced, */
void rows_hint_synced(rows *r);
/* that those to come may not be. */
evdb_status rows_hint_unsynced(rows *r, evdb_error *err);
bool rows_hint_believable(const rows *r);
/* Makes it right. */
void rows_hint_set(rows *r, uint64_t tip, uint64_t begun);
/* EVDB_CORRUPT when something that was acknowledged is missing. */
evdb_status rows_hint_complete(const rows *r, uint64_t tip, const wal_report *log, evdb_error *err);

/* A sync that failed, in a checkpoint that SQLite does by itself too, ends writing. */
void rows_note_syncs(rows *r);
/* EVDB_IO once writing has ended so. */
evdb_status rows_whole(const rows *r, evdb_error *err);

/* BEGIN and COMMIT of a read. */
evdb_status rows_simple_read(rows_reader *rd, bool begin, evdb_error *err);
#endif
