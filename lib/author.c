/* author.c - implements evdb/author.h. */
#include <evdb/author.h>
#include "base/try.h"
#include "engine/engine.h"
#include "store_private.h"

static evdb_status set_authors(void *context, rows *r, evdb_error *err) { return rows_set_authors(r, *(const bool *)context, err); }

evdb_status evdb_store_set_authors(evdb_store *store, uint32_t on, evdb_error *err)
{
    bool wanted = on != 0;
    commit_request request = { .kind = COMMIT_WORK, .work = set_authors, .context = &wanted };
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    rc = commit_run(store->engine, &request, err);
out:
    return rc;
}
