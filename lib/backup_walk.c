/* backup_walk.c - implements backup_walk.h. */
#include "backup_walk.h"
#include "base/error.h"
#include "base/try.h"
#include <string.h>

#define CODEC_BYTES_MAX (UINT64_C(256) << 20) /* of one codec's parameters: two matrices of EVDB_CODEC_MATRIX_DIM_MAX and books fit */

typedef struct walk {
    const backup_visitor *visitor;
    const backup_head *head;
    uint64_t entries, latest; /* version of any */
    backup_entry state;
    bool ended;
    char spec[EVDB_CODEC_SPEC_MAX + 1]; /* of the codec under way */
    rows_codec codec;
    uint64_t missing; /* bytes of it */
    buf bytes;
} walk;

static evdb_status damaged(evdb_error *err, const char *what)
{
    return error_set(err, EVDB_CORRUPT, "the backup is damaged: %s", what);
}

static evdb_status tell_codec(walk *w, evdb_error *err)
{
    w->codec.spec = w->spec;
    w->codec.bytes = w->bytes.size ? w->bytes.at : NULL;
    w->codec.size = w->bytes.size;
    return w->visitor->codec ? w->visitor->codec(w->visitor->context, &w->codec, err) : EVDB_OK;
}

static evdb_status begin_codec(walk *w, const backup_entry *e, evdb_error *err)
{
    if (e->trained > CODEC_BYTES_MAX) return damaged(err, "a codec has more bytes than it can");
    if (memchr(e->text, 0, e->length)) return damaged(err, "the name of a codec makes no sense");
    memcpy(w->spec, e->text, e->length);
    w->spec[e->length] = 0;
    w->codec = (rows_codec){ .id = e->codec, .own = e->own, .loss = e->loss };
    w->missing = e->trained;
    w->bytes.size = 0;
    return w->missing ? EVDB_OK : tell_codec(w, err);
}

/* Room is taken as bytes come: what the codec's entry promises may be a lie. */
static evdb_status add_part(walk *w, const backup_entry *e, evdb_error *err)
{
    if (e->size > w->missing) return damaged(err, "parts of a codec are too many");
    if (!buf_add(&w->bytes, e->bytes, e->size)) return error_no_memory(err, e->size, "a codec");
    w->missing -= e->size;
    return w->missing ? EVDB_OK : tell_codec(w, err);
}

static evdb_status take(walk *w, const backup_entry *e, evdb_error *err)
{
    bool record = e->kind == BACKUP_PUT || e->kind == BACKUP_DELETE;
    if (w->ended) return damaged(err, "entries follow the last");
    if (w->missing && e->kind != BACKUP_PART) return damaged(err, "parts of a codec are missing");
    if (record && (e->version <= w->head->base_sequence || e->version > INT64_MAX)) return damaged(err, "a record's version makes no sense");
    if (record && e->version > w->latest) w->latest = e->version;
    if (record) w->entries++;
    switch (e->kind) {
    case BACKUP_CODEC: return begin_codec(w, e, err);
    case BACKUP_PART: return add_part(w, e, err);
    case BACKUP_STATE:
        w->ended = true;
        w->state = *e;
        return w->visitor->state ? w->visitor->state(w->visitor->context, e, err) : EVDB_OK;
    case BACKUP_PUT: case BACKUP_DELETE: break;
    }
    return w->visitor->record ? w->visitor->record(w->visitor->context, e, err) : EVDB_OK;
}

static evdb_status check_end(const walk *w, const backup_foot *foot, evdb_error *err)
{
    if (!w->ended) return damaged(err, "its last entry is missing");
    if (w->state.version != foot->sequence || w->state.live != foot->records || w->entries != foot->entries || w->latest > foot->sequence ||
        (w->state.change == 0) != (foot->sequence == 0))
        return damaged(err, "it does not hold what its foot says");
    return EVDB_OK;
}

evdb_status backup_walk(const evdb_allocator *mem, backup_in *in, const backup_visitor *v, evdb_error *err)
{
    walk w = { .visitor = v, .head = backup_in_head(in) };
    evdb_status rc;
    buf_init(&w.bytes, mem);
    for (;;) {
        const uint8_t *at, *end;
        size_t size;
        backup_entry e;
        TRY(backup_in_next(in, &at, &size, err));
        if (!at) break;
        end = at + size;
        while (at < end) {
            TRY(backup_entry_next(&at, end, &e, err));
            TRY(take(&w, &e, err));
        }
        if (v->chunk) TRY(v->chunk(v->context, w.entries, err));
    }
    TRY(check_end(&w, backup_in_foot(in), err));
out:
    buf_free(&w.bytes);
    return rc;
}
