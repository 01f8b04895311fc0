/* forget.h - erasing records, so that nothing of them is left on disk.
 *
 * A delete frees the room of a record; its bytes stay in the files until others take that room. Forgetting leaves nothing: not in
 * rows.db, its log or the change feed, not in the index or one that was set aside. When it returns, no file of the store holds the
 * ids, vectors and metadata of these records, or of any that was deleted before: the store's trash (trash.h) is empty then.
 *
 * What that takes: rows.db is written anew, so it takes as long as that, and memory and disk for one more copy of the store, whatever
 * the number of records; writers wait meanwhile, searches go on. The change feed cannot be continued from before (EVDB_GONE): who
 * follows it must start over, and so learns what is gone.
 *
 * What it does not reach: backups (evdb_backup_find() tells which hold them; one that is being written meanwhile is not listed yet) and
 * exports; what a repair has set aside (repair.h); the blocks of the disk that files no longer own;
 * memory of running processes, until they search again and use the room for others; what a trained codec has learned (codec.h), which
 * for one with a dictionary are pieces of vectors. */
#ifndef EVDB_FORGET_H
#define EVDB_FORGET_H
#include <evdb/batch.h>
EVDB_BEGIN

typedef struct evdb_forget_report {
    size_t size;        /* in: sizeof(*this) as the caller compiled it */
    uint64_t forgotten; /* records that were there */
    uint64_t missing;   /* ids that were not; what had been deleted of them is erased all the same */
} evdb_forget_report;
#define EVDB_FORGET_REPORT { .size = sizeof(evdb_forget_report) }

/* Deletes count records, at most EVDB_BATCH_MAX, in one durable commit, and erases them. When it fails after the commit they are deleted
 * and may not be erased: calling it again does the rest. EVDB_BUSY: a reader of another process did not end in time; EVDB_FULL: there
 * is no room to write the store anew. report may be NULL. In memory it is a delete. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_store_forget(evdb_store *store, const evdb_id *ids, size_t count, evdb_forget_report *report,
                                                       evdb_error *err);

EVDB_END
#endif
