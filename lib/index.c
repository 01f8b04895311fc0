/* index.c - implements evdb/index.h. */
#include <evdb/index.h>
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "store_private.h"

enum { THREADS_MAX = 1024 };

evdb_status evdb_index_build(evdb_store *store, uint32_t threads, evdb_error *err)
{
    engine *e = store->engine;
    view_snapshot snapshot = { 0 };
    evdb_status rc;
    TRY(engine_usable(e, err));
    if (threads > THREADS_MAX) TRY(error_set(err, EVDB_LIMIT, "threads is %u, but must be 0..%u", threads, THREADS_MAX));
    TRY(view_begin(e, &snapshot, NULL, err)); /* loads what is committed */
    view_end(e, &snapshot);
    TRY(indexer_drain(e, threads, err));
out:
    return rc;
}

evdb_status evdb_index_get_status(evdb_store *store, evdb_index_status *out, evdb_error *err)
{
    evdb_index_status status = EVDB_INDEX_STATUS;
    indexed_state state = { 0 };
    evdb_status rc = engine_usable(store->engine, err);
    if (rc != EVDB_OK) return rc;
    view_index *index = view_hold(&store->engine->view);
    if (index) indexed_state_now(index->vectors, &state);
    view_let_go(store->engine, index);
    status.linked = state.linked - state.gone;
    status.waiting = state.waiting;
    status.memory_bytes = state.memory_bytes;
    return options_export(out, &status, sizeof(status), "evdb_index_status", err);
}
