/* indexed_search.c - searching by the graph, and the tail exactly.
 *
 * Where only some rows may be found there are two ways. The graph is walked as if all might, with the effort raised as far as rows
 * that may not take places: what it brings is right also where the rows that may lie apart from the query, for if they are too few
 * among the nearest it has met, they are looked at by their codes one and all, which is the other way, and the first choice when
 * that is less work. Neither ends with fewer than k where there are k. */
#include "base/error.h"
#include "base/mem.h"
#include "index/indexed_private.h"
#include <math.h>
#include <string.h>

enum {
    AHEAD = 4,
    SPARE = 4, /* a walk may follow k / SPARE fewer than k, and keeps k / SPARE more than k for exact distances to choose from */
    WALK_COST = 48 /* a walk of effort 1 costs as much as looking at so many codes in a row; measured */
};

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
    const row_set *only; /* rows that may be found, or NULL; */
    row_set linked;      /* those of them that are in the graph; */
    uint32_t walk;       /* the effort of walking for them, 0: not worth it; */
    size_t enough;       /* how many of them a walk has to meet */
    uint32_t room;       /* candidates that a walk without `only` keeps */
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

static bool may_find(const search *s, uint32_t row) { return s->only ? row_set_has(s->only, row) : flat_visible(s->snapshot, row); }

/* How many candidates get exact distances. */
static size_t rank_most(const search *s)
{
    size_t most = 2 * (size_t)s->q->k;
    return most < INDEXED_RERANK_MIN ? INDEXED_RERANK_MIN : most < GRAPH_EF_MAX ? most : GRAPH_EF_MAX;
}

/* Exact distances of the candidates nearest by codes that may be found, until many in a row were no longer among the best: those
 * behind are hardly, and a vector is far away in memory, often the farthest thing of a search. How many may be found. */
static size_t rank(const search *s, const flat_ready *query, const hit *candidates, size_t count, topk *best)
{
    const flat *f = s->x->flat;
    size_t most = rank_most(s), taken = 0, futile = 0, patience = (size_t)s->q->k + INDEXED_RERANK_FUTILE;
    for (size_t i = 0; i < count && i < AHEAD; i++) flat_ask_for(f, candidates[i].row);
    for (size_t i = 0; i < count && taken < most; i++) {
        if (i + AHEAD < count && futile <= patience) flat_ask_for(f, candidates[i + AHEAD].row);
        if (!may_find(s, candidates[i].row)) continue;
        taken++;
        if (futile > patience) continue;
        float d = flat_distance(f, query, candidates[i].row);
        futile = d < topk_bound(best) ? 0 : futile + 1;
        topk_add(best, d, candidates[i].row);
        if (futile > patience && !s->only) break; /* nobody asks how many there are */
    }
    return taken;
}

static bool has(const topk *best, uint32_t row)
{
    for (size_t i = 0; i < best->count; i++)
        if (best->heap[i].row == row) return true;
    return false;
}

/* Rows that are not in the graph yet; one that has just been linked may be among the best already. */
static void scan_tail(const search *s, const flat_ready *query, topk *best)
{
    for (uint64_t i = s->head; i < s->end; i++) {
        uint32_t row = atomic_load_explicit(&s->ring->at[i & s->ring->mask], memory_order_relaxed);
        if (!may_find(s, row)) continue;
        float d = flat_distance(s->x->flat, query, row);
        if (d <= topk_bound(best) && !has(best, row)) topk_add(best, d, row);
    }
}

/* What the graph knows of the rows that may be found. */
static void look_for_some(const search *s, graph_worker *w, const flat_ready *query, hit *candidates, topk *best)
{
    size_t count;
    if (s->walk) {
        count = graph_search(s->g, w, query->vector, query->inverse, s->walk, s->walk, candidates);
        if (rank(s, query, candidates, count, best) >= s->enough) return;
        best->count = 0;
    }
    count = graph_scan(s->g, w, query->vector, query->inverse, &s->linked, rank_most(s), candidates);
    rank(s, query, candidates, count, best);
}

static evdb_status search_one(search *s, graph_worker *w, hit *candidates, size_t i)
{
    flat_ready query;
    topk best;
    evdb_status rc = flat_ready_make(s->x->flat, s->q->queries + i * s->q->stride, &query, NULL);
    if (rc != EVDB_OK) return rc;
    topk_init(&best, s->hits + i * s->q->k, s->q->k);
    if (s->only) look_for_some(s, w, &query, candidates, &best);
    else rank(s, &query, candidates, graph_search(s->g, w, query.vector, query.inverse, s->ef, s->room, candidates), &best);
    scan_tail(s, &query, &best);
    flat_ready_free(&query);
    uint64_t there = s->only ? s->only->count : flat_count(s->x->flat);
    if (best.count < s->q->k && best.count < there) { /* too many on the way were dead: look at all */
        flat_query one = *s->q;
        atomic_fetch_add(&s->x->scans, 1);
        one.queries = query.vector;
        one.count = one.threads = 1;
        return flat_search(s->snapshot, &one, s->hits + i * s->q->k, &s->found[i], NULL, NULL);
    }
    topk_sort(&best);
    s->found[i] = best.count;
    return EVDB_OK;
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
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->q->count;)
        if (search_one(s, w, graph_worker_space(w), i) != EVDB_OK) atomic_store(&s->status, EVDB_NO_MEMORY);
    give_worker(s->x, w);
}

/* Those that may be found without those of the tail: these have no codes yet, and are scanned. */
static evdb_status part_linked(search *s, evdb_error *err)
{
    size_t words = ((size_t)s->only->rows + 63) / 64;
    s->linked = *s->only;
    if (s->head == s->end) return EVDB_OK;
    if (!(s->linked.bits = mem_array(s->x->o.flat.mem, words + 1, sizeof(uint64_t))))
        return error_no_memory(err, words * sizeof(uint64_t), "a set of rows");
    memcpy(s->linked.bits, s->only->bits, words * sizeof(uint64_t));
    for (uint64_t i = s->head; i < s->end; i++) {
        uint32_t row = atomic_load_explicit(&s->ring->at[i & s->ring->mask], memory_order_relaxed);
        if (!row_set_has(&s->linked, row)) continue; /* or it came twice */
        s->linked.bits[row / 64] &= ~(UINT64_C(1) << row % 64);
        s->linked.count--;
    }
    return EVDB_OK;
}

/* What a walk has to meet grows as the share of rows that may be found shrinks; looking at all of those is cheaper at some point.
 * It can be expected to meet `ef` of them. With half of that the nearest are still among them; fewer mean that they lie apart. */
static void plan(search *s)
{
    uint64_t all = flat_count(s->x->flat), some = s->linked.count, ef = s->ef > 2 * s->q->k ? s->ef : 2 * (uint64_t)s->q->k;
    if (all < some) all = some;
    uint64_t walk = some ? (ef * all + some - 1) / some : UINT64_MAX;
    s->walk = walk <= GRAPH_EF_MAX && walk * WALK_COST < some ? (uint32_t)walk : 0;
    s->enough = ef / 2 < rank_most(s) ? ef / 2 : rank_most(s);
}

evdb_status indexed_search(indexed *x, const flat_snapshot *snapshot, const flat_query *q, uint32_t ef, hit *hits, size_t *found,
                           evdb_error *err)
{
    uint32_t least = q->k - q->k / SPARE, spare = q->k + q->k / SPARE;
    search s = { .x = x, .snapshot = snapshot, .q = q, .hits = hits, .found = found, .ef = ef > least ? ef : least };
    s.room = s.ef > spare ? s.ef : spare;
    /* in this order: what leaves the tail after it was looked at is in the graph by then */
    s.ring = atomic_load(&x->ring);
    s.head = atomic_load(&x->head);
    s.end = atomic_load(&x->end);
    s.g = atomic_load(&x->graph);
    if (!s.g || s.room > GRAPH_EF_MAX) {
        atomic_fetch_add(&x->scans, q->count);
        return flat_search(snapshot, q, hits, found, NULL, err);
    }
    if (!s.ring) s.end = s.head; /* nothing was put since it was loaded */
    else if (s.end - s.head > (uint64_t)s.ring->mask + 1) s.end = s.head + s.ring->mask + 1;
    s.only = q->only;
    if (s.only) {
        evdb_status rc = part_linked(&s, err);
        if (rc != EVDB_OK) return rc;
        plan(&s);
    }
    s.parts = q->threads < q->count ? q->threads : q->count;
    if (s.parts > THREAD_PARTS_MAX) s.parts = THREAD_PARTS_MAX;
    thread_share(s.parts, work, &s);
    if (s.only && s.linked.bits != s.only->bits) mem_free(x->o.flat.mem, s.linked.bits);
    if (atomic_load(&s.status) != EVDB_OK) return error_no_memory(err, s.g ? graph_capacity(s.g) : 0, "a search");
    return EVDB_OK;
}
