/* graph_scan.c - looking at some nodes by their codes, without walking: an eighth of the bytes of a scan of vectors. */
#include "index/graph_private.h"

size_t graph_scan(const graph *g, graph_worker *w, const float *query, float inverse, const row_set *nodes, size_t most, hit *out)
{
    uint32_t used = atomic_load(&g->used), row = 0;
    topk best;
    topk_init(&best, out, most);
    worker_query(g, w, query, inverse);
    for (size_t count; row < used;) {
        for (count = 0; count < SQ_BATCH_MAX && (row = row_set_next(nodes, row, used)) < used; row++) w->rows[count++] = row;
        graph_measure(g, w, SQ_4, w->rows, count);
        float bound = topk_bound(&best);
        for (size_t i = 0; i < count; i++) {
            if (!(w->distances[i] < bound)) continue;
            topk_add(&best, w->distances[i], w->rows[i]);
            bound = topk_bound(&best);
        }
    }
    topk_sort(&best);
    return best.count;
}
