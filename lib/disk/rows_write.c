/* rows_write.c - the writing half of disk/rows.h: one change within a transaction. */
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
    [W_FIND] = "SELECT slot, sequence, checksum, metadata, expires, author, written FROM records WHERE id=?1",
    [W_RECORD_IN] = "INSERT INTO records(id, slot, sequence, checksum, metadata, expires, author, written) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [W_RECORD_UP] = "UPDATE records SET slot=?2, sequence=?3, checksum=?4, metadata=?5, expires=?6, author=?7, written=?8 WHERE id=?1",
    [W_RECORD_OUT] = "DELETE FROM records WHERE id=?1",
    [W_VECTOR_IN] = "INSERT INTO vectors(id, slot, sequence, checksum, bytes, codec) VALUES(?1,?2,?3,?4,?5,?6)",
    [W_VECTOR_OUT] = "DELETE FROM vectors WHERE slot=?1",
    [W_CHANGE] = "INSERT INTO changes(sequence, kind, slot, freed, live, id) VALUES(?1,?2,?3,?4,?5,?6)",
    [W_FREE_IN] = "INSERT INTO free(slot) VALUES(?1)",
    [W_FREE_OUT] = "DELETE FROM free WHERE slot=?1",
    [W_DECIDE] = "UPDATE store SET dim=?1, id_type=?2",
    [W_DECIDED] = "SELECT dim, id_type, codec_id, ifnull(recode_from, -1), coding, ttl_ms, trash_ms, authors FROM store",
    [W_TRIM] = "DELETE FROM changes WHERE sequence<=?1 AND sequence<(SELECT max(sequence) FROM changes)",
    [W_PAGES] = "PRAGMA page_count",
    [W_TRIM_OLDEST] = "DELETE FROM changes WHERE sequence<(SELECT min(sequence) FROM changes)+?1 AND sequence<(SELECT max(sequence) FROM changes)",
    [W_VACUUM] = "PRAGMA incremental_vacuum",
    [W_CODEC] = "SELECT 1 FROM codecs WHERE id=?1",
    [W_CODEC_IN] = "INSERT INTO codecs(spec, own, loss, bytes, checksum, id) VALUES(?1,?2,?3,?4,?5,?6)",
    [W_CODEC_OUT] = "DELETE FROM codecs WHERE id<>(SELECT codec_id FROM store) AND id NOT IN (SELECT DISTINCT codec FROM vectors)"
                    " AND id NOT IN (SELECT codec FROM trash)",
    [W_CODING] = "UPDATE store SET codec=?1, codec_id=?2, recode_from=?3, coding=?4",
    [W_RECODE_FROM] = "UPDATE store SET recode_from=?1",
    [W_RECODE] = "DELETE FROM vectors WHERE slot=?1 AND sequence=?2",
    [W_BLANK] = "UPDATE changes SET id=x'' WHERE id<>x'' AND id NOT IN (SELECT id FROM records)",
    [W_FORGOTTEN] = "UPDATE store SET forgotten=?1",
    [W_VECTOR] = "SELECT codec, sequence, checksum, bytes FROM vectors WHERE slot=?1",
    [W_TRASH_IN] = "INSERT OR REPLACE INTO trash(id, deleted, deleter, sequence, checksum, codec, expires, author, written, metadata, bytes)"
                   " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [W_TRASH_OF] = "SELECT " TRASH_COLUMNS " FROM trash WHERE id=?1",
    [W_TRASH_AT] = "SELECT " TRASH_COLUMNS " FROM trash WHERE number=?1",
    [W_TRASH_SINCE] = "SELECT number FROM trash WHERE deleted>=?1 AND number>?2 ORDER BY number LIMIT ?3",
    [W_TRASH_OUT] = "DELETE FROM trash WHERE number=?1",
    [W_TRASH_OLD] = "DELETE FROM trash WHERE number IN (SELECT number FROM trash WHERE deleted<=?1 ORDER BY deleted LIMIT ?2)",
    [W_TRASH_EMPTY] = "DELETE FROM trash",
    [W_SET_TRASH] = "UPDATE store SET trash_ms=?1",
    [W_CODEC_OWN] = "SELECT own FROM codecs WHERE id=?1",
    [W_TTL] = "UPDATE store SET ttl_ms=?1",
    [W_AUTHORS] = "UPDATE store SET authors=?1",
    [W_EXPIRED] = "SELECT id FROM records WHERE expires<=?1 ORDER BY expires LIMIT ?2",
};

evdb_status rows_write_statement(rows *r, enum write_statement which, sqlite3_stmt **out, evdb_error *err)
{
    evdb_status rc = rows_statement(&r->writer, &r->statements[which], texts[which], err);
    *out = r->statements[which];
    return rc;
}

static uint64_t checksum_place(const evdb_id *id, uint64_t slot, uint64_t sequence)
{
    uint64_t head[3] = { slot, sequence, (uint64_t)id->number };
    uint64_t seed = checksum(head, id->text ? sizeof(head) - 8 : sizeof(head), 0);
    return id->text ? checksum(id->text, id->length, seed) : seed;
}

int64_t rows_record_checksum(const rows_record *r)
{
    uint64_t seed = checksum_place(&r->id, r->slot, r->version);
    if (r->expires) seed = checksum(&r->expires, sizeof(r->expires), seed);
    if (r->author || r->written) {
        const uint64_t by[] = { (uint64_t)r->written, r->author ? r->author_length + 1 : 0 };
        seed = checksum(by, sizeof(by), seed);
    }
    if (r->author) seed = checksum(r->author, r->author_length, seed);
    return (int64_t)checksum(r->metadata, r->metadata_length, seed);
}

int64_t rows_checksum(const evdb_id *id, uint64_t slot, uint64_t sequence, uint32_t codec, const void *bytes, size_t size)
{
    uint64_t seed = checksum_place(id, slot, sequence);
    if (codec) seed = checksum(&codec, sizeof(codec), seed);
    return (int64_t)checksum(bytes, size, seed);
}

/* ---- one change ---- */

typedef struct found {
    bool there;  /* a row, which may have expired */
    bool exists;
    uint64_t slot, sequence;
    int64_t expires;
} found;

/* Looks a record up and verifies it, leaving the row readable in *st until it is reset. */
static evdb_status find(rows *r, const evdb_id *id, found *out, sqlite3_stmt **st, evdb_error *err)
{
    evdb_status rc;
    char shown[64];
    TRY(rows_write_statement(r, W_FIND, st, err));
    rows_bind_id(*st, 1, id);
    TRY(sql_step(&r->writer, *st, &out->there, err));
    if (!out->there) goto out;
    out->slot = (uint64_t)sqlite3_column_int64(*st, 0);
    out->sequence = (uint64_t)sqlite3_column_int64(*st, 1);
    out->expires = sqlite3_column_int64(*st, 4);
    out->exists = !rows_is_expired(out->expires, r->clock_ms);
    rows_record whole = { .id = *id, .slot = out->slot, .version = out->sequence, .expires = out->expires,
                          .metadata = (const char *)sqlite3_column_text(*st, 3), .metadata_length = (size_t)sqlite3_column_bytes(*st, 3) };
    rows_column_author(*st, 5, &whole);
    if (sqlite3_column_int64(*st, 2) != rows_record_checksum(&whole))
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
        TRY(rows_integers(r, W_FREE_SLOT, &slot, 1, err));
        r->now.has_free = slot >= 0;
    }
    if (slot >= 0) {
        TRY(rows_write_statement(r, W_FREE_OUT, &st, err));
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
    TRY(rows_write_statement(r, W_VECTOR_OUT, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_run(&r->writer, st, err));
    TRY(rows_write_statement(r, W_FREE_IN, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_run(&r->writer, st, err));
    r->now.has_free = true;
    r->deleted++;
out:
    return rc;
}

void rows_bind_text(sqlite3_stmt *st, int at, const char *text, size_t length)
{
    if (text) sqlite3_bind_text64(st, at, text, length, SQLITE_STATIC, SQLITE_UTF8);
    else sqlite3_bind_null(st, at);
}

void rows_bind_time(sqlite3_stmt *st, int at, int64_t time)
{
    if (time) sqlite3_bind_int64(st, at, time);
    else sqlite3_bind_null(st, at);
}

evdb_status rows_put_record(rows *r, enum write_statement which, const rows_record *record, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, which, &st, err));
    rows_bind_id(st, 1, &record->id);
    sqlite3_bind_int64(st, 2, (int64_t)record->slot);
    sqlite3_bind_int64(st, 3, (int64_t)record->version);
    sqlite3_bind_int64(st, 4, rows_record_checksum(record));
    sqlite3_bind_text64(st, 5, record->metadata, record->metadata_length, SQLITE_STATIC, SQLITE_UTF8);
    rows_bind_time(st, 6, record->expires);
    rows_bind_text(st, 7, record->author, record->author_length);
    rows_bind_time(st, 8, record->written);
    if (record->expires) atomic_store(&r->wrote_expiry, true);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

evdb_status rows_put_vector(rows *r, const rows_vector *v, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_VECTOR_IN, &st, err));
    rows_bind_id(st, 1, &v->id);
    sqlite3_bind_int64(st, 2, (int64_t)v->slot);
    sqlite3_bind_int64(st, 3, (int64_t)v->sequence);
    sqlite3_bind_int64(st, 4, rows_checksum(&v->id, v->slot, v->sequence, v->codec, v->bytes, v->size));
    sqlite3_bind_blob64(st, 5, v->bytes, v->size, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, v->codec);
    TRY(sql_run(&r->writer, st, err));
out:
    return rc;
}

evdb_status rows_log_change(rows *r, const evdb_id *id, evdb_change_kind kind, const uint64_t *slot, const uint64_t *freed, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    TRY(rows_write_statement(r, W_CHANGE, &st, err));
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
    TRY(rows_write_statement(r, W_DECIDE, &st, err));
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
    TRY(rows_write_statement(r, W_RECORD_OUT, &st, err));
    rows_bind_id(st, 1, id);
    TRY(sql_run(&r->writer, st, err));
    TRY(free_slot(r, old->slot, err));
    r->now.sequence++;
    r->now.live--;
    TRY(rows_log_change(r, id, EVDB_CHANGE_DELETE, NULL, &old->slot, err));
out:
    return rc;
}

/* st: as find() leaves it. */
static evdb_status keep_deleted(rows *r, const rows_write *w, const evdb_id *id, const found *old, sqlite3_stmt *st, evdb_error *err)
{
    rows_record of;
    rows_column_author(st, 5, &of);
    const rows_trashed t = { .id = *id, .deleted = r->clock_ms, .deleter = w->author, .deleter_length = w->author_length, .version = old->sequence,
                             .expires = old->expires, .metadata = (const char *)sqlite3_column_text(st, 3),
                             .metadata_length = (size_t)sqlite3_column_bytes(st, 3), .author = of.author, .author_length = of.author_length,
                             .written = of.written };
    return rows_trash_put(r, &t, old->slot, err);
}

/* One that was encoded before the store's codec changed, or by a process that has not heard of it, is to be written again. */
static evdb_status put_vector(rows *r, const rows_write *w, const evdb_id *id, uint64_t slot, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc;
    rows_vector v = { .slot = slot, .sequence = r->now.sequence, .id = *id, .bytes = w->vector, .size = w->vector_bytes, .codec = w->codec };
    TRY(rows_put_vector(r, &v, err));
    bool known = r->now.recode_from >= 0 && (uint64_t)r->now.recode_from <= slot;
    if (w->own_codec || w->codec == r->now.codec || known) goto out;
    TRY(rows_write_statement(r, W_RECODE_FROM, &st, err));
    sqlite3_bind_int64(st, 1, (int64_t)slot);
    TRY(sql_run(&r->writer, st, err));
    r->now.recode_from = (int64_t)slot;
out:
    return rc;
}

/* When a record expires that is written now, 0 = never. */
static int64_t expiry_of(const rows *r, const rows_write *w, const found *old)
{
    if (w->expires == EVDB_NEVER) return 0;
    if (w->expires || w->kind == EVDB_UPDATE) return w->expires ? w->expires : old->expires;
    return r->now.ttl_ms ? r->clock_ms + r->now.ttl_ms : 0;
}

/* Whoever writes a record last is its author, also when nobody says who that is. */
static void sign(const rows *r, const rows_write *w, rows_record *record)
{
    if (!r->now.authors && !w->restored) return;
    record->author = w->author;
    record->author_length = w->author_length;
    record->written = w->written || w->restored ? w->written : r->clock_ms;
}

static evdb_status store_record(rows *r, const rows_write *w, const evdb_id *id, const found *old,
                                const char *metadata, size_t length, evdb_error *err)
{
    uint64_t slot = old->slot;
    evdb_status rc;
    if (w->vector) {
        if (old->there) TRY(free_slot(r, old->slot, err));
        TRY(take_slot(r, &slot, err));
    }
    r->now.sequence++;
    if (w->vector) TRY(put_vector(r, w, id, slot, err));
    rows_record record = { .version = r->now.sequence, .id = *id, .slot = slot, .metadata = metadata, .metadata_length = length,
                           .expires = expiry_of(r, w, old) };
    sign(r, w, &record);
    TRY(rows_put_record(r, old->there ? W_RECORD_UP : W_RECORD_IN, &record, err));
    if (w->after) *w->after = record;
    if (!old->there) r->now.live++;
    TRY(rows_log_change(r, id, w->vector ? EVDB_CHANGE_PUT : EVDB_CHANGE_UPDATE, w->vector ? &slot : NULL,
                        w->vector && old->there ? &old->slot : NULL, err));
out:
    return rc;
}

evdb_status rows_delete(rows *r, const evdb_id *id, evdb_error *err)
{
    found old = { 0 };
    sqlite3_stmt *st = NULL;
    char shown[64];
    evdb_status rc = find(r, id, &old, &st, err);
    sqlite3_reset(st); /* NULL is fine */
    if (rc == EVDB_OK && !old.there) rc = error_set(err, EVDB_NOT_FOUND, "there is no record %s", id_show(id, shown, sizeof(shown)));
    return rc == EVDB_OK ? remove_record(r, id, &old, err) : rc;
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
    } else if (w->merge) {
        TRY(w->merge(w->merge_context, (const char *)sqlite3_column_text(st, 3), (size_t)sqlite3_column_bytes(st, 3), w->metadata,
                     w->metadata_length, &metadata, &length, err));
    }
    if (w->kind == EVDB_DELETE && r->now.trash_ms) TRY(keep_deleted(r, w, &id, &old, st, err));
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
