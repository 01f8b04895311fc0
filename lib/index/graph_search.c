/* graph_search.c - walking a graph.
 *
 * A search is a loop over the nearest candidate that was not looked at: its neighbours that were not met before get their
 * distances in one call, which asks memory for them ahead, and go into the pool. It ends when all that is in the pool was looked at. */
#include "index/graph_private.h"
#include <string.h>

static void measure(const graph *g, graph_worker *w, sq_bits bits, size_t count)
{
    if (g->o.kind != GRAPH_L2) {
        space_measure(g, w, bits, count);
        return;
    }
    bool wide = bits == SQ_8;
    sq_distances(g->o.kernel, bits, wide ? &w->q8 : &w->q4, wide ? g->codes8 : g->codes4, wide ? g->stride8 : g->stride4, g->o.dim,
                 w->rows, count, w->distances);
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
    measure(g, w, bits, 1);
    *distance = w->distances[0];
    for (uint32_t l = entry_level(entry); l > level; l--)
        for (bool moved = true; moved;) {
            uint32_t count = graph_links(g, at, l, w->rows);
            moved = false;
            measure(g, w, bits, count);
            for (uint32_t i = 0; i < count; i++)
                if (w->distances[i] < *distance) *distance = w->distances[i], at = w->rows[i], moved = true;
        }
    return at;
}

static void add(candidates *p, float distance, uint32_t row)
{
    size_t low = 0, high = p->count;
    if (p->count == p->room && !(distance < p->at[p->count - 1].distance)) return;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->at[middle].distance < distance) low = middle + 1;
        else high = middle;
    }
    if (p->count < p->room) p->count++;
    memmove(p->at + low + 1, p->at + low, (p->count - 1 - low) * sizeof(*p->at));
    p->at[low] = (hit){ distance, row };
    if (low < p->next) p->next = low;
}

/* The nearest that was not looked at, or NO_NODE. */
static uint32_t next_of(candidates *p)
{
    while (p->next < p->count && p->at[p->next].row & LOOKED_AT) p->next++;
    return p->next < p->count ? p->at[p->next].row : NO_NODE;
}

/* Neighbours that were not met before into w->rows; how many. */
static size_t meet(const graph *g, graph_worker *w, uint32_t node, uint32_t level)
{
    const uint32_t *at = links_of(g, node, level);
    uint32_t most = links_max(g, level), link;
    size_t count = 0;
    for (uint32_t i = 0; i < most && (link = link_read(&at[i])) != NO_NODE; i++) {
        if (w->visited[link] == w->epoch) continue;
        w->visited[link] = w->epoch;
        w->rows[count++] = link;
    }
    return count;
}

/* The links of the candidate that is likely to be next are on their way while this one's neighbours are measured. */
static void ask_for_links(const graph *g, candidates *p, uint32_t level)
{
    uint32_t node = next_of(p);
    if (node == NO_NODE) return;
    const char *at = (const char *)links_of(g, node, level);
    for (size_t i = 0; i < links_max(g, level) * sizeof(uint32_t); i += 64) __builtin_prefetch(at + i);
}

void walk_level(const graph *g, graph_worker *w, sq_bits bits, uint32_t level, uint32_t from, float distance, size_t ef,
                uint32_t skip)
{
    candidates *p = &w->pool;
    p->count = p->next = 0;
    p->room = ef < GRAPH_EF_MAX ? ef : GRAPH_EF_MAX;
    forget_visits(w);
    w->visited[from] = w->epoch;
    if (skip != NO_NODE) w->visited[skip] = w->epoch;
    add(p, distance, from);
    for (uint32_t node; (node = next_of(p)) != NO_NODE;) {
        p->at[p->next].row |= LOOKED_AT;
        size_t count = meet(g, w, node, level);
        ask_for_links(g, p, level);
        measure(g, w, bits, count);
        for (size_t i = 0; i < count; i++) add(p, w->distances[i], w->rows[i]);
    }
}

size_t graph_search(const graph *g, graph_worker *w, const float *query, float inverse, size_t ef, hit *out)
{
    float distance;
    uint64_t entry = atomic_load(&g->entry);
    if (entry == NO_ENTRY) return 0;
    worker_query(g, w, query, inverse);
    uint32_t from = walk_down(g, w, SQ_4, entry, 0, &distance);
    walk_level(g, w, SQ_4, 0, from, distance, ef, NO_NODE);
    for (size_t i = 0; i < w->pool.count; i++) out[i] = (hit){ w->pool.at[i].distance, w->pool.at[i].row & ~LOOKED_AT };
    return w->pool.count;
}
