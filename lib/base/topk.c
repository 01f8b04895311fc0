/* topk.c - implements base/topk.h. */
#include "base/topk.h"
#include <math.h>
#include <stdbool.h>

void topk_init(topk *t, hit *space, size_t k) { *t = (topk){ space, 0, k }; }

float topk_bound(const topk *t)
{
    if (t->count < t->k) return INFINITY;
    return t->k ? t->heap[0].distance : -INFINITY; /* nothing enters an empty heap */
}

static bool farther(hit a, hit b) { return a.distance != b.distance ? a.distance > b.distance : a.row > b.row; }

static void sift_down(hit *heap, size_t count, hit item)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && farther(heap[child + 1], heap[child])) child++;
        if (!farther(heap[child], item)) break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

void topk_add(topk *t, float distance, uint32_t row)
{
    hit item = { distance, row };
    if (t->count == t->k) {
        if (t->k && farther(t->heap[0], item)) sift_down(t->heap, t->count, item);
        return;
    }
    size_t at = t->count++;
    for (size_t parent; at && farther(item, t->heap[parent = (at - 1) / 2]); at = parent) t->heap[at] = t->heap[parent];
    t->heap[at] = item;
}

void topk_sort(topk *t)
{
    for (size_t n = t->count; n > 1; n--) { /* heapsort: the farthest goes last */
        hit last = t->heap[n - 1];
        t->heap[n - 1] = t->heap[0];
        sift_down(t->heap, n - 1, last);
    }
}
