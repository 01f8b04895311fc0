/* accuracy.c - implements engine/accuracy.h. */
#include "engine/accuracy.h"
#include "base/element.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "index/graph.h"
#include <evdb/search.h>
#include <math.h>
#include <string.h>

enum { EF_LEAST = 8, TRIES = 20, NEIGHBOUR = 8, BUCKET_LEAST = 3 };
static const float RECALL_ENOUGH = 0.9998f, MARGIN = 0.1f; /* of what may be missed: the sample may have been easier */

void accuracy_init(accuracies *a)
{
    pthread_mutex_init(&a->turn, NULL);
    pthread_mutex_init(&a->lock, NULL);
}

void accuracy_destroy(accuracies *a)
{
    pthread_mutex_destroy(&a->turn);
    pthread_mutex_destroy(&a->lock);
}

/* ---- queries ---- */

typedef struct sample {
    uint32_t dim, k;
    evdb_metric metric;
    evdb_dtype dtype;
    size_t count;
    float *queries; /* count * dim */
    float *room;    /* for one vector */
    hit *hits;      /* count * k */
    size_t *found;
    float *bounds;  /* distance of the k-th nearest; below -FLT_MAX when there are fewer */
} sample;

static uint64_t next_random(uint64_t *seed) { return *seed = *seed * 6364136223846793005u + 1442695040888963407u; }

/* Stored vectors by chance. */
static void draw(sample *q, const flat_snapshot *s)
{
    uint64_t seed = s->sequence, used = flat_used(s->of);
    size_t drawn = 0;
    for (size_t tries = q->count * TRIES; used && drawn < q->count && tries; tries--) {
        uint32_t row = (uint32_t)((next_random(&seed) >> 32) % used);
        if (!flat_visible(s, row)) continue;
        float *to = q->queries + drawn++ * q->dim;
        memcpy(to, flat_vector(s->of, row, q->room), q->dim * sizeof(float));
    }
    q->count = drawn;
}

static evdb_status scan(sample *q, const flat_snapshot *s, uint32_t k, evdb_error *err)
{
    flat_query fq = { q->queries, q->count, q->dim, k, INFINITY, 1, NULL };
    return flat_search(s, &fq, q->hits, q->found, NULL, err);
}

/* Away from `other`, as the store's elements can be. Where elements are of some few kinds only a half of what differs becomes the
 * other's instead: somewhere between the two. */
static float moved_element(const sample *q, float x, float other, size_t *differing)
{
    if (q->dtype == EVDB_BIT || q->metric == EVDB_HAMMING) return x != other && (*differing)++ % 2 ? other : x;
    /* a custom metric may know nothing of what lies outside of the vectors, shares of a whole say: half of the way to the other */
    float moved = x + (q->metric == EVDB_CUSTOM ? other - x : x - other) / 2;
    if (q->dtype == EVDB_I8) return fminf(fmaxf(rintf(moved), -128), 127);
    return q->dtype == EVDB_F16 ? element_from_half(element_half(fminf(fmaxf(moved, -ELEMENT_F16_MAX), ELEMENT_F16_MAX))) : moved;
}

/* Away from where the graph has a node, and from its neighbours. What would come to nothing has no direction: it stays. */
static evdb_status move(sample *q, const flat_snapshot *s, evdb_error *err)
{
    evdb_status rc = scan(q, s, NEIGHBOUR, err);
    for (size_t i = 0; rc == EVDB_OK && i < q->count; i++) {
        float *x = q->queries + i * q->dim;
        if (!q->found[i]) continue;
        const float *other = flat_vector(s->of, q->hits[i * NEIGHBOUR + q->found[i] - 1].row, q->room);
        size_t before = 0, differing = 0;
        float moved = 0;
        for (uint32_t j = 0; j < q->dim; j++) moved += fabsf(moved_element(q, x[j], other[j], &before));
        for (uint32_t j = 0; moved > 0 && j < q->dim; j++) x[j] = moved_element(q, x[j], other[j], &differing);
    }
    return rc;
}

static void sample_free(const evdb_allocator *mem, sample *q)
{
    mem_free(mem, q->queries), mem_free(mem, q->room), mem_free(mem, q->hits), mem_free(mem, q->found), mem_free(mem, q->bounds);
}

static evdb_status sample_make(engine *e, const flat_snapshot *s, uint32_t k, sample *q, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    size_t count = ACCURACY_QUERIES;
    uint32_t dim = atomic_load(&e->dim);
    *q = (sample){ .dim = dim, .k = k, .metric = e->metric, .dtype = e->dtype, .count = count };
    uint32_t room = k < NEIGHBOUR ? NEIGHBOUR : k;
    q->queries = mem_array(mem, count * dim, sizeof(float));
    q->room = mem_array(mem, flat_room(s->of) + 1, sizeof(float));
    q->hits = mem_array(mem, count * room, sizeof(hit));
    q->found = mem_array(mem, count, sizeof(*q->found));
    q->bounds = mem_array(mem, count, sizeof(float));
    if (!q->queries || !q->room || !q->hits || !q->found || !q->bounds) return error_no_memory(err, count * room * sizeof(hit), "measuring searches");
    draw(q, s);
    evdb_status rc = move(q, s, err);
    if (rc == EVDB_OK) rc = scan(q, s, k, err);
    for (size_t i = 0; rc == EVDB_OK && i < q->count; i++) q->bounds[i] = q->found[i] ? q->hits[i * k + q->found[i] - 1].distance : -INFINITY;
    return rc;
}

/* ---- measuring ---- */

/* Equally far is equally good. */
static evdb_status recall_at(indexed *x, const flat_snapshot *s, sample *q, uint32_t ef, float *out, evdb_error *err)
{
    flat_query fq = { q->queries, q->count, q->dim, q->k, INFINITY, 1, NULL };
    uint64_t good = 0, all = 0;
    evdb_status rc = indexed_search(x, s, &fq, ef, q->hits, q->found, err);
    for (size_t i = 0; rc == EVDB_OK && i < q->count; i++) {
        all += q->found[i];
        for (size_t j = 0; j < q->found[i]; j++) good += q->hits[i * q->k + j].distance <= q->bounds[i];
    }
    *out = all ? (float)good / (float)all : 1;
    return rc;
}

static evdb_status measure(engine *e, const view_snapshot *s, uint32_t k, accuracy_ladder *out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    sample q;
    evdb_status rc;
    *out = (accuracy_ladder){ .rows = flat_count(s->rows.of) };
    TRY(sample_make(e, &s->rows, k, &q, err));
    double ef = k > EF_LEAST ? k : EF_LEAST;
    for (; out->count < ACCURACY_RUNGS && ef <= GRAPH_EF_MAX; ef *= sqrt(2)) {
        uint32_t i = out->count++;
        out->ef[i] = (uint32_t)ef;
        TRY(recall_at(s->index->vectors, &s->rows, &q, out->ef[i], &out->recall[i], err));
        if (out->recall[i] >= RECALL_ENOUGH) break;
    }
out:
    sample_free(mem, &q);
    return rc;
}

/* ---- asking ---- */

/* The first few share one: of one neighbour a sample tells too little, and more are harder to find. */
static uint32_t bucket_of(uint32_t k)
{
    uint32_t bucket = BUCKET_LEAST;
    while (1u << bucket < k) bucket++;
    return bucket;
}

static bool known(accuracies *a, uint32_t bucket, uint64_t there, accuracy_ladder *out, bool *stale)
{
    pthread_mutex_lock(&a->lock);
    *out = a->ladders[bucket];
    pthread_mutex_unlock(&a->lock);
    *stale = out->rows + out->rows / ACCURACY_GROWTH < there;
    return out->rows != 0;
}

static uint32_t choose(const accuracy_ladder *l, float wanted)
{
    float aim = wanted + (1 - wanted) * MARGIN;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->recall[i] >= aim) return l->ef[i];
    return GRAPH_EF_MAX + 1;
}

evdb_status accuracy_effort(engine *e, const view_snapshot *s, uint32_t k, float wanted, uint32_t *ef, evdb_error *err)
{
    accuracies *a = &e->accuracy;
    accuracy_ladder ladder;
    uint32_t bucket = bucket_of(k), measured = 1u << bucket > EVDB_K_MAX ? EVDB_K_MAX : 1u << bucket;
    uint64_t there = flat_count(s->rows.of);
    bool stale, old = known(a, bucket, there, &ladder, &stale);
    evdb_status rc = EVDB_OK;
    if (stale && (!old ? pthread_mutex_lock(&a->turn) == 0 : pthread_mutex_trylock(&a->turn) == 0)) {
        (void)known(a, bucket, there, &ladder, &stale); /* somebody else may just have done it */
        if (stale) rc = measure(e, s, measured, &ladder, err);
        pthread_mutex_lock(&a->lock);
        if (rc == EVDB_OK) a->ladders[bucket] = ladder;
        pthread_mutex_unlock(&a->lock);
        pthread_mutex_unlock(&a->turn);
    }
    if (rc == EVDB_OK) *ef = choose(&ladder, wanted);
    return rc;
}
