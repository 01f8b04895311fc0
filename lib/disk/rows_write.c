/* rows_write.c - the writing half of disk/rows.h. */
#include "base/checksum.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include <string.h>

static const char *const texts[W_COUNT] = {
    [W_BEGIN] = "BEGIN IMMEDIATE",
    [W_COMMIT] = "COMMIT",
    [W_ROLLBACK] = "ROLLBACK",
    [W_MARK] = "SAVEPOINT mark",
    [W_UNMARK] = "RELEASE mark",
    [W_UNDO] = "ROLLBACK TO mark",
    [W_TIP] = "SELECT sequence, live FROM changes ORDER BY sequence DESC LIMIT 1",
    [W_SLOT] = "SELECT max((SELECT ifnull(max(slot), -1) FROM vectors), (SELECT ifnull(max(slot), -1) FROM free))",
    [W_FREE_SLOT] = "SELECT slot FROM free LIMIT 1",
    [W_FIND] = "SELECT slot, sequence, checksum, metadata FROM records WHERE id=?1",
    [W_RECORD_IN] = "INSERT INTO records(id, slot, sequence, checksum, metadata) VALUES(?1,?2,?3,?4,?5)",
    [W_RECORD_UP] = "UPDATE records SET slot=?2, sequence=?3, checksum=?4, metadata=?5 WHERE id=?1",
    [W_RECORD_OUT] = "DELETE FROM records WHERE id=?1",
    [W_VECTOR_IN] = "INSERT INTO vectors(id, slot, sequence, checksum, bytes) VALUES(?1,?2,?3,?4,?5)",
    [W_VECTOR_OUT] = "DELETE FROM vectors WHERE slot=?1",
    [W_CHANGE] = "INSERT INTO changes(sequence, kind, slot, freed, live, id) VALUES(?1,?2,?3,?4,?5,?6)",
    [W_FREE_IN] = "INSERT INTO free(slot) VALUES(?1)",
    [W_FREE_OUT] = "DELETE FROM free WHERE slot=?1",
    [W_DECIDE] = "UPDATE store SET dim=?1, id_type=?2",
    [W_DECIDED] = "SELECT dim, id_type FROM store",
    [W_TRIM] = "DELETE FROM changes WHERE sequence<=?1 AND sequence<(SELECT max(sequence) FROM changes)",
    [W_VACUUM] = "PRAGMA incremental_vacuum(256)",
};

enum { VACUUM_AFTER_DELETES = 64 };

static evdb_status get(rows *r, enum write_statement which, sqlite3_stmt **out, evdb_error *err)
{
    evdb_status rc = rows_statement(&r->writer, &r->statements[which], texts[which], err);
    *out = r->statements[which];
    return rc;
}

static evdb_status simple(rows *r, enum write_statement which, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = get(r, which, &st, err);
    return rc == EVDB_OK ? sql_run(&r->writer, st, err) : rc;
}

int64_t rows_checksum(const evdb_id *id, uint64_t slot, uint64_t sequence, const void *bytes, size_t size)
{
    uint64_t head[3] = { slot, sequence, (uint64_t)id->number };
    uint64_t seed = checksum(head, id->text ? sizeof(head) - 8 : sizeof(head), 0);
    if (id->text) seed = checksum(id->text, id->length, seed);
    return (int64_t)checksum(bytes, size, seed);
}

/* Loads the first row of a statement of one or two integers; missing rows and NULLs leave the defaults. */
static evdb_status two(rows *r, enum write_statement which, int64_t *a, int64_t *b, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(get(r, which, &st, err));
    rc = sql_step(&r->writer, st, &row, err);
    if (rc == EVDB_OK && row) {
        *a = sqlite3_column_int64(st, 0);
        if (b) *b = sqlite3_column_int64(st, 1);
    }
    sqlite3_reset(st);
out:
    return rc;
}

static evdb_status load_state(rows *r, evdb_error *err)
{
    int64_t sequence = 0, live = 0, slot = -1, free_slot = -1, dim = 0, id_type = 0;
    evdb_status rc;
    TRY(two(r, W_TIP, &sequence, &live, err));
    TRY(two(r, W_SLOT, &slot, NULL, err));
    TRY(two(r, W_FREE_SLOT, &free_slot, NULL, err));
    TRY(two(r, W_DECIDED, &dim, &id_type, err));
    r->now = (rows_state){ .sequence = (uint64_t)sequence, .live = (uint64_t)live, .next_slot = (uint64_t)(slot + 1),
                           .has_free = free_slot >= 0, .dim = (uint32_t)dim, .id_type = (evdb_id_type)id_type };
out:
    return rc;
}

evdb_status rows_begin(rows *r, evdb_error *err)
{
    evdb_status rc;
    if (atomic_load(&r->broken))
        return error_set(err, EVDB_IO, "%s: an earlier commit failed half-way: reopen the database", r->writer.name);
    if (!r->dir) pthread_mutex_lock(&r->turn);
    int failed = lock_take(&r->lock);
    if (failed) {
        rc = error_errno(err, failed, "lock", r->lock_path);
        goto unlock;
    }
    rc = simple(r, W_BEGIN, err);
    /* nobody else can commit while we hold the lock: if nobody has since our last commit, its state still holds */
    if (rc == EVDB_OK && !(r->current && rows_unchanged_since(r, r->now.sequence))) {
        rc = load_state(r, err);
        if (rc != EVDB_OK) (void)simple(r, W_ROLLBACK, NULL);
    }
    r->current = false;
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
    TRY(get(r, W_VACUUM, &st, err));
    do rc = sql_step(&r->writer, st, &row, err);
    while (rc == EVDB_OK && row);
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_commit(rows *r, evdb_error *err)
{
    evdb_status rc = r->deleted >= VACUUM_AFTER_DELETES ? vacuum(r, err) : EVDB_OK;
    if (rc == EVDB_OK) {
        atomic_store(&r->hint->begun, r->now.sequence);
        rc = simple(r, W_COMMIT, err);
    }
    r->current = rc == EVDB_OK;
    if (r->current) rows_hint_done(r, r->now.sequence);
    else {
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

/* ---- one change ---- */

typedef struct found {
    bool exists;
    uint64_t slot, sequence;
} found;

/* Looks a record up and verifies it, leaving the row readable in *st until it is reset. */
static evdb_status find(rows *r, const evdb_id *id, found *out, sqlite3_stmt **st, evdb_error *err)
{
    evdb_status rc;
    char shown[64];
    TRY(get(r, W_FIND, st, err));
    rows_bind_id(*st, 1, id);
    TRY(sql_step(&r->writer, *st, &out->exists, err));
    if (!out->exists) goto out;
    out->slot = (uint64_t)sqlite3_column_int64(*st, 0);
    out->sequence = (uint64_t)sqlite3_column_int64(*st, 1);
    const void *metadata = sqlite3_column_text(*st, 3);
    if (sqlite3_column_int64(*st, 2) != rows_checksum(id, out->slot, out->sequence, metadata,
                                                      (size_t)sqlite3_column_bytes(*st, 3)))
        rc = error_set(err, EVDB_CORRUPT, "%s: record %s: its checksum does not match", r->writer.name,
                       id_show(id, shown, sizeof(shown)));
out:
    return rc;
}

static evdb_status take_slot(rows *r, uint64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    int64_t slot = -1;
    evdb_status rc = EVDB_OK;
    if (r->now.has_free) {
        TRY(two(r, W_FREE_SLOT, &slot, NULL, err));
        r->now.has_free = slot >= 0;
    }
    if (slot >= 0) {
        TRY(get(r, W_FREE_OUT, &st, err));
        sqlite3_bind_int64(st, 1, slot);
        TRY(sql_run(&r->writer, st, err));
        *out = (uint64_t)slot;
    } else {
        if (r->now.next_slot >= UINT32_MAX)
            return error_set(err, EVDB_LIMIT, "%s: holds as many vectors as a store can", r->writer.name);
        *out = r->now.next_slot++;
    }
out:
    return rc;
}

static evdb_status free_slot(rows *r, uint64_t slot, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(get(r, W_VECTOR_OUT, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_run(&r->writer, st, err));
    TRY(get(r, W_FREE_IN, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_run(&r->writer, st, err));
    r->now.has_free = true;
    r->deleted++;
out:
    return rc;
}

/* Binds and runs the two statements of one shape: (id, slot, sequence, checksum, bytes). */
static evdb_status put(rows *r, enum write_statement which, const evdb_id *id, uint64_t slot, const void *bytes,
                       size_t size, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(get(r, which, &st, err));
    rows_bind_id(st, 1, id);
    sqlite3_bind_int64(st, 2, (int64_t)slot);
    sqlite3_bind_int64(st, 3, (int64_t)r->now.sequence);
    sqlite3_bind_int64(st, 4, rows_checksum(id, slot, r->now.sequence, bytes, size));
    if (which == W_VECTOR_IN) sqlite3_bind_blob64(st, 5, bytes, size, SQLITE_STATIC);
    else sqlite3_bind_text64(st, 5, bytes, size, SQLITE_STATIC, SQLITE_UTF8);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

static evdb_status log_change(rows *r, const evdb_id *id, evdb_change_kind kind, const uint64_t *slot,
                              const uint64_t *freed, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(get(r, W_CHANGE, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)r->now.sequence);
    sqlite3_bind_int64(st, 2, kind);
    if (slot) sqlite3_bind_int64(st, 3, (int64_t)*slot);
    else sqlite3_bind_null(st, 3);
    if (freed) sqlite3_bind_int64(st, 4, (int64_t)*freed);
    else sqlite3_bind_null(st, 4);
    sqlite3_bind_int64(st, 5, (int64_t)r->now.live);
    rows_bind_id(st, 6, id);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

/* The first record decides what the store's creator left open. */
static evdb_status decide(rows *r, const rows_write *w, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = EVDB_OK;
    rows_state before = r->now;
    if (w->vector && before.dim && before.dim != w->dim)
        return error_set(err, EVDB_INVALID, "the vector has %u elements, this store's have %u", w->dim, before.dim);
    if (w->vector && !before.dim) r->now.dim = w->dim;
    if (!before.id_type && (w->kind == EVDB_INSERT || w->kind == EVDB_UPSERT))
        r->now.id_type = w->id.text ? EVDB_ID_STRING : EVDB_ID_INTEGER;
    if (r->now.dim == before.dim && r->now.id_type == before.id_type) return EVDB_OK;
    TRY(get(r, W_DECIDE, &st, err));
    sqlite3_bind_int64(st, 1, r->now.dim);
    sqlite3_bind_int64(st, 2, r->now.id_type);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

static evdb_status allowed(const rows_write *w, const evdb_id *id, const found *old, evdb_error *err)
{
    char shown[64];
    id_show(id, shown, sizeof(shown));
    if (w->kind == EVDB_INSERT && old->exists) return error_set(err, EVDB_EXISTS, "record %s already exists", shown);
    if ((w->kind == EVDB_UPDATE || w->kind == EVDB_DELETE) && !old->exists)
        return error_set(err, EVDB_NOT_FOUND, "there is no record %s", shown);
    if (w->if_version && (!old->exists || old->sequence != w->if_version))
        return error_set(err, EVDB_CONFLICT, "record %s has version %llu, not %llu", shown,
                         (unsigned long long)(old->exists ? old->sequence : 0), (unsigned long long)w->if_version);
    return EVDB_OK;
}

static evdb_status remove_record(rows *r, const evdb_id *id, const found *old, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(get(r, W_RECORD_OUT, &st, err));
    rows_bind_id(st, 1, id);
    TRY(sql_run(&r->writer, st, err));
    TRY(free_slot(r, old->slot, err));
    r->now.sequence++;
    r->now.live--;
    TRY(log_change(r, id, EVDB_CHANGE_DELETE, NULL, &old->slot, err));
out:
    return rc;
}

static evdb_status store_record(rows *r, const rows_write *w, const evdb_id *id, const found *old,
                                const char *metadata, size_t length, evdb_error *err)
{
    uint64_t slot = old->slot;
    evdb_status rc;
    if (w->vector) {
        if (old->exists) TRY(free_slot(r, old->slot, err));
        TRY(take_slot(r, &slot, err));
    }
    r->now.sequence++;
    if (w->vector) TRY(put(r, W_VECTOR_IN, id, slot, w->vector, w->vector_bytes, err));
    TRY(put(r, old->exists ? W_RECORD_UP : W_RECORD_IN, id, slot, metadata, length, err));
    if (!old->exists) r->now.live++;
    TRY(log_change(r, id, w->vector ? EVDB_CHANGE_PUT : EVDB_CHANGE_UPDATE, w->vector ? &slot : NULL,
                   w->vector && old->exists ? &old->slot : NULL, err));
out:
    return rc;
}

evdb_status rows_apply(rows *r, const rows_write *w, uint64_t *version, evdb_error *err)
{
    char text[ID_TEXT_MAX];
    evdb_id id;
    found old = { 0 };
    sqlite3_stmt *st = NULL;
    char *kept = NULL;
    evdb_status rc;
    TRY(id_resolve(r->now.id_type, &w->id, text, &id, err));
    TRY(find(r, &id, &old, &st, err));
    TRY(allowed(w, &id, &old, err));
    TRY(decide(r, w, err)); /* last: a record that is refused decides nothing */
    const char *metadata = w->metadata ? w->metadata : "{}";
    size_t length = w->metadata ? w->metadata_length : 2;
    if (w->kind == EVDB_UPDATE && !w->metadata) { /* the statement that writes may not read the row it changes */
        length = (size_t)sqlite3_column_bytes(st, 3);
        kept = mem_text(&r->platform->mem, (const char *)sqlite3_column_text(st, 3), length);
        if (!kept) TRY(error_no_memory(err, length, "metadata"));
        metadata = kept;
    }
    sqlite3_reset(st);
    st = NULL;
    if (w->kind == EVDB_DELETE) TRY(remove_record(r, &id, &old, err));
    else TRY(store_record(r, w, &id, &old, metadata, length, err));
    if (version) *version = r->now.sequence;
out:
    sqlite3_reset(st); /* NULL is fine */
    mem_free(&r->platform->mem, kept);
    return rc;
}

evdb_status rows_trim(rows *r, uint64_t through, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(get(r, W_TRIM, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)(through > INT64_MAX ? INT64_MAX : through));
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}
