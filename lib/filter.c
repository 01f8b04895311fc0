/* filter.c - implements evdb/filter.h. */
#include <evdb/filter.h>
#include "base/error.h"
#include "base/try.h"
#include "engine/engine.h"

evdb_status evdb_filter_count(evdb_store *store, const char *text, uint64_t *out, evdb_error *err)
{
    engine *e = store->engine;
    view_snapshot snapshot = { 0 };
    matches *m = NULL;
    evdb_status rc;
    if (!text) return evdb_store_count(store, out, err);
    TRY(engine_usable(e, err));
    TRY(filters_begin(e, text, &snapshot, NULL, &m, err));
    *out = m ? m->rows.count : 0;
out:
    if (m) filters_end(e, m);
    view_end(e, &snapshot);
    return rc;
}
