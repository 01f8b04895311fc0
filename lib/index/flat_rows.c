/* flat_rows.c - rows of index/flat.h by number. */
#include "base/element.h"
#include "base/error.h"
#include "base/mem.h"
#include "index/flat_private.h"
#include <math.h>
#include <string.h>

enum {
    ROWS_AHEAD = 3,
    PIECE = 1024 /* elements, whole bytes of bits */
};

static const float *row_floats(const flat *f, const void *row, float *room)
{
    if (f->o.codec) codec_decode(f->o.codec, row, f->stride, 1, room, room + f->o.dim);
    else if (f->o.dtype == EVDB_F32) return row;
    else element_decode(f->o.dtype, row, f->o.dim, room);
    return room;
}

/* Kernels of small elements have no way around sums that leave the range of floats: there is none that their rows would need. */
static bool of_elements(const flat *f) { return !f->o.codec && f->o.dtype != EVDB_F32; }

float row_inverse_norm(const flat *f, const void *row, float *room)
{
    float inverse = f->o.codec ? codec_inverse_norm(f->o.codec, row, room) : metric_inverse_norm(row_floats(f, row, room), f->o.dim);
    return of_elements(f) && isnan(inverse) ? 0 : inverse; /* zeros, which tiny floats became: they are as far as what is at right angles */
}

size_t flat_room(const flat *f)
{
    if (f->o.codec) return f->o.dim + (codec_room(f->o.codec) + sizeof(float) - 1) / sizeof(float);
    return f->o.dtype == EVDB_F32 ? 0 : f->o.dim;
}

uint32_t flat_used(const flat *f) { return f->base.count + atomic_load(&f->used); }
uint32_t flat_base_count(const flat *f) { return f->base.count; }

const void *flat_stored(const flat *f, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    return c->vectors + (size_t)at * f->stride;
}

const float *flat_vector(const flat *f, uint32_t row, float *room) { return row_floats(f, flat_stored(f, row), room); }

void flat_ask_for(const flat *f, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    const char *vector = c->vectors + (size_t)at * f->stride;
    __builtin_prefetch((const void *)&c->deaths[at]);
    if (c->births) __builtin_prefetch((const void *)&c->births[at]);
    for (size_t i = 0; i < f->stride; i += 64) __builtin_prefetch(vector + i);
}

uint32_t flat_slot(const flat *f, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    return c->slots[at];
}

float flat_inverse(const flat *f, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    return c->inverses ? c->inverses[at] : 1;
}

bool flat_dead(const flat *f, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    return atomic_load(&c->deaths[at]) != 0;
}

bool flat_visible(const flat_snapshot *s, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(s->of, row, &at);
    return row_visible(c, at, s->sequence);
}

/* The cosine of a query that is too short or too long to be squared is that of one of ordinary length. */
static evdb_status ready_scaled(const flat *f, const float *query, flat_ready *out, evdb_error *err)
{
    float most = 0;
    int exponent;
    out->scaled = mem_array(f->o.mem, f->o.dim, sizeof(*out->scaled));
    if (!out->scaled) return error_no_memory(err, f->o.dim * sizeof(*out->scaled), "a query");
    out->mem = f->o.mem;
    for (uint32_t i = 0; i < f->o.dim; i++) most = fmaxf(most, fabsf(query[i]));
    (void)frexpf(most, &exponent);
    for (uint32_t i = 0; i < f->o.dim; i++) out->scaled[i] = ldexpf(query[i], -exponent);
    out->vector = out->scaled;
    out->inverse = metric_inverse_norm(out->scaled, f->o.dim);
    return EVDB_OK;
}

evdb_status flat_ready_make(const flat *f, const float *query, flat_ready *out, evdb_error *err)
{
    *out = (flat_ready){ .vector = query, .inverse = f->o.metric == EVDB_COSINE ? metric_inverse_norm(query, f->o.dim) : 1 };
    if (isnan(out->inverse) && of_elements(f)) return ready_scaled(f, query, out, err);
    return f->o.codec ? codec_query_create(f->o.codec, f->o.metric, query, &out->codes, err) : EVDB_OK;
}

void flat_ready_free(flat_ready *q)
{
    codec_query_free(q->codes);
    if (q->scaled) mem_free(q->mem, q->scaled);
}

float flat_distance(const flat *f, const flat_ready *q, uint32_t row)
{
    uint32_t at;
    const chunk *c = chunk_at(f, row, &at);
    float out;
    row_distances(f, c, at, 1, q, &out);
    return out;
}

void flat_distances(const flat *f, const flat_ready *q, const uint32_t *rows, size_t count, float *out)
{
    for (size_t i = 0; i < count && i < ROWS_AHEAD; i++) flat_ask_for(f, rows[i]);
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) flat_ask_for(f, rows[i + ROWS_AHEAD]);
        out[i] = flat_distance(f, q, rows[i]);
    }
}

/* `from` is made floats piece by piece: who links has no place for a whole one. */
void flat_distances_between(const flat *f, uint32_t from, const uint32_t *rows, size_t count, float *out)
{
    const char *vector = flat_stored(f, from);
    float piece[PIECE], part;
    if (f->o.dtype == EVDB_F32) {
        flat_distances(f, &(flat_ready){ .vector = flat_vector(f, from, NULL), .inverse = 1 }, rows, count, out);
        return;
    }
    memset(out, 0, count * sizeof(*out));
    for (uint32_t done = 0; done < f->o.dim; done += PIECE) {
        uint32_t some = f->o.dim - done < PIECE ? f->o.dim - done : PIECE;
        size_t before = element_bytes(f->o.dtype, done);
        element_decode(f->o.dtype, vector + before, some, piece);
        for (size_t i = 0; i < count; i++) {
            if (i + ROWS_AHEAD < count && !done) flat_ask_for(f, rows[i + ROWS_AHEAD]);
            metric_element_distances(f->o.kernel, f->o.metric, f->o.dtype, piece, 1, (const char *)flat_stored(f, rows[i]) + before,
                                     f->stride, 1, some, NULL, &part);
            out[i] += part;
        }
    }
}
