/* drift.h - whether vectors that come still look like those that the store's codec was trained on.
 *
 * Some of the vectors that are written are decoded again, and their error goes into an average. Once that lies well above the error
 * where the codec was trained, it is trained anew, on what the store has and on those of the new ones that were kept as they came. */
#ifndef EVDB_ENGINE_DRIFT_H
#define EVDB_ENGINE_DRIFT_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;
struct codec_met;

enum {
    DRIFT_EVERY = 8,   /* of so many vectors written one is looked at */
    DRIFT_LEAST = 100, /* so many before the average counts */
    DRIFT_MEMORY = 400, /* vectors that it goes back */
    DRIFT_KEPT = 1000  /* vectors kept as they came */
};
#define DRIFT_RATIO 1.25 /* times the error in training, ... */
#define DRIFT_LEEWAY 0.005 /* ... and this much more, is too much */

typedef struct drift {
    pthread_mutex_t lock;
    _Atomic uint64_t written;
    uint32_t codec, dim; /* of what follows */
    uint64_t looked_at;
    double loss;
    float *recent;       /* the last DRIFT_KEPT looked at, as a ring */
    uint64_t kept;
    _Atomic uint32_t found; /* codec that should be trained anew, or 0; another process may have done so since */
} drift;

void drift_init(drift *d);
void drift_destroy(struct engine *e);
/* Is this vector one to be looked at? */
bool drift_turn(struct engine *e, const struct codec_met *met);
/* It is, and lost that share of its length. */
void drift_note(struct engine *e, const struct codec_met *met, const float *vector, double loss);
/* Should this codec, which is in force, be trained anew? */
bool drift_found(struct engine *e, uint32_t id);
/* A codec was trained: all begins anew. */
void drift_forget(struct engine *e);
/* The average; 0 = not known. */
double drift_loss(struct engine *e);

#endif
