/* indexer.c - implements engine/indexer.h. */
#include "engine/indexer.h"
#include "base/error.h"
#include "base/try.h"
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
    rc = indexed_work(index->vectors, threads, &e->indexer.halt, err);
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

/* Why a build happens. */
typedef enum cause { BACKGROUND, ASKED, ANEW } cause;

static bool halted(engine *e, cause why)
{
    const indexer *i = &e->indexer;
    return atomic_load(&i->stop) || atomic_load(&i->halt) || control_is(e, CONTROL_OFF) || control_is(e, CONTROL_CANCEL) ||
           (why == BACKGROUND && control_is(e, CONTROL_PAUSED));
}

/* Is there room for a graph of all rows? Nothing loaded takes none. */
static evdb_status fits(engine *e, evdb_error *err)
{
    uint64_t bytes = 0;
    view_index *index = view_hold(&e->view);
    bool room = !index || !indexed_has_graph(index->vectors) || indexed_fits(index->vectors, &bytes);
    view_let_go(e, index);
    if (room) return EVDB_OK;
    return error_set(err, EVDB_LIMIT, "the index would take %llu bytes, and index_memory_max is %llu", (unsigned long long)bytes,
                     (unsigned long long)e->db->index_memory_max);
}

static evdb_status build_all(engine *e, uint32_t threads, cause why, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    bool more = true, ended = false;
    atomic_store(&e->indexer.phase, INDEXER_BUILDING);
    if (why == ANEW) rc = view_reload(e, err);
    while (rc == EVDB_OK && more && !(ended = halted(e, why)))
        if ((rc = fits(e, err)) == EVDB_OK) rc = step(e, threads, &more, err);
    if (rc != EVDB_OK) return rc;
    atomic_store(&e->indexer.scanned, 0);
    atomic_store(&e->indexer.patient, ended);
    return ended ? error_set(err, EVDB_CANCELLED, "building the index was ended before it was done") : EVDB_OK;
}

/* Tries until it is ours, or until the wait is ended; a build in the background tries once. */
static evdb_status take_turn(engine *e, cause why, generation_turn *turn, bool *mine, evdb_error *err)
{
    evdb_status rc;
    while ((rc = generation_begin(e, turn, mine, err)) == EVDB_OK && !*mine) {
        if (why == BACKGROUND || atomic_load(&e->indexer.stop) || atomic_load(&e->indexer.halt)) break;
        generation_end(e, turn);
        (void)wake_wait(&e->indexer.word, atomic_load(&e->indexer.word), INDEX_WAIT_NS);
    }
    return rc;
}

/* Without the lock's file the index is built all the same, but not saved. */
static evdb_status build_in_turn(engine *e, uint32_t threads, cause why, evdb_error *err)
{
    generation_turn turn;
    evdb_error failure;
    bool mine;
    evdb_status rc = EVDB_OK, locked = take_turn(e, why, &turn, &mine, &failure);
    if (why != ANEW && far_behind(e)) generation_follow(e);
    if (locked == EVDB_OK && mine && control_is(e, CONTROL_CANCEL)) (void)control_set(e, CONTROL_CANCEL, false, NULL);
    if (mine || locked != EVDB_OK) rc = build_all(e, threads, why, err);
    else if (why != BACKGROUND) rc = error_set(err, EVDB_CANCELLED, "waiting for another process's index was ended");
    if (rc == EVDB_OK && locked == EVDB_OK && mine) keep(e);
    if (locked == EVDB_OK && mine && control_is(e, CONTROL_CANCEL)) (void)control_set(e, CONTROL_CANCEL, false, NULL);
    if (locked != EVDB_OK) indexer_say(e, failure.message);
    atomic_store(&e->indexer.phase, INDEXER_IDLE);
    generation_end(e, &turn);
    return rc;
}

static evdb_status drain(engine *e, uint32_t threads, cause why, evdb_error *err)
{
    indexer *i = &e->indexer;
    if (!threads) threads = e->index_threads ? e->index_threads : thread_cores();
    pthread_mutex_lock(&i->turn);
    pthread_mutex_lock(&i->lock);
    atomic_store(&i->halt, false);
    i->asked = why != BACKGROUND;
    pthread_mutex_unlock(&i->lock);
    evdb_status rc = build_in_turn(e, threads, why, err);
    pthread_mutex_unlock(&i->turn);
    return rc;
}

evdb_status indexer_drain(engine *e, uint32_t threads, bool anew, evdb_error *err)
{
    return drain(e, threads, anew ? ANEW : ASKED, err);
}

static void *background(void *context)
{
    engine *e = context;
    evdb_error err;
    evdb_status rc = drain(e, 0, BACKGROUND, &err);
    if (rc != EVDB_OK && rc != EVDB_CANCELLED) indexer_say(e, err.message);
    if (rc == EVDB_LIMIT) { /* it may fit by the time that a graph is worth its price again */
        atomic_store(&e->indexer.scanned, 0);
        atomic_store(&e->indexer.patient, true);
    }
    atomic_store(&e->indexer.job.running, false);
    return NULL;
}

static void *follower(void *context)
{
    engine *e = context;
    pthread_mutex_lock(&e->indexer.turn);
    generation_follow(e);
    pthread_mutex_unlock(&e->indexer.turn);
    atomic_store(&e->indexer.job.running, false);
    return NULL;
}

/* Another process has dropped the index: ours goes too. */
static void *let_go(void *context)
{
    engine *e = context;
    evdb_error err;
    pthread_mutex_lock(&e->indexer.turn);
    if (control_is(e, CONTROL_OFF) && view_reload(e, &err) != EVDB_OK) indexer_say(e, err.message);
    pthread_mutex_unlock(&e->indexer.turn);
    atomic_store(&e->indexer.job.running, false);
    return NULL;
}

static void begin(engine *e, void *(*run)(void *))
{
    indexer *i = &e->indexer;
    pthread_mutex_lock(&i->lock);
    thread_job_begin(&i->job, run, e);
    pthread_mutex_unlock(&i->lock);
}

/* Not at every search: other processes are asked, and may be at it for long. */
static bool time_to_look(engine *e)
{
    uint64_t now = engine_now_ns(e), next = atomic_load(&e->indexer.next_look);
    return now >= next && atomic_compare_exchange_strong(&e->indexer.next_look, &next, now + INDEX_LOOK_NS);
}

/* Is it time for a graph, by what searches have scanned since the last was built? */
static bool worth(engine *e, const indexed_state *s)
{
    bool grown = s->linked && !atomic_load(&e->indexer.patient);
    bool holes = s->gone > INDEX_TAIL_MAX && s->gone * INDEXED_GONE_SHARE >= s->linked;
    if (grown && holes) return true; /* what is saved then has none, and takes the place of what is in memory */
    if (s->waiting <= (s->linked ? INDEX_TAIL_MAX : INDEX_ROWS_MIN - 1)) return false;
    return grown || atomic_load(&e->indexer.scanned) / INDEX_SCANS >= s->waiting;
}

static void look(engine *e, view_index *index)
{
    indexed_state state;
    indexed_state_now(index->vectors, &state);
    if (control_is(e, CONTROL_OFF)) {
        if (state.linked) begin(e, let_go);
    } else if (worth(e, &state) && !control_is(e, CONTROL_PAUSED)) begin(e, background);
    else if (far_behind(e) && generation_newer(e, index)) begin(e, follower);
}

void indexer_scanned(engine *e, uint64_t count)
{
    atomic_fetch_add(&e->indexer.scanned, count);
    if (atomic_load(&e->indexer.job.running) || !time_to_look(e)) return;
    view_index *index = view_hold(&e->view);
    if (index && indexed_has_graph(index->vectors)) look(e, index);
    view_let_go(e, index);
}

void indexer_begin(engine *e) { begin(e, background); }

/* ---- control ---- */

static void halt(engine *e)
{
    atomic_store(&e->indexer.halt, true);
    wake_all(&e->indexer.word);
}

evdb_status indexer_cancel(engine *e, evdb_error *err)
{
    generation_state file;
    evdb_status rc = generation_look(e, &file, err);
    bool ours = atomic_load(&e->indexer.phase) != INDEXER_IDLE;
    halt(e);
    return rc == EVDB_OK && file.turn_taken && !ours ? control_set(e, CONTROL_CANCEL, true, err) : rc;
}

evdb_status indexer_pause(engine *e, bool paused, evdb_error *err)
{
    evdb_status rc = control_set(e, CONTROL_PAUSED, paused, err);
    pthread_mutex_lock(&e->indexer.lock);
    if (rc == EVDB_OK && paused && !e->indexer.asked) halt(e);
    pthread_mutex_unlock(&e->indexer.lock);
    return rc;
}

evdb_status indexer_drop(engine *e, evdb_error *err)
{
    indexer *i = &e->indexer;
    generation_turn turn = { .lock.fd = -1 };
    bool mine = false;
    evdb_status rc;
    TRY(control_set(e, CONTROL_OFF, true, err));
    halt(e);
    pthread_mutex_lock(&i->turn);
    atomic_store(&i->halt, false);
    rc = take_turn(e, ASKED, &turn, &mine, err);
    if (rc == EVDB_OK && !mine) rc = error_set(err, EVDB_CANCELLED, "waiting for another process to let go of the index was ended");
    if (rc == EVDB_OK) rc = generation_remove(e, err);
    if (rc == EVDB_OK) rc = view_reload(e, err);
    generation_end(e, &turn);
    pthread_mutex_unlock(&i->turn);
out:
    return rc;
}

/* Of a file that nobody has loaded here, what is worth keeping is loaded first. */
static evdb_status load_file(engine *e, evdb_error *err)
{
    generation_state file;
    view_snapshot s = { 0 };
    evdb_status rc = generation_look(e, &file, err);
    if (rc != EVDB_OK || !file.bytes) return rc;
    rc = view_begin(e, &s, NULL, err);
    if (rc == EVDB_OK) view_end(e, &s);
    return rc;
}

evdb_status indexer_forget(engine *e, evdb_error *err)
{
    indexer *i = &e->indexer;
    generation_turn turn = { .lock.fd = -1 };
    bool mine = false;
    evdb_error why;
    halt(e);
    pthread_mutex_lock(&i->turn);
    atomic_store(&i->halt, false);
    evdb_status rc = take_turn(e, ASKED, &turn, &mine, err);
    if (rc == EVDB_OK && !mine) rc = error_set(err, EVDB_CANCELLED, "waiting for another process to let go of the index was ended");
    if (rc == EVDB_OK) {
        bool loaded = load_file(e, &why) == EVDB_OK;
        view_index *index = loaded ? view_hold(&e->view) : NULL;
        rc = generation_renew(e, index, err);
        view_let_go(e, index);
    }
    generation_end(e, &turn);
    pthread_mutex_unlock(&i->turn);
    return rc;
}

void indexer_destroy(engine *e)
{
    indexer *i = &e->indexer;
    atomic_store(&i->stop, true); /* in this order: who begins a build takes halt back, and looks at stop after */
    halt(e);
    thread_job_join(&i->job);
    pthread_mutex_destroy(&i->turn);
    pthread_mutex_destroy(&i->lock);
}
