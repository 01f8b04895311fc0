/* codec_norm.c - norms of what codes stand for, without the way back through transforms.
 *
 * A code stands for x = m + A y, where y is what the quantiser gives, m what all transforms make of zeros, and A has orthonormal columns:
 * so |x|^2 = |m|^2 + 2 (A'm).y + |y|^2, and what the transforms make of a vector of zeros on the way forth is -A'm. Where that cancels,
 * and for what float cannot hold, x is decoded. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/codec_private.h"
#include "kernel/metric.h"
#include <math.h>
#include <string.h>

enum { LANES = 8 };
static const double LEFT_MIN = 0.05; /* of the terms: less has lost digits */

static bool moves(const codec *c)
{
    for (uint32_t i = 0; i < c->transforms; i++)
        if (c->stages[i].kind->mean && c->stages[i].kind->mean(&c->stages[i])) return true;
    return false;
}

/* Sums of y^2 and of y times `with`, or with itself again where that is NULL. */
static void products(const float *y, const float *with, size_t n, double *square, double *product)
{
    double squares[LANES] = { 0 }, products[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            squares[j] += (double)y[i + j] * y[i + j];
            products[j] += (double)y[i + j] * (with ? with : y)[i + j];
        }
    for (; i < n; i++) squares[0] += (double)y[i] * y[i], products[0] += (double)y[i] * (with ? with : y)[i];
    *square = *product = 0;
    for (size_t j = 0; j < LANES; j++) *square += squares[j], *product += products[j];
}

evdb_status codec_find_origin(codec *c, evdb_error *err)
{
    if (!moves(c)) return EVDB_OK;
    size_t bytes = codec_room(c) + (c->widest + c->dim) * sizeof(float);
    float *zero = mem_zero(&c->mem, bytes), *m = zero + c->widest, *room = m + c->dim;
    c->origin = mem_array(&c->mem, c->inner, sizeof(*c->origin));
    evdb_status rc = zero && c->origin ? EVDB_OK : error_no_memory(err, bytes, "a codec");
    if (rc == EVDB_OK) {
        memcpy(c->origin, codec_forward(c, c->transforms, zero, 1, room), c->inner * sizeof(float));
        codec_back(c, zero, 1, m, room);
        c->origin_square = stage_square(m, c->dim);
    }
    mem_free(&c->mem, zero);
    return rc;
}

/* NAN where it is not to be had this way. */
static double turned_norm(const codec *c, const uint8_t *code, float *y)
{
    const codec_stage *q = codec_quantiser(c);
    double square, product, sum;
    q->kind->decode(q, code, c->code_bytes, 1, y);
    products(y, c->origin, c->inner, &square, &product);
    if (!c->origin) return sqrt(square);
    sum = c->origin_square - 2 * product + square;
    return sum > LEFT_MIN * (c->origin_square + square) ? sqrt(sum) : NAN;
}

float codec_inverse_norm(const codec *c, const uint8_t *code, void *room)
{
    const codec_stage *q = codec_quantiser(c);
    float inverse = NAN, *x = (float *)room + codec_room(c) / sizeof(float) - c->dim;
    if (q->kind->norm && !c->origin) return metric_inverse_of(q->kind->norm(q, code));
    if (c->transforms) inverse = metric_inverse_of(turned_norm(c, code, room));
    if (!isnan(inverse)) return inverse;
    codec_decode(c, code, c->code_bytes, 1, x, room);
    return metric_inverse_norm(x, c->dim);
}
