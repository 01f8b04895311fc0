/* expiry.c - implements evdb/expiry.h. */
#include <evdb/expiry.h>
#include "base/error.h"
#include "base/try.h"
#include "engine/engine.h"
#include "store_private.h"

static evdb_status set_ttl(void *context, rows *r, evdb_error *err) { return rows_set_ttl(r, *(const int64_t *)context, err); }

evdb_status evdb_store_set_ttl(evdb_store *store, int64_t ttl_ms, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_WORK, .work = set_ttl, .context = &ttl_ms };
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    TRY(store_check_ttl(ttl_ms, err));
    rc = commit_run(store->engine, &request, err);
out:
    return rc;
}

evdb_status evdb_record_set_expiry(evdb_store *store, evdb_id id, int64_t expires_ms, uint64_t if_version, uint64_t *version,
                                   evdb_error *err)
{
    evdb_batch b = EVDB_BATCH;
    if (!expires_ms) return error_set(err, EVDB_INVALID, "the expiry is missing");
    b.kind = EVDB_UPDATE;
    b.count = 1;
    b.ids = &id;
    b.expires = &expires_ms;
    if (if_version) b.if_versions = &if_version;
    return record_write(store, &b, version, err);
}
