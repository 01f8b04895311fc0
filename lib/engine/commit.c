/* commit.c - implements engine/commit.h. */
#include "engine/commit.h"
#include "base/error.h"
#include "engine/engine.h"
#include "platform/wake.h"
#include <string.h>

void commit_init(commit_queue *q)
{
    memset(q, 0, sizeof(*q));
    pthread_mutex_init(&q->lock, NULL);
    q->last = &q->first;
}

void commit_destroy(commit_queue *q) { pthread_mutex_destroy(&q->lock); }

/* ---- carrying out ---- */

/* What went wrong belongs to the item, and the transaction is as it was before it. */
static bool item_error(evdb_status rc)
{
    return rc == EVDB_EXISTS || rc == EVDB_NOT_FOUND || rc == EVDB_CONFLICT || rc == EVDB_INVALID;
}

static evdb_status apply(rows *r, commit_request *q)
{
    evdb_status first = EVDB_OK;
    evdb_error err;
    q->written = 0;
    for (size_t i = 0; i < q->count; i++) {
        uint64_t version;
        if (q->partial && q->statuses[i] != EVDB_OK) continue; /* found bad before it was queued */
        evdb_status rc = rows_apply(r, &q->writes[i], &version, &err);
        if (q->statuses) q->statuses[i] = rc;
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
static evdb_status carry_out(rows *r, commit_request *q, bool alone, evdb_error *err)
{
    bool marked = !alone && q->kind == COMMIT_WRITES && q->count > 1;
    evdb_status rc = marked ? rows_mark(r, err) : EVDB_OK;
    if (rc != EVDB_OK) return rc;
    q->status = q->kind == COMMIT_TRIM ? rows_trim(r, q->through, &q->error) : apply(r, q);
    if (q->status == EVDB_OK) return marked ? rows_unmark(r, err) : EVDB_OK;
    bool untouched = q->count == 1 && item_error(q->status);
    fail(q, q->status, NULL);
    if (alone || rows_lost(r) || !(marked || untouched)) { /* rolled back as a whole */
        *err = q->error;
        return q->status;
    }
    return marked ? rows_undo(r, err) : EVDB_OK;
}

static evdb_status transact(rows *r, commit_request *group, evdb_error *err)
{
    bool alone = !group->next;
    evdb_status rc = rows_begin(r, err);
    if (rc != EVDB_OK) return rc;
    for (commit_request *q = group; rc == EVDB_OK && q; q = q->next) rc = carry_out(r, q, alone, err);
    if (rc == EVDB_OK) return rows_commit(r, err);
    rows_rollback(r);
    return rc;
}

static bool has_culprit(const commit_request *group)
{
    for (; group; group = group->next)
        if (group->status != EVDB_OK && !item_error(group->status)) return true;
    return false;
}

static void run_group(engine *e, commit_request *group)
{
    evdb_error err;
    evdb_status rc = engine_usable(e, &err); /* what was submitted may have waited while the store was dropped */
    if (rc == EVDB_OK) rc = group->kind == COMMIT_SYNC ? rows_checkpoint(e->rows, &err) : transact(e->rows, group, &err);
    bool separately = rc != EVDB_OK && group->next && has_culprit(group);
    for (commit_request *q = group, *next; q; q = next) {
        next = q->next;
        if (separately) { /* one request met damage, say: it must not fail the others */
            q->next = NULL;
            q->status = EVDB_OK;
            run_group(e, q);
            q->next = next;
        } else if (q->status == EVDB_OK && rc == EVDB_OK) tell_versions(q);
        else if (q->status == EVDB_OK) fail(q, rc, &err);
    }
}

/* ---- the queue ---- */

static size_t bytes_of(const commit_request *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->count; i++) bytes += r->writes[i].vector_bytes + r->writes[i].metadata_length;
    return bytes;
}

/* Detaches the next group: a sync alone, or writes up to the limits. */
static commit_request *take_group(commit_queue *q, size_t *count)
{
    commit_request *group = q->first, **end = &q->first;
    size_t bytes = 0;
    *count = 0;
    while (*end && *count < COMMIT_GROUP_REQUESTS && bytes < COMMIT_GROUP_BYTES) {
        commit_request *r = *end;
        if (r->kind == COMMIT_SYNC && *count) break;
        bytes += bytes_of(r);
        end = &r->next;
        ++*count;
        if (r->kind == COMMIT_SYNC) break;
    }
    q->first = *end;
    if (!q->first) q->last = &q->first;
    *end = NULL;
    q->queued -= *count;
    return group;
}

/* The leader's loop: until `mine` is done (NULL: until the queue is empty). Called and returns with the lock held. */
static void lead(engine *e, const commit_request *mine)
{
    commit_queue *q = &e->commits;
    const platform *p = &e->db->platform;
    q->state = COMMIT_LEADING;
    q->gatherer = NULL;
    while (q->first && !(mine && atomic_load(&mine->done))) {
        size_t count;
        commit_request *group = take_group(q, &count);
        pthread_mutex_unlock(&q->lock);
        uint64_t start = p->clock_ns(p->clock_context);
        run_group(e, group);
        uint64_t took = p->clock_ns(p->clock_context) - start;
        pthread_mutex_lock(&q->lock);
        q->last_ns = took;
        q->expected = count + q->queued;
        for (commit_request *r = group, *next; r; r = next) {
            next = r->next; /* once done, r belongs to its waiter */
            atomic_store(&r->done, true);
        }
        wake_all(&q->changed);
    }
    q->state = COMMIT_IDLE;
    if (q->first) wake_all(&q->changed); /* one of those who wait in it leads next */
}

/* How long to wait for writers that are about to come, so that they share the commit: not longer than they save. */
static uint64_t patience(const commit_queue *q)
{
    return q->last_ns / 2 < COMMIT_LINGER_MAX_NS ? q->last_ns / 2 : COMMIT_LINGER_MAX_NS;
}

void commit_enqueue(engine *e, commit_request *r)
{
    commit_queue *q = &e->commits;
    atomic_init(&r->done, false);
    r->next = NULL;
    r->status = EVDB_OK;
    r->error.item = EVDB_NO_ITEM;
    pthread_mutex_lock(&q->lock);
    *q->last = r;
    q->last = &r->next;
    q->queued++;
    pthread_mutex_unlock(&q->lock);
}

/* With the lock held: leads if it is time to, else says how to wait (0 = until something changes). */
static uint64_t take_part(engine *e, commit_request *r, bool patient)
{
    commit_queue *q = &e->commits;
    bool complete = q->queued >= q->expected, mine = q->gatherer == r;
    if (q->state == COMMIT_IDLE && !complete && patient) {
        q->state = COMMIT_GATHERING;
        q->gatherer = r;
        return patience(q) + 1;
    }
    if (q->state == COMMIT_IDLE || (q->state == COMMIT_GATHERING && (complete || (mine && !patient)))) lead(e, r);
    else if (mine) return patience(q) + 1;
    return 0;
}

evdb_status commit_wait(engine *e, commit_request *r, evdb_error *err)
{
    commit_queue *q = &e->commits;
    bool patient = true; /* until waiting for others has taken long enough */
    while (!atomic_load(&r->done)) {
        pthread_mutex_lock(&q->lock);
        uint32_t seen = atomic_load(&q->changed);
        uint64_t wait_ns = atomic_load(&r->done) ? 0 : take_part(e, r, patient);
        pthread_mutex_unlock(&q->lock);
        if (!atomic_load(&r->done) && !wake_wait(&q->changed, seen, wait_ns)) patient = false;
    }
    if (r->status != EVDB_OK && err) {
        *err = r->error;
        err->status = r->status;
    }
    return r->status;
}

void commit_flush(engine *e)
{
    commit_queue *q = &e->commits;
    pthread_mutex_lock(&q->lock);
    if (q->first && q->state == COMMIT_IDLE) lead(e, NULL);
    pthread_mutex_unlock(&q->lock);
}
