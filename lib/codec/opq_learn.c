/* opq_learn.c - implements opq_learn.h.
 *
 * It begins with the principal components, dealt to the parts so that the products of their variances are as equal as can be: for normal
 * numbers that is the best there is. Then, in turns, codes are made for the rotation, and the rotation for the codes: the orthonormal matrix
 * that takes the vectors as near to what the codes stand for as any does, which is the polar factor of their products. */
#include "codec/opq_learn.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/covariance.h"
#include "codec/draw.h"
#include "codec/eigen.h"
#include "codec/polar.h"
#include "codec/stage.h"
#include "codec/unit_scale.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { POINTS = 128 /* vectors a centroid */, TURNS = 8, FIRST_ROUNDS = 8, ROUNDS = 1, BLOCK = 512 };
static const float KEEP = 1e-3f; /* of the largest product: how much the rotation before counts, where vectors tell nothing */

typedef struct learner {
    const evdb_allocator *mem;
    const kernel *kernel;
    const codec_training *t;
    pq_shape shape;
    size_t count;
    uint32_t *order;  /* rows 0 .. count */
    float *x, *y;     /* the sample, moved and scaled; turned, and then what its codes stand for */
    float *rows, *packed, *book, *turned;
    uint8_t *codes;
} learner;

/* ---- where it begins ---- */

/* Component after component, by falling variance, goes to the part whose product is the least among those with room. */
static void deal(const pq_shape *s, const double *values, const double *vectors, double *products, float *rows)
{
    uint32_t *used = (uint32_t *)(void *)(products + s->parts);
    for (uint32_t p = 0; p < s->parts; p++) products[p] = used[p] = 0;
    for (uint32_t i = 0; i < s->dim; i++) {
        uint32_t best = s->parts;
        for (uint32_t p = 0; p < s->parts; p++)
            if (used[p] < pq_size(s, p) && (best == s->parts || products[p] < products[best])) best = p;
        float *row = rows + (size_t)(pq_begin(s, best) + used[best]++) * s->dim;
        for (uint32_t j = 0; j < s->dim; j++) row[j] = (float)vectors[(size_t)i * s->dim + j];
        products[best] += log(fmax(values[i], values[0] * 1e-9 + DBL_MIN) / (values[0] + DBL_MIN)) + 40; /* above 0: more is more */
    }
}

static evdb_status begin(learner *l, float *mean, evdb_error *err)
{
    size_t dim = l->shape.dim;
    double *sums = mem_array(l->mem, dim, dim * sizeof(*sums)), *vectors = mem_array(l->mem, dim, dim * sizeof(*vectors));
    double *values = mem_array(l->mem, dim + 2 * (size_t)l->shape.parts, sizeof(*values));
    evdb_status rc = EVDB_OK;
    if (!sums || !vectors || !values) TRY(error_no_memory(err, 2 * dim * dim * sizeof(*sums), "training a matrix"));
    TRY(covariance(l->mem, l->kernel, l->t, l->shape.dim, mean, sums, err));
    TRY(eigen_symmetric(l->mem, l->t, sums, l->shape.dim, values, vectors, err));
    deal(&l->shape, values, vectors, values + dim, l->rows);
out:
    mem_free(l->mem, sums);
    mem_free(l->mem, vectors);
    mem_free(l->mem, values);
    return rc;
}

static void take_sample(learner *l, const uint32_t *drawn, const float *mean)
{
    size_t dim = l->shape.dim;
    double most = 0;
    for (size_t i = 0; i < l->count; i++)
        for (size_t j = 0; j < dim; j++) most = unit_size(most, (double)l->t->sample[drawn[i] * dim + j] - mean[j]);
    double scale = unit_scale(most);
    for (size_t i = 0; i < l->count; i++) {
        for (size_t j = 0; j < dim; j++) l->x[i * dim + j] = (float)(((double)l->t->sample[drawn[i] * dim + j] - mean[j]) * scale);
        l->order[i] = (uint32_t)i;
    }
}

/* ---- turn by turn ---- */

/* y = x R', then the codes of y, then y as its codes have it. */
static evdb_status make_codes(learner *l, uint32_t turn, evdb_error *err)
{
    uint32_t dim = l->shape.dim;
    size_t bytes = pq_code_bytes(&l->shape);
    pq_coder *coder;
    matrix_pack_transposed(l->rows, dim, dim, dim, l->packed);
    product_shared(l->kernel, &(matrix_product){ .a = l->x, .a_stride = dim, .b = l->packed, .c = l->y, .c_stride = dim, .rows = l->count,
                                                 .inner = dim, .columns = dim }, l->t->threads);
    const pq_training p = { .mem = l->mem, .kernel = l->kernel, .shape = l->shape, .x = l->y, .rows = l->order, .count = l->count,
                            .rounds = turn ? ROUNDS : FIRST_ROUNDS, .warm = turn > 0, .seed = l->t->seed, .training = l->t };
    evdb_status rc = pq_train(&p, l->book, err);
    if (rc == EVDB_OK) rc = pq_coder_make(l->mem, l->kernel, &l->shape, l->book, &coder, err);
    if (rc != EVDB_OK) return rc;
    pq_encode(coder, l->y, l->count, l->codes, bytes);
    pq_decode(&l->shape, l->book, l->codes, bytes, l->count, l->y);
    mem_free(l->mem, coder);
    return EVDB_OK;
}

/* R = the polar factor of y' x, and a little of the R before. */
static evdb_status turn_rows(learner *l, evdb_error *err)
{
    size_t dim = l->shape.dim;
    float *products = l->rows, most = 0;
    float *sums = mem_zero(l->mem, dim * dim * sizeof(*sums));
    if (!sums) return error_no_memory(err, dim * dim * sizeof(*sums), "training a matrix");
    for (size_t at = 0; at < l->count; at += BLOCK) {
        size_t some = l->count - at < BLOCK ? l->count - at : BLOCK;
        for (size_t j = 0; j < dim; j++)
            for (size_t i = 0; i < some; i++) l->turned[j * BLOCK + i] = l->y[(at + i) * dim + j];
        matrix_pack(l->x + at * dim, dim, some, dim, l->packed);
        product_shared(l->kernel, &(matrix_product){ .a = l->turned, .a_stride = BLOCK, .b = l->packed, .start = sums, .start_stride = dim,
                                                     .c = sums, .c_stride = dim, .rows = dim, .inner = some, .columns = dim }, l->t->threads);
    }
    for (size_t i = 0; i < dim * dim; i++) most = fmaxf(most, fabsf(sums[i]));
    for (size_t i = 0; i < dim * dim; i++) products[i] = most > 0 ? sums[i] / most + KEEP * products[i] : products[i];
    mem_free(l->mem, sums);
    return polar_rows(l->mem, l->kernel, l->t, l->rows, l->shape.dim, l->shape.dim, err);
}

static evdb_status learner_make(learner *l, size_t drawn, evdb_error *err)
{
    size_t dim = l->shape.dim, rows = drawn > BLOCK ? drawn : BLOCK, packed = matrix_packed(dim > BLOCK ? dim : BLOCK, dim);
    l->count = drawn;
    l->x = mem_array(l->mem, drawn, dim * sizeof(float));
    l->y = mem_array(l->mem, rows, dim * sizeof(float));
    l->packed = mem_array(l->mem, packed, sizeof(float));
    l->book = mem_array(l->mem, pq_floats(&l->shape), sizeof(float));
    l->turned = mem_array(l->mem, dim, BLOCK * sizeof(float));
    l->codes = mem_array(l->mem, drawn, pq_code_bytes(&l->shape));
    l->order = mem_array(l->mem, drawn, sizeof(*l->order));
    if (l->x && l->y && l->packed && l->book && l->turned && l->codes && l->order) return EVDB_OK;
    return error_no_memory(err, (2 * drawn * dim + packed) * sizeof(float), "training a matrix");
}

static void learner_free(learner *l)
{
    mem_free(l->mem, l->x);
    mem_free(l->mem, l->y);
    mem_free(l->mem, l->packed);
    mem_free(l->mem, l->book);
    mem_free(l->mem, l->turned);
    mem_free(l->mem, l->codes);
    mem_free(l->mem, l->order);
}

evdb_status opq_learn(const evdb_allocator *mem, const kernel *k, const codec_training *t, const pq_shape *shape, float *rows, evdb_error *err)
{
    learner l = { .mem = mem, .kernel = k, .t = t, .shape = *shape, .rows = rows };
    uint32_t *drawn = NULL;
    size_t count = 0;
    float *mean = mem_array(mem, shape->dim, sizeof(*mean));
    evdb_status rc = EVDB_OK;
    if (!mean) TRY(error_no_memory(err, shape->dim * sizeof(*mean), "training a matrix"));
    TRY(draw_rows(mem, t->count, (size_t)POINTS * shape->many, t->seed, &drawn, &count, err));
    TRY(learner_make(&l, count, err));
    TRY(begin(&l, mean, err));
    take_sample(&l, drawn, mean);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        TRY(make_codes(&l, turn, err));
        TRY(turn_rows(&l, err));
    }
out:
    learner_free(&l);
    mem_free(mem, drawn);
    mem_free(mem, mean);
    return rc;
}
