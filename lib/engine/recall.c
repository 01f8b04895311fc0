/* recall.c - implements engine/recall.h. */
#include "engine/recall.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "platform/thread.h"
#include <math.h>
#include <string.h>

void recall_init(recall_watch *r) { pthread_mutex_init(&r->lock, NULL); }

void recall_destroy(engine *e)
{
    recall_watch *r = &e->recall;
    thread_job_join(&r->job);
    mem_free(&e->db->platform.mem, r->query);
    pthread_mutex_destroy(&r->lock);
}

static void add(recall_watch *r, double share)
{
    pthread_mutex_lock(&r->lock);
    uint64_t weight = ++r->samples < RECALL_MEMORY ? r->samples : RECALL_MEMORY;
    r->estimate += (share - r->estimate) / (double)weight;
    pthread_mutex_unlock(&r->lock);
}

/* On one and the same snapshot, so that a write between the two is no miss. Nobody is told of a check that fails. */
static void check(engine *e)
{
    recall_watch *r = &e->recall;
    const evdb_allocator *mem = &e->db->platform.mem;
    view_snapshot s = { 0 };
    size_t near = 0, all = 0, good = 0;
    hit *hits = mem_array(mem, 2 * (size_t)r->k, sizeof(*hits)), *exact;
    evdb_status rc = EVDB_OK;
    if (!hits || view_begin(e, &s, NULL, NULL) != EVDB_OK || !s.index) goto out;
    flat_query q = { r->query, 1, atomic_load(&e->dim), r->k, INFINITY, 1, NULL };
    TRY(indexed_search(s.index->vectors, &s.rows, &q, r->ef, hits, &near, NULL));
    exact = hits + r->k;
    TRY(flat_search(&s.rows, &q, exact, &all, NULL, NULL));
    for (size_t i = 0; i < near && all; i++) good += hits[i].distance <= exact[all - 1].distance;
    if (all) add(r, (double)good / (double)all);
out:
    view_end(e, &s);
    mem_free(mem, hits);
}

static void *run(void *context)
{
    engine *e = context;
    recall_watch *r = &e->recall;
    uint64_t begun = engine_now_ns(e);
    check(e);
    uint64_t ended = engine_now_ns(e);
    atomic_store(&r->next, ended + (ended - begun) * (RECALL_SHARE - 1));
    atomic_store(&r->job.running, false);
    return NULL;
}

static void begin(engine *e, const float *query, uint32_t k, uint32_t ef)
{
    recall_watch *r = &e->recall;
    const evdb_allocator *mem = &e->db->platform.mem;
    size_t bytes = atomic_load(&e->dim) * sizeof(*query);
    if (!r->query && !(r->query = mem_alloc(mem, bytes))) return;
    memcpy(r->query, query, bytes);
    r->k = k;
    r->ef = ef;
    thread_job_begin(&r->job, run, e);
}

void recall_searched(engine *e, const float *query, uint32_t k, uint32_t ef)
{
    recall_watch *r = &e->recall;
    if (e->db->recall_unwatched || (atomic_fetch_add(&r->searches, 1) + 1) % RECALL_EACH || atomic_load(&r->job.running)) return;
    if (engine_now_ns(e) < atomic_load(&r->next)) return;
    pthread_mutex_lock(&r->lock);
    if (!atomic_load(&r->job.running)) begin(e, query, k, ef);
    pthread_mutex_unlock(&r->lock);
}

void recall_now(engine *e, float *estimate, uint64_t *samples)
{
    pthread_mutex_lock(&e->recall.lock);
    *estimate = (float)e->recall.estimate;
    *samples = e->recall.samples;
    pthread_mutex_unlock(&e->recall.lock);
}
