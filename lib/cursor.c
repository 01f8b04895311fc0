/* cursor.c - implements evdb/cursor.h: blocks of records, each read in one short transaction. */
#include <evdb/cursor.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/stored.h"
#include "store_private.h"
#include <stdint.h>
#include <string.h>

enum { BLOCK_RECORDS = 256, BLOCK_BYTES = 4 << 20 };

struct evdb_cursor {
    engine *engine;
    unsigned flags;
    bool begun, ended;
    evdb_id last; /* where the next block begins; text in last_text */
    char last_text[EVDB_ID_BYTES_MAX + 1];
    buf bytes; /* vectors, ids and metadata of the block */
    stored_room room; /* of a vector, where stored ones are not floats */
    evdb_record records[BLOCK_RECORDS];
    size_t count, at;
    evdb_status failed; /* what ended the block early */
    evdb_error why;
};

static void set_last(evdb_cursor *c, const evdb_id *id)
{
    c->begun = true;
    c->last = *id;
    if (!id->text) return;
    memcpy(c->last_text, id->text, id->length);
    c->last_text[id->length] = 0;
    c->last.text = c->last_text;
}

/* Appends bytes and leaves their offset, to be made a pointer when the block stands still. */
static bool keep(evdb_cursor *c, const void *bytes, size_t count, const void **offset)
{
    while (c->bytes.size % sizeof(float))
        if (!buf_byte(&c->bytes, 0)) return false;
    *offset = (const void *)(uintptr_t)(c->bytes.size + 1);
    return buf_add(&c->bytes, bytes, count) && buf_byte(&c->bytes, 0);
}

static const void *settled(const evdb_cursor *c, const void *offset)
{
    return offset ? c->bytes.at + ((uintptr_t)offset - 1) : NULL;
}

static evdb_status add(evdb_cursor *c, rows_reader *rd, const rows_record *row, evdb_error *err)
{
    evdb_record *r = &c->records[c->count];
    *r = (evdb_record){ .id = row->id, .version = row->version, .dtype = c->engine->dtype,
                        .dim = atomic_load(&c->engine->dim), .metadata_length = row->metadata_length,
                        .expires_ms = row->expires, .written_ms = row->written };
    const float *vector = NULL;
    evdb_status rc = EVDB_OK;
    if (row->vector) rc = stored_vector(c->engine, rd, &row->id, row->codec, row->vector, row->vector_bytes, r->dim, &c->room, &vector, err);
    if (rc != EVDB_OK) return rc;
    bool kept = keep(c, row->metadata, row->metadata_length, (const void **)&r->metadata);
    if (kept && row->id.text) kept = keep(c, row->id.text, row->id.length, (const void **)&r->id.text);
    if (kept && row->author) kept = keep(c, row->author, row->author_length, (const void **)&r->author);
    if (kept && vector) kept = keep(c, vector, r->dim * sizeof(*vector), (const void **)&r->vector);
    if (!kept) return error_no_memory(err, r->dim * sizeof(*vector) + row->metadata_length, "a block of records");
    c->count++;
    return EVDB_OK;
}

static evdb_status read_block(evdb_cursor *c, rows_reader *rd, evdb_error *err)
{
    unsigned flags = ROWS_LIVE | (c->flags & EVDB_CURSOR_NO_VECTORS ? 0 : ROWS_VECTOR);
    rows_record row;
    bool found;
    evdb_status rc;
    TRY(rows_seek(rd, c->begun ? &c->last : NULL, err));
    while (c->count < BLOCK_RECORDS && c->bytes.size < BLOCK_BYTES) {
        rc = rows_step(rd, flags, &row, &found, err);
        if (rc == EVDB_OK && found) rc = add(c, rd, &row, err);
        /* a page that cannot be read is no record: there is nothing to go on behind */
        if (rc == EVDB_CORRUPT && found && c->flags & EVDB_CURSOR_SKIP_DAMAGED && row.id.length <= EVDB_ID_BYTES_MAX)
            set_last(c, &row.id);
        if (rc != EVDB_OK) goto out;
        if (!found) {
            c->ended = true;
            break;
        }
        set_last(c, &row.id);
    }
out:
    return rc;
}

static evdb_status fill(evdb_cursor *c, evdb_error *err)
{
    rows_reader *rd = NULL;
    evdb_status rc;
    c->count = c->at = c->bytes.size = 0;
    TRY(rows_read(c->engine->rows, &rd, err));
    TRY(engine_learn(c->engine, rd, err));
    c->failed = read_block(c, rd, &c->why); /* told after the good records before it */
    for (size_t i = 0; i < c->count; i++) {
        evdb_record *r = &c->records[i];
        r->metadata = settled(c, r->metadata);
        r->id.text = settled(c, r->id.text);
        r->author = settled(c, r->author);
        r->vector = settled(c, r->vector);
    }
out:
    rows_read_end(rd);
    return rc;
}

evdb_status evdb_cursor_open(evdb_store *store, const evdb_cursor_options *options, evdb_cursor **out,
                             evdb_error *err)
{
    engine *e = store->engine;
    evdb_cursor_options o = EVDB_CURSOR_OPTIONS;
    evdb_cursor *c = NULL;
    rows_reader *rd = NULL;
    char text[ID_TEXT_MAX];
    evdb_id own;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(options_import(&o, sizeof(o), options, "evdb_cursor_options", err));
    if (!(c = mem_zero(&e->db->platform.mem, sizeof(*c)))) TRY(error_no_memory(err, sizeof(*c), "a cursor"));
    c->engine = e;
    c->flags = o.flags;
    buf_init(&c->bytes, &e->db->platform.mem);
    if (o.has_after) {
        TRY(id_check(&o.after, err));
        TRY(rows_read(e->rows, &rd, err));
        TRY(engine_learn(e, rd, err));
        TRY(id_resolve((evdb_id_type)atomic_load(&e->id_type), &o.after, text, &own, err));
        set_last(c, &own);
    }
    *out = c;
    c = NULL;
out:
    rows_read_end(rd);
    evdb_cursor_close(c);
    return rc;
}

evdb_status evdb_cursor_next(evdb_cursor *c, const evdb_record **out, evdb_error *err)
{
    evdb_status rc = engine_usable(c->engine, err);
    if (rc == EVDB_OK && c->at == c->count && c->failed == EVDB_OK && !c->ended) rc = fill(c, err);
    if (rc != EVDB_OK) return rc;
    if (c->at < c->count) {
        *out = &c->records[c->at++];
        return EVDB_OK;
    }
    if (c->failed != EVDB_OK) {
        if (err) *err = c->why;
        rc = c->failed;
        c->failed = EVDB_OK; /* the next call tries again, behind the record if that was asked for */
        return rc;
    }
    *out = NULL;
    return EVDB_OK;
}

void evdb_cursor_close(evdb_cursor *c)
{
    if (!c) return;
    const evdb_allocator *mem = &c->engine->db->platform.mem;
    buf_free(&c->bytes);
    stored_room_free(c->engine, &c->room);
    mem_free(mem, c);
}
