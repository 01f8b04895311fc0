/* indexed.c - the writer's half of index/indexed.h, and its memory. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "index/indexed_private.h"
#include <string.h>

enum { RING_FIRST = 4096, LIST_FIRST = 1024 };

evdb_status indexed_create(const indexed_options *options, indexed **out, evdb_error *err)
{
    indexed *x = mem_zero(options->flat.mem, sizeof(*x));
    if (!x) return error_no_memory(err, sizeof(*x), "an index");
    x->o = *options;
    pthread_mutex_init(&x->lock, NULL);
    evdb_status rc = flat_create(&options->flat, &x->flat, err);
    if (rc == EVDB_OK) *out = x;
    else indexed_free(x);
    return rc;
}

void indexed_free(indexed *x)
{
    if (!x) return;
    const evdb_allocator *mem = x->o.flat.mem;
    flat_free(x->flat);
    graph_free(atomic_load(&x->graph));
    mem_free(mem, atomic_load(&x->ring));
    for (size_t i = 0; i < RETIRED_MAX; i++) graph_free(x->retired[i].graph), mem_free(mem, x->retired[i].ring);
    for (size_t i = 0; i < THREAD_PARTS_MAX; i++) graph_worker_free(x->workers[i]);
    for (size_t i = 0; i < x->idle_count; i++) graph_worker_free(x->idle[i]);
    mem_free(mem, x->claimed.at), mem_free(mem, x->unrefined.at), mem_free(mem, x->leaving.at);
    pthread_mutex_destroy(&x->lock);
    mem_free(mem, x);
}

flat *indexed_flat(indexed *x) { return x->flat; }

/* On a line, inner products know two directions and nothing between them: a graph of them falls into two halves. Elements of many
 * kinds hardly ever agree: nearly all rows are equally far then, and no walk finds the few that are not. Codes tell no distances
 * between two rows but by decoding both, which a graph of Manhattan's would do all the time. */
bool indexed_has_graph(const indexed *x)
{
    const flat_options *o = &x->o.flat;
    if (o->metric == EVDB_CUSTOM) return custom_graph(o->custom);
    if (o->codec && (o->metric == EVDB_MANHATTAN || o->metric == EVDB_HAMMING)) return false;
    return !(o->metric == EVDB_IP && o->dim == 1) && !(o->metric == EVDB_HAMMING && o->dtype != EVDB_BIT);
}

static void from_query(const void *context, const float *query, const uint32_t *rows, size_t count, float *out)
{
    flat_distances(context, &(flat_ready){ .vector = query, .inverse = 1 }, rows, count, out); /* no codes, no cosine */
}

static void from_row(const void *context, uint32_t row, const uint32_t *rows, size_t count, float *out)
{
    flat_distances_between(context, row, rows, count, out);
}

/* Codes serve what comes of inner products; the others are walked by the exact distances of the rows. Of bits, the square of
 * the Euclidean distance is how many differ, and so is Manhattan's. */
static graph_kind kind_of(const flat_options *o)
{
    switch (o->metric) {
    case EVDB_COSINE: case EVDB_EUCLIDEAN: return GRAPH_L2;
    case EVDB_IP: return GRAPH_IP;
    case EVDB_MANHATTAN: case EVDB_HAMMING: case EVDB_CUSTOM: break;
    }
    return o->dtype == EVDB_BIT ? GRAPH_L2 : GRAPH_ROWS;
}

bool indexed_fits(const indexed *x, uint64_t *bytes)
{
    uint64_t rows = atomic_load(&x->linked) + atomic_load(&x->end) - atomic_load(&x->head);
    *bytes = graph_estimate(x->o.flat.dim, x->o.m, rows);
    return !x->o.memory_max || *bytes <= x->o.memory_max;
}

graph_options indexed_graph_options(const indexed *x)
{
    return (graph_options){ .mem = x->o.flat.mem, .kernel = x->o.flat.kernel, .dim = x->o.flat.dim, .m = x->o.m,
                            .ef_construction = x->o.ef_construction, .seed = x->o.seed, .unit = x->o.flat.metric == EVDB_COSINE,
                            .kind = kind_of(&x->o.flat), .rows = { x->flat, from_query, from_row }, .row_room = flat_room(x->flat) };
}

bool row_list_add(const evdb_allocator *mem, row_list *l, uint32_t row)
{
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : LIST_FIRST;
        uint32_t *grown = mem_resize(mem, l->at, room, sizeof(*grown));
        if (!grown) return false;
        l->at = grown;
        l->room = room;
    }
    l->at[l->count++] = row;
    return true;
}

/* ---- what searches may still use ---- */

/* With the lock held. */
static void sweep(indexed *x)
{
    for (size_t i = 0; i < RETIRED_MAX; i++) {
        retired *r = &x->retired[i];
        if ((!r->graph && !r->ring) || !flat_readers_gone(x->flat, &r->readers)) continue;
        graph_free(r->graph);
        mem_free(x->o.flat.mem, r->ring);
        *r = (retired){ 0 };
    }
}

void retired_sweep(indexed *x)
{
    pthread_mutex_lock(&x->lock);
    sweep(x);
    pthread_mutex_unlock(&x->lock);
}

bool retire(indexed *x, graph *g, tail_ring *ring)
{
    retired *place = NULL;
    pthread_mutex_lock(&x->lock);
    sweep(x);
    for (size_t i = 0; i < RETIRED_MAX && !place; i++)
        if (!x->retired[i].graph && !x->retired[i].ring) place = &x->retired[i];
    if (place) {
        place->graph = g;
        place->ring = ring;
        flat_readers_now(x->flat, &place->readers);
    }
    pthread_mutex_unlock(&x->lock);
    return place != NULL;
}

/* ---- the tail ---- */

/* A longer ring with what is in the old one. */
static evdb_status lengthen(indexed *x, tail_ring *old, uint64_t head, uint64_t end, evdb_error *err)
{
    size_t room = old ? ((size_t)old->mask + 1) * 2 : RING_FIRST, bytes = sizeof(tail_ring) + room * sizeof(uint32_t);
    tail_ring *longer = mem_zero(x->o.flat.mem, bytes);
    if (!longer) return error_no_memory(err, bytes, "the tail of an index");
    longer->mask = (uint32_t)(room - 1);
    for (uint64_t i = head; i < end; i++) atomic_store(&longer->at[i & longer->mask], atomic_load(&old->at[i & old->mask]));
    atomic_store(&x->ring, longer);
    if (!old || retire(x, NULL, old)) return EVDB_OK;
    atomic_store(&x->ring, old);
    mem_free(x->o.flat.mem, longer);
    return error_set(err, EVDB_BUSY, "searches that do not end hold too many old states of the index");
}

evdb_status tail_add(indexed *x, uint32_t row, evdb_error *err)
{
    tail_ring *ring = atomic_load(&x->ring);
    uint64_t head = atomic_load(&x->head), end = atomic_load(&x->end);
    evdb_status rc = EVDB_OK;
    if (!ring || end - head > ring->mask) rc = lengthen(x, ring, head, end, err);
    if (rc != EVDB_OK) return rc;
    ring = atomic_load(&x->ring);
    atomic_store(&ring->at[end & ring->mask], row);
    atomic_store(&x->end, end + 1);
    return EVDB_OK;
}

evdb_status indexed_put(indexed *x, uint64_t slot, uint64_t sequence, const evdb_id *id, const void *vector, evdb_error *err)
{
    evdb_status rc;
    TRY(flat_put(x->flat, slot, sequence, id, vector, err));
    if (!indexed_has_graph(x)) goto out;
    uint32_t row = flat_row(x->flat, slot);
    rc = tail_add(x, row, err);
    if (rc != EVDB_OK) flat_remove(x->flat, slot, sequence); /* the caller loads all anew */
out:
    return rc;
}

void indexed_state_now(const indexed *x, indexed_state *out)
{
    const graph *g = atomic_load(&x->graph);
    const tail_ring *ring = atomic_load(&x->ring);
    uint64_t head = atomic_load(&x->head);
    *out = (indexed_state){ .waiting = atomic_load(&x->end) - head, .linked = atomic_load(&x->linked), .gone = flat_held_dead(x->flat),
                            .refining = atomic_load(&x->refining), .scans = atomic_load(&x->scans) };
    out->memory_bytes = (g ? graph_memory(g) : 0) + (ring ? ((uint64_t)ring->mask + 1) * sizeof(uint32_t) : 0);
}
