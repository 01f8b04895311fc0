/* topk.h - the k nearest seen so far: a bounded max-heap on (distance, row). */
#ifndef EVDB_BASE_TOPK_H
#define EVDB_BASE_TOPK_H
#include <stddef.h>
#include <stdint.h>

typedef struct hit {
    float distance;
    uint32_t row;
} hit;

typedef struct topk {
    hit *heap;        /* borrowed, k entries */
    size_t count, k;
} topk;

void topk_init(topk *t, hit *space, size_t k);
/* What a candidate must be nearer than to enter; +infinity until k were seen. Equal distances: the lower row is nearer. */
float topk_bound(const topk *t);
void topk_add(topk *t, float distance, uint32_t row);
/* Sorts heap[0..count) nearest first; the heap may not be added to afterwards. */
void topk_sort(topk *t);
#endif
