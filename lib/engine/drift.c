/* drift.c - implements engine/drift.h. */
#include "engine/drift.h"
#include "base/mem.h"
#include "engine/engine.h"
#include <string.h>

void drift_init(drift *d)
{
    memset(d, 0, sizeof(*d));
    pthread_mutex_init(&d->lock, NULL);
}

void drift_destroy(engine *e)
{
    mem_free(&e->db->platform.mem, e->drift.recent);
    pthread_mutex_destroy(&e->drift.lock);
}

bool drift_turn(engine *e, const codec_met *met)
{
    return codec_trained_bytes(met->codec) && met->loss > 0 && atomic_fetch_add(&e->drift.written, 1) % DRIFT_EVERY == 0;
}

/* With the lock held. A vector that there is no memory to keep is not kept. */
static void keep(engine *e, const float *vector, uint32_t dim)
{
    drift *d = &e->drift;
    if (!d->recent) d->recent = mem_array(&e->db->platform.mem, DRIFT_KEPT, dim * sizeof(float));
    if (d->recent) memcpy(d->recent + d->kept++ % DRIFT_KEPT * dim, vector, dim * sizeof(float));
}

void drift_note(engine *e, const codec_met *met, const float *vector, double loss)
{
    drift *d = &e->drift;
    uint32_t dim = codec_dim(met->codec);
    pthread_mutex_lock(&d->lock);
    if (d->codec != met->id || d->dim != dim) { /* the first of another codec */
        if (d->dim != dim) mem_free(&e->db->platform.mem, d->recent), d->recent = NULL;
        d->codec = met->id;
        d->dim = dim;
        d->looked_at = d->kept = 0;
        d->loss = 0;
    }
    uint64_t weight = ++d->looked_at < DRIFT_MEMORY ? d->looked_at : DRIFT_MEMORY;
    d->loss += (loss - d->loss) / (double)weight;
    keep(e, vector, dim);
    if (d->looked_at >= DRIFT_LEAST && d->loss > met->loss * DRIFT_RATIO + DRIFT_LEEWAY) atomic_store(&d->found, met->id);
    pthread_mutex_unlock(&d->lock);
}

bool drift_found(engine *e, uint32_t id) { return id && atomic_load(&e->drift.found) == id; }

void drift_forget(engine *e)
{
    drift *d = &e->drift;
    pthread_mutex_lock(&d->lock);
    d->looked_at = d->kept = 0;
    d->loss = 0;
    d->codec = 0;
    atomic_store(&d->found, 0);
    pthread_mutex_unlock(&d->lock);
}

double drift_loss(engine *e)
{
    pthread_mutex_lock(&e->drift.lock);
    double loss = e->drift.loss;
    pthread_mutex_unlock(&e->drift.lock);
    return loss;
}
