/* recode_train.c - a sample of a store's vectors, and a codec that is trained on it. */
#include "base/error.h"
#include "base/mem.h"
#include "base/mix.h"
#include "base/try.h"
#include "engine/recode_private.h"
#include "engine/stored.h"
#include "platform/thread.h"
#include <string.h>

enum { TRIES = 4, SEED = 20261130 };

typedef struct sample {
    float *vectors; /* count rows of dim */
    size_t count;
    uint32_t dim;
} sample;

static evdb_status take(engine *e, rows_reader *rd, uint64_t slot, stored_room *room, sample *s, evdb_error *err)
{
    rows_vector v;
    const float *floats;
    bool found;
    evdb_status rc = rows_vector_in(rd, slot, &v, &found, err);
    if (rc != EVDB_OK || !found) return rc;
    rc = stored_vector(e, rd, &v.id, v.codec, v.bytes, v.size, s->dim, room, &floats, err);
    if (rc == EVDB_OK) memcpy(s->vectors + s->count++ * s->dim, floats, s->dim * sizeof(float));
    return rc;
}

/* What came lately, as it was before it was encoded. */
static void add_recent(engine *e, size_t most, sample *s)
{
    drift *d = &e->drift;
    pthread_mutex_lock(&d->lock);
    size_t some = d->kept < DRIFT_KEPT ? d->kept : DRIFT_KEPT;
    if (d->dim != s->dim) some = 0;
    if (some > most - s->count) some = most - s->count;
    if (some) memcpy(s->vectors + s->count * s->dim, d->recent, some * s->dim * sizeof(float));
    s->count += some;
    pthread_mutex_unlock(&d->lock);
}

/* Slots by chance where there are more vectors than wanted, each once where there are not. */
static evdb_status draw(engine *e, rows_reader *rd, size_t most, sample *s, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    stored_room room = { 0 };
    uint64_t slots, seed = SEED;
    rows_tip tip;
    evdb_status rc;
    TRY(rows_tip_now(rd, &tip, err));
    TRY(rows_slots(rd, &slots, err));
    if (most > tip.live) most = tip.live;
    if (!(s->vectors = mem_array(mem, most + DRIFT_KEPT, s->dim * sizeof(float)))) TRY(error_no_memory(err, most * s->dim * sizeof(float), "a sample to train on"));
    bool all = tip.live <= most;
    for (uint64_t i = 0; s->count < most && i < (all ? slots : most * TRIES * (slots / (tip.live ? tip.live : 1) + 1)); i++) {
        TRY(take(e, rd, all ? i : mix_next(&seed) % slots, &room, s, err));
        if (atomic_load(&e->recode.stop)) TRY(error_set(err, EVDB_CANCELLED, "the training of a codec was ended"));
    }
    add_recent(e, most + DRIFT_KEPT, s);
out:
    stored_room_free(e, &room);
    return rc;
}

/* What the codec loses of these vectors, on average. */
static evdb_status measure(engine *e, const codec *c, const float *vectors, size_t count, double *loss, evdb_error *err)
{
    stored_room room = { 0 };
    const void *bytes;
    size_t size;
    double one;
    evdb_status rc = EVDB_OK;
    *loss = 0;
    for (size_t i = 0; i < count; i++) {
        TRY(stored_encode(e, c, vectors + i * codec_dim(c), &room, &bytes, &size, &one, err));
        *loss += one / (double)count;
    }
out:
    stored_room_free(e, &room);
    return rc;
}

evdb_status recode_needed(const char *spec, uint32_t dim, bool now, uint64_t *out, evdb_error *err)
{
    size_t least = 0;
    bool learns = false;
    uint64_t good = now ? RECODE_FEWEST : RECODE_LEAST;
    evdb_status rc = codec_check(spec, dim, NULL, &least, err);
    if (rc == EVDB_OK) rc = codec_learns(spec, dim, &learns, err);
    *out = !learns ? 0 : least > good ? least : good;
    return rc;
}

evdb_status recode_train(engine *e, rows_reader *rd, const char *spec, codec **out, double *loss, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    sample s = { .dim = atomic_load(&e->dim) };
    uint64_t needed;
    evdb_status rc;
    TRY(recode_needed(spec, s.dim, true, &needed, err));
    if (!s.dim) TRY(error_set(err, EVDB_INVALID, "codec %s: is trained on at least %llu vectors, and there are 0", spec, (unsigned long long)needed));
    size_t most = RECODE_SAMPLE_BYTES / (s.dim * sizeof(float));
    if (most > RECODE_SAMPLE) most = RECODE_SAMPLE;
    if (most < needed) most = needed;
    if (needed) TRY(draw(e, rd, most, &s, err));
    size_t back = s.count >= needed + 2 * RECODE_HELD_BACK ? RECODE_HELD_BACK : 0; /* measured on, not trained on, where there are enough */
    codec_training t = { .sample = s.vectors, .count = s.count - back, .threads = thread_cores(), .seed = SEED, .stop = &e->recode.stop };
    TRY(codec_create(mem, e->db->kernel, spec, s.dim, &t, out, err));
    *loss = 0;
    if (!needed) goto out;
    size_t from = back ? s.count - back : 0, count = s.count - from < RECODE_HELD_BACK ? s.count - from : RECODE_HELD_BACK;
    rc = measure(e, *out, s.vectors + from * s.dim, count, loss, err);
    if (rc != EVDB_OK) {
        codec_free(*out);
        *out = NULL;
    }
out:
    mem_free(mem, s.vectors);
    return rc;
}
