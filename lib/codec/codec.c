/* codec.c - life of a codec, and what goes through it. */
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/codec_private.h"
#include <string.h>

enum { BLOCK_FLOATS = 1 << 17, NEAR_FLOATS = 1 << 11, BLOCK_MAX = 256 };

static size_t rows_of(const codec *c, size_t floats)
{
    size_t rows = floats / c->widest;
    return rows < 1 ? 1 : rows > BLOCK_MAX ? BLOCK_MAX : rows;
}

static bool light(const codec *c) { return !c->transforms && codec_quantiser(c)->kind->light; }
size_t codec_block(const codec *c) { return rows_of(c, BLOCK_FLOATS); }
size_t codec_near(const codec *c) { return rows_of(c, light(c) ? NEAR_FLOATS : BLOCK_FLOATS); }

/* From so many floats on, 32 MB, even one who reads them next finds little of them in a cache. */
enum { PAST_FLOATS = 1 << 23 };

bool codec_past_caches(const codec *c, size_t count)
{
    return light(c) && c->kernel->copy_past_caches && count >= PAST_FLOATS / c->dim;
}

void codec_free(codec *c)
{
    if (!c) return;
    for (uint32_t i = 0; i < c->count; i++) {
        codec_stage *s = &c->stages[i];
        if (s->kind->dispose) s->kind->dispose(s);
        else mem_free(s->mem, s->derived);
        mem_free(s->mem, s->trained);
    }
    const evdb_allocator mem = c->mem;
    mem_free(&mem, c->origin);
    mem_free(&mem, c);
}

/* ---- training ---- */

static evdb_status check_sample(const codec *c, const codec_training *t, evdb_error *err)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const codec_stage *s = &c->stages[i];
        if (s->sample > t->count)
            return error_set(err, EVDB_INVALID, "codec %s: %s is trained on at least %zu vectors, and there are %zu", c->spec,
                             s->kind->of.name, s->sample, t->count);
    }
    for (size_t i = 0; i < t->count; i++)
        if (!c->kernel->finite_f32(t->sample + i * c->dim, c->dim))
            return error_item(err, i, EVDB_INVALID, "a vector to train on has an element that is not finite");
    return EVDB_OK;
}

/* The sample as the next stage sees it: *rows is replaced, and *own with it. */
static evdb_status pass_on(const codec_stage *s, size_t count, const float **rows, float **own, evdb_error *err)
{
    float *next = mem_array(s->mem, count, s->out_dim * sizeof(float));
    if (!next) return error_no_memory(err, count * s->out_dim * sizeof(float), "a sample to train on");
    s->kind->forward(s, *rows, count, next);
    mem_free(s->mem, *own);
    *rows = *own = next;
    return EVDB_OK;
}

/* Byte codecs are trained on codes, as rows of bytes in the place of floats. */
static evdb_status to_codes(const codec_stage *quantiser, const codec_training *t, const float **rows, float **own, evdb_error *err)
{
    size_t bytes = quantiser->code_bytes;
    uint8_t *codes = mem_array(quantiser->mem, t->count + 1, bytes);
    if (!codes) return error_no_memory(err, t->count * bytes, "a sample to train on");
    quantiser->kind->encode(quantiser, *rows, t->count, codes, bytes);
    mem_free(quantiser->mem, *own);
    *own = (float *)(void *)codes;
    *rows = *own;
    return EVDB_OK;
}

/* What takes no sample to be had may be the better for one. */
static bool learns(const codec_stage *s, const codec_training *given)
{
    return s->sample || (given->count && s->kind->of.flags & EVDB_CODEC_TRAINED);
}

evdb_status codec_ready(codec *c, uint32_t i, evdb_error *err)
{
    codec_stage *s = &c->stages[i];
    uint32_t before = s->out_dim;
    evdb_status rc = s->kind->ready ? s->kind->ready(s, err) : EVDB_OK;
    return rc == EVDB_OK && s->out_dim != before ? codec_reconnect(c, i + 1, err) : rc;
}

/* Vectors go no further through the stages than there are stages that learn from them. */
static evdb_status train(codec *c, const codec_training *given, evdb_error *err)
{
    const codec_training nothing = { .threads = given->threads, .seed = given->seed, .stop = given->stop };
    codec_training t = *given;
    float *own = NULL;
    uint32_t learning = 0;
    evdb_status rc = EVDB_OK;
    for (uint32_t i = 0; i < c->count; i++)
        if (learns(&c->stages[i], given)) learning = i + 1;
    for (uint32_t i = 0; i < c->count; i++) {
        codec_stage *s = &c->stages[i];
        TRY(stage_stopped(given, err));
        if (s->kind->train) TRY(s->kind->train(s, learns(s, given) ? &t : &nothing, err));
        TRY(codec_ready(c, i, err));
        if (i + 1 >= learning) continue;
        if (s->kind->of.stage == EVDB_STAGE_TRANSFORM) TRY(pass_on(s, t.count, &t.sample, &own, err));
        if (s->kind->of.stage == EVDB_STAGE_QUANTISER) TRY(to_codes(s, &t, &t.sample, &own, err));
    }
out:
    mem_free(&c->mem, own);
    return rc;
}

evdb_status codec_settle(codec *c, evdb_error *err)
{
    c->widest = c->dim;
    for (uint32_t i = 0; i < c->transforms; i++)
        if (c->stages[i].out_dim > c->widest) c->widest = c->stages[i].out_dim;
    c->inner = codec_quantiser(c)->dim;
    c->code_bytes = c->bound = codec_quantiser(c)->code_bytes;
    if (codec_packs(c)) c->bound = c->stages[c->count - 1].bound;
    c->fingerprint = checksum(c->spec, strlen(c->spec), c->dim);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->stages[i].trained) c->fingerprint = checksum(c->stages[i].trained, c->stages[i].trained_bytes, c->fingerprint);
    return codec_find_origin(c, err);
}

evdb_status codec_create(const evdb_allocator *mem, const kernel *k, const char *spec, uint32_t dim, const codec_training *t,
                         codec **out, evdb_error *err)
{
    codec *c = mem_zero(mem, sizeof(*c));
    evdb_status rc;
    if (!c) return error_no_memory(err, sizeof(*c), "a codec");
    c->mem = *mem;
    c->kernel = k;
    c->dim = dim;
    if (dim == 0 || dim > EVDB_DIM_MAX) TRY(error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, dim));
    TRY(codec_parse(c, spec, err));
    codec_training none = { 0 };
    TRY(check_sample(c, t ? t : &none, err));
    TRY(train(c, t ? t : &none, err));
    TRY(codec_settle(c, err));
    *out = c;
    c = NULL;
out:
    codec_free(c);
    return rc;
}

/* ---- what it is ---- */

const char *codec_spec(const codec *c) { return c->spec; }
uint32_t codec_dim(const codec *c) { return c->dim; }
size_t codec_code_bytes(const codec *c) { return c->code_bytes; }
size_t codec_bound(const codec *c) { return c->bound; }
bool codec_packs(const codec *c) { return c->count > c->transforms + 1; }
uint64_t codec_fingerprint(const codec *c) { return c->fingerprint; }

bool codec_is_elements(const codec *c, evdb_dtype *dtype)
{
    bool f32 = strcmp(codec_quantiser(c)->kind->of.name, "f32") == 0, f16 = strcmp(codec_quantiser(c)->kind->of.name, "f16") == 0;
    *dtype = f16 ? EVDB_F16 : EVDB_F32;
    return !c->transforms && (f32 || f16);
}

bool codec_lossless(const codec *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (!(c->stages[i].kind->of.flags & EVDB_CODEC_LOSSLESS)) return false;
    return true;
}

size_t codec_trained_bytes(const codec *c)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < c->count; i++) bytes += c->stages[i].trained_bytes;
    return bytes;
}

/* ---- floats and codes ---- */

/* What lies between stages, twice, and behind it one vector. */
static size_t between(const codec *c) { return c->transforms ? codec_block(c) * c->widest : 0; }
size_t codec_room(const codec *c) { return (2 * between(c) + c->dim) * sizeof(float); }

const float *codec_forward(const codec *c, uint32_t transforms, const float *x, size_t count, void *room)
{
    float *half = room;
    for (uint32_t i = 0; i < transforms; i++) {
        float *to = i % 2 ? half + between(c) : half;
        c->stages[i].kind->forward(&c->stages[i], x, count, to);
        x = to;
    }
    return x;
}

void codec_encode(const codec *c, const float *x, size_t count, uint8_t *codes, size_t stride, void *room)
{
    const codec_stage *q = codec_quantiser(c);
    size_t block = c->transforms ? codec_block(c) : count;
    for (size_t i = 0; i < count; i += block) {
        size_t some = count - i < block ? count - i : block;
        q->kind->encode(q, codec_forward(c, c->transforms, x + i * c->dim, some, room), some, codes + i * stride, stride);
    }
}

void codec_back(const codec *c, const float *y, size_t count, float *x, void *room)
{
    float *half = room;
    for (uint32_t i = c->transforms; i-- > 0;) {
        float *to = i == 0 ? x : y == half ? half + between(c) : half;
        c->stages[i].kind->back(&c->stages[i], y, count, to);
        y = to;
    }
}

static void decode_block(const codec *c, const uint8_t *codes, size_t stride, size_t count, float *x, void *room)
{
    const codec_stage *q = codec_quantiser(c);
    q->kind->decode(q, codes, stride, count, room);
    codec_back(c, room, count, x, room);
}

void codec_decode(const codec *c, const uint8_t *codes, size_t stride, size_t count, float *x, void *room)
{
    const codec_stage *q = codec_quantiser(c);
    if (!c->transforms) {
        q->kind->decode(q, codes, stride, count, x);
        return;
    }
    size_t block = codec_block(c);
    for (size_t i = 0; i < count; i += block)
        decode_block(c, codes + i * stride, stride, count - i < block ? count - i : block, x + i * c->dim, room);
}

bool codec_sound(const codec *c, const uint8_t *code)
{
    const codec_stage *q = codec_quantiser(c);
    return !q->kind->sound || q->kind->sound(q, code);
}

/* ---- codes and bytes ---- */

evdb_status codec_pack(const codec *c, const uint8_t *code, void *out, size_t *size, evdb_error *err)
{
    const codec_stage *s = &c->stages[c->count - 1];
    if (codec_packs(c)) return s->kind->pack(s, code, c->code_bytes, out, size, err);
    memcpy(out, code, c->code_bytes);
    *size = c->code_bytes;
    return EVDB_OK;
}

evdb_status codec_check_code(const codec *c, const uint8_t *code, size_t size, evdb_error *err)
{
    if (size != c->code_bytes) return error_set(err, EVDB_CORRUPT, "codec %s: %zu bytes where %zu belong", c->spec, size, c->code_bytes);
    return codec_sound(c, code) ? EVDB_OK : error_set(err, EVDB_CORRUPT, "codec %s: the bytes are none of its", c->spec);
}

evdb_status codec_unpack(const codec *c, const void *bytes, size_t size, uint8_t *code, evdb_error *err)
{
    const codec_stage *s = &c->stages[c->count - 1];
    evdb_status rc = codec_packs(c) ? s->kind->unpack(s, bytes, size, code, c->code_bytes, err) : codec_check_code(c, bytes, size, err);
    if (rc != EVDB_OK) return rc;
    if (codec_packs(c)) return codec_check_code(c, code, c->code_bytes, err);
    memcpy(code, bytes, size);
    return EVDB_OK;
}
