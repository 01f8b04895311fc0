/* rows_trash.h - the trash of a store: what was deleted lately, whole, so that it can come back.
 *
 * A record goes there in the transaction that deletes it, with its vector as that lies in `vectors`, and its checksum covers all of it. An
 * id is there once: the last that was deleted of it. What forget, expiry or a replacement removes never goes there. */
#ifndef EVDB_DISK_ROWS_TRASH_H
#define EVDB_DISK_ROWS_TRASH_H
#include "disk/rows.h"

typedef struct rows_trashed {
    int64_t number;      /* in order of deletion */
    evdb_id id;          /* borrowed until the next step or the end of the read, like all below */
    int64_t deleted;     /* Unix ms */
    const char *deleter; /* NULL = that is not known */
    size_t deleter_length;
    uint64_t version;
    int64_t codec;       /* of the vector; ROWS_OWN_ELEMENTS: by the record's own wish, it has none */
    int64_t expires;     /* Unix ms; 0 = never */
    const char *author;  /* NULL = that is not known */
    size_t author_length;
    int64_t written;     /* Unix ms; 0 = that is not known */
    const char *metadata; /* NUL-terminated */
    size_t metadata_length;
    const void *bytes;   /* the vector */
    size_t size;
} rows_trashed;

enum { ROWS_OWN_ELEMENTS = -1 };

/* ---- reading ---- */

typedef evdb_status rows_trashed_fn(void *context, const rows_trashed *trashed, evdb_error *err);
/* What can be restored, the last deleted first, from the one before number `before` on; at most `most`. CORRUPT names the record. */
evdb_status rows_trash_list(rows_reader *rd, int64_t before, size_t most, rows_trashed_fn *each, void *context, evdb_error *err);
/* When the first that was deleted is to be purged, Unix ms; INT64_MAX = there is none. */
evdb_status rows_next_purge(rows_reader *rd, int64_t *out, evdb_error *err);
/* Each record in the trash: CORRUPT, as of rows_each_vector(), goes to problem(), and the walk goes on. */
evdb_status rows_trash_verify(rows_reader *rd, rows_problem_fn *problem, void *context, evdb_error *err);

/* ---- within a transaction ---- */

/* How long deleted records are kept, 0 = not at all, which empties the trash. */
evdb_status rows_set_trash(rows *r, int64_t keep_ms, evdb_error *err);
/* Are deleted records kept, as the transaction, or the last one, saw it? Then a delete takes room. */
bool rows_keeps_deleted(const rows *r);
/* Brings back the record of this id (resolved), as a new version. NOT_FOUND when it is not in the trash, has been there
 * for as long as it is kept, or its expiry has passed; EXISTS. */
evdb_status rows_restore(rows *r, const evdb_id *id, uint64_t *version, evdb_error *err);
/* Numbers of what was deleted at `since` or later, from the one behind `after` on, in order of deletion; *count of at most `most`. */
evdb_status rows_trash_since(rows *r, int64_t since, int64_t after, size_t most, int64_t *numbers, size_t *count, evdb_error *err);
/* The same as rows_restore() by its number. */
evdb_status rows_restore_number(rows *r, int64_t number, uint64_t *version, evdb_error *err);
/* Removes what has been there for as long as it is kept, the first deleted first, at most `most`. */
evdb_status rows_purge(rows *r, size_t most, size_t *purged, evdb_error *err);
/* Removes all. */
evdb_status rows_trash_empty(rows *r, uint64_t *removed, evdb_error *err);

#endif
