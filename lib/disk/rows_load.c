/* rows_load.c - implements disk/rows_load.h. */
#include "disk/rows_load.h"
#include "base/error.h"
#include "base/id.h"
#include "base/try.h"
#include "disk/rows_private.h"
#include "platform/file.h"
#include <stdio.h>

/* SQLite does not mind a log that could not be removed. At the end it would be taken for that of the filled file, over which its pages
 * would come back. */
static evdb_status check_log_gone(const rows *r, evdb_error *err)
{
    char wal[4096];
    uint64_t size;
    if ((size_t)snprintf(wal, sizeof(wal), "%s-wal", r->path) >= sizeof(wal)) return error_set(err, EVDB_INVALID, "%s: the path is too long", r->path);
    int failed = file_size(wal, &size);
    if (failed) return error_errno(err, failed, "look at", wal);
    return size ? error_set(err, EVDB_IO, "%s: cannot be removed", wal) : EVDB_OK;
}

/* One transaction without a log and without a sync: until the store is published its folder is debris. */
evdb_status rows_load_begin(rows *r, rows_load *out, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    *out = (rows_load){ .rows = r, .count = 1 }; /* elements, which no codec is needed for */
    if (r->dir) TRY(sql_exec(&r->writer, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", err));
    if (r->dir) TRY(check_log_gone(r, err));
    rc = sql_exec(&r->writer, "BEGIN IMMEDIATE", err);
out:
    return rc;
}

static int place_of(const rows_load *l, uint32_t id)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->codecs[i].id == id) return (int)i;
    return -1;
}

evdb_status rows_load_codec(rows_load *l, const rows_codec *codec, evdb_error *err)
{
    uint32_t id;
    if (place_of(l, codec->id) >= 0) return EVDB_OK;
    if (l->count > ROWS_LOAD_CODECS_MAX) return error_set(err, EVDB_LIMIT, "a store of more than %d codecs", ROWS_LOAD_CODECS_MAX);
    evdb_status rc = rows_codec_add(l->rows, codec, &id, err);
    if (rc != EVDB_OK) return rc;
    l->codecs[l->count].id = codec->id;
    l->codecs[l->count++].own = codec->own;
    return EVDB_OK;
}

/* Removes what there is of an id; *slot is where it was, or -1. */
static evdb_status clear(rows *r, const evdb_id *id, int64_t *slot, evdb_error *err)
{
    sqlite3_stmt *st;
    bool found;
    evdb_status rc;
    *slot = -1;
    TRY(rows_write_statement(r, W_FIND, &st, err));
    rows_bind_id(st, 1, id);
    rc = sql_step(&r->writer, st, &found, err);
    if (rc == EVDB_OK && found) *slot = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    if (rc != EVDB_OK || *slot < 0) return rc;
    TRY(rows_write_statement(r, W_RECORD_OUT, &st, err));
    rows_bind_id(st, 1, id);
    TRY(sql_run(&r->writer, st, err));
    TRY(rows_write_statement(r, W_VECTOR_OUT, &st, err));
    sqlite3_bind_int64(st, 1, *slot);
    TRY(sql_run(&r->writer, st, err));
    r->now.live--;
out:
    return rc;
}

evdb_status rows_load_put(rows_load *l, const rows_record *record, evdb_error *err)
{
    rows *r = l->rows;
    int64_t slot;
    int of = place_of(l, record->codec);
    evdb_status rc;
    if (of < 0) return error_set(err, EVDB_CORRUPT, "a vector is of codec %u, which is missing", record->codec);
    TRY(clear(r, &record->id, &slot, err));
    if (slot < 0 && r->now.next_slot >= UINT32_MAX) TRY(error_set(err, EVDB_LIMIT, "%s: holds as many vectors as a store can", r->writer.name));
    rows_vector v = { .slot = slot < 0 ? r->now.next_slot++ : (uint64_t)slot, .sequence = record->version, .id = record->id,
                      .bytes = record->vector, .size = record->vector_bytes, .codec = record->codec };
    TRY(rows_put_vector(r, &v, err));
    rows_record placed = *record;
    placed.slot = v.slot;
    TRY(rows_put_record(r, W_RECORD_IN, &placed, err));
    r->now.live++;
    if (!l->codecs[of].used || v.slot < l->codecs[of].slot) l->codecs[of].slot = v.slot;
    l->codecs[of].used = true;
out:
    return rc;
}

evdb_status rows_load_delete(rows_load *l, const evdb_id *id, evdb_error *err)
{
    sqlite3_stmt *st;
    int64_t slot;
    evdb_status rc;
    TRY(clear(l->rows, id, &slot, err));
    if (slot < 0) goto out;
    TRY(rows_write_statement(l->rows, W_FREE_IN, &st, err));
    sqlite3_bind_int64(st, 1, slot);
    TRY(sql_run(&l->rows->writer, st, err));
out:
    return rc;
}

/* The last change, so that the next one goes on from it; *slot: of the record that it wrote. */
static evdb_status put_change(rows *r, const rows_load_state *s, evdb_error *err)
{
    sqlite3_stmt *st;
    bool found;
    int64_t slot = -1;
    evdb_status rc;
    TRY(rows_write_statement(r, W_FIND, &st, err));
    rows_bind_id(st, 1, &s->id);
    rc = sql_step(&r->writer, st, &found, err);
    if (rc == EVDB_OK && found) slot = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    if (rc == EVDB_OK && (s->change == EVDB_CHANGE_DELETE) == (slot >= 0))
        rc = error_set(err, EVDB_CORRUPT, "the last change does not fit the records");
    if (rc != EVDB_OK) goto out;
    r->now.sequence = s->tip.sequence;
    TRY(rows_log_change(r, &s->id, s->change, s->change == EVDB_CHANGE_PUT ? &(uint64_t){ (uint64_t)slot } : NULL, NULL, err));
    if (rows_id_erased(&s->id)) rc = rows_note_forgotten(r, err);
out:
    return rc;
}

/* Vectors of these are to be written again: where they begin. */
static int64_t first_of_others(const rows_load *l, uint32_t in_force)
{
    int64_t first = -1;
    for (uint32_t i = 0; i < l->count; i++) {
        bool other = l->codecs[i].used && !l->codecs[i].own && l->codecs[i].id != in_force;
        if (other && (first < 0 || (int64_t)l->codecs[i].slot < first)) first = (int64_t)l->codecs[i].slot;
    }
    return first;
}

evdb_status rows_load_finish(rows_load *l, const rows_load_state *s, evdb_error *err)
{
    rows *r = l->rows;
    rows_coding coding = s->coding;
    sqlite3_stmt *st;
    evdb_status rc;
    if (r->now.live != s->tip.live)
        return error_set(err, EVDB_CORRUPT, "%llu records are there, and the last change counts %llu", (unsigned long long)r->now.live,
                         (unsigned long long)s->tip.live);
    if (place_of(l, coding.codec) < 0) return error_set(err, EVDB_CORRUPT, "the codec in force is missing");
    TRY(rows_write_statement(r, W_DECIDE, &st, err));
    sqlite3_bind_int64(st, 1, s->dim);
    sqlite3_bind_int64(st, 2, s->id_type);
    TRY(sql_run(&r->writer, st, err));
    coding.recode_from = first_of_others(l, coding.codec);
    TRY(rows_coding_set(r, &coding, err));
    if (s->change) TRY(put_change(r, s, err));
    TRY(sql_exec(&r->writer, "COMMIT", err));
    if (r->dir) TRY(sql_exec(&r->writer, "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL", err));
    atomic_store(&r->hint->begun, s->tip.sequence);
    rows_hint_done(r, s->tip.sequence);
    r->current = false;
out:
    return rc;
}
