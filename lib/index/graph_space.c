/* graph_space.c - what a graph compares where it is not Euclidean distances by codes: inner products by codes, and vectors that
 * lie with the caller. See graph.h for why inner products are linked as they are. */
#include "index/graph_private.h"
#include <math.h>

enum { PAIRS = 8 };

/* A quarter of the largest float is far enough from it for the range of a vector to be a float. Orders alike. */
static const float IP_SCALE = 0.25f;

void space_encode(const graph *g, graph_worker *w, uint32_t node, const float *vector)
{
    if (g->o.kind != GRAPH_IP) return;
    for (uint32_t i = 0; i < g->o.dim; i++) w->vector[i] = vector[i] * IP_SCALE;
    sq_encode(SQ_4, w->vector, g->o.dim, g->codes4 + (size_t)node * g->stride4);
    sq_encode(SQ_8, w->vector, g->o.dim, g->codes8 + (size_t)node * g->stride8);
}

void space_query(const graph *g, graph_worker *w, const float *vector)
{
    float most = 0;
    w->query = vector;
    if (g->o.kind != GRAPH_IP) return;
    for (uint32_t i = 0; i < g->o.dim; i++) most = fmaxf(most, fabsf(vector[i]));
    for (uint32_t i = 0; i < g->o.dim; i++) w->vector[i] = most > 0 ? vector[i] / most : 0; /* its length changes no order */
    sq_prepare(SQ_4, w->vector, g->o.dim, &w->q4);
}

void space_measure(const graph *g, graph_worker *w, sq_bits bits, const uint32_t *rows, size_t count)
{
    if (bits == SQ_8) {
        space_pairs(g, w->from, rows, count, w->distances);
        return;
    }
    if (g->o.kind == GRAPH_ROWS) {
        g->o.rows.from_query(g->o.rows.context, w->query, rows, count, w->distances);
        return;
    }
    sq_dots(g->o.kernel, SQ_4, &w->q4, g->codes4, g->stride4, g->o.dim, rows, count, w->distances);
    for (size_t i = 0; i < count; i++) w->distances[i] = -w->distances[i];
}

void space_pairs(const graph *g, uint32_t from, const uint32_t *nodes, size_t count, float *out)
{
    switch (g->o.kind) {
    case GRAPH_L2: sq_pair_distances(g->o.kernel, g->codes8, g->stride8, g->o.dim, from, nodes, count, out); break;
    case GRAPH_ROWS: g->o.rows.from_node(g->o.rows.context, from, nodes, count, out); break;
    case GRAPH_IP:
        sq_pair_dots(g->o.kernel, g->codes8, g->stride8, g->o.dim, from, nodes, count, out);
        for (size_t i = 0; i < count; i++) out[i] = -out[i];
        break;
    }
}

static float norm_of(const graph *g, uint32_t node)
{
    return sqrtf(((const sq_header *)(const void *)(g->codes8 + (size_t)node * g->stride8))->square);
}

/* 1 - cosine. What has no direction, or none that float can tell, is at right angles to all but its like: a row needs one link to
 * vectors of zeros, not thirty. */
static float angle(float distance, float a, float b)
{
    float norms = a * b;
    if (a == 0 && b == 0) return 0;
    return norms > 0 && isfinite(norms) ? 1 + distance / norms : 1;
}

uint32_t space_choose(const graph *g, uint32_t of, const hit *sorted, size_t count, uint32_t most, float alpha, uint32_t *out)
{
    uint32_t chosen = 0;
    float distances[PAIRS], norms[GRAPH_M_MAX * 2], own = norm_of(g, of);
    for (size_t i = 0; i < count && chosen < most; i++) {
        uint32_t node = sorted[i].row & ~LOOKED_AT;
        float norm = norm_of(g, node), apart = angle(sorted[i].distance, norm, own);
        bool covered = false;
        for (uint32_t from = 0; from < chosen && !covered; from += PAIRS) {
            uint32_t some = chosen - from < PAIRS ? chosen - from : PAIRS;
            space_pairs(g, node, out + from, some, distances);
            for (uint32_t j = 0; j < some; j++) covered |= alpha * angle(distances[j], norm, norms[from + j]) < apart;
        }
        if (covered) continue;
        norms[chosen] = norm;
        out[chosen++] = node;
    }
    return chosen;
}
