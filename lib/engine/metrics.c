/* metrics.c - implements engine/metrics.h. */
#include "engine/metrics.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"
#include <stdio.h>
#include <string.h>

void metrics_init(metrics *m) { pthread_mutex_init(&m->lock, NULL); }

void metrics_destroy(evdb *db)
{
    for (custom_metric *at = db->metrics.first, *next; at; at = next) {
        next = at->next;
        mem_free(&db->platform.mem, at);
    }
    pthread_mutex_destroy(&db->metrics.lock);
}

evdb_status metrics_check_name(const char *name, evdb_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    evdb_metric taken;
    size_t length = name ? strlen(name) : 0;
    bool good = length >= 1 && length <= EVDB_METRIC_NAME_MAX && strspn(name, allowed) == length && name[0] >= 'a';
    if (!good)
        return error_set(err, EVDB_INVALID, "'%.80s' is no name for a metric: 1 to %u of a-z, 0-9, _ and -, the first a letter",
                         name ? name : "", EVDB_METRIC_NAME_MAX);
    if (evdb_metric_parse(name, &taken, NULL) == EVDB_OK)
        return error_set(err, EVDB_INVALID, "'%s' is a name of the library's own: a custom metric needs another", name);
    return EVDB_OK;
}

/* With the lock held. */
static evdb_status named(evdb *db, const char *name, custom_metric **out, evdb_error *err)
{
    custom_metric *m = db->metrics.first;
    while (m && strcmp(m->name, name) != 0) m = m->next;
    if (!m) {
        if (!(m = mem_zero(&db->platform.mem, sizeof(*m)))) return error_no_memory(err, sizeof(*m), "a metric");
        snprintf(m->name, sizeof(m->name), "%s", name);
        m->next = db->metrics.first;
        db->metrics.first = m;
    }
    *out = m;
    return EVDB_OK;
}

evdb_status metrics_named(evdb *db, const char *name, custom_metric **out, evdb_error *err)
{
    pthread_mutex_lock(&db->metrics.lock);
    evdb_status rc = named(db, name, out, err);
    pthread_mutex_unlock(&db->metrics.lock);
    return rc;
}

evdb_status metrics_register(evdb *db, const char *name, const evdb_metric_options *o, evdb_error *err)
{
    custom_metric *m = NULL;
    pthread_mutex_lock(&db->metrics.lock);
    evdb_status rc = named(db, name, &m, err);
    if (rc == EVDB_OK && !custom_registered(m)) {
        m->context = o->context;
        m->flags = o->flags;
        atomic_store_explicit(&m->distance, o->distance, memory_order_release);
    } else if (rc == EVDB_OK && (atomic_load(&m->distance) != o->distance || m->context != o->context || m->flags != o->flags))
        rc = error_set(err, EVDB_EXISTS, "metric '%s' is registered with another function, context or flags", name);
    pthread_mutex_unlock(&db->metrics.lock);
    return rc;
}

evdb_status metrics_ready(const engine *e, evdb_error *err)
{
    if (!e->custom || custom_registered(e->custom)) return EVDB_OK;
    return error_set(err, EVDB_UNSUPPORTED, "the store's distances are of the custom metric '%s', which is not registered in this program",
                     e->custom->name);
}

void metrics_watch(engine *e)
{
    char message[EVDB_METRIC_NAME_MAX + 100];
    if (!e->custom || !atomic_load_explicit(&e->custom->odd, memory_order_relaxed) || atomic_exchange(&e->custom->told, true)) return;
    snprintf(message, sizeof(message), "metric '%s' has answered what is no finite number: that counts as infinitely far", e->custom->name);
    if (e->db->log) e->db->log(e->db->log_context, message);
}
