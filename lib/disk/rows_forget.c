/* rows_forget.c - erasing, of disk/rows.h: nothing of what was deleted stays in the files. */
#include "base/error.h"
#include "base/id.h"
#include "base/try.h"
#include "disk/rows_private.h"

evdb_status rows_note_forgotten(rows *r, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = rows_write_statement(r, W_FORGOTTEN, &st, err);
    if (rc != EVDB_OK) return rc;
    sqlite3_bind_int64(st, 1, (int64_t)r->now.sequence);
    return sql_run(&r->writer, st, err);
}

evdb_status rows_forget(rows *r, const evdb_id *ids, size_t count, uint64_t *forgotten, evdb_error *err)
{
    char text[ID_TEXT_MAX];
    evdb_id id;
    evdb_error why;
    evdb_status rc = EVDB_OK;
    *forgotten = 0;
    for (size_t i = 0; i < count; i++) {
        evdb_id given = ids[i];
        TRY(id_check(&given, err)); /* it learns its length */
        TRY(id_resolve(r->now.id_type, &given, text, &id, err));
        rc = rows_delete(r, &id, &why);
        if (rc == EVDB_OK) ++*forgotten;
        else if (rc != EVDB_NOT_FOUND) {
            if (err) *err = why;
            return rc;
        }
    }
    sqlite3_stmt *st;
    uint64_t removed;
    TRY(rows_trash_empty(r, &removed, err));
    TRY(rows_write_statement(r, W_BLANK, &st, err));
    TRY(sql_run(&r->writer, st, err));
    rc = rows_note_forgotten(r, err);
out:
    return rc;
}

/* Pages hold what was deleted from them until it is overwritten, and some of what was moved to others: only a file that is written anew
 * has nothing of either. It passes through the log, which is emptied after. */
evdb_status rows_rewrite(rows *r, evdb_error *err)
{
    if (!r->dir) return EVDB_OK;
    evdb_status rc = rows_whole(r, err);
    if (rc != EVDB_OK) return rc;
    int failed = lock_take(&r->lock);
    if (failed) return error_errno(err, failed, "lock", r->lock_path);
    rc = rows_check_kept(r, err);
    if (rc == EVDB_OK) rc = sql_exec(&r->writer, "VACUUM", err);
    if (rc == EVDB_IO) atomic_store(&r->broken, true); /* as of any commit */
    rows_note_syncs(r);
    lock_drop(&r->lock);
    return rc == EVDB_OK ? rows_checkpoint(r, err) : rc;
}

evdb_status rows_forgotten(rows_reader *rd, uint64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    *out = 0;
    TRY(rows_read_statement(rd, R_FORGOTTEN, &st, err));
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK && row) *out = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
out:
    return rc;
}
