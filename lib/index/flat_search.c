/* flat_search.c - the exact scan of index/flat.h.
 *
 * Rows go by in tiles that fit the second-level cache; each tile meets a block of queries before the next one is
 * fetched, so that a batch reads memory once a block and not once a query. */
#include "base/element.h"
#include "base/error.h"
#include "index/flat_private.h"
#include "platform/thread.h"
#include <string.h>

enum {
    TILE_BYTES = 128 << 10,
    TILE_ROWS_MIN = 8,
    TILE_ROWS_MAX = 1024,
    QUERY_BLOCK = 16,
    RUN_SHORT = 4,
    RUNS_AHEAD = 2,
    QUERY_WORDS = 128 /* queries of no more bits are made bits themselves; longer ones meet the rows as floats */
};

typedef struct search {
    const flat_snapshot *snapshot;
    const flat_query *q;
    hit *hits;
    size_t *found;
    size_t parts, block; /* threads; queries that share a pass over the rows */
    atomic_bool cut;
    _Atomic int status;
} search;

/* Stretches of rows a snapshot sees: usually one. */
typedef struct tile {
    const chunk *chunk;
    uint32_t first_row;     /* of the chunk */
    uint32_t from[TILE_ROWS_MAX], count[TILE_ROWS_MAX];
    uint32_t runs;
} tile;

static void find_chosen(tile *t, uint32_t from, uint32_t to, const row_set *only)
{
    uint32_t end = t->first_row + to, next = t->first_row + from;
    t->runs = 0;
    while ((next = row_set_next(only, next, end)) < end) {
        t->from[t->runs] = next - t->first_row;
        while (++next < end && row_set_has(only, next)) continue;
        t->count[t->runs] = next - t->first_row - t->from[t->runs];
        t->runs++;
    }
}

static void find_runs(tile *t, uint32_t from, uint32_t to, uint64_t sequence)
{
    bool running = false;
    t->runs = 0;
    for (uint32_t at = from; at < to; at++) {
        bool seen = row_visible(t->chunk, at, sequence);
        if (seen && !running) t->from[t->runs] = at, t->count[t->runs++] = 0;
        if (seen) t->count[t->runs - 1]++;
        running = seen;
    }
}

typedef struct one_query {
    flat_ready ready;
    uint64_t bits[QUERY_WORDS];
    topk best;
    bool cut; /* a radius held more than k */
} one_query;

static void consider(one_query *q, const float *distances, uint32_t count, uint32_t row, float radius)
{
    float bound = topk_bound(&q->best);
    for (uint32_t i = 0; i < count; i++) {
        float d = distances[i];
        /* an infinite distance is the last resort, but a neighbour all the same */
        if (!(d < bound || (d == bound && q->best.count < q->best.k)) || !(d <= radius)) {
            q->cut |= d <= radius;
            continue;
        }
        q->cut |= q->best.count == q->best.k;
        topk_add(&q->best, d, row + i);
        bound = topk_bound(&q->best);
    }
}

/* Short runs are too far between for the machine to foresee. */
static void ask_for_run(const flat *f, const tile *t, uint32_t r)
{
    if (r < t->runs && t->count[r] <= RUN_SHORT) flat_ask_for(f, t->first_row + t->from[r]);
}

static bool has_bits(const flat *f) { return !f->o.codec && f->o.dtype == EVDB_BIT && f->stride <= QUERY_WORDS * sizeof(uint64_t); }

static void scan_tile(const flat *f, const tile *t, one_query *queries, size_t count, float radius)
{
    float distances[TILE_ROWS_MAX];
    for (size_t i = 0; i < count; i++)
        for (uint32_t r = 0; r < t->runs; r++) {
            const chunk *c = t->chunk;
            ask_for_run(f, t, r + RUNS_AHEAD);
            if (has_bits(f))
                metric_bit_distances(f->o.kernel, f->o.metric, queries[i].bits, queries[i].ready.inverse, c->vectors + t->from[r] * f->stride,
                                     f->stride, t->count[r], f->stride / sizeof(uint64_t),
                                     c->inverses ? c->inverses + t->from[r] : NULL, distances);
            else row_distances(f, c, t->from[r], t->count[r], &queries[i].ready, distances);
            consider(&queries[i], distances, t->count[r], t->first_row + t->from[r], radius);
        }
}

/* The rows of one chunk, `first` being the number of its first. */
static void scan_chunk(const search *s, const chunk *c, uint32_t first, uint32_t count, one_query *queries, size_t query_count)
{
    const flat *f = s->snapshot->of;
    size_t rows = TILE_BYTES / f->stride;
    uint32_t step = (uint32_t)(rows < TILE_ROWS_MIN ? TILE_ROWS_MIN : rows > TILE_ROWS_MAX ? TILE_ROWS_MAX : rows);
    tile t = { .chunk = c, .first_row = first };
    for (uint32_t from = 0; from < count; from += step) {
        uint32_t to = count - from < step ? count : from + step;
        if (s->q->only) find_chosen(&t, from, to, s->q->only);
        else find_runs(&t, from, to, s->snapshot->sequence);
        scan_tile(f, &t, queries, query_count, s->q->radius);
    }
}

static void scan(const search *s, one_query *queries, size_t count)
{
    const flat *f = s->snapshot->of;
    uint32_t used = atomic_load(&f->used), base = f->base.count;
    scan_chunk(s, &f->chunks[CHUNKS], 0, base, queries, count);
    for (uint32_t c = 0; c < CHUNKS && chunk_start(c) < used; c++) {
        uint32_t start = chunk_start(c), rows = used - start < chunk_rows(c) ? used - start : chunk_rows(c);
        scan_chunk(s, &f->chunks[c], base + start, rows, queries, count);
    }
}

/* False when there is no memory for it. */
static bool begin(search *s, one_query *q, size_t i)
{
    const flat *f = s->snapshot->of;
    const float *vector = s->q->queries + i * s->q->stride;
    q->cut = false;
    if (flat_ready_make(f, vector, &q->ready, NULL) != EVDB_OK) return false;
    if (has_bits(f)) {
        memset(q->bits, 0, f->stride);
        element_encode(EVDB_BIT, vector, f->o.dim, q->bits);
    }
    topk_init(&q->best, s->hits + i * s->q->k, s->q->k);
    return true;
}

static void end(search *s, one_query *q, size_t i)
{
    flat_ready_free(&q->ready);
    topk_sort(&q->best);
    s->found[i] = q->best.count;
    if (q->cut) atomic_store(&s->cut, true);
}

/* One thread's share: every parts-th block. */
static void work(void *context, size_t part)
{
    search *s = context;
    one_query queries[QUERY_BLOCK];
    for (size_t first = part * s->block; first < s->q->count; first += s->parts * s->block) {
        size_t count = s->q->count - first < s->block ? s->q->count - first : s->block, ready = 0;
        while (ready < count && begin(s, &queries[ready], first + ready)) ready++;
        if (ready < count) atomic_store(&s->status, EVDB_NO_MEMORY);
        scan(s, queries, ready);
        for (size_t i = 0; i < ready; i++) end(s, &queries[i], first + i);
        if (ready < count) break;
    }
}

evdb_status flat_search(const flat_snapshot *snapshot, const flat_query *q, hit *hits, size_t *found, bool *cut, evdb_error *err)
{
    search s = { .snapshot = snapshot, .q = q, .hits = hits, .found = found };
    s.parts = q->threads < q->count ? q->threads : q->count;
    if (s.parts > THREAD_PARTS_MAX) s.parts = THREAD_PARTS_MAX;
    s.block = s.parts ? (q->count + s.parts - 1) / s.parts : 1;
    if (s.block > QUERY_BLOCK) s.block = QUERY_BLOCK;
    atomic_init(&s.cut, false);
    thread_share(s.parts, work, &s);
    if (cut) *cut = atomic_load(&s.cut);
    return atomic_load(&s.status) == EVDB_OK ? EVDB_OK : error_no_memory(err, snapshot->of->o.dim * sizeof(float), "a search");
}
