/* backup_entry.c - implements format/backup_entry.h. */
#include "format/backup_entry.h"
#include "base/error.h"
#include <evdb/batch.h>
#include <evdb/codec.h>
#include <string.h>

enum { FLAG_TEXT = 1 /* the id is one */, FLAG_OWN = 2, FLAG_EXPIRES = 4, FLAG_WRITTEN = 8 /* its time and author follow the text */,
       FLAGS = FLAG_TEXT | FLAG_OWN | FLAG_EXPIRES | FLAG_WRITTEN };

/* As it is in the file, for every kind; id, bytes and text follow. What a kind does not use is 0. Room for more: flags. */
typedef struct wire {
    uint8_t kind, flags, change, id_type;
    uint32_t codec, dim, coding, id_length, size, length, author_length;
    uint64_t version, live; /* of a codec, its loss and bytes; live: of a record that expires, when */
    int64_t number;
} wire;
_Static_assert(sizeof(wire) == 56, "an entry has no holes");

bool backup_entry_add(buf *to, const backup_entry *e)
{
    wire w = { .kind = (uint8_t)e->kind, .flags = (uint8_t)((e->id.text ? FLAG_TEXT : 0) | (e->own ? FLAG_OWN : 0)),
               .change = (uint8_t)e->change, .id_type = (uint8_t)e->id_type, .codec = e->codec, .dim = e->dim, .coding = e->coding,
               .id_length = e->id.text ? (uint32_t)e->id.length : 0, .size = (uint32_t)e->size, .length = (uint32_t)e->length,
               .version = e->version, .live = e->live, .number = e->id.text ? 0 : e->id.number };
    if (e->kind == BACKUP_PUT && e->expires) {
        w.flags |= FLAG_EXPIRES;
        w.live = (uint64_t)e->expires;
    }
    if (e->kind == BACKUP_CODEC) {
        memcpy(&w.version, &e->loss, sizeof(w.version));
        w.live = e->trained;
    }
    if (e->kind == BACKUP_PUT && e->written) {
        w.flags |= FLAG_WRITTEN;
        w.author_length = e->author ? (uint32_t)e->author_length : 0;
    }
    size_t all = sizeof(w) + w.id_length + w.size + w.length + sizeof(e->written) + w.author_length;
    bool added = buf_reserve(to, all) && buf_add(to, &w, sizeof(w)) && buf_add(to, e->id.text, w.id_length) && buf_add(to, e->bytes, w.size) &&
                 buf_add(to, e->text, w.length);
    if (!added || !(w.flags & FLAG_WRITTEN)) return added;
    return buf_add(to, &e->written, sizeof(e->written)) && buf_add(to, e->author, w.author_length);
}

/* Are lengths and kinds such as backup_entry_add() writes? */
static bool sensible(const wire *w)
{
    bool texts = (w->flags & FLAG_TEXT) != 0 || w->id_length == 0;
    if (w->kind != BACKUP_PUT && w->flags & (FLAG_EXPIRES | FLAG_WRITTEN)) return false;
    if (w->author_length > (w->flags & FLAG_WRITTEN ? EVDB_AUTHOR_BYTES_MAX : 0)) return false;
    if (!texts || w->id_length > EVDB_ID_BYTES_MAX || w->change > 3 || w->id_type > EVDB_ID_STRING) return false;
    switch ((backup_entry_kind)w->kind) {
    case BACKUP_PUT:
        if ((w->flags & FLAG_EXPIRES) != 0 ? w->live < 1 || w->live > INT64_MAX : w->live != 0) return false;
        return w->size <= BACKUP_VECTOR_MAX && w->length <= EVDB_METADATA_BYTES_MAX && w->dim >= 1 && w->dim <= EVDB_DIM_MAX;
    case BACKUP_DELETE: return !w->size && !w->length;
    case BACKUP_CODEC: return w->codec && !w->size && w->length >= 1 && w->length <= EVDB_CODEC_SPEC_MAX;
    case BACKUP_PART: return w->size >= 1 && w->size <= BACKUP_PART_MAX && !w->length;
    case BACKUP_STATE: return !w->size && w->length <= EVDB_CODEC_SPEC_MAX && w->dim <= EVDB_DIM_MAX;
    }
    return false;
}

evdb_status backup_entry_next(const uint8_t **at, const uint8_t *end, backup_entry *out, evdb_error *err)
{
    wire w;
    size_t left = (size_t)(end - *at);
    if (left < sizeof(w)) return error_set(err, EVDB_CORRUPT, "the backup is damaged: an entry is cut");
    memcpy(&w, *at, sizeof(w));
    if (w.kind > BACKUP_STATE || w.flags & ~FLAGS)
        return error_set(err, EVDB_NEWER, "the backup holds what this evdb does not know (entry %u, flags %u)", w.kind, w.flags);
    size_t body = sizeof(w) + (size_t)w.id_length + w.size + w.length, by = w.flags & FLAG_WRITTEN ? sizeof(out->written) + w.author_length : 0;
    if (!sensible(&w) || body + by > left)
        return error_set(err, EVDB_CORRUPT, "the backup is damaged: an entry makes no sense");
    const char *text = (const char *)*at + sizeof(w);
    *out = (backup_entry){ .kind = (backup_entry_kind)w.kind, .version = w.version, .codec = w.codec, .dim = w.dim,
                           .bytes = text + w.id_length, .size = w.size, .text = text + w.id_length + w.size, .length = w.length,
                           .own = (w.flags & FLAG_OWN) != 0, .live = w.live, .coding = w.coding,
                           .id_type = (evdb_id_type)w.id_type, .change = w.change };
    out->id = w.flags & FLAG_TEXT ? (evdb_id){ .text = text, .length = w.id_length } : (evdb_id){ .number = w.number };
    if (w.flags & FLAG_EXPIRES) {
        out->expires = (int64_t)w.live;
        out->live = 0;
    }
    if (w.kind == BACKUP_CODEC) {
        memcpy(&out->loss, &w.version, sizeof(out->loss));
        out->trained = w.live;
        out->version = out->live = 0;
    }
    if (by) memcpy(&out->written, *at + body, sizeof(out->written));
    if (w.author_length) out->author = (const char *)*at + body + sizeof(out->written);
    out->author_length = w.author_length;
    if (by && out->written < 1) return error_set(err, EVDB_CORRUPT, "the backup is damaged: an entry makes no sense");
    *at += body + by;
    return EVDB_OK;
}
