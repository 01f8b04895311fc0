/* rabitq.c - a quantiser of one bit an element: the side of a centre on which it lies (RaBitQ, Gao and Long 2024).
 *
 * With r = x - centre, a code is the signs of r, as +-1 b, and three numbers: the root mean square of r; how large |r[i]| is on
 * average, as a part of that; and the cosine of r and the centre. Decoding gives centre + mean |r[i]| b, the least squared error. Distances
 * are better: since what b misses of r is, behind a random rotation, at a right angle to the query but for chance,
 * (q - centre).r is near (q - centre).b |r|^2 / r.b, without bias. All the rest of |q - x|^2, q.x and |x| the numbers tell. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/stage.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Begins a code. */
typedef struct front {
    float size;    /* root mean square of r */
    uint16_t part; /* of it, that |r[i]| is on average: 1..PART_MAX; 0 where r is zeros */
    int16_t angle; /* cosine of r and the centre, times ANGLE_MAX */
} front;

enum { PART_MAX = UINT16_MAX, ANGLE_MAX = INT16_MAX };
static const float SQUARES_MIN = 1e-30f; /* a smaller sum of squares may have lost terms to underflow */

/* Behind it s->dim floats, the centre. */
typedef struct place {
    double norm;    /* of the centre */
    float most;     /* that may be added to or taken from it */
    float centre[];
} place;

static evdb_status configure(codec_stage *s, const char *parameters, evdb_error *err)
{
    s->code_bytes = sizeof(front) + (s->dim + 7) / 8;
    return stage_end(s, parameters, err);
}

/* The centre is the sample's mean; without a sample, zero, and nothing is kept. */
static evdb_status train(codec_stage *s, const codec_training *t, evdb_error *err)
{
    if (!t->count) return EVDB_OK;
    evdb_status rc = stage_trained(s, s->dim * sizeof(float), err);
    double *sum = rc == EVDB_OK ? mem_zero(s->mem, s->dim * sizeof(*sum)) : NULL;
    if (rc == EVDB_OK && !sum) rc = error_no_memory(err, s->dim * sizeof(*sum), "the training of a codec");
    for (size_t i = 0; rc == EVDB_OK && i < t->count; i++)
        for (uint32_t j = 0; j < s->dim; j++) sum[j] += t->sample[i * s->dim + j];
    for (uint32_t j = 0; rc == EVDB_OK && j < s->dim; j++) ((float *)s->trained)[j] = (float)(sum[j] / (double)t->count);
    mem_free(s->mem, sum);
    return rc;
}

/* What may be added to it, or taken from it. Rounded up by half of the last bit, it would lead beyond the floats. */
static float left_beside(float centre)
{
    float left = FLT_MAX - fabsf(centre);
    return (double)left + fabsf(centre) > FLT_MAX ? nextafterf(left, 0) : left;
}

static evdb_status ready(codec_stage *s, evdb_error *err)
{
    evdb_status rc = s->trained ? stage_trained_floats(s, s->dim, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    size_t bytes = s->dim * sizeof(float);
    place *p = mem_zero(s->mem, sizeof(*p) + bytes);
    if (!p) return error_no_memory(err, sizeof(*p) + bytes, "a codec");
    s->derived = p;
    if (s->trained) memcpy(p->centre, s->trained, bytes);
    double square = 0;
    p->most = FLT_MAX;
    for (uint32_t i = 0; i < s->dim; i++) {
        square += (double)p->centre[i] * p->centre[i];
        p->most = fminf(p->most, left_beside(p->centre[i]));
    }
    p->norm = sqrt(square);
    return EVDB_OK;
}

/* ---- codes ---- */

typedef struct sums {
    double absolute, square, dot; /* of |r|, r^2 and r times the centre */
} sums;

static sums in_double(const codec_stage *s, const float *x)
{
    const float *centre = ((const place *)s->derived)->centre;
    sums out = { 0 };
    for (uint32_t i = 0; i < s->dim; i++) {
        double r = (double)x[i] - centre[i];
        out.absolute += fabs(r);
        out.square += r * r;
        out.dot += r * centre[i];
    }
    return out;
}

static sums sums_of(const codec_stage *s, const float *x)
{
    const place *p = s->derived;
    const kernel *k = s->kernel;
    float dot = p->norm > 0 ? k->dot_f32(x, p->centre, s->dim) : 0;
    sums out = { k->l1_f32(x, p->centre, s->dim), k->l2sq_f32(x, p->centre, s->dim), dot - p->norm * p->norm };
    return out.square >= SQUARES_MIN && out.square <= FLT_MAX && isfinite(out.dot) ? out : in_double(s, x);
}

static void encode(const codec_stage *s, const float *x, size_t count, uint8_t *codes, size_t stride)
{
    const place *p = s->derived;
    for (size_t i = 0; i < count; i++, x += s->dim, codes += stride) {
        front f = { 0 };
        sums r = sums_of(s, x);
        double norm = sqrt(r.square), size = sqrt(r.square / s->dim);
        if (norm > 0) {
            f.size = (float)fmin(fmax(size, FLT_TRUE_MIN), FLT_MAX);
            f.part = (uint16_t)fmin(fmax(1, PART_MAX * (r.absolute / s->dim / size) + 0.5), PART_MAX);
            if (p->norm > 0) f.angle = (int16_t)lrint(ANGLE_MAX * fmin(fmax(-1, r.dot / norm / p->norm), 1));
        }
        memcpy(codes, &f, sizeof(f));
        s->kernel->signs->above(x, p->centre, s->dim, codes + sizeof(f));
    }
}

static front front_of(const uint8_t *code)
{
    front f;
    memcpy(&f, code, sizeof(f));
    return f;
}

static void decode(const codec_stage *s, const uint8_t *codes, size_t stride, size_t count, float *x)
{
    const place *p = s->derived;
    for (size_t i = 0; i < count; i++, x += s->dim, codes += stride) {
        front f = front_of(codes);
        float mean = f.size * ((float)f.part / PART_MAX);
        s->kernel->signs->beside(codes + sizeof(f), p->centre, mean < p->most ? mean : p->most, s->dim, x);
    }
}

static bool sound(const codec_stage *s, const uint8_t *code)
{
    front f = front_of(code);
    bool clean = s->dim % 8 == 0 || !(code[s->code_bytes - 1] >> s->dim % 8);
    return clean && f.size >= 0 && f.size <= FLT_MAX && (f.size > 0) == (f.part > 0) && f.angle >= -ANGLE_MAX;
}

/* ---- distances ---- */

static double root(const codec_stage *s) { return sqrt(s->dim); }

/* r times the centre. */
static double along(const codec_stage *s, front f)
{
    return (double)f.angle / ANGLE_MAX * ((const place *)s->derived)->norm * f.size * root(s);
}

static double norm(const codec_stage *s, const uint8_t *code)
{
    front f = front_of(code);
    double r = f.size * root(s), centre = ((const place *)s->derived)->norm;
    return sqrt(fmax(0, centre * centre + 2 * along(s, f) + r * r));
}

/* Of a query. */
typedef struct asked {
    double fix;   /* |q - centre|^2, or q times the centre */
    float from[]; /* q - centre */
} asked;

static size_t table_bytes(const codec_stage *s) { return sizeof(asked) + s->dim * sizeof(float); }

static void prepare(const codec_stage *s, codec_sum sum, const float *q, void *table)
{
    const float *centre = ((const place *)s->derived)->centre;
    asked *a = table;
    a->fix = 0;
    for (uint32_t i = 0; i < s->dim; i++) {
        double d = (double)q[i] - centre[i];
        a->fix += sum == CODEC_L2SQ ? d * d : (double)q[i] * centre[i];
        a->from[i] = (float)d;
    }
}

static void score(const codec_stage *s, codec_sum sum, const float *q, const void *table, const uint8_t *codes, size_t stride,
                  size_t count, float *out)
{
    const asked *a = table;
    (void)q;
    for (size_t i = 0; i < count; i++, codes += stride) {
        front f = front_of(codes);
        double times = s->kernel->signs->dot(a->from, codes + sizeof(f), s->dim);
        double dot = f.part ? times * f.size / ((double)f.part / PART_MAX) : 0;
        if (sum == CODEC_L2SQ) out[i] = (float)(a->fix + (double)f.size * f.size * s->dim - 2 * dot);
        else out[i] = (float)(a->fix + along(s, f) + dot);
    }
}

const codec_kind stage_rabitq = {
    .of = { "rabitq", "", "", "1 bit an element, and 8 bytes a vector, behind a rotation; around the mean of a sample, where there is one",
            EVDB_STAGE_QUANTISER, EVDB_CODEC_TRAINED },
    .configure = configure, .train = train, .ready = ready, .encode = encode, .decode = decode, .sound = sound,
    .table_bytes = table_bytes, .prepare = prepare, .score = score, .norm = norm, .estimates = true, .before = "rotate",
};
