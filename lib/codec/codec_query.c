/* codec_query.c - distances from one query to many codes.
 *
 * With transforms y = W (x - m), whose rows are orthonormal, and a code that stands for x' = m + W' y':
 *   |q - x'|^2 = |W (q - m) - y'|^2 + |q - m|^2 - |W (q - m)|^2        q.x' = q.m + (W q).y'
 * so one query is turned once and meets short rows. Where the quantiser has sums of its own these are asked, else rows are decoded,
 * a tile at a time. Other metrics decode the whole vector. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/codec_private.h"
#include "kernel/metric.h"
#include <math.h>
#include <string.h>

enum { TILE_FLOATS = 1 << 13, TILE_MAX = 256 };

/* A smaller sum of squares may have lost terms to underflow, or all its digits where a query meets itself. */
static const float SQUARES_MIN = 1e-30f;

struct codec_query {
    const codec *c;
    evdb_metric metric;
    const float *q;
    float inverse;   /* of |q|, under COSINE */
    bool inner;      /* distances are told from what the quantiser sees */
    codec_sum sum;
    float *turned;   /* the query there; codec.inner floats */
    double rest;     /* what is to be added to a sum */
    void *table;     /* of the quantiser, or NULL */
    size_t tile;     /* rows decoded at a time */
    float *rows;
    void *room;
};

void codec_query_free(codec_query *q)
{
    if (!q) return;
    const evdb_allocator *mem = &q->c->mem;
    mem_free(mem, q->turned);
    mem_free(mem, q->table);
    mem_free(mem, q->rows);
    mem_free(mem, q->room);
    mem_free(mem, q);
}

static double product(const float *x, const float *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
    return sum;
}

/* |q - m|^2 of one transform less what of it is left behind it, and the query there. */
static void turn_l2(codec_query *q, const codec_stage *s, float *x, float *y)
{
    if (s->out_dim == s->dim) { /* nothing is left behind, and rounding shall not say otherwise */
        s->kind->forward(s, x, 1, y);
        return;
    }
    const float *mean = s->kind->mean ? s->kind->mean(s) : NULL;
    double before = 0;
    for (uint32_t i = 0; i < s->dim; i++) {
        double d = (double)x[i] - (mean ? mean[i] : 0);
        before += d * d;
    }
    s->kind->forward(s, x, 1, y);
    q->rest += before - stage_square(y, s->out_dim);
}

/* The same for products: the mean counts, and may not be taken away from the query. */
static void turn_dot(codec_query *q, const codec_stage *s, float *x, float *y)
{
    const float *mean = s->kind->mean ? s->kind->mean(s) : NULL;
    if (mean) {
        q->rest += product(x, mean, s->dim);
        for (uint32_t i = 0; i < s->dim; i++) x[i] += mean[i];
    }
    s->kind->forward(s, x, 1, y);
}

static void turn(codec_query *q)
{
    const codec *c = q->c;
    float *x = q->room, *y = x + c->widest;
    memcpy(x, q->q, c->dim * sizeof(*x));
    for (uint32_t i = 0; i < c->transforms; i++) {
        (q->sum == CODEC_L2SQ ? turn_l2 : turn_dot)(q, &c->stages[i], x, y);
        float *t = x;
        x = y;
        y = t;
    }
    memcpy(q->turned, x, c->inner * sizeof(*x));
}

static evdb_status fill(codec_query *q, evdb_error *err)
{
    const codec *c = q->c;
    const codec_stage *s = codec_quantiser(c);
    size_t room = codec_room(c), turning = 2 * (size_t)c->widest * sizeof(float);
    q->tile = TILE_FLOATS / c->dim < 1 ? 1 : TILE_FLOATS / c->dim > TILE_MAX ? TILE_MAX : TILE_FLOATS / c->dim;
    q->rows = mem_array(&c->mem, q->tile * (c->dim > c->inner ? c->dim : c->inner), sizeof(float));
    q->room = mem_alloc(&c->mem, room > turning ? room : turning);
    q->turned = mem_array(&c->mem, c->inner, sizeof(float));
    if (!q->rows || !q->room || !q->turned) return error_no_memory(err, room, "a query");
    if (!q->inner) return EVDB_OK;
    turn(q);
    if (!s->kind->table_bytes) return EVDB_OK;
    if (!(q->table = mem_alloc(&c->mem, s->kind->table_bytes(s)))) return error_no_memory(err, s->kind->table_bytes(s), "a query");
    s->kind->prepare(s, q->sum, q->turned, q->table);
    return EVDB_OK;
}

evdb_status codec_query_create(const codec *c, evdb_metric metric, const float *q, codec_query **out, evdb_error *err)
{
    codec_query *made = mem_zero(&c->mem, sizeof(*made));
    if (!made) return error_no_memory(err, sizeof(*made), "a query");
    bool sums = metric == EVDB_EUCLIDEAN || metric == EVDB_IP || metric == EVDB_COSINE;
    *made = (codec_query){ .c = c, .metric = metric, .q = q, .sum = metric == EVDB_EUCLIDEAN ? CODEC_L2SQ : CODEC_DOT };
    made->inner = sums && (c->transforms || codec_quantiser(c)->kind->score);
    made->inverse = metric == EVDB_COSINE ? metric_inverse_norm(q, c->dim) : 0;
    evdb_status rc = fill(made, err);
    if (rc == EVDB_OK) *out = made;
    else codec_query_free(made);
    return rc;
}

/* As exact as it gets: the whole vectors, and the library's own formulas. */
static void decoded_distances(codec_query *q, const uint8_t *codes, size_t stride, size_t count, const float *inverses, float *out)
{
    const codec *c = q->c;
    codec_decode(c, codes, stride, count, q->rows, q->room);
    metric_distances(c->kernel, q->metric, q->q, q->inverse, q->rows, c->dim, count, c->dim, inverses, out);
}

static void inner_sums(codec_query *q, const uint8_t *codes, size_t stride, size_t count, float *out)
{
    const codec *c = q->c;
    const codec_stage *s = codec_quantiser(c);
    if (s->kind->score) {
        s->kind->score(s, q->sum, q->turned, q->table, codes, stride, count, out);
        return;
    }
    s->kind->decode(s, codes, stride, count, q->rows);
    (q->sum == CODEC_L2SQ ? c->kernel->l2sq_f32_rows : c->kernel->dot_f32_rows)(q->turned, q->rows, c->inner, count, c->inner, out);
}

static void tile_distances(codec_query *q, const uint8_t *codes, size_t stride, size_t count, const float *inverses, float *out)
{
    const codec_stage *s = codec_quantiser(q->c);
    inner_sums(q, codes, stride, count, out);
    for (size_t i = 0; i < count; i++) {
        float sum = (float)(out[i] + q->rest);
        if (q->metric == EVDB_EUCLIDEAN) out[i] = sqrtf(sum > 0 ? sum : 0 * sum);
        else if (q->metric == EVDB_IP) out[i] = 0 - sum;
        else out[i] = 1 - sum * q->inverse * inverses[i];
        bool lost = q->metric == EVDB_EUCLIDEAN && sum < SQUARES_MIN && !s->kind->estimates;
        if (!isfinite(out[i]) || lost) decoded_distances(q, codes + i * stride, stride, 1, inverses ? inverses + i : NULL, out + i);
        else if (q->metric == EVDB_COSINE) out[i] = out[i] < 0 ? 0 : out[i] > 2 ? 2 : out[i];
    }
}

void codec_distances(codec_query *q, const uint8_t *codes, size_t stride, size_t count, const float *inverses, float *out)
{
    for (size_t i = 0; i < count; i += q->tile) {
        size_t some = count - i < q->tile ? count - i : q->tile;
        (q->inner ? tile_distances : decoded_distances)(q, codes + i * stride, stride, some, inverses ? inverses + i : NULL, out + i);
    }
}
