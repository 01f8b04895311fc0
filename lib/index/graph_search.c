/* graph_search.c - walking a graph.
 *
 * A search is a loop over the nearest candidate that was not looked at: its neighbours that were not met before get their
 * distances in one call and go into the pool. It ends when the nearest in the pool, as many as the effort says, were looked at;
 * what lies behind them has no say in the walk, but may be nearer than its codes look.
 * What a walk waits for is memory. So the codes of one candidate's neighbours are asked for and left to come, while the
 * distances of those before are computed: the pool is one candidate behind, which costs a few looks more and saves a wait at each. */
#include "index/graph_private.h"
#include <math.h>
#include <string.h>

static const uint8_t *codes_of(const graph *g, sq_bits bits) { return bits == SQ_8 ? g->codes8 : g->codes4; }
static size_t stride_of(const graph *g, sq_bits bits) { return bits == SQ_8 ? g->stride8 : g->stride4; }

void graph_measure(const graph *g, graph_worker *w, sq_bits bits, const uint32_t *rows, size_t count)
{
    if (g->o.kind != GRAPH_L2) {
        space_measure(g, w, bits, rows, count);
        return;
    }
    sq_distances(g->o.kernel, bits, bits == SQ_8 ? &w->q8 : &w->q4, codes_of(g, bits), stride_of(g, bits), g->o.dim, rows, count,
                 w->distances);
}

static void forget_visits(graph_worker *w)
{
    if (++w->epoch) return;
    memset(w->visited, 0, w->capacity * sizeof(*w->visited));
    w->epoch = 1;
}

uint32_t walk_down(const graph *g, graph_worker *w, sq_bits bits, uint64_t entry, uint32_t level, float *distance)
{
    uint32_t at = entry_node(entry);
    w->rows[0] = at;
    graph_measure(g, w, bits, w->rows, 1);
    *distance = w->distances[0];
    for (uint32_t l = entry_level(entry); l > level; l--)
        for (bool moved = true; moved;) {
            uint32_t count = graph_links(g, at, l, w->rows);
            moved = false;
            graph_measure(g, w, bits, w->rows, count);
            for (uint32_t i = 0; i < count; i++)
                if (w->distances[i] < *distance) *distance = w->distances[i], at = w->rows[i], moved = true;
        }
    return at;
}

/* For each, how many in the pool are nearer. Without branches: which way they go is chance, and each wrong guess would cost
 * more than the whole search. Side by side, since each step of one waits for the step before. */
static void find_places(const candidates *p, const hit *near, size_t count, uint32_t *places)
{
    const hit *at = p->at;
    for (size_t i = 0; i < count; i++) places[i] = 0;
    if (!p->count) return;
    for (size_t left = p->count; left > 1;) {
        size_t half = left / 2;
        for (size_t i = 0; i < count; i++)
            places[i] += (uint32_t)half & -(uint32_t)(at[places[i] + half - 1].distance < near[i].distance);
        left -= half;
    }
    for (size_t i = 0; i < count; i++) places[i] += at[places[i]].distance < near[i].distance;
}

/* Those of `count` that there is room for, or that are nearer than what is in the pool; nearest first; how many. What is no number is as
 * far as can be, and still a place to go on from where there is nothing else. */
static size_t sort_near(const candidates *p, const float *distances, const uint32_t *rows, size_t count, hit *near)
{
    bool full = p->count == p->room;
    float bound = full ? p->at[p->count - 1].distance : INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (full && !(distances[i] < bound)) continue;
        float distance = distances[i] < INFINITY ? distances[i] : INFINITY;
        size_t at = n < p->room ? n++ : n - 1;
        for (; at && near[at - 1].distance >= distance; at--) near[at] = near[at - 1];
        near[at] = (hit){ distance, rows[i] };
        if (n < p->room) continue;
        full = true;
        bound = near[n - 1].distance;
    }
    return n;
}

/* Asking for memory ahead. Inlined by force: of a function that does nothing else the compiler thinks that it does nothing, and
 * leaves its calls out. */
#define ASKING static inline __attribute__((always_inline)) void

ASKING ask_for_codes(const graph *g, sq_bits bits, const uint32_t *rows, size_t count)
{
    const uint8_t *codes = codes_of(g, bits);
    size_t stride = stride_of(g, bits);
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < stride; at += 64) __builtin_prefetch(codes + rows[i] * stride + at);
}

ASKING ask_for_links(const graph *g, uint32_t node, uint32_t level)
{
    const char *at = (const char *)links_of(g, node, level);
    for (size_t i = 0; i < links_max(g, level) * sizeof(uint32_t); i += 64) __builtin_prefetch(at + i);
}

/* Puts into the pool what belongs there: from the back, so that each that was in it moves once. */
static void add_all(const graph *g, candidates *p, uint32_t level, const float *distances, const uint32_t *rows, size_t count)
{
    hit near[SQ_BATCH_MAX];
    uint32_t places[SQ_BATCH_MAX];
    size_t nearest = 0;
    for (size_t i = 1; i < count; i++) nearest = distances[i] < distances[nearest] ? i : nearest;
    if (count) ask_for_links(g, rows[nearest], level); /* as soon as can be: it is often the next to be looked at */
    size_t n = sort_near(p, distances, rows, count, near), old = p->count, end = old + n;
    if (!n) return;
    find_places(p, near, n, places);
    for (; end > p->room; end--) { /* the farthest fall out */
        if (places[n - 1] == old) n--;
        else old--;
    }
    p->count = end;
    while (n-- > 0) {
        memmove(p->at + places[n] + n + 1, p->at + places[n], (old - places[n]) * sizeof(*p->at));
        p->at[places[n] + n] = near[n];
        old = places[n];
    }
    if (places[0] < p->next) p->next = places[0];
}

/* The nearest that was not looked at, or NO_NODE. */
static uint32_t next_of(candidates *p)
{
    while (p->next < p->count && p->at[p->next].row & LOOKED_AT) p->next++;
    return p->next < p->count && p->next < p->looks ? p->at[p->next].row : NO_NODE;
}

/* The links of the one that will be looked at next, if what is met now holds nothing nearer: it may have waited for long. */
ASKING ask_for_next(const graph *g, const candidates *p, uint32_t level)
{
    size_t i = p->next + 1;
    while (i < p->count && p->at[i].row & LOOKED_AT) i++;
    if (i < p->count) ask_for_links(g, p->at[i].row, level);
}

/* Neighbours that were not met before into w->rows; how many. */
static size_t meet(const graph *g, graph_worker *w, uint32_t node, uint32_t level)
{
    const uint32_t *at = links_of(g, node, level);
    uint32_t most = links_max(g, level), link;
    uint8_t *visited = w->visited, epoch = w->epoch; /* bytes might be anything, w too, for all the compiler knows */
    size_t count = 0;
    for (uint32_t i = 0; i < most && (link = link_read(&at[i])) != NO_NODE; i++) {
        w->rows[count] = link; /* stays only when it is new; half of them are, so a branch would be guessed wrong */
        count += visited[link] != epoch;
        visited[link] = epoch;
    }
    return count;
}

void walk_level(const graph *g, graph_worker *w, sq_bits bits, uint32_t level, uint32_t from, float distance, size_t looks,
                size_t room, uint32_t skip)
{
    candidates *p = &w->pool;
    p->count = p->next = 0;
    p->room = room < GRAPH_EF_MAX ? room : GRAPH_EF_MAX;
    p->looks = looks;
    forget_visits(w);
    w->visited[from] = w->epoch;
    if (skip != NO_NODE) w->visited[skip] = w->epoch;
    add_all(g, p, level, &distance, &from, 1);
    size_t waiting = 0;
    for (uint32_t node; (node = next_of(p)) != NO_NODE || waiting;) {
        size_t met = 0;
        if (node != NO_NODE) {
            p->at[p->next].row |= LOOKED_AT;
            ask_for_next(g, p, level);
            met = meet(g, w, node, level);
            ask_for_codes(g, bits, w->rows, met);
        }
        graph_measure(g, w, bits, w->waiting, waiting);
        add_all(g, p, level, w->distances, w->waiting, waiting);
        memcpy(w->waiting, w->rows, met * sizeof(*w->rows));
        waiting = met;
    }
}

size_t graph_search(const graph *g, graph_worker *w, const float *query, float inverse, size_t ef, size_t room, hit *out)
{
    float distance;
    uint64_t entry = atomic_load(&g->entry);
    if (entry == NO_ENTRY) return 0;
    worker_query(g, w, query, inverse);
    uint32_t from = walk_down(g, w, SQ_4, entry, 0, &distance);
    walk_level(g, w, SQ_4, 0, from, distance, ef, room, NO_NODE);
    for (size_t i = 0; i < w->pool.count; i++) out[i] = (hit){ w->pool.at[i].distance, w->pool.at[i].row & ~LOOKED_AT };
    return w->pool.count;
}
