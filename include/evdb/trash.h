/* trash.h - deletes that can be undone.
 *
 * A store whose trash is on keeps what is deleted for a while, EVDB_TRASH_DAY_MS for instance: evdb_record_delete() and a batch of deletes
 * move records into the trash, in the very commit that deletes them. From there they can be brought back as they were:
 * vector bit for bit, metadata, expiry, and who wrote them and when; their version is a new one, and the change feed tells of the delete
 * and of the return. It is off at first.
 *
 * What never goes there: records that are replaced or updated (what they were before is gone), that expire, or that evdb_store_forget()
 * erases. Forgetting leaves nothing of what was deleted before either, so it empties the trash. Dropping the store does too. One
 * record of each id is kept: when it is inserted again and deleted again, the last takes the place of the one before. A record whose
 * expiry passes in the trash can no longer be restored. A record that is damaged cannot be moved there: its delete answers EVDB_CORRUPT.
 *
 * What has been there for as long as the store keeps it can no longer be restored. It is removed by the deletes that follow, and in the
 * background, within seconds, as expired records are (expiry.h), by processes that have deleted records of the store, or opened it since.
 * Its bytes then lie in free pages until those are written again, as after any delete.
 *
 * Room: a record in the trash takes on disk about what it took before (measured: 0.96 to 1.03 times, with 64 to 768 elements); it counts as
 * one of the records of which rows.db stays below three times (record.h). It takes no memory, and no search meets it. A delete needs room for it: where the disk is full, a
 * delete in a store whose trash is on answers EVDB_FULL and changes nothing; emptying the trash, or turning it off, always goes, and then
 * deletes do.
 *
 * Exports and backups carry no trash; a store that is restored from a backup begins with an empty one, and keeps deletes for as long as the
 * one that was backed up did. A repair (repair.h) leaves what was in the trash behind. */
#ifndef EVDB_TRASH_H
#define EVDB_TRASH_H
#include <evdb/batch.h>
EVDB_BEGIN

#define EVDB_TRASH_DAY_MS INT64_C(86400000)
#define EVDB_TRASH_MAX_MS INT64_C(3155760000000) /* a hundred years */
#define EVDB_TRASH_LIST_MAX 1000u                /* records of one list */

/* For how many milliseconds what is deleted from now on, by whichever process, and what is in the trash, can be restored; 0 turns the trash
 * off and empties it. evdb_store_info.trash_ms tells it, and evdb_store_options.trash_ms is the same of a new store. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_set_trash(evdb_store *store, int64_t keep_ms, evdb_error *err);

/* A record in the trash. */
typedef struct evdb_trashed {
    evdb_id id;           /* text is NUL-terminated */
    uint64_t number;      /* a later delete has a larger one */
    int64_t deleted_ms;   /* Unix time in milliseconds */
    const char *deleter;  /* evdb_batch.author of the delete; NULL = nobody said */
    uint64_t version;     /* that it had */
    const char *metadata; /* JSON object text */
    size_t metadata_length;
    int64_t expires_ms;   /* 0 = never */
    int64_t until_ms;     /* when it has been there for as long as it is kept, or earlier, when it expires: from then on it cannot be restored */
} evdb_trashed;

typedef struct evdb_trash {
    size_t count;
    const evdb_trashed *at;
    uint64_t next; /* continue before this; 0 = that was all */
} evdb_trash;

/* Up to limit (0 = EVDB_TRASH_LIST_MAX) records that can be restored, the last deleted first, from those on that were deleted before number
 * `before` (0 = all). Free with evdb_trash_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_trash_list(evdb_store *store, uint64_t before, size_t limit, evdb_trash **out, evdb_error *err);
EVDB_API void evdb_trash_free(evdb_trash *trash);

enum { EVDB_RESTORE_DRY_RUN = 1 }; /* find out what would happen, and change nothing */

typedef struct evdb_undelete {
    size_t size;        /* EVDB_UNDELETE sets it */
    const evdb_id *ids; /* what to restore, or NULL: all that were deleted ... */
    size_t count;       /* of ids, at most EVDB_BATCH_MAX */
    int64_t since_ms;   /* ... at this Unix time in milliseconds or later */
    uint32_t flags;     /* EVDB_RESTORE_... */
    uint32_t reserved;
} evdb_undelete;
#define EVDB_UNDELETE { .size = sizeof(evdb_undelete) }

typedef struct evdb_undelete_report {
    size_t size;       /* in: sizeof(*this) as the caller compiled it */
    uint64_t restored; /* records that are there again */
    uint64_t existing; /* without ids: that stay in the trash, since their id is there again */
} evdb_undelete_report;
#define EVDB_UNDELETE_REPORT { .size = sizeof(evdb_undelete_report) }

/* Brings records back. Ids are restored in one commit, all or none, err->item says which failed: EVDB_NOT_FOUND for one that is not in the
 * trash, EVDB_EXISTS for one that is there again. Without ids, in commits of EVDB_BATCH_MAX records or fewer, in order of deletion: when one
 * fails the earlier ones stay, and calling it again does the rest. report may be NULL. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_trash_restore(evdb_store *store, const evdb_undelete *what, evdb_undelete_report *report,
                                                        evdb_error *err);

/* Removes all that is in the trash, for good; *removed (may be NULL) is how much it was. Its bytes lie in free pages until those are
 * written again; evdb_store_forget() leaves none. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_trash_empty(evdb_store *store, uint64_t *removed, evdb_error *err);

EVDB_END
#endif
