/* pq_train.c - centroids of each part, several parts at a time. */
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "codec/kmeans.h"
#include "codec/pq_book.h"
#include "codec/stage.h"
#include "codec/unit_scale.h"
#include "platform/thread.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* All threads', which take parts as they come: what becomes of a part depends on nothing else. */
typedef struct share {
    const pq_training *t;
    float *book;
    atomic_uint next;
    evdb_status status[THREAD_PARTS_MAX];
    evdb_error why[THREAD_PARTS_MAX];
} share;

/* How a part's elements are moved to around zero and to a size that squares can hold. */
typedef struct moved {
    double *centre; /* of each element */
    double scale;
} moved;

static const float *element(const pq_training *t, size_t i, uint32_t part)
{
    return t->x + (size_t)t->rows[i] * t->shape.dim + pq_begin(&t->shape, part);
}

static void take_part(const pq_training *t, uint32_t part, moved *m, float *x)
{
    uint32_t n = pq_size(&t->shape, part);
    double most = 0;
    memset(m->centre, 0, n * sizeof(*m->centre));
    for (size_t i = 0; i < t->count; i++)
        for (uint32_t j = 0; j < n; j++) m->centre[j] += element(t, i, part)[j];
    for (uint32_t j = 0; j < n; j++) m->centre[j] /= (double)t->count;
    for (size_t i = 0; i < t->count; i++)
        for (uint32_t j = 0; j < n; j++) most = unit_size(most, element(t, i, part)[j] - m->centre[j]);
    m->scale = unit_scale(most);
    for (size_t i = 0; i < t->count; i++)
        for (uint32_t j = 0; j < n; j++) x[i * n + j] = (float)((element(t, i, part)[j] - m->centre[j]) * m->scale);
}

/* Centroids in the book's units from those of k-means, or the other way round. */
static void move_centroids(const pq_shape *s, uint32_t part, const moved *m, bool back, float *in_book, float *own)
{
    uint32_t n = pq_size(s, part);
    for (uint32_t i = 0; i < s->many; i++)
        for (uint32_t j = 0; j < n; j++) {
            float *outer = in_book + (size_t)i * s->width + j, *inner = own + (size_t)i * n + j;
            if (back) *outer = (float)fmin(fmax(*inner / m->scale + m->centre[j], -(double)FLT_MAX), (double)FLT_MAX);
            else *inner = (float)((*outer - m->centre[j]) * m->scale);
        }
}

static evdb_status train_part(const pq_training *t, uint32_t part, float *book, evdb_error *err)
{
    const pq_shape *s = &t->shape;
    uint32_t n = pq_size(s, part);
    float *x = mem_array(t->mem, t->count, n * sizeof(*x)), *own = mem_array(t->mem, s->many, n * sizeof(*own));
    moved m = { .centre = mem_array(t->mem, n, sizeof(*m.centre)) };
    float *in_book = book + (size_t)part * s->many * s->width;
    evdb_status rc = EVDB_OK;
    if (!x || !own || !m.centre) TRY(error_no_memory(err, t->count * n * sizeof(*x), "training centroids"));
    take_part(t, part, &m, x);
    if (t->warm) move_centroids(s, part, &m, false, in_book, own);
    const kmeans k = { .mem = t->mem, .kernel = t->kernel, .x = x, .count = t->count, .n = n, .many = s->many, .rounds = t->rounds,
                       .warm = t->warm, .seed = mix64(t->seed + part), .training = t->training };
    TRY(kmeans_train(&k, own, err));
    move_centroids(s, part, &m, true, in_book, own);
out:
    mem_free(t->mem, x);
    mem_free(t->mem, own);
    mem_free(t->mem, m.centre);
    return rc;
}

static void train_parts(void *context, size_t thread)
{
    share *s = context;
    for (;;) {
        uint32_t part = atomic_fetch_add(&s->next, 1);
        if (part >= s->t->shape.parts) return;
        s->status[thread] = train_part(s->t, part, s->book, &s->why[thread]);
        if (s->status[thread] != EVDB_OK) return;
    }
}

evdb_status pq_train(const pq_training *t, float *book, evdb_error *err)
{
    size_t threads = t->training->threads;
    if (threads > t->shape.parts) threads = t->shape.parts;
    if (threads > THREAD_PARTS_MAX) threads = THREAD_PARTS_MAX;
    if (threads == 0) threads = 1;
    share *s = mem_zero(t->mem, sizeof(*s));
    if (!s) return error_no_memory(err, sizeof(*s), "training centroids");
    s->t = t;
    s->book = book;
    thread_share(threads, train_parts, s);
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < threads && rc == EVDB_OK; i++) {
        rc = s->status[i];
        if (rc != EVDB_OK && err) *err = s->why[i];
    }
    mem_free(t->mem, s);
    return rc;
}
