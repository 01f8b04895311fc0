/* indexer.c - implements engine/indexer.h. */
#include "engine/indexer.h"
#include "engine/engine.h"
#include "engine/generation.h"
#include "platform/thread.h"
#include "platform/wake.h"
#include <stdio.h>
#include <string.h>

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

void indexer_say(engine *e, const char *message)
{
    pthread_mutex_lock(&e->indexer.lock);
    size_t length = strnlen(message, sizeof(e->indexer.problem) - 1);
    memcpy(e->indexer.problem, message, length);
    e->indexer.problem[length] = 0;
    pthread_mutex_unlock(&e->indexer.lock);
    if (e->db->log) e->db->log(e->db->log_context, message);
}

void indexer_problem(engine *e, char *out, size_t size)
{
    pthread_mutex_lock(&e->indexer.lock);
    snprintf(out, size, "%s", e->indexer.problem);
    pthread_mutex_unlock(&e->indexer.lock);
}

/* What was built is kept for those who open the store later; that it cannot be is not worth failing for. */
static void keep(engine *e)
{
    evdb_error why;
    view_index *index = view_hold(&e->view);
    atomic_store(&e->indexer.phase, INDEXER_SAVING);
    if (index && !atomic_load(&e->indexer.stop) && generation_save(e, index, &why) != EVDB_OK) indexer_say(e, why.message);
    view_let_go(e, index);
}

/* Is there so much of a tail that another process's graph would be better? */
static bool far_behind(engine *e)
{
    indexed_state state = { 0 };
    view_index *index = view_hold(&e->view);
    if (index) indexed_state_now(index->vectors, &state);
    view_let_go(e, index);
    return state.waiting > INDEX_TAIL_MAX || (state.waiting && !state.linked);
}

static evdb_status build_all(engine *e, uint32_t threads, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    bool more = true;
    atomic_store(&e->indexer.phase, INDEXER_BUILDING);
    while (rc == EVDB_OK && more && !atomic_load(&e->indexer.stop)) rc = step(e, threads, &more, err);
    if (rc == EVDB_OK) atomic_store(&e->indexer.scanned, 0);
    return rc;
}

/* Without the lock's file the index is built all the same, but not saved. */
static evdb_status build_in_turn(engine *e, uint32_t threads, bool wait, evdb_error *err)
{
    generation_turn turn;
    evdb_error why;
    bool mine;
    evdb_status locked, rc = EVDB_OK;
    while ((locked = generation_begin(e, &turn, &mine, &why)) == EVDB_OK && !mine && wait && !atomic_load(&e->indexer.stop)) {
        generation_end(e, &turn);
        (void)wake_wait(&e->indexer.word, atomic_load(&e->indexer.word), INDEX_WAIT_NS);
    }
    if (far_behind(e)) generation_follow(e);
    if (mine || locked != EVDB_OK) rc = build_all(e, threads, err);
    if (rc == EVDB_OK && locked == EVDB_OK && mine) keep(e);
    if (locked != EVDB_OK) indexer_say(e, why.message);
    atomic_store(&e->indexer.phase, INDEXER_IDLE);
    generation_end(e, &turn);
    return rc;
}

static evdb_status drain(engine *e, uint32_t threads, bool wait, evdb_error *err)
{
    if (!threads) threads = e->index_threads ? e->index_threads : thread_cores();
    pthread_mutex_lock(&e->indexer.turn);
    evdb_status rc = build_in_turn(e, threads, wait, err);
    pthread_mutex_unlock(&e->indexer.turn);
    return rc;
}

evdb_status indexer_drain(engine *e, uint32_t threads, evdb_error *err) { return drain(e, threads, true, err); }

static void *background(void *context)
{
    engine *e = context;
    evdb_error err;
    if (drain(e, 0, false, &err) != EVDB_OK) indexer_say(e, err.message);
    atomic_store(&e->indexer.running, false);
    return NULL;
}

static void *follower(void *context)
{
    engine *e = context;
    pthread_mutex_lock(&e->indexer.turn);
    generation_follow(e);
    pthread_mutex_unlock(&e->indexer.turn);
    atomic_store(&e->indexer.running, false);
    return NULL;
}

static void begin(engine *e, void *(*run)(void *))
{
    indexer *i = &e->indexer;
    pthread_mutex_lock(&i->lock);
    if (!atomic_load(&i->running)) {
        if (i->started) pthread_join(i->thread, NULL);
        atomic_store(&i->running, true);
        i->started = thread_start(&i->thread, run, e);
        if (!i->started) atomic_store(&i->running, false); /* the next search tries again */
    }
    pthread_mutex_unlock(&i->lock);
}

/* Not at every search: other processes are asked, and may be at it for long. */
static bool time_to_look(engine *e)
{
    uint64_t now = e->db->platform.clock_ns(e->db->platform.clock_context), next = atomic_load(&e->indexer.next_look);
    return now >= next && atomic_compare_exchange_strong(&e->indexer.next_look, &next, now + INDEX_LOOK_NS);
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
        bool late = state.waiting > (state.linked ? INDEX_TAIL_MAX : INDEX_ROWS_MIN - 1), look = late && time_to_look(e);
        if (look && (state.linked || scanned / INDEX_SCANS >= state.waiting)) begin(e, background);
        else if (look && generation_newer(e, index)) begin(e, follower);
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
