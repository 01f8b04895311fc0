/* measure.c - implements codec/measure.h. */
#include "codec/measure.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/topk.h"
#include "base/try.h"
#include "codec/codec_private.h"
#include "codec/draw.h"
#include "kernel/metric.h"
#include <math.h>
#include <string.h>

enum {
    LONG_ENOUGH_NS = 100 * 1000, /* far above what reading the clock takes */
    TIMES_MAX = 1 << 12,         /* for clocks that stand still */
    TILE = 1024                  /* distances on codes at a time */
};

/* ---- the sample ---- */

void measure_sample_free(measure_sample *s)
{
    const evdb_allocator *mem = &s->p->mem;
    mem_free(mem, s->inverses);
    mem_free(mem, s->queries);
    mem_free(mem, s->exact);
    mem_free(mem, s->bounds);
    *s = (measure_sample){ .p = s->p };
}

static void search_exactly(measure_sample *s, size_t query)
{
    hit space[MEASURE_NEAREST];
    topk nearest;
    uint32_t own = s->queries[query];
    float *distances = s->exact + query * s->count;
    metric_distances(s->kernel, s->metric, s->rows + (size_t)own * s->dim, s->inverses ? s->inverses[own] : 0, s->rows, s->dim, s->count,
                     s->dim, s->inverses, distances);
    topk_init(&nearest, space, MEASURE_NEAREST);
    for (size_t i = 0; i < s->count; i++)
        if (i != own) topk_add(&nearest, distances[i], (uint32_t)i);
    s->bounds[query] = topk_bound(&nearest);
}

evdb_status measure_sample_make(const platform *p, const kernel *k, const float *rows, size_t count, uint32_t dim, evdb_metric metric,
                                uint64_t seed, measure_sample *out, evdb_error *err)
{
    measure_sample s = { .p = p, .kernel = k, .rows = rows, .count = count, .dim = dim, .metric = metric };
    evdb_status rc = draw_rows(&p->mem, count, count > MEASURE_NEAREST ? MEASURE_QUERIES : 0, seed, &s.queries, &s.query_count, err);
    if (rc != EVDB_OK) return rc;
    if (metric == EVDB_COSINE) s.inverses = mem_array(&p->mem, count, sizeof(*s.inverses));
    s.bounds = mem_array(&p->mem, s.query_count, sizeof(*s.bounds));
    s.exact = mem_array(&p->mem, s.query_count * count, sizeof(*s.exact));
    if ((metric == EVDB_COSINE && !s.inverses) || !s.bounds || !s.exact) {
        measure_sample_free(&s);
        return error_no_memory(err, s.query_count * count * sizeof(*s.exact), "measuring codecs");
    }
    for (size_t i = 0; s.inverses && i < count; i++) s.inverses[i] = metric_inverse_norm(rows + i * dim, dim);
    for (size_t i = 0; i < s.query_count; i++) search_exactly(&s, i);
    *out = s;
    return EVDB_OK;
}

/* ---- one codec ---- */

/* A block of vectors on its way through a codec and back. */
typedef struct work {
    const measure_sample *s;
    const codec *c;
    void *room;
    uint8_t *codes;       /* of all rows */
    char *packed;         /* of a block, codec_bound() bytes each */
    size_t *sizes;
    uint8_t *unpacked;    /* its codes again */
    float *back;          /* what became of it; later, distances */
    size_t first, count;  /* of the block */
} work;

static void work_free(work *w)
{
    const evdb_allocator *mem = &w->s->p->mem;
    mem_free(mem, w->room);
    mem_free(mem, w->codes);
    mem_free(mem, w->packed);
    mem_free(mem, w->sizes);
    mem_free(mem, w->unpacked);
    mem_free(mem, w->back);
}

/* Zeroed, so that no step is the first to touch its pages. */
static void *touched(const evdb_allocator *mem, size_t count, size_t size)
{
    void *block = mem_array(mem, count, size);
    if (block) memset(block, 0, count * size);
    return block;
}

static evdb_status work_make(const measure_sample *s, const codec *c, work *w, evdb_error *err)
{
    const evdb_allocator *mem = &s->p->mem;
    size_t block = codec_block(c), bytes = codec_code_bytes(c);
    *w = (work){ .s = s, .c = c };
    w->room = touched(mem, codec_room(c), 1);
    w->codes = touched(mem, s->count, bytes);
    w->packed = touched(mem, block, codec_bound(c));
    w->sizes = touched(mem, block, sizeof(*w->sizes));
    w->unpacked = touched(mem, block, bytes);
    w->back = touched(mem, block * s->dim > TILE ? block * s->dim : TILE, sizeof(*w->back));
    if (w->room && w->codes && w->packed && w->sizes && w->unpacked && w->back) return EVDB_OK;
    return error_no_memory(err, s->count * bytes, "measuring a codec");
}

static evdb_status encode_block(work *w, evdb_error *err)
{
    size_t bytes = codec_code_bytes(w->c);
    uint8_t *codes = w->codes + w->first * bytes;
    codec_encode(w->c, w->s->rows + w->first * w->s->dim, w->count, codes, bytes, w->room);
    for (size_t i = 0; i < w->count; i++) {
        evdb_status rc = codec_pack(w->c, codes + i * bytes, w->packed + i * codec_bound(w->c), &w->sizes[i], err);
        if (rc != EVDB_OK) return rc;
    }
    return EVDB_OK;
}

static evdb_status decode_block(work *w, evdb_error *err)
{
    size_t bytes = codec_code_bytes(w->c);
    for (size_t i = 0; i < w->count; i++) {
        evdb_status rc = codec_unpack(w->c, w->packed + i * codec_bound(w->c), w->sizes[i], w->unpacked + i * bytes, err);
        if (rc != EVDB_OK) return rc;
    }
    codec_decode(w->c, w->unpacked, bytes, w->count, w->back, w->room);
    return EVDB_OK;
}

/* Adds what a step takes: it is done again until that can be told from what reading the clock takes. */
static evdb_status timed(work *w, evdb_status (*step)(work *w, evdb_error *err), double *us, evdb_error *err)
{
    const platform *p = w->s->p;
    for (size_t times = 1;; times *= 2) {
        uint64_t begun = p->cpu_ns(p->clock_context);
        for (size_t i = 0; i < times; i++) {
            evdb_status rc = step(w, err);
            if (rc != EVDB_OK) return rc;
        }
        uint64_t spent = p->cpu_ns(p->clock_context) - begun;
        if (spent < LONG_ENOUGH_NS && times < TIMES_MAX) continue;
        *us += (double)spent / 1e3 / (double)times;
        return EVDB_OK;
    }
}

double measure_loss(const float *x, const float *y, uint32_t dim)
{
    double whole = 0, lost = 0;
    for (uint32_t i = 0; i < dim; i++) {
        double d = (double)x[i] - y[i];
        whole += (double)x[i] * x[i];
        lost += d * d;
    }
    return whole > 0 ? sqrt(lost / whole) : lost > 0;
}

static evdb_status there_and_back(work *w, measure_figures *f, evdb_error *err)
{
    const measure_sample *s = w->s;
    size_t block = codec_block(w->c), bytes = 0;
    for (w->first = 0; w->first < s->count; w->first += w->count) {
        w->count = s->count - w->first < block ? s->count - w->first : block;
        evdb_status rc = timed(w, encode_block, &f->encode_us, err);
        if (rc == EVDB_OK) rc = timed(w, decode_block, &f->decode_us, err);
        if (rc != EVDB_OK) return rc;
        for (size_t i = 0; i < w->count; i++) {
            bytes += w->sizes[i];
            f->loss += measure_loss(s->rows + (w->first + i) * s->dim, w->back + i * s->dim, s->dim);
        }
    }
    f->bytes = (double)bytes / (double)s->count;
    f->loss /= (double)s->count;
    f->encode_us /= (double)s->count;
    f->decode_us /= (double)s->count;
    return EVDB_OK;
}

/* How many of those it finds are as near as the nearest are. */
static size_t found_by(work *w, codec_query *q, size_t query, const float *inverses)
{
    const measure_sample *s = w->s;
    size_t bytes = codec_code_bytes(w->c), found = 0;
    hit space[MEASURE_NEAREST];
    topk nearest;
    topk_init(&nearest, space, MEASURE_NEAREST);
    for (size_t at = 0; at < s->count; at += TILE) {
        size_t some = s->count - at < TILE ? s->count - at : TILE;
        codec_distances(q, w->codes + at * bytes, bytes, some, inverses ? inverses + at : NULL, w->back);
        for (size_t i = 0; i < some; i++)
            if (at + i != s->queries[query]) topk_add(&nearest, w->back[i], (uint32_t)(at + i));
    }
    for (size_t i = 0; i < nearest.count; i++) found += s->exact[query * s->count + space[i].row] <= s->bounds[query];
    return found;
}

static evdb_status search_codes(work *w, measure_figures *f, evdb_error *err)
{
    const measure_sample *s = w->s;
    size_t found = 0, bytes = codec_code_bytes(w->c);
    float *inverses = NULL;
    evdb_status rc = EVDB_OK;
    f->recall = -1;
    if (!s->query_count) return EVDB_OK;
    if (s->metric == EVDB_COSINE && !(inverses = mem_array(&s->p->mem, s->count, sizeof(*inverses))))
        return error_no_memory(err, s->count * sizeof(*inverses), "measuring a codec");
    for (size_t i = 0; inverses && i < s->count; i++) inverses[i] = codec_inverse_norm(w->c, w->codes + i * bytes, w->room);
    for (size_t i = 0; i < s->query_count; i++) {
        codec_query *q = NULL;
        TRY(codec_query_create(w->c, s->metric, s->rows + (size_t)s->queries[i] * s->dim, &q, err));
        found += found_by(w, q, i, inverses);
        codec_query_free(q);
    }
    f->recall = (double)found / (double)(s->query_count * MEASURE_NEAREST);
out:
    mem_free(&s->p->mem, inverses);
    return rc;
}

evdb_status measure_codec(const measure_sample *s, const char *spec, uint64_t seed, measure_figures *out, evdb_error *err)
{
    const platform *p = s->p;
    codec_training t = { .sample = s->rows, .count = s->count, .threads = 1, .seed = seed };
    measure_figures f = { 0 };
    codec *c = NULL;
    work w = { .s = s };
    evdb_status rc;
    uint64_t begun = p->cpu_ns(p->clock_context);
    TRY(codec_create(&p->mem, s->kernel, spec, s->dim, &t, &c, err));
    f.training_s = (double)(p->cpu_ns(p->clock_context) - begun) / 1e9;
    f.trained_bytes = codec_trained_bytes(c);
    TRY(work_make(s, c, &w, err));
    TRY(there_and_back(&w, &f, err));
    TRY(search_codes(&w, &f, err));
    *out = f;
out:
    work_free(&w);
    codec_free(c);
    return rc;
}
