/* linear.c - implements linear.h. */
#include "codec/linear.h"
#include "base/error.h"
#include "base/mem.h"
#include <float.h>
#include <math.h>
#include <string.h>

evdb_status linear_limit(const codec_stage *s, evdb_error *err)
{
    if (s->dim <= EVDB_CODEC_MATRIX_DIM_MAX) return EVDB_OK;
    return error_set(err, EVDB_LIMIT, "codec %s: takes at most %u elements, not %u", s->kind->of.name, EVDB_CODEC_MATRIX_DIM_MAX, s->dim);
}

evdb_status linear_make(const evdb_allocator *mem, const kernel *k, uint32_t dim, uint32_t out_dim, const float *rows, const float *mean,
                        linear **out, evdb_error *err)
{
    size_t forward = matrix_packed(dim, out_dim), back = matrix_packed(out_dim, dim);
    linear *l = mem_alloc(mem, sizeof(*l) + MATRIX_ALIGN + (forward + back) * sizeof(float));
    if (!l) return error_no_memory(err, (forward + back) * sizeof(float), "a codec");
    *l = (linear){ .kernel = k, .dim = dim, .out_dim = out_dim, .mean = mean };
    l->forward = matrix_aligned(l + 1);
    l->back = l->forward + forward;
    matrix_pack_transposed(rows, dim, dim, out_dim, l->forward);
    matrix_pack(rows, dim, out_dim, dim, l->back);
    *out = l;
    return EVDB_OK;
}

evdb_status linear_sound(const codec_stage *s, const float *rows, uint32_t count, evdb_error *err)
{
    enum { NEIGHBOURS = 4 };
    static const float tolerance = 1e-3f;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i; j < count && j < i + NEIGHBOURS; j++) {
            float product = s->kernel->dot_f32(rows + (size_t)i * s->dim, rows + (size_t)j * s->dim, s->dim);
            if (!(fabsf(product - (i == j)) <= tolerance))
                return error_set(err, EVDB_CORRUPT, "codec %s: rows %u and %u of its matrix are not orthonormal", s->kind->of.name, i, j);
        }
    return EVDB_OK;
}

/* ---- vectors whose sums leave the range of float ---- */

static float held(double v) { return v < -(double)FLT_MAX ? -FLT_MAX : v > (double)FLT_MAX ? FLT_MAX : (float)v; }

static double at(const linear *l, uint32_t row, uint32_t column)
{
    return l->back[((size_t)(column / MATRIX_PANEL) * l->out_dim + row) * MATRIX_PANEL + column % MATRIX_PANEL];
}

static void forward_in_double(const linear *l, const float *x, float *y)
{
    for (uint32_t i = 0; i < l->out_dim; i++) {
        double sum = 0;
        for (uint32_t j = 0; j < l->dim; j++) sum += at(l, i, j) * ((double)x[j] - (l->mean ? l->mean[j] : 0));
        y[i] = held(sum);
    }
}

static void back_in_double(const linear *l, const float *y, float *x)
{
    for (uint32_t j = 0; j < l->dim; j++) {
        double sum = l->mean ? l->mean[j] : 0;
        for (uint32_t i = 0; i < l->out_dim; i++) sum += at(l, i, j) * y[i];
        x[j] = held(sum);
    }
}

void linear_forward(const codec_stage *s, const float *x, size_t count, float *y)
{
    const linear *l = s->derived;
    l->kernel->matrix->product(&(matrix_product){ .a = x, .a_stride = l->dim, .less = l->mean, .b = l->forward, .c = y, .c_stride = l->out_dim,
                                                  .rows = count, .inner = l->dim, .columns = l->out_dim });
    if (l->kernel->finite_f32(y, count * l->out_dim)) return;
    for (size_t i = 0; i < count; i++)
        if (!l->kernel->finite_f32(y + i * l->out_dim, l->out_dim)) forward_in_double(l, x + i * l->dim, y + i * l->out_dim);
}

void linear_back(const codec_stage *s, const float *y, size_t count, float *x)
{
    const linear *l = s->derived;
    l->kernel->matrix->product(&(matrix_product){ .a = y, .a_stride = l->out_dim, .b = l->back, .start = l->mean, .c = x, .c_stride = l->dim,
                                                  .rows = count, .inner = l->out_dim, .columns = l->dim });
    if (l->kernel->finite_f32(x, count * l->dim)) return;
    for (size_t i = 0; i < count; i++)
        if (!l->kernel->finite_f32(x + i * l->dim, l->dim)) back_in_double(l, y + i * l->out_dim, x + i * l->dim);
}

const float *linear_mean(const codec_stage *s) { return ((const linear *)s->derived)->mean; }
