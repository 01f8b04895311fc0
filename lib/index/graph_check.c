/* graph_check.c - graph_sound(): what must hold of a graph that was loaded. */
#include "index/graph_private.h"

static const char *links_sound(const graph *g, uint32_t node, uint32_t level)
{
    uint32_t links[GRAPH_M_MAX * 2], count = graph_links(g, node, level, links), most = links_max(g, level);
    const uint32_t *at = links_of(g, node, level);
    for (uint32_t i = 0; i < count; i++) {
        if (links[i] >= atomic_load(&g->used)) return "has a link to nowhere";
        if (links[i] == node) return "has a link to itself";
        if (g->levels[links[i]] < level) return "has a link to a node that is not on its level";
        for (uint32_t j = 0; j < i; j++)
            if (links[j] == links[i]) return "has a link twice";
    }
    for (uint32_t i = count; i < most; i++)
        if (link_read(&at[i]) != NO_NODE) return "has a link behind its last";
    return NULL;
}

const char *graph_sound(const graph *g, uint32_t *node)
{
    uint64_t entry = atomic_load(&g->entry);
    uint32_t used = atomic_load(&g->used), rows = atomic_load(&g->upper_used);
    *node = entry == NO_ENTRY ? 0 : entry_node(entry);
    if (entry != NO_ENTRY && (*node >= used || entry_level(entry) != g->levels[*node])) return "is where walks begin, but not on that level";
    for (*node = 0; *node < used; (*node)++) {
        uint32_t levels = g->levels[*node];
        if (levels >= GRAPH_LEVELS_MAX || (uint64_t)g->upper[*node] + levels > rows) return "is on more levels than there are";
        for (uint32_t level = 0; level <= levels; level++) {
            const char *problem = links_sound(g, *node, level);
            if (problem) return problem;
        }
    }
    return NULL;
}
