/* scalar.c - quantisers that keep an element as one of 256 (i8) or 16 (i4) equal steps of a range.
 *
 * The range is each vector's own, and stands in front of its codes: then nothing is trained, and new vectors need no look at old ones
 * (the idea of LVQ, Aguerrebere et al. 2023, one level). Or it is each element's own, learned from a sample and shared by all vectors:
 * then a code has no front, and what lies outside of a range becomes its end. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/range.h"
#include "codec/stage.h"
#include <math.h>
#include <string.h>

enum { TRAINED = 1, SAMPLE_MIN = 256, SAMPLE_MAX = 20000, ROUNDS = 0, ROUNDS_TRAINED = 8 };
enum { BITS, RANGES, MOST }; /* of s->numbers: bits of an element, whose ranges, the highest code */

/* A vector's own range: all of low, and the upper half of step. */
enum { FRONT_LOW = sizeof(float), FRONT = FRONT_LOW + sizeof(uint16_t) };

static void write_front(uint8_t *code, code_range r)
{
    uint32_t step;
    memcpy(&step, &r.step, sizeof(step));
    uint16_t upper = (uint16_t)(step >> 16);
    memcpy(code, &r.low, FRONT_LOW);
    memcpy(code + FRONT_LOW, &upper, sizeof(upper));
}

static code_range read_front(const uint8_t *code)
{
    code_range r;
    uint16_t upper;
    memcpy(&r.low, code, FRONT_LOW);
    memcpy(&upper, code + FRONT_LOW, sizeof(upper));
    uint32_t step = (uint32_t)upper << 16;
    memcpy(&r.step, &step, sizeof(step));
    return r;
}

static size_t front_of(const codec_stage *s) { return s->numbers[RANGES] == TRAINED ? 0 : FRONT; }

static const steps_codes *codes_of(const codec_stage *s)
{
    const steps_kernel *k = s->kernel->steps;
    if (s->numbers[RANGES] == TRAINED) return s->numbers[BITS] == 8 ? &k->each_u8 : &k->each_u4;
    return s->numbers[BITS] == 8 ? &k->u8 : &k->u4;
}

static evdb_status configure(codec_stage *s, uint32_t bits, const char *parameters, evdb_error *err)
{
    if (stage_word(&parameters, "trained")) {
        s->numbers[RANGES] = TRAINED;
        s->sample = SAMPLE_MIN;
        memcpy(s->text, "trained", sizeof("trained"));
    }
    s->numbers[BITS] = bits;
    s->numbers[MOST] = (1u << bits) - 1;
    s->code_bytes = front_of(s) + (bits == 8 ? s->dim : steps_bytes_u4(s->dim));
    return stage_end(s, parameters, err);
}

static evdb_status configure_i8(codec_stage *s, const char *parameters, evdb_error *err) { return configure(s, 8, parameters, err); }
static evdb_status configure_i4(codec_stage *s, const char *parameters, evdb_error *err) { return configure(s, 4, parameters, err); }

/* ---- a range for each element: s->trained is all lows, then all steps; s->derived what encoding takes, likewise ---- */

static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    if (s->numbers[RANGES] != TRAINED) return EVDB_OK;
    evdb_status rc = stage_trained(s, 2 * (size_t)s->dim * sizeof(float), err);
    size_t every = (t->count + SAMPLE_MAX - 1) / SAMPLE_MAX, count = t->count / every;
    float *column = rc == EVDB_OK ? mem_array(s->mem, count, sizeof(*column)) : NULL, *low = s->trained, *step = low + s->dim;
    if (rc == EVDB_OK && !column) rc = error_no_memory(err, count * sizeof(*column), "the training of a codec");
    for (uint32_t i = 0; rc == EVDB_OK && i < s->dim; i++) {
        for (size_t j = 0; j < count; j++) column[j] = t->sample[j * every * s->dim + i];
        code_range r = range_fit(s->kernel, column, count, s->numbers[MOST], ROUNDS_TRAINED);
        low[i] = r.low;
        step[i] = r.step;
        rc = stage_stopped(t, err);
    }
    mem_free(s->mem, column);
    return rc;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    if (s->numbers[RANGES] != TRAINED)
        return s->trained ? error_set(err, EVDB_CORRUPT, "codec %s: has parameters where none belong", s->kind->of.name) : EVDB_OK;
    evdb_status rc = stage_trained_floats(s, 2 * (size_t)s->dim, err);
    if (rc != EVDB_OK) return rc;
    const float *low = s->trained, *step = low + s->dim;
    float *offset = mem_alloc(s->mem, s->trained_bytes), *inverse = offset + s->dim;
    if (!offset) return error_no_memory(err, s->trained_bytes, "a codec");
    s->derived = offset;
    for (uint32_t i = 0; i < s->dim; i++) {
        code_range r = { low[i], step[i] };
        if (!range_sound(r, s->numbers[MOST])) return error_set(err, EVDB_CORRUPT, "codec %s: has a range that makes no sense", s->kind->of.name);
        offset[i] = range_offset(r);
        inverse[i] = range_inverse(r);
    }
    return EVDB_OK;
}

static void encode_trained(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    const float *offset = s->derived;
    for (size_t i = 0; i < count; i++) codes_of(s)->encode(x + i * s->dim, s->dim, offset, offset + s->dim, codes + i * stride);
}

/* ---- of floats ---- */

static code_range range_for(const codec_stage *s, const float *x)
{
    if (s->numbers[BITS] == 8) return range_of(s->kernel, x, s->dim, s->numbers[MOST]);
    return range_fit(s->kernel, x, s->dim, s->numbers[MOST], ROUNDS);
}

static void encode(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    if (s->numbers[RANGES] == TRAINED) {
        encode_trained(s, x, count, codes, stride);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const float *from = x + i * s->dim;
        code_range r = range_short(range_for(s, from), s->numbers[MOST]);
        float offset = range_offset(r), inverse = range_inverse(r);
        write_front(codes + i * stride, r);
        codes_of(s)->encode(from, s->dim, &offset, &inverse, codes + i * stride + FRONT);
    }
}

static void decode(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    const steps_codes *k = codes_of(s);
    const float *low = s->trained;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = codes + i * stride;
        if (low) {
            k->decode(code, s->dim, low, low + s->dim, x + i * s->dim);
            continue;
        }
        code_range r = read_front(code);
        k->decode(code + FRONT, s->dim, &r.low, &r.step, x + i * s->dim);
    }
}

static bool sound(const codec_stage *s, const uint8_t *code)
{
    if (s->numbers[BITS] == 4 && s->dim % 2 && code[s->code_bytes - 1] >> 4) return false;
    return s->trained || range_sound(read_front(code), s->numbers[MOST]);
}

static void score(const codec_stage *s, codec_sum sum, const float *q, const void *table, const uint8_t *codes, size_t stride,
                  size_t count, float *out)
{
    const steps_codes *k = codes_of(s);
    const float *low = s->trained;
    (void)table;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = codes + i * stride;
        code_range r = low ? (code_range){ 0 } : read_front(code);
        out[i] = (sum == CODEC_L2SQ ? k->l2sq : k->dot)(q, code + front_of(s), s->dim, low ? low : &r.low, low ? low + s->dim : &r.step);
    }
}

const codec_kind stage_i8 = {
    .of = { "i8", "quantization_8bit", "trained", "elements as 256 steps of their vector's own range, 1 byte, and 6 bytes a vector; trained: of a "
            "range for each element, which is learned", EVDB_STAGE_QUANTISER, 0 },
    .configure = configure_i8, .train = train, .ready = ready, .encode = encode, .decode = decode, .sound = sound, .score = score,
    .light = true,
};

const codec_kind stage_i4 = {
    .of = { "i4", "quantization_4bit", "trained", "elements as 16 steps of their vector's own range, half a byte, and 6 bytes a vector; trained: "
            "of a range for each element, which is learned", EVDB_STAGE_QUANTISER, 0 },
    .configure = configure_i4, .train = train, .ready = ready, .encode = encode, .decode = decode, .sound = sound, .score = score,
    .light = true,
};
