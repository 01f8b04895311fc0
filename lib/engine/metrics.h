/* metrics.h - the custom metrics (evdb/metric.h) of a database: those that its stores name, and those that the program has registered,
 * which come in any order. */
#ifndef EVDB_ENGINE_METRICS_H
#define EVDB_ENGINE_METRICS_H
#include "kernel/custom.h"
#include <pthread.h>

struct engine;

typedef struct metrics {
    pthread_mutex_t lock; /* the list, and registering */
    custom_metric *first;
} metrics;

void metrics_init(metrics *m);
void metrics_destroy(struct evdb *db);

/* EVDB_INVALID for what is no name of a custom metric. */
evdb_status metrics_check_name(const char *name, evdb_error *err);
/* The metric of this name, which is noted when it was not known; good until the database is closed. */
evdb_status metrics_named(struct evdb *db, const char *name, custom_metric **out, evdb_error *err);
/* evdb_metric_register(), with name and options checked. */
evdb_status metrics_register(struct evdb *db, const char *name, const evdb_metric_options *o, evdb_error *err);

/* EVDB_UNSUPPORTED while the store's metric is a custom one that is not registered: whoever computes distances asks first. */
evdb_status metrics_ready(const struct engine *e, evdb_error *err);
/* After computing some: tells the log, once, of a metric that answered what is no number. */
void metrics_watch(struct engine *e);

#endif
