/* forget.c - implements evdb/forget.h. */
#include <evdb/forget.h>
#include "base/error.h"
#include "base/id.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/generation.h"

typedef struct forgetting {
    const evdb_id *ids;
    size_t count;
    uint64_t forgotten;
} forgetting;

static evdb_status forget(void *context, rows *r, evdb_error *err)
{
    forgetting *f = context;
    return rows_forget(r, f->ids, f->count, &f->forgotten, err);
}

/* First the record, for good; then rows.db, whose readers may have to be waited for; and the index, which is made of rows. */
evdb_status evdb_store_forget(evdb_store *store, const evdb_id *ids, size_t count, evdb_forget_report *report, evdb_error *err)
{
    engine *e = store->engine;
    forgetting f = { .ids = ids, .count = count };
    evdb_forget_report r = EVDB_FORGET_REPORT;
    commit_request request = { .kind = COMMIT_WORK, .work = forget, .context = &f }, rewrite = { .kind = COMMIT_REWRITE };
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(id_check_all(ids, count, err));
    TRY(commit_run(e, &request, err));
    TRY(commit_run(e, &rewrite, err));
    TRY(indexer_forget(e, err));
    r.forgotten = f.forgotten;
    r.missing = count - f.forgotten;
    if (report) rc = options_export(report, &r, sizeof(r), "evdb_forget_report", err);
out:
    return rc;
}
