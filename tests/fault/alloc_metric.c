/* alloc_metric.c - implements alloc_metric.h. */
#include "alloc_metric.h"

static float first(const float *a, const float *b, uint32_t dim, void *context)
{
    (void)dim, (void)context;
    return a[0] - b[0];
}

/* A repeated attempt finds the first store there already. */
static evdb_status create(alloc_scene *s, const char *name, const char *metric, evdb_error *err)
{
    evdb_store_options o = { .size = sizeof(o), .metric_name = metric };
    evdb_status rc = evdb_store_create(s->db, name, &o, NULL, err);
    return rc == EVDB_EXISTS ? EVDB_OK : rc;
}

evdb_status alloc_metric(alloc_scene *s, evdb_error *err)
{
    evdb_metric_options o = { .size = sizeof(o), .distance = first };
    evdb_status rc = evdb_metric_register(s->db, "first", &o, err);
    if (rc == EVDB_OK) rc = create(s, "known", "first", err);
    return rc == EVDB_OK ? create(s, "unknown", "second", err) : rc;
}
