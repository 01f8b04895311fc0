/* indexer.c - implements engine/indexer.h. */
#include "engine/indexer.h"
#include "engine/engine.h"
#include "engine/generation.h"
#include "platform/thread.h"

void indexer_init(indexer *i)
{
    pthread_mutex_init(&i->turn, NULL);
    pthread_mutex_init(&i->lock, NULL);
}

/* One step; *more is false when nothing was left to do. */
static evdb_status step(engine *e, uint32_t threads, bool *more, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    view_index *index = view_hold(&e->view);
    *more = false;
    if (!index || !indexed_has_graph(index->vectors)) goto out;
    pthread_mutex_lock(&e->view.refresh);
    rc = indexed_begin(index->vectors, more, err);
    pthread_mutex_unlock(&e->view.refresh);
    if (rc != EVDB_OK || !*more) goto out;
    rc = indexed_work(index->vectors, threads, &e->indexer.stop, err);
    pthread_mutex_lock(&e->view.refresh);
    indexed_end(index->vectors);
    pthread_mutex_unlock(&e->view.refresh);
out:
    view_let_go(e, index);
    return rc;
}

/* What was built is kept for those who open the store later; that it cannot be is not worth failing for. */
static void keep(engine *e)
{
    evdb_error why;
    view_index *index = view_hold(&e->view);
    pthread_mutex_lock(&e->indexer.turn);
    if (index && !atomic_load(&e->indexer.stop) && generation_save(e, index, &why) != EVDB_OK && e->db->log)
        e->db->log(e->db->log_context, why.message);
    pthread_mutex_unlock(&e->indexer.turn);
    view_let_go(e, index);
}

evdb_status indexer_drain(engine *e, uint32_t threads, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    bool more = true;
    if (!threads) threads = e->index_threads ? e->index_threads : thread_cores();
    while (rc == EVDB_OK && more && !atomic_load(&e->indexer.stop)) {
        pthread_mutex_lock(&e->indexer.turn);
        rc = step(e, threads, &more, err);
        pthread_mutex_unlock(&e->indexer.turn);
    }
    if (rc != EVDB_OK) return rc;
    atomic_store(&e->indexer.scanned, 0);
    keep(e);
    return rc;
}

static void *background(void *context)
{
    engine *e = context;
    evdb_error err;
    if (indexer_drain(e, 0, &err) != EVDB_OK && e->db->log) e->db->log(e->db->log_context, err.message);
    atomic_store(&e->indexer.running, false);
    return NULL;
}

static void begin(engine *e)
{
    indexer *i = &e->indexer;
    pthread_mutex_lock(&i->lock);
    if (!atomic_load(&i->running)) {
        if (i->started) pthread_join(i->thread, NULL);
        atomic_store(&i->running, true);
        i->started = thread_start(&i->thread, background, e);
        if (!i->started) atomic_store(&i->running, false); /* the next search tries again */
    }
    pthread_mutex_unlock(&i->lock);
}

void indexer_scanned(engine *e, uint64_t count)
{
    indexer *i = &e->indexer;
    indexed_state state;
    uint64_t scanned = atomic_fetch_add(&i->scanned, count) + count;
    if (atomic_load(&i->running) || scanned < INDEX_ROWS_MIN) return;
    view_index *index = view_hold(&e->view);
    if (index && indexed_has_graph(index->vectors)) {
        indexed_state_now(index->vectors, &state);
        bool worth = state.linked ? state.waiting > INDEX_TAIL_MAX
                                  : state.waiting >= INDEX_ROWS_MIN && scanned / INDEX_SCANS >= state.waiting;
        if (worth) begin(e);
    }
    view_let_go(e, index);
}

void indexer_destroy(engine *e)
{
    indexer *i = &e->indexer;
    atomic_store(&i->stop, true);
    if (i->started) pthread_join(i->thread, NULL);
    pthread_mutex_destroy(&i->turn);
    pthread_mutex_destroy(&i->lock);
}
