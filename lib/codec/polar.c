/* polar.c - implements polar.h. */
#include "codec/polar.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "codec/covariance.h"
#include "codec/stage.h"
#include <math.h>
#include <string.h>

enum { STEPS = 60, POWER_STEPS = 16 };
static const double SMALLEST = 1e-4; /* of the singular values that the first steps are scaled for; smaller ones take more steps */
static const float GOOD = 2e-6f;     /* how far products of rows may be from 1 and 0 */
static const double MARGIN = 1.15;   /* what the largest singular value may be above its estimate */

typedef struct polar {
    const evdb_allocator *mem;
    const kernel *kernel;
    const codec_training *t;
    uint32_t count, dim;
    float *rows, *next, *packed, *products; /* W; what follows it; a right factor; W W' */
    float *x, *y;
} polar;

/* W W' */
static void square(polar *p)
{
    matrix_pack_transposed(p->rows, p->dim, p->dim, p->count, p->packed);
    product_shared(p->kernel, &(matrix_product){ .a = p->rows, .a_stride = p->dim, .b = p->packed, .c = p->products, .c_stride = p->count,
                                                 .rows = p->count, .inner = p->dim, .columns = p->count }, p->t->threads);
}

/* W = (linear - cubic W W') W */
static void step(polar *p, double linear, double cubic)
{
    size_t n = p->count;
    for (size_t i = 0; i < n * n; i++) p->products[i] = (float)((i % (n + 1) == 0 ? linear : 0) - cubic * p->products[i]);
    matrix_pack(p->rows, p->dim, p->count, p->dim, p->packed);
    product_shared(p->kernel, &(matrix_product){ .a = p->products, .a_stride = n, .b = p->packed, .c = p->next, .c_stride = p->dim,
                                                 .rows = n, .inner = n, .columns = p->dim }, p->t->threads);
    float *rows = p->rows;
    p->rows = p->next;
    p->next = rows;
}

/* The largest singular value, squared: powers of W W' make any vector that one's. */
static double largest(const polar *p)
{
    uint64_t chance = 1;
    double length = 0;
    for (uint32_t i = 0; i < p->count; i++) p->x[i] = (float)(mix_unit(mix_next(&chance)) - 0.5);
    for (int round = 0; round < POWER_STEPS; round++) {
        p->kernel->dot_f32_rows(p->x, p->products, p->count, p->count, p->count, p->y);
        length = 0;
        for (uint32_t i = 0; i < p->count; i++) length += (double)p->y[i] * p->y[i];
        length = sqrt(length);
        if (!(length > 0)) return 0;
        for (uint32_t i = 0; i < p->count; i++) p->x[i] = (float)(p->y[i] / length);
    }
    return length;
}

static float worst(const polar *p)
{
    float most = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < p->count; j++) {
            float off = fabsf(p->products[i * p->count + j] - (i == j));
            if (!(off <= most)) most = off;
        }
    return most;
}

static evdb_status iterate(polar *p, evdb_error *err)
{
    double least = SMALLEST, scale = 1;
    float before = INFINITY;
    for (int round = 0; round < STEPS; round++) {
        evdb_status rc = stage_stopped(p->t, err);
        if (rc != EVDB_OK) return rc;
        square(p);
        if (round == 0) scale = largest(p);
        float off = worst(p);
        if (off <= GOOD || (off < 1e-4f && off >= before)) break; /* as near as float gets */
        before = off;
        double by = round == 0 ? 1 / (MARGIN * sqrt(scale > 0 ? scale : 1)) : 1, a = sqrt(3 / (1 + least + least * least));
        step(p, 1.5 * a * by, 0.5 * a * a * a * by * by * by);
        least = 0.5 * a * least * (3 - a * a * least * least);
    }
    return EVDB_OK;
}

evdb_status polar_rows(const evdb_allocator *mem, const kernel *k, const codec_training *t, float *rows, uint32_t count, uint32_t dim,
                       evdb_error *err)
{
    polar p = { .mem = mem, .kernel = k, .t = t, .count = count, .dim = dim, .rows = rows };
    size_t one = matrix_packed(dim, count), other = matrix_packed(count, dim);
    float *own = p.next = mem_array(mem, count, dim * sizeof(*own));
    evdb_status rc = EVDB_OK;
    p.packed = mem_array(mem, one > other ? one : other, sizeof(float));
    p.products = mem_array(mem, count, count * sizeof(float));
    p.x = mem_array(mem, count, 2 * sizeof(float));
    if (!own || !p.packed || !p.products || !p.x) TRY(error_no_memory(err, one * sizeof(float), "training a matrix"));
    p.y = p.x + count;
    TRY(iterate(&p, err));
    if (p.rows != rows) memcpy(rows, p.rows, (size_t)count * dim * sizeof(*rows));
out:
    mem_free(mem, own);
    mem_free(mem, p.packed);
    mem_free(mem, p.products);
    mem_free(mem, p.x);
    return rc;
}
