/* kmeans.c - implements kmeans.h. */
#include "codec/kmeans.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "codec/stage.h"
#include <string.h>

enum { SEED_POINTS = 16 }; /* vectors a centroid among which seeds are drawn */

typedef struct room {
    float *columns, *halves, *distances; /* of centroids; of them; of vectors to theirs */
    double *sums;
    uint32_t *members;
    uint8_t *nearest, *before;
} room;

static evdb_status room_make(const kmeans *k, room *r, evdb_error *err)
{
    r->columns = mem_array(k->mem, k->many, k->n * sizeof(float));
    r->halves = mem_array(k->mem, k->many, sizeof(float));
    r->distances = mem_array(k->mem, k->count, sizeof(float));
    r->sums = mem_array(k->mem, k->many, k->n * sizeof(double));
    r->members = mem_array(k->mem, k->many, sizeof(uint32_t));
    r->nearest = mem_alloc(k->mem, k->count);
    r->before = mem_alloc(k->mem, k->count);
    if (r->columns && r->halves && r->distances && r->sums && r->members && r->nearest && r->before) return EVDB_OK;
    return error_no_memory(err, k->many * k->n * (sizeof(float) + sizeof(double)) + k->count * 6, "training centroids");
}

static void room_free(const kmeans *k, room *r)
{
    mem_free(k->mem, r->columns);
    mem_free(k->mem, r->halves);
    mem_free(k->mem, r->distances);
    mem_free(k->mem, r->sums);
    mem_free(k->mem, r->members);
    mem_free(k->mem, r->nearest);
    mem_free(k->mem, r->before);
}

/* The first `count` vectors will do: whoever gives them has drawn them by chance. */
static void seed_centroids(const kmeans *k, float *centroids, float *distances, float *fresh)
{
    size_t count = k->count < (size_t)k->many * SEED_POINTS ? k->count : (size_t)k->many * SEED_POINTS, n = k->n;
    uint64_t chance = k->seed;
    size_t at = mix_next(&chance) % count;
    for (uint32_t i = 0; i < k->many; i++) {
        memcpy(centroids + i * n, k->x + at * n, n * sizeof(*centroids));
        k->kernel->l2sq_f32_rows(centroids + i * n, k->x, n, count, n, fresh);
        double all = 0;
        for (size_t j = 0; j < count; j++) {
            if (i == 0 || fresh[j] < distances[j]) distances[j] = fresh[j];
            all += distances[j];
        }
        double left = all * mix_unit(mix_next(&chance));
        for (at = 0; at + 1 < count && (left -= distances[at]) > 0;) at++;
    }
}

static void assign(const kmeans *k, const float *centroids, room *r)
{
    for (uint32_t i = 0; i < k->many; i++) {
        float half = 0;
        for (size_t j = 0; j < k->n; j++) {
            float c = centroids[i * k->n + j];
            r->columns[j * k->many + i] = c;
            half += c * c / 2;
        }
        r->halves[i] = half;
    }
    k->kernel->matrix->nearest(k->x, k->n, k->count, k->n, r->columns, r->halves, k->many, r->nearest, 1);
}

static void centre(const kmeans *k, float *centroids, room *r)
{
    size_t n = k->n;
    memset(r->sums, 0, k->many * n * sizeof(*r->sums));
    memset(r->members, 0, k->many * sizeof(*r->members));
    for (size_t i = 0; i < k->count; i++) {
        double *sum = r->sums + r->nearest[i] * n;
        for (size_t j = 0; j < n; j++) sum[j] += k->x[i * n + j];
        r->members[r->nearest[i]]++;
    }
    for (uint32_t i = 0; i < k->many; i++)
        for (size_t j = 0; j < n && r->members[i]; j++) centroids[i * n + j] = (float)(r->sums[i * n + j] / r->members[i]);
}

/* A centroid that is nearest to none takes the vector that is farthest from its own. */
static void occupy(const kmeans *k, float *centroids, room *r)
{
    bool known = false;
    for (uint32_t i = 0; i < k->many; i++) {
        if (r->members[i]) continue;
        size_t worst = 0;
        for (size_t j = 0; j < k->count; j++) {
            if (!known) r->distances[j] = k->kernel->l2sq_f32(k->x + j * k->n, centroids + r->nearest[j] * k->n, k->n);
            if (r->distances[j] > r->distances[worst]) worst = j;
        }
        known = true;
        if (r->distances[worst] <= 0) return;
        r->distances[worst] = 0;
        memcpy(centroids + i * k->n, k->x + worst * k->n, k->n * sizeof(*centroids));
    }
}

evdb_status kmeans_train(const kmeans *k, float *centroids, evdb_error *err)
{
    room r = { 0 };
    evdb_status rc;
    TRY(room_make(k, &r, err));
    if (!k->warm) {
        float *fresh = mem_array(k->mem, k->count, sizeof(*fresh));
        if (!fresh) TRY(error_no_memory(err, k->count * sizeof(*fresh), "training centroids"));
        seed_centroids(k, centroids, r.distances, fresh);
        mem_free(k->mem, fresh);
    }
    for (uint32_t round = 0; round < k->rounds; round++) {
        TRY(stage_stopped(k->training, err));
        assign(k, centroids, &r);
        if (round && memcmp(r.nearest, r.before, k->count) == 0) break;
        memcpy(r.before, r.nearest, k->count);
        centre(k, centroids, &r);
        occupy(k, centroids, &r);
    }
out:
    room_free(k, &r);
    return rc;
}
