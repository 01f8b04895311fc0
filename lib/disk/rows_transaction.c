/* rows_transaction.c - the writing half of disk/rows.h: transactions, and what they leave behind. */
#include "base/error.h"
#include "base/try.h"
#include "disk/rows_private.h"

enum { VACUUM_AFTER_DELETES = 64 };

static evdb_status simple(rows *r, enum write_statement which, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = rows_write_statement(r, which, &st, err);
    return rc == EVDB_OK ? sql_run(&r->writer, st, err) : rc;
}

evdb_status rows_integers(rows *r, enum write_statement which, int64_t *out, int count, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_write_statement(r, which, &st, err));
    rc = sql_step(&r->writer, st, &row, err);
    for (int i = 0; rc == EVDB_OK && row && i < count; i++) out[i] = sqlite3_column_int64(st, i);
    sqlite3_reset(st);
out:
    return rc;
}

/* What another process may change without a change of any record: it is read again for every transaction. */
static evdb_status load_decided(rows *r, evdb_error *err)
{
    enum { DIM, ID_TYPE, CODEC, RECODE_FROM, CODING, TTL, TRASH, AUTHORS };
    int64_t decided[8] = { 0, 0, 0, -1, 0, 0, 0, 0 };
    evdb_status rc = rows_integers(r, W_DECIDED, decided, 8, err);
    if (rc != EVDB_OK) return rc;
    r->now.dim = (uint32_t)decided[DIM];
    r->now.id_type = (evdb_id_type)decided[ID_TYPE];
    r->now.codec = (uint32_t)decided[CODEC];
    r->now.recode_from = decided[RECODE_FROM];
    r->now.coding = (uint32_t)decided[CODING];
    r->now.ttl_ms = decided[TTL];
    r->now.trash_ms = decided[TRASH];
    r->now.authors = decided[AUTHORS] != 0;
    return EVDB_OK;
}

static evdb_status load_state(rows *r, evdb_error *err)
{
    enum { SEQUENCE, LIVE };
    int64_t tip[2] = { 0, 0 }, slot = -1, free_slot = -1;
    evdb_status rc;
    TRY(rows_integers(r, W_TIP, tip, 2, err));
    TRY(rows_integers(r, W_SLOT, &slot, 1, err));
    TRY(rows_integers(r, W_FREE_SLOT, &free_slot, 1, err));
    r->now = (rows_state){ .sequence = (uint64_t)tip[SEQUENCE], .live = (uint64_t)tip[LIVE], .next_slot = (uint64_t)(slot + 1),
                           .has_free = free_slot >= 0 };
out:
    return rc;
}

/* Writes leave the reserve whole, but within the pages that there are. */
static evdb_status limit_growth(rows *r, evdb_error *err)
{
    int64_t pages = 0;
    evdb_status rc = r->dir ? rows_integers(r, W_PAGES, &pages, 1, err) : EVDB_OK;
    if (rc == EVDB_OK && r->dir) sql_begun(&r->writer, (uint64_t)pages);
    return rc;
}

/* Nobody else can commit while we hold the lock: if nobody has since our last commit, its state still holds. */
static evdb_status load(rows *r, evdb_error *err)
{
    evdb_status limited = limit_growth(r, err);
    if (limited != EVDB_OK) return limited;
    bool holds = r->current && rows_unchanged_since(r, r->now.sequence);
    evdb_status rc = holds ? EVDB_OK : load_state(r, err);
    return rc == EVDB_OK ? load_decided(r, err) : rc;
}

evdb_status rows_check_kept(const rows *r, evdb_error *err)
{
    return rows_dropped(r) ? error_set(err, EVDB_NOT_FOUND, "the store was dropped") : EVDB_OK;
}

evdb_status rows_whole(const rows *r, evdb_error *err)
{
    if (!atomic_load(&r->broken)) return EVDB_OK;
    return error_set(err, EVDB_IO, "%s: an earlier commit failed half-way, or a sync did: reopen the database to write again", r->path);
}

void rows_note_syncs(rows *r)
{
    if (sql_sync_failed(&r->writer)) atomic_store(&r->broken, true);
}

evdb_status rows_begin(rows *r, evdb_error *err)
{
    evdb_status rc;
    rc = rows_whole(r, err);
    if (rc != EVDB_OK) return rc;
    if (!r->dir) pthread_mutex_lock(&r->turn);
    int failed = lock_take(&r->lock);
    if (failed) {
        rc = error_errno(err, failed, "lock", r->lock_path);
        goto unlock;
    }
    rc = rows_check_kept(r, err);
    if (rc == EVDB_OK) rc = simple(r, W_BEGIN, err);
    if (rc == EVDB_OK && (rc = load(r, err)) != EVDB_OK) (void)simple(r, W_ROLLBACK, NULL);
    r->current = false;
    r->clock_ms = rows_clock(r);
    if (rc == EVDB_OK) return rc;
    lock_drop(&r->lock);
unlock:
    if (!r->dir) pthread_mutex_unlock(&r->turn);
    return rc;
}

static void leave(rows *r)
{
    lock_drop(&r->lock);
    if (!r->dir) pthread_mutex_unlock(&r->turn);
}

bool rows_broken(const rows *r) { return atomic_load(&r->broken); }

bool rows_lost(const rows *r) { return sqlite3_get_autocommit(r->writer.handle) != 0; }

evdb_status rows_mark(rows *r, evdb_error *err)
{
    r->marked = r->now;
    return simple(r, W_MARK, err);
}

evdb_status rows_unmark(rows *r, evdb_error *err) { return simple(r, W_UNMARK, err); }

evdb_status rows_undo(rows *r, evdb_error *err)
{
    evdb_status rc;
    TRY(simple(r, W_UNDO, err));
    TRY(simple(r, W_UNMARK, err));
    r->now = r->marked;
out:
    return rc;
}

/* Gives free pages back to the file system, one a step. */
static evdb_status vacuum(rows *r, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    r->deleted = 0;
    TRY(rows_write_statement(r, W_VACUUM, &st, err));
    do rc = sql_step(&r->writer, st, &row, err);
    while (rc == EVDB_OK && row);
    sqlite3_reset(st);
out:
    return rc;
}

void rows_use_reserve(rows *r) { sql_deletes(&r->writer); }

void rows_relieve(rows *r)
{
    if (!r->dir || rows_whole(r, NULL) != EVDB_OK || lock_take(&r->lock) != 0) return;
    (void)sql_relieve(&r->writer, NULL); /* the next transaction tells whether it helped */
    rows_note_syncs(r);
    lock_drop(&r->lock);
}

evdb_status rows_commit(rows *r, evdb_error *err)
{
    /* pages that come free are kept for the store's own use where room is short */
    bool vacuums = r->deleted >= VACUUM_AFTER_DELETES && !sql_short_of_room(&r->writer);
    evdb_status rc = vacuums ? vacuum(r, err) : EVDB_OK;
    if (rc == EVDB_OK && r->unsynced) rc = rows_hint_unsynced(r, err);
    if (rc == EVDB_OK) {
        atomic_store(&r->hint->begun, r->now.sequence);
        rc = simple(r, W_COMMIT, err);
    }
    rows_note_syncs(r);
    r->current = rc == EVDB_OK;
    if (r->current) {
        rows_hint_done(r, r->now.sequence);
        if (!r->unsynced) rows_hint_synced(r);
    } else {
        /* an I/O error may have come after the log was written: then nobody knows, and a retried fsync proves nothing */
        if (rc == EVDB_IO) atomic_store(&r->broken, true);
        /* the hint still says that a commit is under way: until the next one whoever asks it turns to SQLite, which is right
         * also when it was a killed process that began it */
        if (!rows_lost(r)) (void)simple(r, W_ROLLBACK, NULL);
    }
    leave(r);
    return rc;
}

void rows_rollback(rows *r)
{
    if (!rows_lost(r)) (void)simple(r, W_ROLLBACK, NULL);
    leave(r);
}

evdb_status rows_trim_oldest(rows *r, uint64_t count, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRIM_OLDEST, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)count);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

evdb_status rows_trim(rows *r, uint64_t through, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRIM, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)(through > INT64_MAX ? INT64_MAX : through));
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}
