/* covariance.c - implements covariance.h: products of blocks of the sample, added up in double. */
#include "codec/covariance.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "codec/stage.h"
#include "codec/unit_scale.h"
#include "platform/thread.h"
#include <string.h>

enum { BLOCK = 512, STRIPE = 64 /* rows of the result at a time, a multiple of MATRIX_PANEL */ };

static size_t parts_of(uint32_t threads) { return threads < 1 ? 1 : threads > THREAD_PARTS_MAX ? THREAD_PARTS_MAX : threads; }

typedef struct product_share {
    const kernel *kernel;
    const matrix_product *p;
    size_t threads;
} product_share;

static void multiply_share(void *context, size_t thread)
{
    const product_share *s = context;
    size_t first = s->p->rows * thread / s->threads, end = s->p->rows * (thread + 1) / s->threads;
    matrix_product own = *s->p;
    own.a += first * own.a_stride;
    own.c += first * own.c_stride;
    if (own.start) own.start += first * own.start_stride;
    own.rows = end - first;
    s->kernel->matrix->product(&own);
}

void product_shared(const kernel *k, const matrix_product *p, uint32_t threads)
{
    product_share s = { k, p, parts_of(threads) };
    thread_share(s.threads, multiply_share, &s);
}

typedef struct summing {
    const kernel *kernel;
    uint32_t dim;
    float *turned, *packed, *products; /* a block: dim rows of BLOCK floats; as a right factor; STRIPE rows of dim a thread */
    double *sums;
    size_t count, threads;
} summing;

static void sum_share(void *context, size_t thread)
{
    const summing *s = context;
    float *products = s->products + thread * STRIPE * s->dim;
    for (size_t row = thread * STRIPE; row < s->dim; row += s->threads * STRIPE) {
        size_t rows = s->dim - row < STRIPE ? s->dim - row : STRIPE, columns = s->dim - row;
        s->kernel->matrix->product(&(matrix_product){ .a = s->turned + row * BLOCK, .a_stride = BLOCK, .b = s->packed + row * s->count,
                                                      .c = products, .c_stride = columns, .rows = rows, .inner = s->count,
                                                      .columns = columns });
        for (size_t i = 0; i < rows; i++)
            for (size_t j = i; j < columns; j++) s->sums[(row + i) * s->dim + row + j] += products[i * columns + j];
    }
}

static double mean_and_size(const codec_training *t, uint32_t dim, float *mean, double *sums)
{
    double most = 0;
    memset(sums, 0, dim * sizeof(*sums));
    for (size_t i = 0; i < t->count; i++)
        for (uint32_t j = 0; j < dim; j++) sums[j] += t->sample[i * dim + j];
    for (uint32_t j = 0; j < dim; j++) mean[j] = (float)(sums[j] / (double)t->count);
    for (size_t i = 0; i < t->count; i++)
        for (uint32_t j = 0; j < dim; j++) most = unit_size(most, (double)t->sample[i * dim + j] - mean[j]);
    return most;
}

static void take_block(summing *s, const codec_training *t, size_t at, const float *mean, double scale, float *rows)
{
    s->count = t->count - at < BLOCK ? t->count - at : BLOCK;
    for (size_t i = 0; i < s->count; i++)
        for (uint32_t j = 0; j < s->dim; j++) rows[i * s->dim + j] = (float)(((double)t->sample[(at + i) * s->dim + j] - mean[j]) * scale);
    for (uint32_t j = 0; j < s->dim; j += 16)
        for (size_t i = 0; i < s->count; i++)
            for (uint32_t k = j; k < s->dim && k < j + 16; k++) s->turned[(size_t)k * BLOCK + i] = rows[i * s->dim + k];
    matrix_pack(rows, s->dim, s->count, s->dim, s->packed);
}

evdb_status covariance(const evdb_allocator *mem, const kernel *k, const codec_training *t, uint32_t dim, float *mean, double *sums,
                       evdb_error *err)
{
    summing s = { .kernel = k, .dim = dim, .sums = sums, .threads = parts_of(t->threads) };
    evdb_status rc = EVDB_OK;
    size_t packed = matrix_packed(BLOCK, dim);
    float *rows = mem_array(mem, BLOCK, dim * sizeof(*rows));
    s.turned = mem_array(mem, BLOCK, dim * sizeof(float));
    s.packed = mem_array(mem, packed, sizeof(float));
    s.products = mem_array(mem, s.threads * STRIPE, dim * sizeof(float));
    if (!rows || !s.turned || !s.packed || !s.products) TRY(error_no_memory(err, packed * sizeof(float), "training a matrix"));
    double most = mean_and_size(t, dim, mean, sums);
    memset(sums, 0, (size_t)dim * dim * sizeof(*sums));
    for (size_t i = 0; i < t->count; i += BLOCK) {
        TRY(stage_stopped(t, err));
        take_block(&s, t, i, mean, unit_scale(most), rows);
        thread_share(s.threads, sum_share, &s);
    }
out:
    mem_free(mem, rows);
    mem_free(mem, s.turned);
    mem_free(mem, s.packed);
    mem_free(mem, s.products);
    return rc;
}
