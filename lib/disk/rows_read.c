/* rows_read.c - the reading half of disk/rows.h: records, the feed of changes, vectors by slot. */
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include <string.h>

#define RECORD_COLUMNS "id, slot, sequence, checksum, metadata, expires, author, written"

static const char *const texts[R_COUNT] = {
    [R_BEGIN] = "BEGIN",
    [R_END] = "COMMIT",
    [R_TIP] = "SELECT sequence, live FROM changes ORDER BY sequence DESC LIMIT 1",
    [R_STORE] = "SELECT format, uuid, name, dim, metric, dtype, id_type, m, ef_construction, index_threads, created_ms,"
                " (SELECT count(*) FROM fields), codec, ttl_ms, trash_ms, authors FROM store",
    [R_FIELDS] = "SELECT name FROM fields ORDER BY position",
    [R_GET] = "SELECT " RECORD_COLUMNS " FROM records WHERE id=?1",
    [R_FIRST] = "SELECT " RECORD_COLUMNS " FROM records ORDER BY id",
    [R_AFTER] = "SELECT " RECORD_COLUMNS " FROM records WHERE id>?1 ORDER BY id",
    [R_VECTOR] = "SELECT " VECTOR_COLUMNS " FROM vectors WHERE slot=?1",
    [R_VECTORS] = "SELECT " VECTOR_COLUMNS " FROM vectors ORDER BY slot",
    [R_CHANGES] = "SELECT sequence, kind, slot, freed, id FROM changes WHERE sequence>?1 ORDER BY sequence LIMIT ?2",
    [R_HORIZON] = "SELECT sequence FROM changes ORDER BY sequence LIMIT 1",
    [R_SLOTS] = "SELECT max(slot) + 1 FROM vectors",
    [R_CODEC] = "SELECT id, spec, own, loss, bytes, checksum FROM codecs WHERE id=?1",
    [R_CODEC_OF] = "SELECT id, spec, own, loss, bytes, checksum FROM codecs WHERE spec=?1 AND own=?2 ORDER BY id DESC LIMIT 1",
    [R_CODING] = "SELECT codec, codec_id, recode_from, coding FROM store",
    [R_OTHERS] = "SELECT " VECTOR_COLUMNS " FROM vectors WHERE slot>=?1 AND codec<>?2 AND codec NOT IN (SELECT id FROM codecs WHERE own)"
                 " ORDER BY slot LIMIT ?3",
    [R_NEXT_EXPIRY] = "SELECT expires FROM records WHERE expires>?1 ORDER BY expires LIMIT 1",
    [R_EXPIRED] = "SELECT id, slot, expires FROM records WHERE expires>?1 AND expires<=?2 ORDER BY expires",
    [R_FORGOTTEN] = "SELECT forgotten FROM store",
    [R_TRASH] = "SELECT " TRASH_COLUMNS " FROM trash WHERE number<?1 AND (expires IS NULL OR expires>?2)"
                " AND deleted+(SELECT trash_ms FROM store)>?2 ORDER BY number DESC LIMIT ?3",
    [R_TRASH_ALL] = "SELECT " TRASH_COLUMNS " FROM trash ORDER BY number",
    [R_NEXT_PURGE] = "SELECT deleted + (SELECT trash_ms FROM store) FROM trash ORDER BY deleted LIMIT 1",
    [R_EXPIRED_COUNT] = "SELECT count(*) FROM records WHERE expires<=?1",
};

void rows_bind_id(sqlite3_stmt *st, int at, const evdb_id *id)
{
    if (rows_id_erased(id)) sqlite3_bind_zeroblob(st, at, 0);
    else if (id->text) sqlite3_bind_text64(st, at, id->text, id->length, SQLITE_STATIC, SQLITE_UTF8);
    else sqlite3_bind_int64(st, at, id->number);
}

evdb_id rows_column_id(sqlite3_stmt *st, int at)
{
    if (sqlite3_column_type(st, at) == SQLITE_BLOB) return (evdb_id){ .text = "" };
    if (sqlite3_column_type(st, at) != SQLITE_TEXT) return (evdb_id){ .number = sqlite3_column_int64(st, at) };
    const char *text = (const char *)sqlite3_column_text(st, at);
    return (evdb_id){ .text = text ? text : "", .length = (size_t)sqlite3_column_bytes(st, at) };
}

void rows_column_author(sqlite3_stmt *st, int first, rows_record *out)
{
    out->author = (const char *)sqlite3_column_text(st, first);
    out->author_length = (size_t)sqlite3_column_bytes(st, first);
    out->written = sqlite3_column_int64(st, first + 1);
}

evdb_status rows_read_statement(rows_reader *rd, enum read_statement which, sqlite3_stmt **out, evdb_error *err)
{
    evdb_status rc = rows_statement(&rd->connection, &rd->statements[which], texts[which], err);
    *out = rd->statements[which];
    return rc;
}

evdb_status rows_simple_read(rows_reader *rd, bool begin, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = rows_read_statement(rd, begin ? R_BEGIN : R_END, &st, err);
    return rc == EVDB_OK ? sql_run(&rd->connection, st, err) : rc;
}

evdb_status rows_tip_now(rows_reader *rd, rows_tip *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_TIP, &st, err));
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK)
        *out = row ? (rows_tip){ (uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1) }
                   : (rows_tip){ 0, 0 };
    sqlite3_reset(st);
out:
    return rc;
}

static evdb_status unsound(const rows_reader *rd, const evdb_id *id, const char *what, evdb_error *err)
{
    char shown[64];
    return error_set(err, EVDB_CORRUPT, "%s: record %s: %s", rd->connection.name, id_show(id, shown, sizeof(shown)), what);
}

/* `owner` is who the vector must be of. */
static evdb_status take_vector_of(rows_reader *rd, sqlite3_stmt *st, const evdb_id *owner, rows_vector *out, evdb_error *err)
{
    *out = (rows_vector){ .slot = (uint64_t)sqlite3_column_int64(st, 0), .sequence = (uint64_t)sqlite3_column_int64(st, 1), .id = *owner,
                          .bytes = sqlite3_column_blob(st, 4), .size = (size_t)sqlite3_column_bytes(st, 4),
                          .codec = (uint32_t)sqlite3_column_int64(st, 5) };
    if (sqlite3_column_int64(st, 3) != rows_checksum(owner, out->slot, out->sequence, out->codec, out->bytes, out->size))
        return unsound(rd, owner, "its vector's checksum does not match", err);
    return EVDB_OK;
}

evdb_status rows_take_vector(rows_reader *rd, sqlite3_stmt *st, rows_vector *out, evdb_error *err)
{
    evdb_id id = rows_column_id(st, 2);
    return take_vector_of(rd, st, &id, out, err);
}

/* Leaves the vector row of a slot readable in *st until it is reset. */
static evdb_status find_slot(rows_reader *rd, uint64_t slot, sqlite3_stmt **st, bool *found, evdb_error *err)
{
    evdb_status rc = rows_read_statement(rd, R_VECTOR, st, err);
    if (rc != EVDB_OK) return rc;
    sqlite3_reset(*st);
    sqlite3_bind_int64(*st, 1, (int64_t)slot);
    return sql_step(&rd->connection, *st, found, err);
}

/* Fills out->vector with the record's, verified. */
static evdb_status load_vector(rows_reader *rd, rows_record *out, evdb_error *err)
{
    sqlite3_stmt *st;
    rows_vector v;
    bool found;
    evdb_status rc;
    TRY(find_slot(rd, out->slot, &st, &found, err));
    if (!found) return unsound(rd, &out->id, "its vector is missing", err);
    TRY(take_vector_of(rd, st, &out->id, &v, err));
    out->vector = v.bytes;
    out->vector_bytes = v.size;
    out->codec = v.codec;
out:
    return rc;
}

/* The clock is asked only where there is an expiry. */
static bool hidden(const rows_reader *rd, unsigned flags, const rows_record *record)
{
    return flags & ROWS_LIVE && record->expires && rows_is_expired(record->expires, rows_clock(rd->of));
}

/* *found false: it is hidden. */
static evdb_status take_record(rows_reader *rd, sqlite3_stmt *st, unsigned flags, rows_record *out, bool *found, evdb_error *err)
{
    *out = (rows_record){ .id = rows_column_id(st, 0) };
    out->slot = (uint64_t)sqlite3_column_int64(st, 1);
    out->version = (uint64_t)sqlite3_column_int64(st, 2);
    out->metadata = (const char *)sqlite3_column_text(st, 4);
    out->metadata_length = (size_t)sqlite3_column_bytes(st, 4);
    out->expires = sqlite3_column_int64(st, 5);
    rows_column_author(st, 6, out);
    if (out->id.text && out->id.length > EVDB_ID_BYTES_MAX) return unsound(rd, &out->id, "its id is too long", err);
    if (!out->metadata || out->author_length > EVDB_AUTHOR_BYTES_MAX || sqlite3_column_int64(st, 3) != rows_record_checksum(out))
        return unsound(rd, &out->id, "its checksum does not match", err);
    *found = !hidden(rd, flags, out);
    return *found && flags & ROWS_VECTOR ? load_vector(rd, out, err) : EVDB_OK;
}

evdb_status rows_get(rows_reader *rd, const evdb_id *id, unsigned flags, rows_record *out, evdb_error *err)
{
    sqlite3_stmt *st;
    char shown[64];
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_GET, &st, err));
    sqlite3_reset(st);
    rows_bind_id(st, 1, id);
    TRY(sql_step(&rd->connection, st, &row, err));
    if (row) TRY(take_record(rd, st, flags, out, &row, err));
    if (!row) rc = error_set(err, EVDB_NOT_FOUND, "there is no record %s", id_show(id, shown, sizeof(shown)));
out:
    return rc;
}

evdb_status rows_seek(rows_reader *rd, const evdb_id *after, evdb_error *err)
{
    evdb_status rc;
    TRY(rows_read_statement(rd, after ? R_AFTER : R_FIRST, &rd->scan, err));
    sqlite3_reset(rd->scan);
    if (after) rows_bind_id(rd->scan, 1, after);
out:
    return rc;
}

evdb_status rows_step(rows_reader *rd, unsigned flags, rows_record *out, bool *found, evdb_error *err)
{
    bool seen = false;
    evdb_status rc;
    do {
        rc = sql_step(&rd->connection, rd->scan, found, err);
        if (rc != EVDB_OK || !*found) return rc;
        rc = take_record(rd, rd->scan, flags, out, &seen, err);
    } while (rc == EVDB_OK && !seen);
    return rc;
}

evdb_status rows_horizon(rows_reader *rd, uint64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_HORIZON, &st, err));
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK) *out = row ? (uint64_t)sqlite3_column_int64(st, 0) - 1 : 0;
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_changes(rows_reader *rd, uint64_t after, size_t max, rows_change_fn *each, void *context,
                         evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    uint64_t horizon;
    bool row;
    evdb_status rc;
    TRY(rows_horizon(rd, &horizon, err));
    if (after < horizon)
        TRY(error_set(err, EVDB_GONE, "changes up to %llu were trimmed", (unsigned long long)horizon));
    TRY(rows_read_statement(rd, R_CHANGES, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)(after > INT64_MAX ? INT64_MAX : after));
    sqlite3_bind_int64(st, 2, (int64_t)(max > INT64_MAX ? INT64_MAX : max));
    for (;;) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row) break;
        rows_change change = { .sequence = (uint64_t)sqlite3_column_int64(st, 0),
                               .kind = (evdb_change_kind)sqlite3_column_int(st, 1),
                               .slot = -1, .freed = -1, .id = rows_column_id(st, 4) };
        if (sqlite3_column_type(st, 2) != SQLITE_NULL) change.slot = sqlite3_column_int64(st, 2);
        if (sqlite3_column_type(st, 3) != SQLITE_NULL) change.freed = sqlite3_column_int64(st, 3);
        TRY(each(context, &change, err));
    }
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_each_vector(rows_reader *rd, sqlite3_stmt *st, rows_vector_fn *each, void *context, evdb_error *err)
{
    rows_vector v;
    bool row;
    evdb_status rc;
    for (;;) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row) break;
        TRY(rows_take_vector(rd, st, &v, err));
        TRY(each(context, &v, err));
    }
out:
    sqlite3_reset(st);
    return rc;
}

evdb_status rows_vectors(rows_reader *rd, rows_vector_fn *each, void *context, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = rows_read_statement(rd, R_VECTORS, &st, err);
    return rc == EVDB_OK ? rows_each_vector(rd, st, each, context, err) : rc;
}

evdb_status rows_slots(rows_reader *rd, uint64_t *out, evdb_error *err)
{
    sqlite3_stmt *st;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_SLOTS, &st, err));
    rc = sql_step(&rd->connection, st, &row, err);
    if (rc == EVDB_OK) *out = row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
out:
    return rc;
}

evdb_status rows_vector_in(rows_reader *rd, uint64_t slot, rows_vector *out, bool *found, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = find_slot(rd, slot, &st, found, err);
    return rc == EVDB_OK && *found ? rows_take_vector(rd, st, out, err) : rc;
}

evdb_status rows_vector_at(rows_reader *rd, uint64_t slot, uint64_t sequence, rows_vector *out, bool *found,
                           evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = find_slot(rd, slot, &st, found, err);
    if (rc != EVDB_OK || !*found) return rc;
    *found = (uint64_t)sqlite3_column_int64(st, 1) == sequence;
    return *found ? rows_take_vector(rd, st, out, err) : EVDB_OK;
}

static evdb_status read_fields(rows_reader *rd, evdb_store_info *info, char **names, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    uint32_t at = 0;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_FIELDS, &st, err));
    for (;; at++) {
        TRY(sql_step(&rd->connection, st, &row, err));
        if (!row || at == info->field_count) break;
        names[at] = (char *)names + (info->field_count * sizeof(char *)) + at * (EVDB_FIELD_NAME_MAX + 1);
        const char *name = (const char *)sqlite3_column_text(st, 0);
        strncat(names[at], name ? name : "", EVDB_FIELD_NAME_MAX);
    }
    info->field_count = at;
out:
    sqlite3_reset(st);
    return rc;
}

/* A text of 1 to most bytes; NULL for what is none. `at` is zeroed. */
static const char *text_of(sqlite3_stmt *st, int column, size_t most, char *at)
{
    size_t length = (size_t)sqlite3_column_bytes(st, column);
    const void *text = sqlite3_column_type(st, column) == SQLITE_TEXT ? sqlite3_column_text(st, column) : NULL;
    if (!text || !length || length > most) return NULL;
    return memcpy(at, text, length);
}

evdb_status rows_info(rows_reader *rd, evdb_store_info **out, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    evdb_store_info *info = NULL;
    bool row;
    evdb_status rc;
    TRY(rows_read_statement(rd, R_STORE, &st, err));
    TRY(sql_step(&rd->connection, st, &row, err));
    if (!row) TRY(error_set(err, EVDB_CORRUPT, "%s: has no description of the store", rd->connection.name));
    uint32_t fields = (uint32_t)sqlite3_column_int(st, 11);
    if (fields > EVDB_STORE_FIELDS_MAX)
        TRY(error_set(err, EVDB_CORRUPT, "%s: declares %u fields", rd->connection.name, fields));
    size_t fixed = sizeof(*info) + fields * (sizeof(char *) + EVDB_FIELD_NAME_MAX + 1), bytes = fixed + EVDB_METRIC_NAME_MAX + 1 + EVDB_CODEC_SPEC_MAX + 1;
    if (!(info = mem_owned(&rd->of->platform->mem, bytes))) TRY(error_no_memory(err, bytes, "a store's description"));
    const char *uuid = (const char *)sqlite3_column_text(st, 1), *name = (const char *)sqlite3_column_text(st, 2);
    strncat(info->uuid, uuid ? uuid : "", sizeof(info->uuid) - 1);
    strncat(info->name, name ? name : "", sizeof(info->name) - 1);
    info->format = (uint32_t)sqlite3_column_int(st, 0);
    info->dim = (uint32_t)sqlite3_column_int(st, 3);
    info->metric_name = text_of(st, 4, EVDB_METRIC_NAME_MAX, (char *)info + fixed);
    info->codec = text_of(st, 12, EVDB_CODEC_SPEC_MAX, (char *)info + fixed + EVDB_METRIC_NAME_MAX + 1);
    info->metric = info->metric_name ? EVDB_CUSTOM : (evdb_metric)sqlite3_column_int(st, 4);
    info->dtype = (evdb_dtype)sqlite3_column_int(st, 5);
    info->id_type = (evdb_id_type)sqlite3_column_int(st, 6);
    info->m = (uint32_t)sqlite3_column_int(st, 7);
    info->ef_construction = (uint32_t)sqlite3_column_int(st, 8);
    info->index_threads = (uint32_t)sqlite3_column_int(st, 9);
    info->created_ms = sqlite3_column_int64(st, 10);
    info->ttl_ms = sqlite3_column_int64(st, 13);
    info->trash_ms = sqlite3_column_int64(st, 14);
    info->authors = sqlite3_column_int(st, 15) != 0;
    info->field_count = fields;
    info->fields = (const char *const *)(info + 1);
    TRY(read_fields(rd, info, (char **)(info + 1), err));
    *out = info;
    info = NULL;
out:
    sqlite3_reset(st);
    mem_owned_free(info);
    return rc;
}
