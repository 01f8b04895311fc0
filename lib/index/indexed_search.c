/* indexed_search.c - searching by the graph, and the tail exactly. */
#include "base/error.h"
#include "index/indexed_private.h"
#include <math.h>

enum { AHEAD = 4 };

typedef struct search {
    indexed *x;
    const flat_snapshot *snapshot;
    const flat_query *q;
    hit *hits;
    size_t *found;
    uint32_t ef;
    const graph *g;
    const tail_ring *ring;
    uint64_t head, end;
    size_t parts;
    _Atomic size_t next;
    _Atomic int status;
} search;

static graph_worker *take_worker(indexed *x, const graph *g, evdb_error *err)
{
    graph_worker *w = NULL;
    pthread_mutex_lock(&x->lock);
    if (x->idle_count) w = x->idle[--x->idle_count];
    pthread_mutex_unlock(&x->lock);
    if (w && graph_worker_fits(w, g)) return w;
    graph_worker_free(w);
    w = NULL;
    return graph_worker_create(g, &w, err) == EVDB_OK ? w : NULL;
}

static void give_worker(indexed *x, graph_worker *w)
{
    pthread_mutex_lock(&x->lock);
    bool kept = x->idle_count < SEARCHERS;
    if (kept) x->idle[x->idle_count++] = w;
    pthread_mutex_unlock(&x->lock);
    if (!kept) graph_worker_free(w);
}

/* Exact distances of the candidates nearest by codes that the snapshot sees, until many in a row were no longer among the best:
 * those behind are hardly. A vector is far away in memory, often the farthest thing of a search. */
static void rank(const search *s, const float *query, float inverse, const hit *candidates, size_t count, topk *best)
{
    const flat *f = s->x->flat;
    size_t most = 2 * (size_t)s->q->k, taken = 0, futile = 0;
    if (most < INDEXED_RERANK_MIN) most = INDEXED_RERANK_MIN;
    for (size_t i = 0; i < count && i < AHEAD; i++) flat_ask_for(f, candidates[i].row);
    for (size_t i = 0; i < count && taken < most; i++) {
        if (i + AHEAD < count) flat_ask_for(f, candidates[i + AHEAD].row);
        if (!flat_visible(s->snapshot, candidates[i].row)) continue;
        taken++;
        float d = flat_distance(f, query, inverse, candidates[i].row);
        futile = d < topk_bound(best) ? 0 : futile + 1;
        topk_add(best, d, candidates[i].row);
        if (futile > (size_t)s->q->k + INDEXED_RERANK_FUTILE) break;
    }
}

static bool has(const topk *best, uint32_t row)
{
    for (size_t i = 0; i < best->count; i++)
        if (best->heap[i].row == row) return true;
    return false;
}

/* Rows that are not in the graph yet; one that has just been linked may be among the best already. */
static void scan_tail(const search *s, const float *query, float inverse, topk *best)
{
    for (uint64_t i = s->head; i < s->end; i++) {
        uint32_t row = atomic_load_explicit(&s->ring->at[i & s->ring->mask], memory_order_relaxed);
        if (!flat_visible(s->snapshot, row)) continue;
        float d = flat_distance(s->x->flat, query, inverse, row);
        if (d <= topk_bound(best) && !has(best, row)) topk_add(best, d, row);
    }
}

static void search_one(search *s, graph_worker *w, hit *candidates, size_t i)
{
    const float *query = s->q->queries + i * s->q->stride;
    float inverse = flat_query_inverse(s->x->flat, query);
    topk best;
    topk_init(&best, s->hits + i * s->q->k, s->q->k);
    size_t count = graph_search(s->g, w, query, inverse, s->ef, candidates);
    rank(s, query, inverse, candidates, count, &best);
    scan_tail(s, query, inverse, &best);
    uint64_t there = flat_count(s->x->flat);
    if (best.count < s->q->k && best.count < there) { /* too many on the way were dead: look at all */
        flat_query one = *s->q;
        atomic_fetch_add(&s->x->scans, 1);
        one.queries = query;
        one.count = one.threads = 1;
        flat_search(s->snapshot, &one, s->hits + i * s->q->k, &s->found[i], NULL);
        return;
    }
    topk_sort(&best);
    s->found[i] = best.count;
}

static void work(void *context, size_t part)
{
    search *s = context;
    evdb_error err;
    (void)part;
    graph_worker *w = take_worker(s->x, s->g, &err);
    if (!w) {
        atomic_store(&s->status, EVDB_NO_MEMORY);
        return;
    }
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->q->count;) search_one(s, w, graph_worker_space(w), i);
    give_worker(s->x, w);
}

evdb_status indexed_search(indexed *x, const flat_snapshot *snapshot, const flat_query *q, uint32_t ef, hit *hits, size_t *found,
                           evdb_error *err)
{
    search s = { .x = x, .snapshot = snapshot, .q = q, .hits = hits, .found = found, .ef = ef > q->k ? ef : q->k };
    /* in this order: what leaves the tail after it was looked at is in the graph by then */
    s.ring = atomic_load(&x->ring);
    s.head = atomic_load(&x->head);
    s.end = atomic_load(&x->end);
    s.g = atomic_load(&x->graph);
    if (!s.g || s.ef > GRAPH_EF_MAX) {
        atomic_fetch_add(&x->scans, q->count);
        flat_search(snapshot, q, hits, found, NULL);
        return EVDB_OK;
    }
    if (!s.ring) s.end = s.head; /* nothing was put since it was loaded */
    else if (s.end - s.head > (uint64_t)s.ring->mask + 1) s.end = s.head + s.ring->mask + 1;
    s.parts = q->threads < q->count ? q->threads : q->count;
    if (s.parts > THREAD_PARTS_MAX) s.parts = THREAD_PARTS_MAX;
    thread_share(s.parts, work, &s);
    if (atomic_load(&s.status) != EVDB_OK) return error_no_memory(err, s.g ? graph_capacity(s.g) : 0, "a search");
    return EVDB_OK;
}
