/* indexed_build.c - the indexer's half of index/indexed.h: rows from the tail into the graph, and dead ones out of it. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "index/indexed_private.h"
#include <string.h>

enum { CAPACITY_FIRST = 4096, MEAN_ROWS = 20000, REFINE_SHARE = 8, UNREFINED_SHARE = 2, REBUILD_PERCENT = 40 };

/* ---- with the writer's lock ---- */

/* Rows that left the graph can be used again once no search is left that may come by. */
static void let_go(indexed *x)
{
    if (!x->leaving.count || !flat_readers_gone(x->flat, &x->leaving_readers)) return;
    for (size_t i = 0; i < x->leaving.count; i++) flat_release(x->flat, x->leaving.at[i]);
    x->leaving.count = 0;
}

static bool many_gone(const indexed *x)
{
    uint64_t gone = flat_held_dead(x->flat);
    return gone && !x->leaving.count && gone * INDEXED_GONE_SHARE >= atomic_load(&x->linked);
}

/* Refining is worth it once the tail is empty; if it never is, before half of the graph is unrefined. */
static bool many_unrefined(const indexed *x)
{
    uint64_t linked = atomic_load(&x->linked);
    bool waiting = atomic_load(&x->head) < atomic_load(&x->end);
    return x->unrefined.count && x->unrefined.count * (waiting ? UNREFINED_SHARE : REFINE_SHARE) >= linked;
}

evdb_status indexed_begin(indexed *x, bool *more, evdb_error *err)
{
    const tail_ring *ring = atomic_load(&x->ring);
    uint64_t at = atomic_load(&x->head), end = atomic_load(&x->end);
    retired_sweep(x);
    let_go(x);
    for (; at < end && x->claimed.count < INDEXED_CLAIM_MAX; at++) {
        uint32_t row = atomic_load(&ring->at[at & ring->mask]);
        if (!flat_hold(x->flat, row)) continue; /* died, or came twice because its memory was used again meanwhile */
        if (row_list_add(x->o.flat.mem, &x->claimed, row)) continue;
        flat_release(x->flat, row);
        return error_no_memory(err, sizeof(row) * x->claimed.count, "rows to link");
    }
    if (at > x->claim_end) x->claim_end = at;
    x->needed = flat_used(x->flat);
    *more = x->claimed.count || at > atomic_load(&x->head) || many_gone(x) || many_unrefined(x);
    return EVDB_OK;
}

void indexed_end(indexed *x)
{
    if (x->claimed_done < x->claimed.count) return; /* it was stopped: the next step goes on */
    atomic_store(&x->head, x->claim_end);
    x->claimed.count = x->claimed_done = 0;
}

/* ---- without ---- */

/* The middle of these rows, scaled as the graph scales them. Only codes for Euclidean distances are finer around it. */
static evdb_status middle(const indexed *x, const row_list *rows, float **out, evdb_error *err)
{
    const flat_options *o = &x->o.flat;
    double *sums = mem_zero(o->mem, o->dim * sizeof(*sums));
    size_t room = flat_room(x->flat) > o->dim ? flat_room(x->flat) : o->dim;
    float *mean = mem_zero(o->mem, room * sizeof(*mean)); /* and room for a vector until then */
    size_t step = rows->count / MEAN_ROWS + 1, taken = 0;
    for (size_t i = 0; sums && mean && i < rows->count; i += step, taken++) {
        const float *v = flat_vector(x->flat, rows->at[i], mean);
        float scale = flat_inverse(x->flat, rows->at[i]);
        for (uint32_t j = 0; j < o->dim; j++) sums[j] += v[j] * scale;
    }
    for (uint32_t j = 0; sums && mean && j < o->dim; j++) mean[j] = (float)(sums[j] / (double)(taken ? taken : 1));
    bool whole = sums && mean;
    mem_free(o->mem, sums);
    if (!whole) mem_free(o->mem, mean);
    if (!whole) return error_no_memory(err, o->dim * sizeof(*sums), "the middle of vectors");
    *out = mean;
    return EVDB_OK;
}

static evdb_status new_graph(const indexed *x, const row_list *rows, uint32_t capacity, graph **out, evdb_error *err)
{
    graph_options o = indexed_graph_options(x);
    float *mean = NULL;
    evdb_status rc = o.kind == GRAPH_L2 ? middle(x, rows, &mean, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    rc = graph_create(&o, capacity, mean, out, err);
    mem_free(x->o.flat.mem, mean);
    return rc;
}

/* A graph that has room for all rows there are, and half as many more. */
static evdb_status make_room(indexed *x, evdb_error *err)
{
    graph *old = atomic_load(&x->graph), *larger;
    if (old && graph_capacity(old) >= x->needed) return EVDB_OK;
    uint64_t capacity = (uint64_t)x->needed + x->needed / 2;
    if (capacity < CAPACITY_FIRST) capacity = CAPACITY_FIRST;
    if (capacity > INT32_MAX) capacity = INT32_MAX;
    evdb_status rc = old ? graph_grow(old, (uint32_t)capacity, &larger, err) : new_graph(x, &x->claimed, (uint32_t)capacity, &larger, err);
    if (rc != EVDB_OK) return rc;
    atomic_store(&x->graph, larger);
    if (!old || retire(x, old, NULL)) return EVDB_OK;
    atomic_store(&x->graph, old);
    graph_free(larger);
    return error_set(err, EVDB_BUSY, "searches that do not end hold too many old states of the index");
}

static evdb_status make_workers(indexed *x, uint32_t threads, evdb_error *err)
{
    const graph *g = atomic_load(&x->graph);
    evdb_status rc = EVDB_OK;
    for (uint32_t i = 0; rc == EVDB_OK && i < threads; i++) {
        if (x->workers[i] && graph_worker_fits(x->workers[i], g)) continue;
        graph_worker_free(x->workers[i]);
        x->workers[i] = NULL;
        rc = graph_worker_create(g, &x->workers[i], err);
    }
    return rc;
}

/* What threads share: one job after the other, each done once. */
typedef struct shared_work {
    indexed *x;
    graph *g;
    const row_list *rows;
    void (*job)(struct shared_work *s, graph_worker *w, size_t i);
    size_t count;
    _Atomic size_t next;
    const atomic_bool *stop;
    uint8_t *gone;
} shared_work;

static void take_jobs(void *context, size_t part)
{
    shared_work *s = context;
    while (!atomic_load(s->stop)) {
        size_t i = atomic_fetch_add(&s->next, 1);
        if (i >= s->count) break;
        s->job(s, s->x->workers[part], i);
    }
}

/* Does `job` for first .. count - 1; how many are done then: all before that one, none behind. */
static size_t run(shared_work *s, void (*job)(shared_work *, graph_worker *, size_t), size_t first, size_t count, uint32_t threads)
{
    s->job = job;
    s->count = count;
    atomic_init(&s->next, first);
    thread_share(threads, take_jobs, s);
    size_t next = atomic_load(&s->next);
    return next < count ? next : count;
}

static void link_one(shared_work *s, graph_worker *w, size_t i)
{
    uint32_t row = s->rows->at[i];
    const float *v = flat_vector(s->x->flat, row, graph_worker_row(w));
    float inverse = flat_inverse(s->x->flat, row);
    graph_put(s->g, w, row, v, inverse);
    graph_link(s->g, w, row, v, inverse);
}

static void refine_one(shared_work *s, graph_worker *w, size_t i)
{
    uint32_t row = s->rows->at[i];
    graph_refine(s->g, w, row, flat_vector(s->x->flat, row, graph_worker_row(w)), flat_inverse(s->x->flat, row));
}

static void fill_one(shared_work *s, graph_worker *w, size_t i)
{
    (void)w;
    graph_fill(s->g, s->rows->at[i]);
}

static void repair_one(shared_work *s, graph_worker *w, size_t i)
{
    graph_repair(s->g, w, s->rows->at[i], (graph_gone){ s->gone });
}

static evdb_status link_claimed(indexed *x, shared_work *s, uint32_t threads, evdb_error *err)
{
    size_t before = x->claimed_done;
    s->rows = &x->claimed;
    x->claimed_done = run(s, link_one, before, x->claimed.count, threads);
    for (size_t i = before; i < x->claimed_done; i++)
        if (!row_list_add(x->o.flat.mem, &x->unrefined, x->claimed.at[i]))
            return error_no_memory(err, x->unrefined.count * sizeof(uint32_t), "rows to refine");
    atomic_fetch_add(&x->linked, x->claimed_done - before);
    return EVDB_OK;
}

/* False when it was interrupted, and is to be begun anew: refining a node twice does no harm. */
static bool refine(shared_work *s, const row_list *rows, uint32_t threads)
{
    s->rows = rows;
    atomic_store(&s->x->refining, true);
    bool whole = run(s, refine_one, 0, rows->count, threads) == rows->count && !atomic_load(s->stop) &&
                 run(s, fill_one, 0, rows->count, threads) == rows->count && !atomic_load(s->stop);
    atomic_store(&s->x->refining, false);
    return whole;
}

/* Rows of the graph, the living and the dead, as they are now: some of the living may die meanwhile. */
static evdb_status sort_out(indexed *x, row_list *living, uint8_t *gone, evdb_error *err)
{
    uint32_t rows = flat_used(x->flat);
    x->leaving.count = 0;
    for (uint32_t i = 0; i < rows; i++) {
        if (!flat_held(x->flat, i)) continue;
        bool dead = flat_dead(x->flat, i);
        if (dead) gone[i / 8] |= (uint8_t)(1u << i % 8);
        if (!row_list_add(x->o.flat.mem, dead ? &x->leaving : living, i))
            return error_no_memory(err, rows * sizeof(i), "rows of an index");
    }
    return EVDB_OK;
}

/* The dead are out of the graph that searches see from now on. */
static void took_out(indexed *x, const uint8_t *gone)
{
    size_t kept = 0;
    flat_readers_now(x->flat, &x->leaving_readers);
    atomic_fetch_sub(&x->linked, x->leaving.count);
    for (size_t i = 0; i < x->unrefined.count; i++) {
        uint32_t row = x->unrefined.at[i];
        if (!(gone[row / 8] >> row % 8 & 1)) x->unrefined.at[kept++] = row;
    }
    x->unrefined.count = kept;
}

/* A graph of the living alone, in the place of one that is full of holes. *done false: it was interrupted. */
static evdb_status rebuild(indexed *x, shared_work *s, const row_list *living, uint32_t threads, bool *done, evdb_error *err)
{
    graph *old = s->g;
    evdb_status rc = new_graph(x, living, graph_capacity(old), &s->g, err);
    if (rc != EVDB_OK) return rc;
    s->rows = living;
    *done = run(s, link_one, 0, living->count, threads) == living->count && !atomic_load(s->stop) && refine(s, living, threads);
    if (*done) {
        atomic_store(&x->graph, s->g);
        *done = retire(x, old, NULL);
        if (!*done) atomic_store(&x->graph, old);
    }
    if (!*done) graph_free(s->g);
    else x->unrefined.count = 0;
    return EVDB_OK;
}

/* Takes the dead out of the graph. Rows that die meanwhile stay for the next time. */
static evdb_status take_out(indexed *x, shared_work *s, uint32_t threads, evdb_error *err)
{
    uint32_t nodes = graph_capacity(s->g);
    row_list living = { 0 };
    uint8_t *gone = mem_zero(x->o.flat.mem, nodes / 8 + 1);
    bool done = false;
    evdb_status rc = gone ? sort_out(x, &living, gone, err) : error_no_memory(err, nodes / 8, "a bitmap");
    s->gone = gone;
    if (rc == EVDB_OK && x->leaving.count * 100 >= atomic_load(&x->linked) * REBUILD_PERCENT)
        rc = rebuild(x, s, &living, threads, &done, err);
    else if (rc == EVDB_OK) {
        s->rows = &living;
        done = run(s, repair_one, 0, living.count, threads) == living.count && !atomic_load(s->stop);
        if (done) graph_forget(s->g, (graph_gone){ gone });
    }
    if (rc == EVDB_OK && done) took_out(x, gone);
    else x->leaving.count = 0; /* links that were repaired already are fit; the rest is tried again */
    mem_free(x->o.flat.mem, living.at);
    mem_free(x->o.flat.mem, gone);
    return rc;
}

evdb_status indexed_work(indexed *x, uint32_t threads, const atomic_bool *stop, evdb_error *err)
{
    evdb_status rc;
    if (threads > THREAD_PARTS_MAX) threads = THREAD_PARTS_MAX;
    graph *old = atomic_load(&x->graph);
    if (!x->claimed.count && !old) return EVDB_OK;
    if (old) graph_prepare(old);
    TRY(make_room(x, err));
    TRY(make_workers(x, threads, err));
    shared_work s = { .x = x, .g = atomic_load(&x->graph), .stop = stop };
    TRY(link_claimed(x, &s, threads, err));
    if (atomic_load(stop)) goto out;
    bool drained = x->claim_end >= atomic_load(&x->end);
    uint64_t linked = atomic_load(&x->linked);
    bool unrefined = x->unrefined.count && x->unrefined.count * (drained ? REFINE_SHARE : UNREFINED_SHARE) >= linked;
    if (unrefined && refine(&s, &x->unrefined, threads)) x->unrefined.count = 0;
    if (many_gone(x) && !atomic_load(stop)) TRY(take_out(x, &s, threads, err));
out:
    return rc;
}
