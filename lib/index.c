/* index.c - implements evdb/index.h. */
#include <evdb/index.h>
#include "base/error.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/generation.h"
#include "index/graph.h"
#include "store_private.h"

/* Loads what is committed, for whoever will build. */
static evdb_status load(engine *e, evdb_error *err)
{
    view_snapshot snapshot = { 0 };
    evdb_status rc = view_begin(e, &snapshot, NULL, err);
    if (rc == EVDB_OK) view_end(e, &snapshot);
    return rc;
}

static evdb_status build(engine *e, uint32_t threads, bool anew, evdb_error *err)
{
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(metrics_ready(e, err));
    if (threads > STORE_INDEX_THREADS_MAX)
        TRY(error_set(err, EVDB_LIMIT, "threads is %u, but must be 0..%d", threads, STORE_INDEX_THREADS_MAX));
    if (control_is(e, CONTROL_OFF)) TRY(control_set(e, CONTROL_OFF, false, err));
    TRY(load(e, err));
    TRY(indexer_drain(e, threads, anew, err));
out:
    return rc;
}

evdb_status evdb_index_build(evdb_store *store, uint32_t threads, evdb_error *err)
{
    return build(store->engine, threads, false, err);
}

evdb_status evdb_index_rebuild(evdb_store *store, uint32_t threads, evdb_error *err)
{
    return build(store->engine, threads, true, err);
}

evdb_status evdb_index_create(evdb_store *store, evdb_error *err)
{
    engine *e = store->engine;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(metrics_ready(e, err));
    if (control_is(e, CONTROL_OFF)) TRY(control_set(e, CONTROL_OFF, false, err));
    TRY(load(e, err));
    indexer_begin(e);
out:
    return rc;
}

evdb_status evdb_index_drop(evdb_store *store, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? indexer_drop(store->engine, err) : rc;
}

evdb_status evdb_index_pause(evdb_store *store, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? indexer_pause(store->engine, true, err) : rc;
}

evdb_status evdb_index_resume(evdb_store *store, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? indexer_pause(store->engine, false, err) : rc;
}

evdb_status evdb_index_cancel(evdb_store *store, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? indexer_cancel(store->engine, err) : rc;
}

evdb_status evdb_index_estimate(uint32_t dim, uint64_t count, uint32_t m, uint64_t *bytes, evdb_error *err)
{
    if (!m) m = STORE_M_DEFAULT;
    if (!dim || dim > EVDB_DIM_MAX) return error_set(err, EVDB_INVALID, "a vector has 1 to %u elements, not %u", EVDB_DIM_MAX, dim);
    if (m < STORE_M_MIN || m > STORE_M_MAX)
        return error_set(err, EVDB_INVALID, "m is %u, but must be %d..%d", m, STORE_M_MIN, STORE_M_MAX);
    if (count > UINT32_MAX - 1)
        return error_set(err, EVDB_INVALID, "a store has no more than %u vectors", UINT32_MAX - 1);
    *bytes = graph_estimate(dim, m, count);
    return EVDB_OK;
}

const char *evdb_index_state_name(evdb_index_state state)
{
    static const char *const names[] = { [EVDB_INDEX_NONE] = "none", [EVDB_INDEX_BUILDING] = "building",
                                         [EVDB_INDEX_REFINING] = "refining", [EVDB_INDEX_SAVING] = "saving",
                                         [EVDB_INDEX_READY] = "ready", [EVDB_INDEX_PAUSED] = "paused",
                                         [EVDB_INDEX_DISABLED] = "disabled" };
    return (size_t)state < sizeof(names) / sizeof(*names) ? names[state] : NULL;
}

static evdb_index_state state_of(engine *e, const indexed_state *in_memory, const generation_state *file)
{
    uint32_t phase = atomic_load(&e->indexer.phase);
    if (phase == INDEXER_SAVING) return EVDB_INDEX_SAVING;
    if (in_memory->refining) return EVDB_INDEX_REFINING;
    if (phase == INDEXER_BUILDING || file->turn_taken) return EVDB_INDEX_BUILDING;
    if (control_is(e, CONTROL_OFF)) return EVDB_INDEX_DISABLED;
    if (control_is(e, CONTROL_PAUSED)) return EVDB_INDEX_PAUSED;
    return in_memory->linked || file->bytes ? EVDB_INDEX_READY : EVDB_INDEX_NONE;
}

evdb_status evdb_index_get_status(evdb_store *store, evdb_index_status *out, evdb_error *err)
{
    evdb_index_status status = EVDB_INDEX_STATUS;
    indexed_state state = { 0 };
    generation_state file;
    engine *e = store->engine;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(generation_look(e, &file, err));
    TRY(evdb_store_count(store, &status.total, err));
    view_index *index = view_hold(&e->view);
    if (index) indexed_state_now(index->vectors, &state);
    view_let_go(e, index);
    status.linked = state.linked - state.gone;
    status.waiting = state.waiting;
    status.memory_bytes = state.memory_bytes;
    status.disk_bytes = file.bytes;
    status.saved_sequence = file.sequence;
    status.state = state_of(e, &state, &file);
    uint64_t linked = status.linked < status.total ? status.linked : status.total;
    status.progress = status.total ? (float)linked / (float)status.total : 0;
    indexer_problem(e, status.problem, sizeof(status.problem));
    rc = options_export(out, &status, sizeof(status), "evdb_index_status", err);
out:
    return rc;
}
