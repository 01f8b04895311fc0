/* lsh.c - a quantiser of the sides of random planes on which a vector lies, and its norm (sign random projections, Charikar 2002). Of two
 * vectors as many bits differ as their angle is a part of a half turn, so angles, and with the norms distances, are told from bits
 * alone.
 *
 * The planes are the elements' own as far as there are any: a rotation before makes them random. More come from further rotations. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/rotation.h"
#include "codec/stage.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BITS }; /* of s->numbers */
enum { BITS_MAX = 65536, TURNED_MAX = EVDB_CODEC_MATRIX_DIM_MAX, WORD = 64, FRONT = sizeof(float) /* |x| / sqrt(dim) begins a code */ };

typedef struct turns {
    float *zeros;        /* s->dim of them */
    rotation *further[]; /* turns_of(s) - 1 */
} turns;

/* How many rotations, the elements as they are among them, it takes. */
static size_t turns_of(const codec_stage *s) { return (s->numbers[BITS] + s->dim - 1) / s->dim; }

/* Bits that come from one. */
static size_t bits_of(const codec_stage *s, size_t turn)
{
    size_t left = s->numbers[BITS] - turn * s->dim;
    return left < s->dim ? left : s->dim;
}

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    uint32_t bits = s->dim;
    if (*parameters) {
        evdb_status rc = stage_number(s, &parameters, "the number of bits", 1, BITS_MAX, &bits, err);
        if (rc != EVDB_OK) return rc;
    }
    if (bits > s->dim && s->dim > TURNED_MAX)
        return error_set(err, EVDB_LIMIT, "codec lsh: takes more bits than elements of at most %d elements, not %u", TURNED_MAX, s->dim);
    if (bits != s->dim) snprintf(s->text, sizeof(s->text), "%u", bits);
    s->numbers[BITS] = bits;
    s->code_bytes = FRONT + (bits + 7) / 8;
    return stage_end(s, parameters, err);
}

static void dispose(codec_stage *s)
{
    turns *t = s->derived;
    if (!t) return;
    for (size_t i = 0; i + 1 < turns_of(s); i++) mem_free(s->mem, t->further[i]);
    mem_free(s->mem, t->zeros);
    mem_free(s->mem, t);
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    size_t more = turns_of(s) - 1, bytes = sizeof(turns) + more * sizeof(rotation *);
    turns *t = s->derived = mem_zero(s->mem, bytes);
    if (!t) return error_no_memory(err, bytes, "a codec");
    if (!(t->zeros = mem_zero(s->mem, s->dim * sizeof(float)))) return error_no_memory(err, s->dim * sizeof(float), "a codec");
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; rc == EVDB_OK && i < more; i++) rc = rotation_make(s->mem, s->dim, i + 1, &t->further[i], err);
    return rc;
}

/* ---- codes ---- */

/* Puts n bits behind the first `from` ones, whose last byte has zeros behind them. */
static void append(uint8_t *bits, size_t from, const uint8_t *more, size_t n)
{
    for (size_t i = 0; i < (n + 7) / 8; i++) {
        size_t at = from + 8 * i;
        bits[at / 8] = (uint8_t)((at % 8 ? bits[at / 8] : 0) | more[i] << at % 8);
        if (at % 8 && n - 8 * i > 8 - at % 8) bits[at / 8 + 1] = (uint8_t)(more[i] >> (8 - at % 8));
    }
}

static void sides_of(const codec_stage *s, const float *x, uint8_t *bits)
{
    const turns *t = s->derived;
    s->kernel->signs->above(x, t->zeros, bits_of(s, 0), bits);
    for (size_t i = 1; i < turns_of(s); i++) {
        float turned[TURNED_MAX];
        uint8_t more[TURNED_MAX / 8];
        rotation_forward(t->further[i - 1], s->kernel, x, turned);
        s->kernel->signs->above(turned, t->zeros, bits_of(s, i), more);
        append(bits, i * s->dim, more, bits_of(s, i));
    }
}

static void encode(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    for (size_t i = 0; i < count; i++, x += s->dim, codes += stride) {
        float size = s->kernel->dot_f32(x, x, s->dim);
        double sum = size >= 1e-30f && size <= FLT_MAX ? size : stage_square(x, s->dim);
        size = (float)sqrt(sum / s->dim);
        if (sum > 0) size = fminf(fmaxf(size, FLT_TRUE_MIN), FLT_MAX);
        memcpy(codes, &size, FRONT);
        sides_of(s, x, codes + FRONT);
    }
}

/* The sum of the planes' normals, each on its vector's side. */
static void sum_of_sides(const codec_stage *s, const uint8_t *bits, float *x)
{
    const turns *t = s->derived;
    memset(x, 0, s->dim * sizeof(*x));
    s->kernel->signs->beside(bits, t->zeros, 1, bits_of(s, 0), x);
    for (size_t i = 1; i < turns_of(s); i++) {
        float turned[TURNED_MAX], back[TURNED_MAX];
        memset(turned, 0, s->dim * sizeof(*turned));
        for (size_t j = 0; j < bits_of(s, i); j++) {
            size_t at = i * s->dim + j;
            turned[j] = bits[at / 8] >> at % 8 & 1 ? 1 : -1;
        }
        rotation_back(t->further[i - 1], s->kernel, turned, back);
        for (uint32_t j = 0; j < s->dim; j++) x[j] += back[j];
    }
}

static void decode(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    for (size_t i = 0; i < count; i++, x += s->dim, codes += stride) {
        float size;
        memcpy(&size, codes, FRONT);
        sum_of_sides(s, codes + FRONT, x);
        double length = sqrt(s->kernel->dot_f32(x, x, s->dim)), times = length > 0 ? size * sqrt(s->dim) / length : 0;
        for (uint32_t j = 0; j < s->dim; j++) {
            double v = x[j] * times;
            x[j] = v > FLT_MAX ? FLT_MAX : v < -FLT_MAX ? -FLT_MAX : (float)v;
        }
    }
}

static bool sound(const codec_stage *s, const uint8_t *code)
{
    float size;
    memcpy(&size, code, FRONT);
    return size >= 0 && size <= FLT_MAX && (s->numbers[BITS] % 8 == 0 || !(code[s->code_bytes - 1] >> s->numbers[BITS] % 8));
}

/* ---- distances ---- */

static double norm(const codec_stage *s, const uint8_t *code)
{
    float size;
    memcpy(&size, code, FRONT);
    return size * sqrt(s->dim);
}

/* Of a query: its norm; the cosine of the angle for each number of bits that differ; and its bits, zeros behind. */
typedef struct asked {
    double norm;
    uint64_t bits[BITS_MAX / WORD];
    float cosines[]; /* BITS + 1 */
} asked;

static size_t table_bytes(const codec_stage *s) { return sizeof(asked) + (s->numbers[BITS] + 1) * sizeof(float); }

static void prepare(const codec_stage *s, codec_sum sum, const float *q, void *table)
{
    asked *a = table;
    uint32_t bits = s->numbers[BITS];
    (void)sum;
    a->norm = sqrt(stage_square(q, s->dim));
    memset(a->bits, 0, sizeof(a->bits));
    sides_of(s, q, (uint8_t *)a->bits);
    for (uint32_t i = 0; i <= bits; i++) a->cosines[i] = (float)cos(3.14159265358979323846 * i / bits);
}

static unsigned ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (unsigned)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

static void score(const codec_stage *s, codec_sum sum, const float *q, const void *table, const uint8_t *codes, size_t stride,
                  size_t count, float *out)
{
    const asked *a = table;
    size_t words = s->numbers[BITS] / WORD, rest = s->code_bytes - FRONT - words * sizeof(uint64_t);
    (void)q;
    s->kernel->elements->bits_differ(a->bits, codes + FRONT, stride, count, words, out);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = codes + i * stride;
        uint64_t last = 0;
        memcpy(&last, code + s->code_bytes - rest, rest);
        unsigned differ = (unsigned)out[i] + (rest ? ones(last ^ a->bits[words]) : 0);
        double size = norm(s, code), dot = a->norm * size * a->cosines[differ];
        out[i] = (float)(sum == CODEC_DOT ? dot : a->norm * a->norm + size * size - 2 * dot);
    }
}

const codec_kind stage_lsh = {
    .of = { "lsh", "", "bits", "the sides of random planes, 1 bit each (as many as elements), and 4 bytes a vector, behind a rotation",
            EVDB_STAGE_QUANTISER, 0 },
    .configure = configure, .ready = ready, .dispose = dispose, .encode = encode, .decode = decode, .sound = sound,
    .table_bytes = table_bytes, .prepare = prepare, .score = score, .norm = norm, .estimates = true, .before = "rotate",
};
