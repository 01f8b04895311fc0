/* sweep.c - implements engine/sweep.h. */
#include "engine/sweep.h"
#include "base/try.h"
#include "disk/rows_trash.h"
#include "engine/engine.h"
#include "platform/thread.h"
#include "platform/wake.h"
#include <string.h>

void sweep_init(sweeper *s) { pthread_mutex_init(&s->lock, NULL); }

void sweep_destroy(engine *e)
{
    sweeper *s = &e->sweep;
    atomic_store(&s->stop, true);
    wake_all(&s->word);
    thread_job_join(&s->job);
    pthread_mutex_destroy(&s->lock);
}

/* When there is something to do next. */
static evdb_status next_expiry(engine *e, int64_t *out, evdb_error *err)
{
    rows_reader *rd = NULL;
    int64_t purge;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_next_expiry(rd, INT64_MIN, out, err));
    rc = rows_next_purge(rd, &purge, err);
    if (rc == EVDB_OK && purge < *out) *out = purge;
out:
    rows_read_end(rd);
    return rc;
}

typedef struct batch { size_t most, swept; } batch;

static evdb_status sweep(void *context, rows *r, evdb_error *err)
{
    batch *b = context;
    size_t purged = 0;
    evdb_status rc = rows_sweep(r, b->most, &b->swept, err);
    if (rc == EVDB_OK) rc = rows_purge(r, b->most, &purged, err);
    if (purged > b->swept) b->swept = purged;
    return rc;
}

/* All that has expired by now, or been in the trash for long enough; fewer at a time where the disk is full, whose last room many would not fit in. What is damaged stays, and
 * is never swept. */
static evdb_status sweep_all(engine *e, evdb_error *err)
{
    batch b = { SWEEP_BATCH, SWEEP_BATCH };
    evdb_status rc = EVDB_OK;
    while (rc == EVDB_OK && b.swept == b.most && !atomic_load(&e->sweep.stop)) {
        commit_request request = { .kind = COMMIT_WORK, .work = sweep, .context = &b, .deletes = true };
        rc = commit_run(e, &request, err);
        if (rc != EVDB_FULL || b.most == 1) continue;
        b.swept = b.most /= 2;
        rc = EVDB_OK;
    }
    return rc;
}

/* Until so much time has passed, or the store is closed. */
static void rest(engine *e, uint64_t ns)
{
    uint64_t begun = engine_now_ns(e), passed = 0;
    for (; passed < ns && !atomic_load(&e->sweep.stop); passed = engine_now_ns(e) - begun) {
        uint32_t seen = atomic_load(&e->sweep.word);
        if (!atomic_load(&e->sweep.stop) && !wake_wait(&e->sweep.word, seen, ns - passed)) break;
    }
}

/* Until the next expiry; somebody who met one that has expired ends it. */
static void wait_for(engine *e, int64_t ms)
{
    uint64_t most = SWEEP_MOST_S * UINT64_C(1000000000), ns = ms < SWEEP_MOST_S * 1000 ? (uint64_t)ms * 1000000 : most;
    uint32_t seen = atomic_load(&e->sweep.word);
    pthread_mutex_lock(&e->sweep.lock);
    bool asked = e->sweep.asked;
    e->sweep.asked = false;
    pthread_mutex_unlock(&e->sweep.lock);
    if (!asked && !atomic_load(&e->sweep.stop)) (void)wake_wait(&e->sweep.word, seen, ns);
}

/* False when nobody has asked for another look meanwhile: the thread ends. */
static bool stay(engine *e)
{
    sweeper *s = &e->sweep;
    pthread_mutex_lock(&s->lock);
    bool asked = s->asked && !atomic_load(&s->stop);
    s->asked = false;
    if (!asked) atomic_store(&s->job.running, false);
    pthread_mutex_unlock(&s->lock);
    return asked;
}

static void *run(void *context)
{
    engine *e = context;
    evdb_error why = { .item = EVDB_NO_ITEM };
    char told[sizeof(why.message)] = "";
    for (;;) {
        int64_t next = INT64_MAX, now = rows_clock(e->rows);
        evdb_status rc = next_expiry(e, &next, &why);
        if (atomic_load(&e->sweep.stop) || rc == EVDB_NOT_FOUND || rc == EVDB_FORKED || (rc == EVDB_OK && next == INT64_MAX)) {
            if (stay(e)) continue;
            return NULL;
        }
        if (rc == EVDB_OK && next > now) {
            wait_for(e, next - now);
            continue;
        }
        if (rc == EVDB_OK) rc = sweep_all(e, &why);
        if (rc != EVDB_OK && strcmp(told, why.message) != 0 && e->db->log) e->db->log(e->db->log_context, why.message);
        if (rc != EVDB_OK) memcpy(told, why.message, sizeof(told));
        rest(e, SWEEP_LEAST_NS);
    }
}

void sweep_wrote(engine *e)
{
    if (rows_wrote_expiry(e->rows) && !atomic_load(&e->sweep.job.running)) sweep_begin(e);
}

void sweep_begin(engine *e)
{
    sweeper *s = &e->sweep;
    pthread_mutex_lock(&s->lock);
    bool sleeping = atomic_load(&s->job.running) && !s->asked;
    s->asked = true;
    if (!atomic_load(&s->stop)) thread_job_begin(&s->job, run, e);
    pthread_mutex_unlock(&s->lock);
    if (sleeping) wake_all(&s->word);
}
