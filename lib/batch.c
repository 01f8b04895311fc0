/* batch.c - implements evdb/batch.h. */
#include <evdb/batch.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "store_private.h"

static commit_request request_of(const input *in, const evdb_batch *b)
{
    return (commit_request){ .kind = COMMIT_WRITES, .writes = in->writes, .count = in->count, .codec = in->codec,
                             .partial = b->flags & EVDB_BATCH_PARTIAL, .statuses = in->statuses, .versions = b->versions,
                             .errors = b->flags & EVDB_BATCH_PARTIAL ? b->errors : NULL };
}

evdb_status evdb_batch_write(evdb_store *store, const evdb_batch *batch, size_t *written, evdb_error *err)
{
    evdb_batch b = EVDB_BATCH;
    input in;
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    TRY(options_import(&b, sizeof(b), batch, "evdb_batch", err));
    TRY(input_batch(store->engine, &b, false, &in, err));
    commit_request request = request_of(&in, &b);
    if (b.count) {
        rc = commit_run(store->engine, &request, err);
        if (codecs_unsettled(store->engine)) recode_begin(store->engine);
    }
    if (rc == EVDB_OK && written) *written = request.written;
    input_free(store->engine, &in);
out:
    return rc;
}

struct evdb_ticket {
    evdb_store store; /* a handle of its own: the caller may close his */
    input in;
    commit_request request;
    bool waited;
};

evdb_status evdb_batch_submit(evdb_store *store, const evdb_batch *batch, evdb_ticket **out, evdb_error *err)
{
    engine *e = store->engine;
    evdb_batch b = EVDB_BATCH;
    evdb_ticket *t = NULL;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(options_import(&b, sizeof(b), batch, "evdb_batch", err));
    if (!(t = mem_zero(&e->db->platform.mem, sizeof(*t)))) TRY(error_no_memory(err, sizeof(*t), "a ticket"));
    TRY(input_batch(e, &b, true, &t->in, err));
    t->store.engine = e;
    pthread_mutex_lock(&e->db->lock);
    e->references++;
    pthread_mutex_unlock(&e->db->lock);
    t->request = request_of(&t->in, &b);
    commit_enqueue(e, &t->request);
    *out = t;
    t = NULL;
out:
    mem_free(&e->db->platform.mem, t);
    return rc;
}

evdb_status evdb_ticket_wait(evdb_ticket *t, size_t *written, evdb_error *err)
{
    engine *e = t->store.engine;
    evdb_status rc = db_usable(e->db, err);
    if (rc != EVDB_OK) return rc;
    if (t->waited) return error_set(err, EVDB_INVALID, "the ticket was waited for already");
    t->waited = true;
    rc = commit_wait(e, &t->request, err);
    if (rc == EVDB_OK && written) *written = t->request.written;
    return rc;
}

void evdb_ticket_free(evdb_ticket *t)
{
    if (!t) return;
    engine *e = t->store.engine;
    if (db_usable(e->db, NULL) != EVDB_OK) return; /* a forked child: see evdb_close */
    const evdb_allocator mem = e->db->platform.mem;
    if (!t->waited) (void)commit_wait(e, &t->request, NULL); /* nobody asked how it went */
    input_free(e, &t->in);
    engine_release(e);
    mem_free(&mem, t);
}
