/* index_build.c - implements op/index_build.h: the library waits without a word, so it does in a thread of its own. */
#include "op/index_build.h"
#include <pthread.h>
#include <time.h>

enum { LOOK_MS = 50 };

typedef struct building {
    evdb_store *store;
    uint32_t threads;
    bool from_scratch;
    evdb_status rc;
    evdb_error why;
    pthread_mutex_t lock; /* of done */
    pthread_cond_t ended;
    bool done;
} building;

static evdb_status build(building *b, evdb_error *err)
{
    return b->from_scratch ? evdb_index_rebuild(b->store, b->threads, err) : evdb_index_build(b->store, b->threads, err);
}

static void *work(void *context)
{
    building *b = context;
    b->rc = build(b, &b->why);
    pthread_mutex_lock(&b->lock);
    b->done = true;
    pthread_cond_signal(&b->ended);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static bool wait_done(building *b)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&b->lock);
    if (!b->done) pthread_cond_timedwait(&b->ended, &b->lock, &until);
    bool done = b->done;
    pthread_mutex_unlock(&b->lock);
    return done;
}

/* True when the caller wants no more. */
static bool tell(op_call *call, evdb_store *store)
{
    evdb_index_status s = EVDB_INDEX_STATUS;
    if (evdb_index_get_status(store, &s, NULL) != EVDB_OK) s.linked = 0;
    call->total = s.total;
    return call->progress(call->progress_context, EVDB_PHASE_WRITE, s.linked < s.total ? s.linked : s.total) != 0;
}

evdb_status index_build(op_call *call, evdb_store *store, uint32_t threads, bool from_scratch, evdb_error *err)
{
    building b = { .store = store, .threads = threads, .from_scratch = from_scratch,
                   .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    pthread_t thread;
    bool cancelled = false;
    if (!call->progress) return build(&b, err);
    if (pthread_create(&thread, NULL, work, &b) != 0) return op_fail(err, EVDB_NO_MEMORY, "a thread to build the index cannot be started");
    call->verb = "linking";
    call->counted = "vectors";
    while (!wait_done(&b)) {
        cancelled = cancelled || tell(call, store);
        /* again and again: the first may come before the build has begun, and one that fails changes nothing */
        if (cancelled && evdb_index_cancel(store, NULL) != EVDB_OK) continue;
    }
    pthread_join(thread, NULL);
    if (err) *err = b.why;
    return b.rc;
}
