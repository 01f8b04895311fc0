/* syncer.c - implements engine/syncer.h. */
#include "engine/syncer.h"
#include "engine/engine.h"
#include "platform/thread.h"
#include "platform/wake.h"
#include <string.h>

void syncer_init(syncer *s)
{
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
}

void syncer_destroy(engine *e)
{
    syncer *s = &e->syncer;
    evdb_error why;
    atomic_store(&s->stop, true);
    wake_all(&s->word);
    thread_job_join(&s->job);
    if (atomic_load(&s->due) && engine_usable(e, NULL) == EVDB_OK && rows_checkpoint(e->rows, &why) != EVDB_OK && e->db->log)
        e->db->log(e->db->log_context, why.message);
    pthread_mutex_destroy(&s->lock);
}

static evdb_status sync_now(engine *e, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_SYNC };
    return commit_run(e, &request, err);
}

/* Whether the thread goes on; it ends when there is nothing to wait for. */
static bool still_due(syncer *s)
{
    pthread_mutex_lock(&s->lock);
    bool goes_on = atomic_load(&s->due) && !atomic_load(&s->stop);
    if (!goes_on) atomic_store(&s->job.running, false);
    pthread_mutex_unlock(&s->lock);
    return goes_on;
}

static void *background(void *context)
{
    engine *e = context;
    syncer *s = &e->syncer;
    bool said = false;
    evdb_error why;
    while (still_due(s)) {
        uint32_t seen = atomic_load(&s->word);
        uint64_t due = atomic_load(&s->due), now = engine_now_ns(e);
        if (due > now) {
            if (!atomic_load(&s->stop)) (void)wake_wait(&s->word, seen, due - now);
            continue;
        }
        evdb_status rc = due ? sync_now(e, &why) : EVDB_OK;
        if (rc == EVDB_OK) continue;
        if (!said && e->db->log) e->db->log(e->db->log_context, why.message);
        said = true;
        /* A failed sync is not tried again: nobody knows what it left out, and the store takes no more writes. One that was not begun is. */
        bool again = !rows_broken(e->rows) && engine_usable(e, NULL) == EVDB_OK;
        atomic_store(&s->due, again ? now + SYNCER_AGAIN_NS : 0);
    }
    return NULL;
}

void syncer_note(engine *e)
{
    syncer *s = &e->syncer;
    if (!e->db->sync_ns || !e->db->dir || atomic_load(&s->due)) return;
    atomic_store(&s->due, engine_now_ns(e) + e->db->sync_ns);
    pthread_mutex_lock(&s->lock);
    if (!atomic_load(&s->stop)) thread_job_begin(&s->job, background, e);
    pthread_mutex_unlock(&s->lock);
}

void syncer_done(engine *e) { atomic_store(&e->syncer.due, 0); }

evdb_status syncer_flush(engine *e, evdb_error *err) { return rows_synced(e->rows) ? EVDB_OK : sync_now(e, err); }
