/* stored.c - implements engine/stored.h. */
#include "engine/stored.h"
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/measure.h"
#include "engine/engine.h"
#include <string.h>

enum { ALIGNED = 64 };

void stored_room_free(engine *e, stored_room *room)
{
    mem_free(&e->db->platform.mem, room->at);
    *room = (stored_room){ 0 };
}

static size_t aligned(size_t bytes) { return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED; }

/* Parts of the room: a vector's floats, its code, its bytes, what the stages of a codec need. */
typedef struct parts {
    float *floats;
    uint8_t *code, *bytes;
    void *stages;
} parts;

static evdb_status make_room(engine *e, const codec *c, uint32_t dim, stored_room *room, parts *out, evdb_error *err)
{
    size_t code = dim * sizeof(float), stages = c ? codec_room(c) : 0;
    if (c && codec_bound(c) > code) code = codec_bound(c);
    if (c && codec_code_bytes(c) > code) code = codec_code_bytes(c);
    size_t floats = aligned(dim * sizeof(float)), codes = aligned(code), size = floats + 2 * codes + aligned(stages);
    if (size > room->size) {
        char *at = mem_alloc(&e->db->platform.mem, size);
        if (!at) return error_no_memory(err, size, "a vector");
        mem_free(&e->db->platform.mem, room->at);
        *room = (stored_room){ at, size };
    }
    char *at = room->at;
    *out = (parts){ (float *)(void *)at, (uint8_t *)at + floats, (uint8_t *)at + floats + codes, at + floats + 2 * codes };
    return EVDB_OK;
}

/* EVDB_CORRUPT, naming the record. */
static evdb_status unpack(const codec *c, const evdb_id *id, const void *bytes, size_t size, uint8_t *code, evdb_error *err)
{
    char shown[64];
    evdb_error why;
    evdb_status rc = codec_unpack(c, bytes, size, code, &why);
    if (rc == EVDB_OK) return rc;
    return error_set(err, rc, "record %s: its vector: %s", id_show(id, shown, sizeof(shown)), why.message);
}

evdb_status stored_vector(engine *e, rows_reader *rd, const evdb_id *id, uint32_t codec_id, const void *bytes, size_t size, uint32_t dim,
                          stored_room *room, const float **out, evdb_error *err)
{
    const codec_met *met = NULL;
    parts p;
    evdb_status rc = codecs_get(e, rd, codec_id, dim, &met, err);
    if (rc == EVDB_OK && !met) rc = element_check(e->dtype, id, bytes, size, dim, err);
    if (rc != EVDB_OK) return rc;
    if (!met && e->dtype == EVDB_F32) {
        *out = bytes;
        return EVDB_OK;
    }
    rc = make_room(e, met ? met->codec : NULL, dim, room, &p, err);
    if (rc != EVDB_OK) return rc;
    if (!met) element_decode(e->dtype, bytes, dim, p.floats);
    else if ((rc = unpack(met->codec, id, bytes, size, p.code, err)) == EVDB_OK)
        codec_decode(met->codec, p.code, codec_code_bytes(met->codec), 1, p.floats, p.stages);
    *out = p.floats;
    return rc;
}

evdb_status stored_form_now(engine *e, rows_reader *rd, uint32_t dim, stored_form *out, evdb_error *err)
{
    rows_reader *own = NULL;
    const codec_met *met;
    rows_coding coding;
    evdb_dtype dtype;
    evdb_status rc = EVDB_OK;
    if (!rd) TRY(rows_read(e->rows, &own, err));
    if (!rd) rd = own;
    TRY(rows_coding_now(rd, &coding, err)); /* not what was learned last: that may be of earlier or later than the reader */
    *out = (stored_form){ .dtype = e->dtype, .id = coding.codec, .version = coding.version };
    TRY(codecs_get(e, rd, out->id, dim, &met, err));
    if (!met) goto out;
    out->written = met->codec;
    if (codec_is_elements(met->codec, &dtype)) out->dtype = dtype;
    else out->codec = met->codec;
out:
    rows_read_end(own);
    return rc;
}

evdb_status stored_row(engine *e, rows_reader *rd, const stored_form *form, const rows_vector *v, uint32_t dim, stored_room *room,
                       const void **out, evdb_error *err)
{
    parts p = { 0 };
    const float *floats;
    evdb_status rc;
    if (v->codec == form->id && !form->written) {
        *out = v->bytes;
        return element_check(e->dtype, &v->id, v->bytes, v->size, dim, err);
    }
    if (v->codec == form->id) {
        rc = make_room(e, form->written, dim, room, &p, err);
        if (rc == EVDB_OK) rc = unpack(form->written, &v->id, v->bytes, v->size, p.code, err);
        *out = p.code;
        return rc;
    }
    rc = stored_vector(e, rd, &v->id, v->codec, v->bytes, v->size, dim, room, &floats, err);
    if (rc != EVDB_OK) return rc;
    stored_room other = { 0 };
    rc = make_room(e, form->written, dim, &other, &p, err);
    if (rc == EVDB_OK && form->written) codec_encode(form->written, floats, 1, p.code, codec_code_bytes(form->written), p.stages);
    else if (rc == EVDB_OK) element_encode(form->dtype, floats, dim, p.code);
    if (rc != EVDB_OK) return rc;
    stored_room_free(e, room);
    *room = other;
    *out = p.code;
    return EVDB_OK;
}

evdb_status stored_encode(engine *e, const codec *c, const float *vector, stored_room *room, const void **out, size_t *size, double *loss,
                          evdb_error *err)
{
    parts p = { 0 };
    evdb_status rc = make_room(e, c, codec_dim(c), room, &p, err);
    if (rc != EVDB_OK) return rc;
    codec_encode(c, vector, 1, p.code, codec_code_bytes(c), p.stages);
    if (loss) {
        codec_decode(c, p.code, codec_code_bytes(c), 1, p.floats, p.stages);
        *loss = measure_loss(vector, p.floats, codec_dim(c));
    }
    *out = p.bytes;
    return codec_pack(c, p.code, p.bytes, size, err);
}
