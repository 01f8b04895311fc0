/* commit.c - implements engine/commit.h. */
#include "engine/commit.h"
#include "base/error.h"
#include "disk/rows_trash.h"
#include "engine/engine.h"
#include "platform/wake.h"
#include <string.h>

void commit_init(commit_queue *q)
{
    pthread_mutexattr_t short_waits; /* it is held for moments: whoever finds it taken looks again before it sleeps */
    memset(q, 0, sizeof(*q));
    pthread_mutexattr_init(&short_waits);
    pthread_mutexattr_settype(&short_waits, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&q->lock, &short_waits);
    pthread_mutexattr_destroy(&short_waits);
    q->last = &q->first;
}

void commit_destroy(commit_queue *q) { pthread_mutex_destroy(&q->lock); }

/* ---- carrying out ---- */

/* What went wrong belongs to the item, and the transaction is as it was before it. */
static bool item_error(evdb_status rc)
{
    return rc == EVDB_EXISTS || rc == EVDB_NOT_FOUND || rc == EVDB_CONFLICT || rc == EVDB_INVALID;
}

static evdb_status apply(engine *e, rows *r, commit_request *q)
{
    evdb_status first = EVDB_OK;
    evdb_error err;
    q->written = 0;
    if (q->codec && (first = codecs_put_back(e, r, q->codec, &q->error)) != EVDB_OK) return first;
    for (size_t i = 0; i < q->count; i++) {
        uint64_t version;
        if (q->partial && q->statuses[i] != EVDB_OK) continue; /* found bad before it was queued */
        evdb_status rc = rows_apply(r, &q->writes[i], &version, &err);
        if (q->statuses) q->statuses[i] = rc;
        if (q->errors && rc != EVDB_OK) q->errors[i] = err;
        if (rc == EVDB_OK && q->written++ == 0) q->first_version = version;
        if (rc != EVDB_OK && first == EVDB_OK) {
            first = rc;
            q->error = err;
            if (item_error(rc) || rc == EVDB_CORRUPT) q->error.item = i;
        }
        if (rc != EVDB_OK && !(q->partial && item_error(rc))) return rc;
    }
    return q->partial ? EVDB_OK : first;
}

/* Only now that they are durable; every item written has taken the next number. */
static void tell_versions(const commit_request *q)
{
    uint64_t version = q->first_version;
    for (size_t i = 0; q->versions && i < q->count; i++)
        q->versions[i] = !q->statuses || q->statuses[i] == EVDB_OK ? version++ : 0;
}

static void fail(commit_request *q, evdb_status status, const evdb_error *why)
{
    q->status = status;
    q->written = 0;
    if (why) {
        q->error = *why;
        q->error.item = EVDB_NO_ITEM; /* not one of this request's */
    }
    if (q->statuses) /* items that were fine were undone with the rest */
        for (size_t i = 0; i < q->count; i++)
            if (q->statuses[i] == EVDB_OK) q->statuses[i] = status;
}

/* One request within the transaction; a failure is the transaction's: it is lost. Only a batch gets a savepoint, which
 * makes SQLite copy every page that is touched: a single record that is refused has touched none. */
static evdb_status carry_out(engine *e, rows *r, commit_request *q, bool alone, evdb_error *err)
{
    bool marked = !alone && q->kind == COMMIT_WRITES && q->count > 1;
    evdb_status rc = marked ? rows_mark(r, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    q->status = q->kind == COMMIT_TRIM ? rows_trim(r, q->through, &q->error)
                : q->kind == COMMIT_WORK ? q->work(q->context, r, &q->error) : apply(e, r, q);
    if (q->status == EVDB_OK) return marked ? rows_unmark(r, err) : EVDB_OK;
    bool untouched = q->count == 1 && item_error(q->status);
    fail(q, q->status, NULL);
    if (alone || rows_lost(r) || !(marked || untouched)) { /* rolled back as a whole */
        *err = q->error;
        return q->status;
    }
    return marked ? rows_undo(r, err) : EVDB_OK;
}

/* ---- groups ---- */

/* What shares a transaction. It still grows while it is carried out. */
typedef struct group {
    engine *engine;
    commit_request *first, **last;
    size_t count, bytes;
    uint32_t tried;     /* how often it, a single request, found the disk full */
    uint64_t until;     /* when waiting for more ends; 0 = it has not begun */
    uint64_t waited_ns; /* how long it took */
} group;

static size_t bytes_of(const commit_request *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->count; i++) bytes += r->writes[i].vector_bytes + r->writes[i].metadata_length;
    return bytes;
}

/* It is no transaction, and shares none. */
static bool stands_alone(const commit_request *r) { return r->kind == COMMIT_SYNC || r->kind == COMMIT_REWRITE; }

/* Moves what is queued behind the group: a sync alone, or writes up to the limits. With the lock held. */
static void take(commit_queue *q, group *g)
{
    while (q->first && g->count < COMMIT_GROUP_REQUESTS && g->bytes < COMMIT_GROUP_BYTES) {
        commit_request *r = q->first;
        if (stands_alone(r) && g->count) break;
        q->first = r->next;
        q->queued--;
        *g->last = r;
        g->last = &r->next;
        r->next = NULL;
        g->bytes += bytes_of(r);
        g->count++;
        if (stands_alone(r)) break;
    }
    if (!q->first) q->last = &q->first;
}

/* How long to wait for writers that are about to come, so that they share the commit: not longer than they save. */
static uint64_t patience(const commit_queue *q)
{
    return q->last_ns / 2 < COMMIT_LINGER_MAX_NS ? q->last_ns / 2 : COMMIT_LINGER_MAX_NS;
}

/* Nanoseconds left to wait for more writers; with the lock held. */
static uint64_t time_left(const commit_queue *q, group *g)
{
    if (q->first || g->count >= q->expected) return 0; /* what is there already does not fit, or all are here */
    uint64_t now = engine_now_ns(g->engine);
    if (!g->until) g->until = now + patience(q);
    return now < g->until ? g->until - now : 0;
}

/* Requests that came while the group was carried out, or that come in time; NULL when it is time to commit. They come while
 * the transaction is open: what they cost, and waking their writers, overlaps. */
static commit_request *take_more(group *g)
{
    commit_queue *q = &g->engine->commits;
    commit_request **before = g->last;
    if (g->count >= COMMIT_GROUP_REQUESTS) return NULL;
    pthread_mutex_lock(&q->lock);
    for (;;) {
        uint32_t seen = atomic_load(&q->arrived);
        take(q, g);
        uint64_t left = *before ? 0 : time_left(q, g);
        q->wanted = left ? q->expected - g->count : 0;
        if (!left) break;
        pthread_mutex_unlock(&q->lock);
        uint64_t from = engine_now_ns(g->engine);
        (void)wake_wait(&q->arrived, seen, left);
        g->waited_ns += engine_now_ns(g->engine) - from;
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return *before;
}

/* It takes no room in the end, but in a store that keeps what is deleted. */
static bool deletes(const commit_request *q)
{
    if (q->kind == COMMIT_WORK) return q->deletes;
    bool all = q->kind == COMMIT_WRITES || q->kind == COMMIT_TRIM;
    for (size_t i = 0; all && i < q->count; i++) all = q->writes[i].kind == EVDB_DELETE;
    return all;
}

/* As of the transaction that has begun, or the last one. */
static bool takes_no_room(const rows *r, const commit_request *q)
{
    return deletes(q) && !(q->kind == COMMIT_WRITES && rows_keeps_deleted(r));
}

static bool all_delete(const rows *r, const commit_request *q)
{
    while (q && takes_no_room(r, q)) q = q->next;
    return !q;
}

enum { DELETE_TRIES = 3 }; /* the last with changes taken from the feed, whose pages it then has */

static evdb_status transact(rows *r, group *g, evdb_error *err)
{
    bool alone = !g->first->next;
    evdb_status rc = rows_begin(r, err);
    if (rc != EVDB_OK) return rc;
    if (g->tried == DELETE_TRIES - 1) rc = rows_trim_oldest(r, COMMIT_TRIM_CHANGES, err);
    for (commit_request *more = g->first; rc == EVDB_OK && more; more = rc == EVDB_OK ? take_more(g) : NULL, alone = false)
        for (commit_request *q = more; rc == EVDB_OK && q; q = q->next) rc = carry_out(g->engine, r, q, alone, err);
    if (rc == EVDB_OK) {
        codecs_hear(g->engine, r);
        if (all_delete(r, g->first)) rows_use_reserve(r);
        return rows_commit(r, err);
    }
    rows_rollback(r);
    return rc;
}

static evdb_status do_group(rows *r, group *g, evdb_error *err)
{
    evdb_status rc;
    switch (g->first->kind) {
    case COMMIT_SYNC: rc = rows_checkpoint(r, err); break;
    case COMMIT_REWRITE: rc = rows_rewrite(r, err); break;
    default: rc = transact(r, g, err);
    }
    if (rc == EVDB_OK) (stands_alone(g->first) ? syncer_done : syncer_note)(g->engine);
    return rc;
}

/* The transaction is lost because of this one. A full disk is nobody's own. */
static bool culprit(const commit_request *q) { return q->status != EVDB_OK && q->status != EVDB_FULL && !item_error(q->status); }

/* Work that was refused: it has no savepoint, so the transaction is lost with it, but its answer may hang on what others of the group did. */
static bool refused_work(const commit_request *q) { return q->kind != COMMIT_WRITES && item_error(q->status); }

static bool has_culprit(const commit_request *q)
{
    while (q && !culprit(q) && !refused_work(q)) q = q->next;
    return q;
}

/* What a request was told about records counts for nothing once the transaction is lost: another request of the group may
 * have put them there. INVALID stays: most of it was found before the request was queued. */
static void forget_answers(commit_request *q)
{
    q->status = EVDB_OK;
    for (size_t i = 0; q->statuses && i < q->count; i++)
        if (q->statuses[i] == EVDB_FULL || (item_error(q->statuses[i]) && q->statuses[i] != EVDB_INVALID)) q->statuses[i] = EVDB_OK;
}

/* Found the disk full: with the log emptied there may be room. */
static bool tries_again(const group *g)
{
    return !stands_alone(g->first) && g->tried + 1 < (all_delete(g->engine->rows, g->first) ? DELETE_TRIES : DELETE_TRIES - 1);
}

/* Of a delete nobody expects it. */
static void explain_full(const rows *r, commit_request *q)
{
    if (q->status == EVDB_FULL && deletes(q) && !takes_no_room(r, q))
        (void)error_set(&q->error, EVDB_FULL, "the disk is full, and the store's trash is on, so that deletes take room: empty it or turn it off");
}

/* Carries out one request, or a group while it grows. */
static void run_group(group *g)
{
    evdb_error err;
    rows *r = g->engine->rows;
    evdb_status rc = engine_usable(g->engine, &err); /* what was submitted may have waited while the store was dropped */
    if (rc == EVDB_OK) rc = do_group(r, g, &err);
    bool single = !g->first->next, full = rc == EVDB_FULL && tries_again(g);
    if (full) rows_relieve(r);
    bool lost = rc != EVDB_OK && (!single || full), separately = lost && (full || has_culprit(g->first));
    for (commit_request *q = g->first, *next; q; q = next) {
        next = q->next;
        if (lost && !culprit(q)) forget_answers(q);
        if (separately && !culprit(q)) { /* one request met damage, say: it must not fail the others */
            q->next = NULL;
            run_group(&(group){ .engine = g->engine, .first = q, .count = COMMIT_GROUP_REQUESTS, /* nobody joins it */
                                .tried = single ? g->tried + 1 : 0 });
            q->next = next;
        } else if (q->status == EVDB_OK && rc == EVDB_OK) tell_versions(q);
        else if (q->status == EVDB_OK) fail(q, rc, &err);
        explain_full(r, q);
    }
}

/* ---- the queue ---- */

/* Ends a critical section, and then wakes those who wait for what changed in it: woken before, they would only find the
 * lock taken. */
static void leave(commit_queue *q, bool changed)
{
    pthread_mutex_unlock(&q->lock);
    if (changed) wake_all(&q->changed);
}

/* The leader's loop: until `mine` is done (NULL: until the queue is empty). Called and returns with the lock held; whoever
 * called wakes the others with leave(). */
static void lead(engine *e, const commit_request *mine)
{
    commit_queue *q = &e->commits;
    bool changed = false;
    q->leading = true;
    while (q->first && !(mine && atomic_load(&mine->done))) {
        group g = { .engine = e, .last = &g.first };
        take(q, &g);
        leave(q, changed);
        uint64_t start = engine_now_ns(e);
        run_group(&g);
        uint64_t took = engine_now_ns(e) - start;
        pthread_mutex_lock(&q->lock);
        q->last_ns = took - g.waited_ns;
        q->expected = g.count + q->queued;
        for (commit_request *r = g.first, *next; r; r = next) {
            next = r->next; /* once done, r belongs to its waiter */
            atomic_store(&r->done, true);
        }
        changed = true;
    }
    q->leading = false; /* of those who still wait in the queue, one leads next */
}

/* With the lock held. True when a leader waits for this one. */
static bool join(commit_queue *q, commit_request *r)
{
    atomic_init(&r->done, false);
    r->next = NULL;
    r->status = EVDB_OK;
    r->error.item = EVDB_NO_ITEM;
    *q->last = r;
    q->last = &r->next;
    q->queued++;
    if (!q->wanted || q->queued < q->wanted) return false;
    q->wanted = 0;
    return true;
}

void commit_enqueue(engine *e, commit_request *r)
{
    commit_queue *q = &e->commits;
    pthread_mutex_lock(&q->lock);
    bool last = join(q, r);
    pthread_mutex_unlock(&q->lock);
    if (last) wake_all(&q->arrived);
}

evdb_status commit_wait(engine *e, commit_request *r, evdb_error *err)
{
    commit_queue *q = &e->commits;
    while (!atomic_load(&r->done)) {
        pthread_mutex_lock(&q->lock);
        uint32_t seen = atomic_load(&q->changed);
        bool mine = !q->leading && !atomic_load(&r->done);
        if (mine) lead(e, r);
        leave(q, mine);
        if (!atomic_load(&r->done)) (void)wake_wait(&q->changed, seen, 0);
    }
    sweep_wrote(e);
    if (r->status != EVDB_OK && err) {
        *err = r->error;
        err->status = r->status;
    }
    return r->status;
}

evdb_status commit_run(engine *e, commit_request *r, evdb_error *err)
{
    commit_enqueue(e, r);
    return commit_wait(e, r, err);
}

void commit_flush(engine *e)
{
    commit_queue *q = &e->commits;
    pthread_mutex_lock(&q->lock);
    bool mine = q->first && !q->leading;
    if (mine) lead(e, NULL);
    leave(q, mine);
}
