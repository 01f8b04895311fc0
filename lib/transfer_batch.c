/* transfer_batch.c - implements transfer_batch.h. */
#include "transfer_batch.h"
#include "base/error.h"
#include "base/mem.h"
#include <string.h>

void transfer_batch_init(transfer_batch *b, const evdb_allocator *mem, evdb_write kind, uint32_t most, bool partial)
{
    *b = (transfer_batch){ .kind = kind, .most = most, .partial = partial };
    buf_init(&b->vectors, mem);
    buf_init(&b->text, mem);
}

void transfer_batch_free(transfer_batch *b)
{
    const evdb_allocator *mem = b->text.mem;
    if (!mem) return; /* never set up */
    buf_free(&b->vectors);
    buf_free(&b->text);
    mem_free(mem, b->items);
    mem_free(mem, b->ids);
    mem_free(mem, b->metadata);
    mem_free(mem, b->expires);
    mem_free(mem, b->written);
    mem_free(mem, b->authors);
    mem_free(mem, b->statuses);
}

static evdb_status set_up(transfer_batch *b, evdb_error *err)
{
    const evdb_allocator *mem = b->text.mem;
    b->items = mem_array(mem, b->most, sizeof(*b->items));
    b->ids = mem_array(mem, b->most, sizeof(*b->ids));
    b->metadata = mem_array(mem, b->most, sizeof(*b->metadata));
    b->expires = mem_array(mem, b->most, sizeof(*b->expires));
    b->written = mem_array(mem, b->most, sizeof(*b->written));
    b->authors = mem_array(mem, b->most, sizeof(*b->authors));
    b->statuses = mem_array(mem, b->most, sizeof(*b->statuses));
    return b->items && b->ids && b->metadata && b->expires && b->written && b->authors && b->statuses
               ? EVDB_OK
               : error_no_memory(err, b->most * sizeof(*b->items), "a batch");
}

evdb_status transfer_batch_add(transfer_batch *b, const reader_row *row, const evdb_id *id, evdb_error *err)
{
    evdb_status rc = b->items ? EVDB_OK : set_up(b, err);
    if (rc != EVDB_OK) return rc;
    transfer_item item = { .line = row->line, .number = id->number, .has_metadata = row->metadata != NULL,
                           .expires_ms = row->expires_ms };
    bool ok = buf_add(&b->vectors, row->vector, row->dim * sizeof(float));
    if (id->text) {
        item.id = b->text.size;
        item.id_length = id->length;
        ok = ok && buf_add(&b->text, id->text, id->length);
    }
    if (row->metadata) {
        item.metadata = b->text.size;
        ok = ok && buf_add(&b->text, row->metadata, row->metadata_length) && buf_byte(&b->text, 0);
    }
    if (b->keep_authors && row->author) {
        item.author = b->text.size;
        item.has_author = true;
        ok = ok && buf_add(&b->text, row->author, strlen(row->author) + 1);
    }
    if (b->keep_authors) item.written_ms = row->written_ms;
    if (!ok) return error_no_memory(err, row->dim * sizeof(float) + row->metadata_length, "a batch");
    b->dim = row->dim;
    b->items[b->count++] = item;
    return EVDB_OK;
}

bool transfer_batch_full(const transfer_batch *b)
{
    return b->count == b->most || b->vectors.size + b->text.size >= TRANSFER_BATCH_BYTES;
}

/* The engine speaks of items of a batch; the importer's caller thinks in lines. */
static evdb_status by_line(const transfer_batch *b, evdb_status rc, const evdb_error *why, evdb_error *err)
{
    bool named = why->item < b->count, only = b->count == 1 && (rc == EVDB_EXISTS || rc == EVDB_INVALID);
    if (!named && !only) {
        if (err) *err = *why;
        return rc;
    }
    uint64_t line = b->items[named ? why->item : 0].line;
    return error_item(err, line, rc, "line or row %llu, found good before, is refused now: %s",
                      (unsigned long long)line, why->message);
}

evdb_status transfer_batch_write(transfer_batch *b, evdb_store *store, size_t *written,
                                 void (*refused)(void *context, uint64_t line, const evdb_error *why), void *context,
                                 evdb_error *err)
{
    evdb_batch batch = EVDB_BATCH;
    evdb_error why = { .item = EVDB_NO_ITEM };
    if (!b->count) return EVDB_OK;
    for (size_t i = 0; i < b->count; i++) {
        const transfer_item *item = &b->items[i];
        b->ids[i] = (evdb_id){ .number = item->number };
        if (item->id_length) b->ids[i] = (evdb_id){ .text = b->text.at + item->id, .length = item->id_length };
        b->metadata[i] = item->has_metadata ? b->text.at + item->metadata : NULL;
        b->expires[i] = item->expires_ms;
        b->authors[i] = item->has_author ? b->text.at + item->author : NULL;
        b->written[i] = item->written_ms;
    }
    batch.kind = b->kind;
    batch.flags = b->partial ? EVDB_BATCH_PARTIAL : 0;
    batch.count = b->count;
    batch.ids = b->ids;
    batch.vectors = b->vectors.at;
    batch.dim = b->dim;
    batch.metadata = b->metadata;
    batch.expires = b->expires;
    batch.author = b->author;
    batch.authors = b->authors;
    batch.written = b->written;
    batch.statuses = b->statuses;
    evdb_status rc = evdb_batch_write(store, &batch, written, &why);
    if (rc != EVDB_OK) return by_line(b, rc, &why, err);
    for (size_t i = 0; b->partial && i < b->count; i++) {
        if (b->statuses[i] == EVDB_OK) continue;
        error_item(&why, b->items[i].line, b->statuses[i], "line or row %llu, found good before, is refused now: %s",
                   (unsigned long long)b->items[i].line, evdb_status_text(b->statuses[i]));
        refused(context, b->items[i].line, &why);
    }
    b->count = b->vectors.size = b->text.size = 0;
    return EVDB_OK;
}
