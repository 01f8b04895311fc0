/* graph.c - a graph's memory, and a worker's. */
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "index/graph_private.h"
#include "platform/pages.h"
#include "platform/thread.h"
#include <math.h>
#include <string.h>

enum {
    UPPER_SHARE = 8, /* rows of upper levels there is room for: one a so many nodes, twice what m = 16 needs */
    LINE = 64        /* bytes that arrive from memory together: a row should lie in as few as it fills */
};

/* On large pages; memory that no node needs yet is not touched, and so is not there. */
static void *array(graph *g, size_t count, size_t size)
{
    size_t bytes = count * size, align = bytes < LARGE_PAGE ? LINE : LARGE_PAGE;
    char *block = mem_alloc(g->o.mem, bytes + align);
    if (!block) return NULL;
    g->blocks[g->block_count++] = block;
    block += align - (uintptr_t)block % align;
    pages_large(block, bytes);
    return block;
}

evdb_status graph_create(const graph_options *options, uint32_t capacity, const float *mean, graph **out, evdb_error *err)
{
    graph *g = mem_zero(options->mem, sizeof(*g));
    if (!g) return error_no_memory(err, sizeof(*g), "a graph");
    g->o = *options;
    g->capacity = capacity;
    g->links = 2 * options->m;
    g->stride4 = space_stride(options, SQ_4);
    g->stride8 = space_stride(options, SQ_8);
    g->upper_rows = capacity / UPPER_SHARE + GRAPH_LEVELS_MAX + 1;
    pthread_mutex_init(&g->top, NULL);
    g->codes4 = array(g, capacity, g->stride4);
    g->codes8 = array(g, capacity, g->stride8);
    g->bottom = array(g, (size_t)capacity * g->links, sizeof(*g->bottom));
    g->upper = mem_zero(g->o.mem, capacity * sizeof(*g->upper)); /* before a node is put: on no upper level */
    g->levels = mem_zero(g->o.mem, capacity * sizeof(*g->levels));
    g->upper_links = array(g, (size_t)g->upper_rows * g->o.m, sizeof(*g->upper_links));
    g->locks = array(g, capacity, sizeof(*g->locks));
    g->mean = mem_zero(g->o.mem, g->o.dim * sizeof(*g->mean));
    atomic_store(&g->entry, NO_ENTRY);
    atomic_store(&g->upper_used, 1);
    if (!g->codes4 || !g->codes8 || !g->bottom || !g->upper || !g->levels || !g->upper_links || !g->locks || !g->mean) {
        size_t bytes = (size_t)capacity * (g->stride4 + g->stride8 + g->links * sizeof(*g->bottom));
        graph_free(g);
        return error_no_memory(err, bytes, "a graph");
    }
    if (mean) memcpy(g->mean, mean, g->o.dim * sizeof(*mean));
    *out = g;
    return EVDB_OK;
}

evdb_status graph_grow(const graph *from, uint32_t capacity, graph **out, evdb_error *err)
{
    graph *g;
    evdb_status rc = graph_create(&from->o, capacity, from->mean, &g, err);
    if (rc != EVDB_OK) return rc;
    size_t n = atomic_load(&from->used), rows = atomic_load(&from->upper_used);
    memcpy(g->codes4, from->codes4, n * g->stride4);
    memcpy(g->codes8, from->codes8, n * g->stride8);
    memcpy(g->bottom, from->bottom, n * g->links * sizeof(*g->bottom));
    memcpy(g->upper, from->upper, n * sizeof(*g->upper));
    memcpy(g->levels, from->levels, n);
    memset((void *)g->locks, 0, n);
    if (rows > from->upper_rows) rows = from->upper_rows;
    memcpy(g->upper_links, from->upper_links, rows * g->o.m * sizeof(*g->upper_links));
    atomic_store(&g->upper_used, (uint32_t)rows);
    atomic_store(&g->used, (uint32_t)n);
    atomic_store(&g->entry, atomic_load(&from->entry));
    *out = g;
    return EVDB_OK;
}

void graph_prepare(graph *g)
{
    const uint8_t *saved = atomic_load(&g->saved8);
    if (!saved) return;
    memcpy(g->codes8, saved, atomic_load(&g->used) * g->stride8);
    atomic_store(&g->saved8, NULL);
}

void graph_free(graph *g)
{
    if (!g) return;
    for (size_t i = 0; i < g->block_count; i++) mem_free(g->o.mem, g->blocks[i]);
    mem_free(g->o.mem, g->upper);
    mem_free(g->o.mem, g->levels);
    mem_free(g->o.mem, g->mean);
    pthread_mutex_destroy(&g->top);
    mem_free(g->o.mem, g);
}

uint32_t graph_capacity(const graph *g) { return g->capacity; }

static uint64_t memory(uint32_t dim, uint32_t m, uint64_t nodes, uint64_t upper_rows)
{
    const graph *g = NULL;
    uint64_t node = sq_stride(SQ_4, dim) + sq_stride(SQ_8, dim) + (2 * (uint64_t)m + 1) * sizeof(*g->bottom) + 2;
    return sizeof(*g) + node * nodes + upper_rows * m * sizeof(*g->upper_links) + dim * sizeof(*g->mean);
}

/* A node is on the first upper level with a chance of 1/m, on the second of 1/m^2, and so on: 1/(m - 1) rows of links. */
uint64_t graph_estimate(uint32_t dim, uint32_t m, uint64_t nodes) { return memory(dim, m, nodes, nodes / (m - 1) + 1); }

uint64_t graph_memory(const graph *g)
{
    uint64_t used = atomic_load(&g->used), all = memory(g->o.dim, g->o.m, used, atomic_load(&g->upper_used));
    return all - (atomic_load(&g->saved8) ? used * g->stride8 : 0);
}

/* ---- links ---- */

uint32_t graph_level_of(const graph *g, uint32_t node)
{
    double chance = mix_unit(mix64(g->o.seed + node));
    double level = -log(chance) / log(g->o.m);
    return level < GRAPH_LEVELS_MAX - 1 ? (uint32_t)level : GRAPH_LEVELS_MAX - 1;
}

void graph_lock(graph *g, uint32_t node)
{
    while (atomic_exchange_explicit(&g->locks[node], 1, memory_order_acquire))
        while (atomic_load_explicit(&g->locks[node], memory_order_relaxed)) thread_spin();
}

void graph_unlock(graph *g, uint32_t node) { atomic_store_explicit(&g->locks[node], 0, memory_order_release); }

uint32_t graph_links(const graph *g, uint32_t node, uint32_t level, uint32_t *out)
{
    const uint32_t *at = links_of(g, node, level);
    uint32_t most = links_max(g, level), count = 0;
    for (uint32_t link; count < most && (link = link_read(&at[count])) != NO_NODE; count++) out[count] = link;
    return count;
}

void graph_set_links(graph *g, uint32_t node, uint32_t level, const uint32_t *links, uint32_t count)
{
    uint32_t *at = links_of(g, node, level), most = links_max(g, level);
    for (uint32_t i = 0; i < most; i++) link_write(&at[i], i < count ? links[i] : NO_NODE);
}

/* ---- workers ---- */

evdb_status graph_worker_create(const graph *g, graph_worker **out, evdb_error *err)
{
    const evdb_allocator *mem = g->o.mem;
    graph_worker *w = mem_zero(mem, sizeof(*w));
    size_t padded = sq_padded(g->o.dim);
    if (!w) return error_no_memory(err, sizeof(*w), "a search");
    w->mem = mem;
    w->capacity = g->capacity;
    w->visited = mem_zero(mem, g->capacity * sizeof(*w->visited));
    w->pool.at = mem_array(mem, GRAPH_EF_MAX + 1, sizeof(hit));
    w->hits = mem_array(mem, GRAPH_EF_MAX + GRAPH_M_MAX * 2, sizeof(hit));
    w->vector = mem_array(mem, padded, sizeof(float));
    w->row = mem_array(mem, g->o.row_room + 1, sizeof(float));
    w->q4.at = mem_zero(mem, padded);
    w->q8.at = mem_zero(mem, padded);
    if (w->visited && w->pool.at && w->hits && w->vector && w->row && w->q4.at && w->q8.at) {
        *out = w;
        return EVDB_OK;
    }
    graph_worker_free(w);
    return error_no_memory(err, g->capacity * sizeof(*w->visited), "a search");
}

void graph_worker_free(graph_worker *w)
{
    if (!w) return;
    void *const blocks[] = { w->visited, w->pool.at, w->hits, w->vector, w->row, w->q4.at, w->q8.at };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) mem_free(w->mem, blocks[i]);
    mem_free(w->mem, w);
}

bool graph_worker_fits(const graph_worker *w, const graph *g) { return w->capacity >= g->capacity; }

hit *graph_worker_space(graph_worker *w) { return w->hits; }
float *graph_worker_row(graph_worker *w) { return w->row; }

/* As Euclidean codes are taken of it. */
static void place(const graph *g, graph_worker *w, const float *vector, float inverse)
{
    float scale = g->o.unit ? inverse : 1;
    for (uint32_t i = 0; i < g->o.dim; i++) w->vector[i] = vector[i] * scale - g->mean[i];
}

void worker_query(const graph *g, graph_worker *w, const float *vector, float inverse)
{
    if (g->o.kind != GRAPH_L2) {
        space_query(g, w, vector);
        return;
    }
    place(g, w, vector, inverse);
    sq_prepare(SQ_4, w->vector, g->o.dim, &w->q4);
}

void worker_node(const graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse)
{
    w->from = node;
    if (g->o.kind != GRAPH_L2) return;
    place(g, w, vector, inverse);
    sq_prepare(SQ_8, w->vector, g->o.dim, &w->q8);
}

void graph_put(graph *g, graph_worker *w, uint32_t node, const float *vector, float inverse)
{
    uint32_t used = atomic_load(&g->used);
    while (used <= node && !atomic_compare_exchange_weak(&g->used, &used, node + 1)) {}
    atomic_store(&g->locks[node], 0);
    graph_set_links(g, node, 0, NULL, 0);
    if (g->o.kind != GRAPH_L2) {
        space_encode(g, w, node, vector);
        return;
    }
    place(g, w, vector, inverse);
    sq_encode(SQ_4, w->vector, g->o.dim, g->codes4 + (size_t)node * g->stride4);
    sq_encode(SQ_8, w->vector, g->o.dim, g->codes8 + (size_t)node * g->stride8);
}
