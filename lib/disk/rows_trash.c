/* rows_trash.c - implements disk/rows_trash.h. */
#include "disk/rows_trash.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/id.h"
#include "base/try.h"
#include "disk/rows_private.h"

enum { PURGED_BY_A_DELETE = 2 }; /* so that the trash does not grow where nobody sweeps */

static int64_t checksum_of(const rows_trashed *t)
{
    const uint64_t head[] = { (uint64_t)rows_checksum(&t->id, (uint64_t)t->deleted, t->version, (uint32_t)t->codec, t->bytes, t->size),
                              (uint64_t)t->expires, (uint64_t)t->written, t->deleter ? t->deleter_length + 1 : 0, t->author ? t->author_length + 1 : 0 };
    uint64_t sum = checksum(head, sizeof(head), 0);
    if (t->deleter) sum = checksum(t->deleter, t->deleter_length, sum);
    if (t->author) sum = checksum(t->author, t->author_length, sum);
    return (int64_t)checksum(t->metadata, t->metadata_length, sum);
}

static const char *text_in(sqlite3_stmt *st, int column, size_t *length)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    *length = (size_t)sqlite3_column_bytes(st, column);
    return text;
}

/* Of a row of TRASH_COLUMNS. */
static evdb_status take(const sql *s, sqlite3_stmt *st, rows_trashed *out, evdb_error *err)
{
    enum { NUMBER, ID, DELETED, DELETER, SEQUENCE, CHECKSUM, CODEC, EXPIRES, AUTHOR, WRITTEN, METADATA, BYTES };
    char shown[64];
    *out = (rows_trashed){ .number = sqlite3_column_int64(st, NUMBER), .id = rows_column_id(st, ID), .deleted = sqlite3_column_int64(st, DELETED),
                           .version = (uint64_t)sqlite3_column_int64(st, SEQUENCE), .codec = sqlite3_column_int64(st, CODEC),
                           .expires = sqlite3_column_int64(st, EXPIRES), .written = sqlite3_column_int64(st, WRITTEN) };
    out->deleter = text_in(st, DELETER, &out->deleter_length);
    out->author = text_in(st, AUTHOR, &out->author_length);
    out->metadata = text_in(st, METADATA, &out->metadata_length);
    out->bytes = sqlite3_column_blob(st, BYTES);
    out->size = (size_t)sqlite3_column_bytes(st, BYTES);
    bool sound = out->metadata && !(out->id.text && out->id.length > EVDB_ID_BYTES_MAX) && sqlite3_column_int64(st, CHECKSUM) == checksum_of(out);
    if (sound) return EVDB_OK;
    return error_set(err, EVDB_CORRUPT, "%s: record %s in the trash: its checksum does not match", s->name, id_show(&out->id, shown, sizeof(shown)));
}

/* ---- reading ---- */

evdb_status rows_trash_list(rows_reader *rd, int64_t before, size_t most, rows_trashed_fn *each, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    rows_trashed t;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_TRASH, &st, err));
    sqlite3_bind_int64(st, 1, before);
    sqlite3_bind_int64(st, 2, rows_clock(rd->of));
    sqlite3_bind_int64(st, 3, (int64_t)most);
    for (;;) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row) break;
        TRY(take(&rd->connection, st, &t, err));
        TRY(each(context, &t, err));
    }
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_next_purge(rows_reader *rd, int64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    *out = INT64_MAX;
    TRY(rows_read_statement(rd, R_NEXT_PURGE, &st, err));
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK && row) *out = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_trash_verify(rows_reader *rd, rows_problem_fn *problem, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    rows_trashed t;
    evdb_error why;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_TRASH_ALL, &st, err));
    for (;;) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row) break;
        if (take(&rd->connection, st, &t, &why) != EVDB_OK) problem(context, why.message);
    }
out:
    sqlite3_reset(st);
    return rc;
}

/* ---- deleting ---- */

static evdb_status put(rows *r, const rows_trashed *t, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRASH_IN, &st, err));
    rows_bind_id(st, 1, &t->id);
    sqlite3_bind_int64(st, 2, t->deleted);
    rows_bind_text(st, 3, t->deleter, t->deleter_length);
    sqlite3_bind_int64(st, 4, (int64_t)t->version);
    sqlite3_bind_int64(st, 5, checksum_of(t));
    sqlite3_bind_int64(st, 6, t->codec);
    rows_bind_time(st, 7, t->expires);
    rows_bind_text(st, 8, t->author, t->author_length);
    rows_bind_time(st, 9, t->written);
    rows_bind_text(st, 10, t->metadata, t->metadata_length);
    sqlite3_bind_blob64(st, 11, t->bytes, t->size, SQLITE_STATIC);
    TRY(sql_run(&r->writer, st, err));
    atomic_store(&r->wrote_expiry, true);
out:
    return rc;
}

/* Elements in a store with a codec that nobody is going to write again are there by the record's own wish. */
static bool own_elements(const rows *r, int64_t codec, uint64_t slot)
{
    return !codec && r->now.codec && !(r->now.recode_from >= 0 && (uint64_t)r->now.recode_from <= slot);
}

evdb_status rows_trash_put(rows *r, const rows_trashed *t, uint64_t slot, evdb_error *err)
{
    rows_trashed kept = *t;
    sqlite3_stmt *st = NULL;
    char shown[64];
    size_t purged;
    bool row;
    evdb_status rc;
    TRY(rows_write_statement(r, W_VECTOR, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_step(&r->writer, st, &row, err));
    kept.codec = sqlite3_column_int64(st, 0);
    kept.bytes = sqlite3_column_blob(st, 3);
    kept.size = (size_t)sqlite3_column_bytes(st, 3);
    if (!row || sqlite3_column_int64(st, 2) != rows_checksum(&t->id, slot, (uint64_t)sqlite3_column_int64(st, 1), (uint32_t)kept.codec, kept.bytes, kept.size))
        TRY(error_set(err, EVDB_CORRUPT, "%s: record %s: its vector is missing or damaged, so it cannot go into the trash: forget it, or delete it"
                      " without a trash", r->writer.name, id_show(&t->id, shown, sizeof(shown))));
    if (own_elements(r, kept.codec, slot)) kept.codec = ROWS_OWN_ELEMENTS;
    TRY(put(r, &kept, err));
    rc = rows_purge(r, PURGED_BY_A_DELETE, &purged, err);
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_purge(rows *r, size_t most, size_t *purged, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRASH_OLD, &st, err));
    sqlite3_bind_int64(st, 1, r->clock_ms - r->now.trash_ms);
    sqlite3_bind_int64(st, 2, (int64_t)most);
    TRY(sql_run(&r->writer, st, err));
    *purged = (size_t)sqlite3_changes(r->writer.handle);
    r->deleted += *purged;
out:
    return rc;
}

evdb_status rows_trash_empty(rows *r, uint64_t *removed, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRASH_EMPTY, &st, err));
    TRY(sql_run(&r->writer, st, err));
    *removed = (uint64_t)sqlite3_changes(r->writer.handle);
    r->deleted += *removed;
out:
    return rc;
}

evdb_status rows_set_trash(rows *r, int64_t keep_ms, evdb_error *err)
{
    sqlite3_stmt *st;
    uint64_t removed;
    evdb_status rc;
    TRY(rows_write_statement(r, W_SET_TRASH, &st, err));
    sqlite3_bind_int64(st, 1, keep_ms);
    TRY(sql_run(&r->writer, st, err));
    r->now.trash_ms = keep_ms;
    if (!keep_ms) rc = rows_trash_empty(r, &removed, err);
out:
    return rc;
}

bool rows_keeps_deleted(const rows *r) { return r->now.trash_ms != 0; }

/* ---- bringing back ---- */

/* Is a codec that of single records, which are not written again when the store's changes? */
static evdb_status is_own(rows *r, int64_t codec, bool *own, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc = EVDB_OK;
    *own = codec == ROWS_OWN_ELEMENTS;
    if (codec <= 0) return rc;
    TRY(rows_write_statement(r, W_CODEC_OWN, &st, err));
    sqlite3_bind_int64(st, 1, codec);
    rc = sql_step(&r->writer, st, &row, err);
    *own = rc == EVDB_OK && row && sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    if (rc == EVDB_OK && !row) rc = error_set(err, EVDB_CORRUPT, "%s: codec %lld is missing", r->writer.name, (long long)codec);
out:
    return rc;
}

/* What st finds. */
static evdb_status restore(rows *r, sqlite3_stmt *st, const evdb_id *id, uint64_t *version, evdb_error *err)
{
    rows_trashed t;
    sqlite3_stmt *out_st;
    char shown[64];
    bool row, own;
    evdb_status rc;
    TRY(sql_step(&r->writer, st, &row, err));
    if (row) TRY(take(&r->writer, st, &t, err));
    if (!row || rows_is_expired(t.expires, r->clock_ms) || t.deleted <= r->clock_ms - r->now.trash_ms)
        TRY(error_set(err, EVDB_NOT_FOUND, "record %s is not in the trash", id_show(row ? &t.id : id, shown, sizeof(shown))));
    TRY(is_own(r, t.codec, &own, err));
    rows_write w = { .kind = EVDB_INSERT, .id = t.id, .vector = t.bytes, .vector_bytes = t.size, .dim = r->now.dim,
                     .codec = t.codec > 0 ? (uint32_t)t.codec : 0, .own_codec = own, .metadata = t.metadata, .metadata_length = t.metadata_length,
                     .expires = t.expires ? t.expires : EVDB_NEVER, .author = t.author, .author_length = t.author_length, .written = t.written, .restored = true };
    TRY(rows_apply(r, &w, version, err));
    int64_t number = t.number;
    sqlite3_reset(st); /* the statement that deletes may not read the row it takes */
    TRY(rows_write_statement(r, W_TRASH_OUT, &out_st, err));
    sqlite3_bind_int64(out_st, 1, number);
    rc = sql_run(&r->writer, out_st, err);
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_restore(rows *r, const evdb_id *id, uint64_t *version, evdb_error *err)
{
    sqlite3_stmt *st;
    char text[ID_TEXT_MAX];
    evdb_id own;
    evdb_status rc;
    TRY(id_resolve(r->now.id_type, id, text, &own, err));
    TRY(rows_write_statement(r, W_TRASH_OF, &st, err));
    rows_bind_id(st, 1, &own);
    rc = restore(r, st, &own, version, err);
out:
    return rc;
}

evdb_status rows_restore_number(rows *r, int64_t number, uint64_t *version, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_TRASH_AT, &st, err));
    sqlite3_bind_int64(st, 1, number);
    rc = restore(r, st, &(evdb_id){ 0 }, version, err);
out:
    return rc;
}

evdb_status rows_trash_since(rows *r, int64_t since, int64_t after, size_t most, int64_t *numbers, size_t *count, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    *count = 0;
    TRY(rows_write_statement(r, W_TRASH_SINCE, &st, err));
    sqlite3_bind_int64(st, 1, since);
    sqlite3_bind_int64(st, 2, after);
    sqlite3_bind_int64(st, 3, (int64_t)most);
    for (;;) {
        TRY(sql_step(&r->writer, st, &row, err));
        if (!row) break;
        numbers[(*count)++] = sqlite3_column_int64(st, 0);
    }
out:
    sqlite3_reset(st);
    return rc;
}
