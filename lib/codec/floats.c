/* floats.c - quantisers that keep elements as floats: all of one, the upper half of one (bf16), or IEEE 754's half (f16). */
#include "codec/stage.h"
#include <string.h>

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    s->code_bytes = (size_t)s->dim * s->numbers[0];
    return stage_end(s, parameters, err);
}

/* ---- f32 ---- */

static evdb_status configure_f32(codec_stage *s, const char *parameters, evdb_error *err)
{
    s->numbers[0] = sizeof(float);
    return configure(s, parameters, err);
}

static void encode_f32(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    for (size_t i = 0; i < count; i++) memcpy(codes + i * stride, x + i * s->dim, s->code_bytes);
}

static void decode_f32(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    for (size_t i = 0; i < count; i++) memcpy(x + i * s->dim, codes + i * stride, s->code_bytes);
}

static bool sound_f32(const codec_stage *s, const uint8_t *code)
{
    uint32_t bits, worst = 0;
    for (uint32_t i = 0; i < s->dim; i++) {
        memcpy(&bits, code + i * sizeof(bits), sizeof(bits));
        worst |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !worst;
}

const codec_kind stage_f32 = {
    .of = { "f32", "", "", "every element as it is, 4 bytes", EVDB_STAGE_QUANTISER, EVDB_CODEC_LOSSLESS },
    .configure = configure_f32, .encode = encode_f32, .decode = decode_f32, .sound = sound_f32, .light = true,
};

/* ---- of 16 bits (kernel/halves.h) ---- */

static evdb_status configure_half(codec_stage *s, const char *parameters, evdb_error *err)
{
    s->numbers[0] = sizeof(uint16_t);
    return configure(s, parameters, err);
}

static void encode_halves(const codec_stage *s, const half_codes *k, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    if (stride == s->code_bytes) k->encode(x, count * s->dim, codes);
    else
        for (size_t i = 0; i < count; i++) k->encode(x + i * s->dim, s->dim, codes + i * stride);
}

static void decode_halves(const codec_stage *s, const half_codes *k, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    if (stride == s->code_bytes) k->decode(codes, count * s->dim, x);
    else
        for (size_t i = 0; i < count; i++) k->decode(codes + i * stride, s->dim, x + i * s->dim);
}

static void encode_f16(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    encode_halves(s, &s->kernel->halves->f16, x, count, codes, stride);
}

static void decode_f16(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    decode_halves(s, &s->kernel->halves->f16, codes, stride, count, x);
}

static bool sound_f16(const codec_stage *s, const uint8_t *code) { return s->kernel->halves->f16.finite(code, s->dim); }

const codec_kind stage_f16 = {
    .of = { "f16", "", "", "elements rounded to 11 bits, 2 bytes; beyond 65504 they become that", EVDB_STAGE_QUANTISER, 0 },
    .configure = configure_half, .encode = encode_f16, .decode = decode_f16, .sound = sound_f16, .light = true,
};

static void encode_bf16(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    encode_halves(s, &s->kernel->halves->bf16, x, count, codes, stride);
}

static void decode_bf16(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    decode_halves(s, &s->kernel->halves->bf16, codes, stride, count, x);
}

static bool sound_bf16(const codec_stage *s, const uint8_t *code) { return s->kernel->halves->bf16.finite(code, s->dim); }

const codec_kind stage_bf16 = {
    .of = { "bf16", "", "", "elements rounded to 8 bits, of any size, 2 bytes", EVDB_STAGE_QUANTISER, 0 },
    .configure = configure_half, .encode = encode_bf16, .decode = decode_bf16, .sound = sound_bf16, .light = true,
};
