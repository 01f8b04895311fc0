/* pq.c - product quantisation as a stage: `pq:PARTS[,BITS]`. The trained block is the book of centroids.
 *
 * Sums between a query and codes come from a table of each part's share for each centroid. Codes of 4 bits are looked up by twos,
 * as a byte has them. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/draw.h"
#include "codec/kmeans.h"
#include "codec/pq.h"
#include "codec/pq_book.h"
#include <stdio.h>
#include <string.h>

enum { DEFAULT_ELEMENTS = 4, ROUNDS = 25, SAMPLE_POINTS = 4, BYTE = 256, LOOKUPS = 16 };

static pq_shape shape_of(const codec_stage *s) { return pq_shape_of(s->dim, s->numbers[0], s->numbers[1]); }
static const pq_coder *coder_of(const codec_stage *s) { return s->derived; }

evdb_status pq_configure(codec_stage *s, const char *at, uint32_t *parts, uint32_t *bits, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    *parts = (s->dim + DEFAULT_ELEMENTS - 1) / DEFAULT_ELEMENTS;
    *bits = PQ_BITS;
    if (*at) {
        rc = stage_number(s, &at, "the number of parts", 1, s->dim ? s->dim : EVDB_DIM_MAX, parts, err);
        if (rc == EVDB_OK && *at) rc = stage_number(s, &at, "bits a part, of which 4 and 8 are known,", PQ_BITS_FEW, PQ_BITS, bits, err);
        if (rc == EVDB_OK) rc = stage_end(s, at, err);
        if (rc != EVDB_OK) return rc;
        snprintf(s->text, sizeof(s->text), *bits == PQ_BITS ? "%u" : "%u,%u", *parts, *bits);
    }
    if (*bits != PQ_BITS && *bits != PQ_BITS_FEW)
        return error_set(err, EVDB_INVALID, "codec %s: has 4 or 8 bits a part, not %u", s->kind->of.name, *bits);
    if (s->dim && pq_shape_of(s->dim, *parts, *bits).width > PQ_WIDTH_MAX)
        return error_set(err, EVDB_LIMIT, "codec %s: parts have at most %u elements: %u elements take %u parts or more", s->kind->of.name,
                         PQ_WIDTH_MAX, s->dim, (s->dim + PQ_WIDTH_MAX - 1) / PQ_WIDTH_MAX);
    s->sample = (size_t)SAMPLE_POINTS << *bits;
    return rc;
}

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    evdb_status rc = pq_configure(s, parameters, &s->numbers[0], &s->numbers[1], err);
    if (rc != EVDB_OK || !s->dim) return rc;
    const pq_shape shape = shape_of(s);
    s->code_bytes = pq_code_bytes(&shape);
    return rc;
}

static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    pq_training work = { .mem = s->mem, .kernel = s->kernel, .shape = shape_of(s), .x = t->sample, .rounds = ROUNDS, .seed = t->seed,
                         .training = t };
    uint32_t *rows = NULL;
    evdb_status rc = draw_rows(s->mem, t->count, (size_t)KMEANS_POINTS * work.shape.many, t->seed, &rows, &work.count, err);
    if (rc != EVDB_OK) return rc;
    work.rows = rows;
    rc = stage_trained(s, pq_floats(&work.shape) * sizeof(float), err);
    if (rc == EVDB_OK) rc = pq_train(&work, s->trained, err);
    mem_free(s->mem, rows);
    return rc;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    const pq_shape shape = shape_of(s);
    evdb_status rc = stage_trained_floats(s, pq_floats(&shape), err);
    pq_coder *c = NULL;
    if (rc == EVDB_OK) rc = pq_coder_make(s->mem, s->kernel, &shape, s->trained, &c, err);
    s->derived = c;
    return rc;
}

static void encode(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    pq_encode(coder_of(s), x, count, codes, stride);
}

static void decode(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    pq_decode(&coder_of(s)->shape, s->trained, codes, stride, count, x);
}

/* Half a byte that no part has is zero. */
static bool sound(const codec_stage *s, const uint8_t *code)
{
    return s->numbers[1] == PQ_BITS || s->numbers[0] % 2 == 0 || code[s->code_bytes - 1] < 16;
}

static size_t table_bytes(const codec_stage *s) { return s->code_bytes * BYTE * sizeof(float); }

/* A part's share of the sum, for each of its centroids. */
static void shares(const codec_stage *s, codec_sum sum, const float *q, uint32_t part, float *out)
{
    const pq_shape *shape = &coder_of(s)->shape;
    (sum == CODEC_L2SQ ? s->kernel->l2sq_f32_rows : s->kernel->dot_f32_rows)(
        q + pq_begin(shape, part), pq_centroids(shape, s->trained, part), shape->width, shape->many, pq_size(shape, part), out);
}

static void prepare(const codec_stage *s, codec_sum sum, const float *q, void *table)
{
    const pq_shape *shape = &coder_of(s)->shape;
    float *out = table, low[16], high[16];
    for (uint32_t part = 0; part < shape->parts; out += BYTE, part++) {
        if (shape->bits == PQ_BITS) {
            shares(s, sum, q, part, out);
            continue;
        }
        memset(high, 0, sizeof(high));
        shares(s, sum, q, part, low);
        if (++part < shape->parts) shares(s, sum, q, part, high);
        for (size_t i = 0; i < BYTE; i++) out[i] = low[i & 15] + high[i >> 4];
    }
}

/* Some of a code's bytes, by one table after the other. */
static inline float look_up(const float *table, const uint8_t *code, size_t bytes)
{
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (; bytes >= 4; bytes -= 4, code += 4, table += 4 * BYTE) {
        s0 += table[code[0]];
        s1 += table[BYTE + code[1]];
        s2 += table[2 * BYTE + code[2]];
        s3 += table[3 * BYTE + code[3]];
    }
    for (; bytes; bytes--, code++, table += BYTE) s0 += table[*code];
    return (s0 + s1) + (s2 + s3);
}

/* A few tables at a time, which stay in the first-level cache for all rows. */
static void score(const codec_stage *s, codec_sum sum, const float *q, const void *table, const uint8_t *codes, size_t stride,
                  size_t count, float *out)
{
    (void)sum, (void)q;
    for (size_t at = 0; at < s->code_bytes; at += LOOKUPS) {
        size_t bytes = s->code_bytes - at < LOOKUPS ? s->code_bytes - at : LOOKUPS;
        const float *tables = (const float *)table + at * BYTE;
        for (size_t i = 0; i < count; i++) {
            const uint8_t *code = codes + i * stride + at;
            float some = bytes == LOOKUPS ? look_up(tables, code, LOOKUPS) : look_up(tables, code, bytes);
            out[i] = at ? out[i] + some : some;
        }
    }
}

const codec_kind stage_pq = {
    .of = { "pq", "product_quantization", "PARTS[,BITS]",
            "parts of a vector as the number of the nearest of 256 centroids, or of 16 with 4 BITS; default: parts of 4 elements. Parts "
            "that do not divide the dimension differ by one element, the shorter ones are padded with a zero", EVDB_STAGE_QUANTISER,
            EVDB_CODEC_TRAINED },
    .configure = configure, .train = train, .ready = ready, .encode = encode, .decode = decode, .sound = sound,
    .table_bytes = table_bytes, .prepare = prepare, .score = score,
};
