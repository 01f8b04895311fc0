/* graph_repair.c - taking nodes out of a graph.
 *
 * What FreshDiskANN (Singh et al. 2021) does: a node that linked to one that goes gets what that one linked to as candidates, and
 * chooses anew. All that go at a time are handled in one pass over the links, which are a small part of the index. */
#include "index/graph_private.h"
#include <string.h>

enum { CANDIDATES = SQ_BATCH_MAX };
static const float ALPHA = 1.1f;

static bool holds(const uint32_t *at, size_t count, uint32_t node)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] == node) return true;
    return false;
}

/* Adds links of `of` that stay, are new and are not `self`. */
static size_t gather(const graph *g, uint32_t of, uint32_t level, uint32_t self, graph_gone gone, uint32_t *out, size_t count)
{
    uint32_t links[GRAPH_M_MAX * 2], some = graph_links(g, of, level, links);
    for (uint32_t i = 0; i < some && count < CANDIDATES; i++)
        if (!is_gone(gone, links[i]) && links[i] != self && !holds(out, count, links[i])) out[count++] = links[i];
    return count;
}

static void repair_level(graph *g, graph_worker *w, uint32_t node, uint32_t level, graph_gone gone)
{
    uint32_t links[GRAPH_M_MAX * 2], chosen[GRAPH_M_MAX * 2], some = graph_links(g, node, level, links);
    bool touched = false;
    for (uint32_t i = 0; i < some; i++) touched |= is_gone(gone, links[i]);
    if (!touched) return;
    size_t count = gather(g, node, level, node, gone, w->rows, 0);
    for (uint32_t i = 0; i < some; i++)
        if (is_gone(gone, links[i])) count = gather(g, links[i], level, node, gone, w->rows, count);
    space_pairs(g, node, w->rows, count, w->distances);
    for (size_t i = 0; i < count; i++) w->hits[i] = (hit){ w->distances[i], w->rows[i] };
    sort_hits(w->hits, count);
    graph_lock(g, node);
    graph_set_links(g, node, level, chosen, choose_links(g, node, w->hits, count, links_max(g, level), ALPHA, chosen));
    graph_unlock(g, node);
}

void graph_repair(graph *g, graph_worker *w, uint32_t node, graph_gone gone)
{
    if (is_gone(gone, node)) return;
    for (uint32_t level = 0; level <= g->levels[node]; level++) repair_level(g, w, node, level, gone);
}

/* The first node of the highest level there is, among those that stay and are linked. */
static void choose_entry(graph *g, graph_gone gone)
{
    uint32_t best = NO_NODE, highest = 0, used = atomic_load(&g->used);
    for (uint32_t i = 0; i < used; i++) {
        uint32_t level = g->levels[i];
        if (is_gone(gone, i) || link_read(links_of(g, i, 0)) == NO_NODE || (best != NO_NODE && level <= highest)) continue;
        best = i;
        highest = level;
    }
    atomic_store(&g->entry, best == NO_NODE ? NO_ENTRY : entry_of(best, highest));
}

void graph_forget(graph *g, graph_gone gone)
{
    uint32_t used = atomic_load(&g->used);
    pthread_mutex_lock(&g->top);
    uint64_t entry = atomic_load(&g->entry);
    if (entry != NO_ENTRY && is_gone(gone, entry_node(entry))) choose_entry(g, gone);
    pthread_mutex_unlock(&g->top);
    for (uint32_t i = 0; i < used; i++)
        if (is_gone(gone, i)) graph_set_links(g, i, 0, NULL, 0);
}
