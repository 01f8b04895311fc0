/* rows_expiry.c - expiry, of disk/rows.h: when records count as gone, and deleting those that do. */
#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include <string.h>

int64_t rows_clock(const rows *r) { return r->platform->clock_ms(r->platform->clock_context); }
bool rows_wrote_expiry(const rows *r) { return atomic_load(&r->wrote_expiry); }

/* ---- reading ---- */

/* One integer of a statement with one parameter; *out stays what it is without a row. */
static evdb_status integer_after(rows_reader *rd, enum read_statement which, int64_t parameter, int64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, which, &st, err));
    sqlite3_bind_int64(st, 1, parameter);
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK && row) *out = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_next_expiry(rows_reader *rd, int64_t after, int64_t *out, evdb_error *err)
{
    *out = INT64_MAX;
    return integer_after(rd, R_NEXT_EXPIRY, after, out, err);
}

evdb_status rows_expired(rows_reader *rd, int64_t after, int64_t through, rows_expired_fn *each, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_EXPIRED, &st, err));
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, through);
    for (;;) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row) break;
        rows_record record = { .id = rows_column_id(st, 0), .slot = (uint64_t)sqlite3_column_int64(st, 1),
                               .expires = sqlite3_column_int64(st, 2) };
        TRY(each(context, &record, err));
    }
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_count(rows_reader *rd, const rows_tip *tip, uint64_t *out, evdb_error *err)
{
    int64_t expired = 0;
    evdb_status rc = integer_after(rd, R_EXPIRED_COUNT, rows_clock(rd->of), &expired, err);
    *out = tip->live - ((uint64_t)expired < tip->live ? (uint64_t)expired : tip->live);
    return rc;
}

/* ---- writing ---- */

evdb_status rows_set_ttl(rows *r, int64_t ttl_ms, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TTL, &st, err));
    sqlite3_bind_int64(st, 1, ttl_ms);
    TRY(sql_run(&r->writer, st, err));
    r->now.ttl_ms = ttl_ms;
out:
    return rc;
}

evdb_status rows_set_authors(rows *r, bool on, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_AUTHORS, &st, err));
    sqlite3_bind_int(st, 1, on);
    TRY(sql_run(&r->writer, st, err));
    r->now.authors = on;
out:
    return rc;
}

/* Appends the ids of what has expired: deleting it changes the very index they are read from. */
static evdb_status list_expired(rows *r, size_t most, buf *out, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(rows_write_statement(r, W_EXPIRED, &st, err));
    sqlite3_bind_int64(st, 1, r->clock_ms);
    sqlite3_bind_int64(st, 2, (int64_t)most);
    for (;;) {
        TRY(sql_step(&r->writer, st, &row, err));
        if (!row) break;
        evdb_id id = rows_column_id(st, 0);
        bool kept = buf_add(out, &id, sizeof(id)) && (!id.text || buf_add(out, id.text, id.length));
        if (!kept) TRY(error_no_memory(err, sizeof(id) + id.length, "ids of expired records"));
    }
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_sweep(rows *r, size_t most, size_t *swept, evdb_error *err)
{
    buf ids;
    evdb_id id;
    evdb_error why;
    evdb_status rc;
    buf_init(&ids, &r->platform->mem);
    *swept = 0;
    TRY(list_expired(r, most, &ids, err));
    for (size_t at = 0; at < ids.size; at += sizeof(id) + id.length) {
        memcpy(&id, ids.at + at, sizeof(id));
        if (id.text) id.text = ids.at + at + sizeof(id);
        rc = rows_delete(r, &id, &why);
        if (rc == EVDB_OK) ++*swept;
        else if (rc != EVDB_CORRUPT || rows_lost(r)) {
            if (err) *err = why;
            goto out;
        }
    }
    rc = EVDB_OK;
out:
    buf_free(&ids);
    return rc;
}
