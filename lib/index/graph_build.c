/* graph_build.c - linking nodes into a graph, and refining their links. */
#include "index/graph_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float ALPHA_LINK = 1.0f, ALPHA_REFINE = 1.1f; /* of squared distances */
enum {
    LINK_SHARE = 2, /* linking looks at so much less than refining, which comes behind and finds what it missed, ... */
    LINK_MIN = 100, /* ... but not at less than this: there refining found too little to start from */
    PAIRS = 8,
    FILL_EACH = 4
};

static int by_distance(const void *a, const void *b)
{
    float x = ((const hit *)a)->distance, y = ((const hit *)b)->distance;
    return x < y ? -1 : x > y;
}

void sort_hits(hit *at, size_t count) { qsort(at, count, sizeof(*at), by_distance); }

uint32_t choose_links(const graph *g, uint32_t of, const hit *sorted, size_t count, uint32_t most, float alpha, uint32_t *out)
{
    if (g->o.kind == GRAPH_IP) return space_choose(g, of, sorted, count, most, alpha, out);
    if (g->o.kind == GRAPH_ROWS) alpha = sqrtf(alpha); /* these are no squares */
    uint32_t chosen = 0;
    float distances[PAIRS];
    for (size_t i = 0; i < count && chosen < most; i++) {
        uint32_t node = sorted[i].row & ~LOOKED_AT;
        bool covered = false;
        for (uint32_t from = 0; from < chosen && !covered; from += PAIRS) {
            uint32_t some = chosen - from < PAIRS ? chosen - from : PAIRS;
            space_pairs(g, node, out + from, some, distances);
            for (uint32_t j = 0; j < some; j++) covered |= alpha * distances[j] < sorted[i].distance;
        }
        if (!covered) out[chosen++] = node;
    }
    return chosen;
}

/* Links `to` back to `node`; a full row is chosen anew. */
static void link_back(graph *g, uint32_t node, uint32_t to, uint32_t level, float alpha)
{
    uint32_t most = links_max(g, level), links[GRAPH_M_MAX * 2 + 1], chosen[GRAPH_M_MAX * 2];
    float distances[GRAPH_M_MAX * 2 + 1];
    hit sorted[GRAPH_M_MAX * 2 + 1];
    graph_lock(g, to);
    uint32_t count = graph_links(g, to, level, links);
    bool known = false;
    for (uint32_t i = 0; i < count; i++) known |= links[i] == node;
    if (!known && count < most) link_write(&links_of(g, to, level)[count], node);
    else if (!known) {
        links[count++] = node;
        space_pairs(g, to, links, count, distances);
        for (uint32_t i = 0; i < count; i++) sorted[i] = (hit){ distances[i], links[i] };
        sort_hits(sorted, count);
        graph_set_links(g, to, level, chosen, choose_links(g, to, sorted, count, most, alpha, chosen));
    }
    graph_unlock(g, to);
}

static void link_level(graph *g, graph_worker *w, uint32_t node, uint32_t level)
{
    uint32_t chosen[GRAPH_M_MAX * 2], count = choose_links(g, node, w->pool.at, w->pool.count, g->o.m, ALPHA_LINK, chosen);
    graph_lock(g, node);
    graph_set_links(g, node, level, chosen, count);
    graph_unlock(g, node);
    for (uint32_t i = 0; i < count; i++) link_back(g, node, chosen[i], level, ALPHA_LINK);
}

/* Rows for the node's upper levels; its level, which is 0 when there is no more room. */
static uint32_t take_rows(graph *g, uint32_t node)
{
    uint32_t level = g->upper[node] ? g->levels[node] : graph_level_of(g, node);
    if (!level) return 0;
    if (!g->upper[node]) {
        uint32_t at = atomic_fetch_add(&g->upper_used, level);
        if (at + level > g->upper_rows) return 0;
        g->upper[node] = at;
        g->levels[node] = (uint8_t)level;
    }
    for (uint32_t l = 1; l <= level; l++) graph_set_links(g, node, l, NULL, 0);
    return level;
}

static size_t link_effort(const graph *g)
{
    uint32_t all = g->o.ef_construction, less = all / LINK_SHARE;
    if (g->o.kind != GRAPH_L2) return all; /* rows around hubs ran dry */
    return less >= LINK_MIN ? less : all < LINK_MIN ? all : LINK_MIN;
}

void graph_link(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse)
{
    uint32_t level = take_rows(g, node);
    uint64_t entry = atomic_load(&g->entry);
    bool highest = entry == NO_ENTRY || level > entry_level(entry);
    size_t ef = link_effort(g);
    float distance;
    if (highest) {
        pthread_mutex_lock(&g->top); /* rare: one at a time may raise the graph */
        entry = atomic_load(&g->entry);
    }
    if (entry != NO_ENTRY) {
        uint32_t begin = level < entry_level(entry) ? level : entry_level(entry);
        worker_node(g, w, node, vector, inverse);
        uint32_t from = walk_down(g, w, SQ_8, entry, begin, &distance);
        for (uint32_t l = begin + 1; l-- > 0;) {
            walk_level(g, w, SQ_8, l, from, distance, ef, ef, node);
            from = w->pool.at[0].row & ~LOOKED_AT;
            distance = w->pool.at[0].distance;
            link_level(g, w, node, l);
        }
    }
    if (!highest) return;
    if (entry == NO_ENTRY || level > entry_level(entry)) atomic_store(&g->entry, entry_of(node, level));
    pthread_mutex_unlock(&g->top);
}

void graph_refine(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse)
{
    uint32_t links[GRAPH_M_MAX * 2], chosen[GRAPH_M_MAX * 2];
    float distance, distances[GRAPH_M_MAX * 2];
    size_t count = 0;
    uint64_t entry = atomic_load(&g->entry);
    if (entry == NO_ENTRY) return;
    worker_node(g, w, node, vector, inverse);
    uint32_t from = walk_down(g, w, SQ_8, entry, 0, &distance);
    if (from == node) from = graph_links(g, node, 0, links) ? links[0] : node;
    if (from == node) return; /* alone */
    w->rows[0] = from;
    space_pairs(g, node, w->rows, 1, &distance);
    walk_level(g, w, SQ_8, 0, from, distance, g->o.ef_construction, g->o.ef_construction, node);
    for (size_t i = 0; i < w->pool.count; i++) w->hits[count++] = (hit){ w->pool.at[i].distance, w->pool.at[i].row & ~LOOKED_AT };
    /* and the links it has, where the walk did not come by */
    uint32_t old = graph_links(g, node, 0, links), missing = 0;
    for (uint32_t i = 0; i < old; i++)
        if (w->visited[links[i]] != w->epoch) links[missing++] = links[i];
    space_pairs(g, node, links, missing, distances);
    for (uint32_t i = 0; i < missing; i++) w->hits[count++] = (hit){ distances[i], links[i] };
    if (missing) sort_hits(w->hits, count);
    uint32_t kept = choose_links(g, node, w->hits, count, g->links, ALPHA_REFINE, chosen);
    graph_lock(g, node);
    graph_set_links(g, node, 0, chosen, kept);
    graph_unlock(g, node);
    for (uint32_t i = 0; i < kept; i++) link_back(g, node, chosen[i], 0, ALPHA_REFINE);
}

/* Places that choosing left free go to neighbours of neighbours: a row is one fetch, full or not. */
void graph_fill(graph *g, uint32_t node)
{
    uint32_t links[GRAPH_M_MAX * 2], more[GRAPH_M_MAX * 2];
    graph_lock(g, node);
    uint32_t count = graph_links(g, node, 0, links), first = count;
    for (uint32_t i = 0; i < first && count < g->links; i++) {
        uint32_t theirs = graph_links(g, links[i], 0, more);
        for (uint32_t j = 0; j < theirs && j < FILL_EACH && count < g->links; j++) {
            bool known = more[j] == node;
            for (uint32_t k = 0; k < count; k++) known |= links[k] == more[j];
            if (!known) links[count++] = more[j];
        }
    }
    graph_set_links(g, node, 0, links, count);
    graph_unlock(g, node);
}
