/* metric_weights.c - implements metric_weights.h. */
#include "metric_weights.h"
#include "expect.h"
#include "seed.h"
#include <math.h>

float weights_distance(const float *a, const float *b, uint32_t dim, void *context)
{
    weights *w = context;
    float sum = 0;
    atomic_fetch_add(&w->calls, 1);
    for (uint32_t i = 0; i < dim; i++) sum += w->of[i] * fabsf(a[i] - b[i]);
    return sum;
}

void weights_draw(weights *w, uint64_t *seed)
{
    seed_floats(seed, w->of, INDEX_DIM);
    for (int i = 0; i < INDEX_DIM; i++) w->of[i] = 0.2f + fabsf(w->of[i]);
    atomic_store(&w->calls, 0);
}

evdb_status metric_register(evdb *db, const char *name, evdb_distance_function distance, void *context, uint32_t flags)
{
    evdb_metric_options o = EVDB_METRIC_OPTIONS;
    o.distance = distance;
    o.context = context;
    o.flags = flags;
    return evdb_metric_register(db, name, &o, &why);
}

evdb_store *metric_store(scratch *t, const char *metric)
{
    static const char *const fields[] = { "even" };
    evdb_store_options o = EVDB_STORE_OPTIONS;
    evdb_store *store;
    o.metric_name = metric;
    o.field_count = 1;
    o.fields = fields;
    ok(evdb_store_create(t->db, "s", &o, &store, &why));
    return store;
}
