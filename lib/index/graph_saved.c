/* graph_saved.c - a graph as bytes, its nodes numbered anew so that none is missing. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "index/graph_private.h"
#include <string.h>

typedef struct saved_graph {
    uint32_t nodes, dim, m, ef_construction, links, unit;
    uint32_t upper_rows; /* the first is not used: 0 stands for none */
    uint32_t kind; /* graph_kind */
    uint64_t entry, seed, stride4, stride8;
} saved_graph;

/* What is saved. A node that was never linked has a place, but nothing in it: the graph may not even have room for it. */
typedef struct picked {
    const graph *g;
    const uint32_t *nodes, *number_of;
    uint32_t count;
    const saver *to;
} picked;

static bool is_there(const picked *p, uint32_t i) { return p->number_of[p->nodes[i]] != NO_NODE; }
static uint32_t levels_of(const picked *p, uint32_t i) { return is_there(p, i) ? p->g->levels[p->nodes[i]] : 0; }

static evdb_status rows_of(const picked *p, const char *name, const void *base, size_t stride, evdb_error *err)
{
    static const char zeros[SQ_BATCH_MAX];
    evdb_status rc = p->to->begin(p->to->context, name, err);
    for (uint32_t i = 0; rc == EVDB_OK && i < p->count; i++) {
        const char *row = (const char *)base + (size_t)p->nodes[i] * stride;
        for (size_t at = 0; rc == EVDB_OK && at < stride; at += sizeof(zeros)) {
            size_t some = stride - at < sizeof(zeros) ? stride - at : sizeof(zeros);
            rc = p->to->write(p->to->context, is_there(p, i) ? row + at : zeros, some, err);
        }
    }
    return rc;
}

/* One row of links under the new numbers; those that are not saved are left out. */
static evdb_status save_links(const picked *p, uint32_t i, uint32_t level, evdb_error *err)
{
    uint32_t links[GRAPH_M_MAX * 2], most = links_max(p->g, level), kept = 0;
    uint32_t count = is_there(p, i) ? graph_links(p->g, p->nodes[i], level, links) : 0;
    for (uint32_t j = 0; j < count; j++)
        if (p->number_of[links[j]] != NO_NODE) links[kept++] = p->number_of[links[j]];
    while (kept < most) links[kept++] = NO_NODE;
    return p->to->write(p->to->context, links, most * sizeof(*links), err);
}

static evdb_status save_upper(const picked *p, evdb_error *err)
{
    const saver *to = p->to;
    evdb_status rc;
    uint32_t at = 1;
    TRY(to->begin(to->context, "upper", err));
    for (uint32_t i = 0; i < p->count; at += levels_of(p, i), i++)
        TRY(to->write(to->context, &(uint32_t){ levels_of(p, i) ? at : 0 }, sizeof(at), err));
    TRY(to->begin(to->context, "levels", err));
    for (uint32_t i = 0; i < p->count; i++) TRY(to->write(to->context, &(uint8_t){ (uint8_t)levels_of(p, i) }, 1, err));
    TRY(to->begin(to->context, "uplinks", err));
    for (uint32_t i = 0; i < p->g->o.m; i++) TRY(to->write(to->context, &(uint32_t){ NO_NODE }, sizeof(at), err));
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t level = 1; level <= levels_of(p, i); level++) TRY(save_links(p, i, level, err));
out:
    return rc;
}

/* Where walks begin: the saved node of the highest level that has links. */
static uint64_t best_entry(const picked *p)
{
    uint64_t best = NO_ENTRY;
    for (uint32_t i = 0; i < p->count; i++) {
        if (!is_there(p, i)) continue;
        bool linked = p->count == 1 || link_read(links_of(p->g, p->nodes[i], 0)) != NO_NODE;
        if (linked && (best == NO_ENTRY || levels_of(p, i) > entry_level(best))) best = entry_of(i, levels_of(p, i));
    }
    return best;
}

evdb_status graph_save(const graph *g, const uint32_t *nodes, uint32_t count, const uint32_t *number_of, const saver *to,
                       evdb_error *err)
{
    const picked p = { g, nodes, number_of, count, to };
    saved_graph head = { .nodes = count, .dim = g->o.dim, .m = g->o.m, .ef_construction = g->o.ef_construction, .links = g->links,
                         .unit = g->o.unit, .kind = g->o.kind, .upper_rows = 1, .seed = g->o.seed, .stride4 = g->stride4, .stride8 = g->stride8 };
    evdb_status rc;
    for (uint32_t i = 0; i < count; i++) head.upper_rows += levels_of(&p, i);
    head.entry = best_entry(&p);
    TRY(to->begin(to->context, "graph", err));
    TRY(to->write(to->context, &head, sizeof(head), err));
    TRY(to->begin(to->context, "mean", err));
    TRY(to->write(to->context, g->mean, g->o.dim * sizeof(*g->mean), err));
    TRY(rows_of(&p, "codes4", g->codes4, g->stride4, err));
    const uint8_t *codes8 = atomic_load(&g->saved8);
    TRY(rows_of(&p, "codes8", codes8 ? codes8 : g->codes8, g->stride8, err));
    TRY(to->begin(to->context, "links", err));
    for (uint32_t i = 0; i < count; i++) TRY(save_links(&p, i, 0, err));
    TRY(save_upper(&p, err));
out:
    return rc;
}

static evdb_status take(const loader *from, const char *name, void *into, size_t size, evdb_error *err)
{
    const void *at;
    evdb_status rc = from->find(from->context, name, size, &at, NULL, err);
    if (rc == EVDB_OK && size) memcpy(into, at, size);
    return rc;
}

/* Checksums say that it is what was written; this says that what was written can be walked. */
static evdb_status check(const graph *g, uint32_t nodes, uint32_t rows, uint64_t entry, evdb_error *err)
{
    bool good = entry == NO_ENTRY || (entry_node(entry) < nodes && entry_level(entry) == g->levels[entry_node(entry)]);
    for (size_t i = 0; good && i < (size_t)nodes * g->links; i++) good = g->bottom[i] < nodes || g->bottom[i] == NO_NODE;
    for (size_t i = 0; good && i < (size_t)rows * g->o.m; i++) good = g->upper_links[i] < nodes || g->upper_links[i] == NO_NODE;
    for (uint32_t i = 0; good && i < nodes; i++)
        good = g->levels[i] < GRAPH_LEVELS_MAX && (uint64_t)g->upper[i] + g->levels[i] <= rows && !g->upper[i] == !g->levels[i];
    for (uint32_t i = 0; good && i < nodes; i++)
        for (uint32_t level = 1; good && level <= g->levels[i]; level++)
            for (uint32_t j = 0; good && j < g->o.m; j++) {
                uint32_t link = links_of(g, i, level)[j];
                good = link == NO_NODE || g->levels[link] >= level;
            }
    return good ? EVDB_OK : error_set(err, EVDB_CORRUPT, "a saved graph has links to nowhere");
}

evdb_status graph_load(const graph_options *o, uint32_t capacity, uint32_t nodes, const loader *from, graph **out, evdb_error *err)
{
    saved_graph head;
    graph *g = NULL;
    evdb_status rc;
    TRY(take(from, "graph", &head, sizeof(head), err));
    if (head.nodes != nodes || head.dim != o->dim || head.m != o->m || head.unit != (uint32_t)o->unit || head.kind != (uint32_t)o->kind || head.links != 2 * o->m ||
        head.stride4 != space_stride(o, SQ_4) || head.stride8 != space_stride(o, SQ_8))
        TRY(error_set(err, EVDB_CORRUPT, "a saved graph is of another store"));
    TRY(graph_create(o, capacity, NULL, &g, err));
    if (head.upper_rows > g->upper_rows) TRY(error_set(err, EVDB_CORRUPT, "a saved graph has too many levels"));
    TRY(take(from, "mean", g->mean, o->dim * sizeof(*g->mean), err));
    TRY(take(from, "codes4", g->codes4, nodes * g->stride4, err));
    const void *codes8;
    TRY(from->find(from->context, "codes8", nodes * g->stride8, &codes8, NULL, err));
    atomic_store(&g->saved8, nodes && g->stride8 ? codes8 : NULL);
    TRY(take(from, "links", g->bottom, (size_t)nodes * g->links * sizeof(*g->bottom), err));
    TRY(take(from, "upper", g->upper, nodes * sizeof(*g->upper), err));
    TRY(take(from, "levels", g->levels, nodes, err));
    TRY(take(from, "uplinks", g->upper_links, (size_t)head.upper_rows * o->m * sizeof(*g->upper_links), err));
    TRY(check(g, nodes, head.upper_rows, head.entry, err));
    memset((void *)g->locks, 0, nodes);
    atomic_store(&g->upper_used, head.upper_rows);
    atomic_store(&g->used, nodes);
    atomic_store(&g->entry, head.entry);
    *out = g;
    g = NULL;
out:
    graph_free(g);
    return rc;
}
