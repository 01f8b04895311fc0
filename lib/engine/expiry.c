/* expiry.c - implements engine/expiry.h. */
#include "engine/expiry.h"
#include "base/try.h"
#include "engine/engine.h"
#include "engine/filling.h"

void expiry_init(expiry *x)
{
    atomic_store(&x->next, INT64_MAX);
    atomic_store(&x->until, INT64_MIN);
    atomic_store(&x->turns, 0);
}

bool expiry_due(engine *e, const expiry *x)
{
    int64_t next = atomic_load(&x->next), until = atomic_load(&x->until);
    if (next == INT64_MAX && until == INT64_MIN) return false;
    int64_t now = rows_clock(e->rows);
    return now >= next || now < until;
}

evdb_status expiry_begin(filling *f, evdb_error *err)
{
    int64_t first;
    evdb_status rc = rows_next_expiry(f->reader, INT64_MIN, &first, err);
    f->until = atomic_load(&f->index->expiry.until);
    f->expiring = rc == EVDB_OK && (first != INT64_MAX || f->until != INT64_MIN);
    if (f->expiring) f->now = rows_clock(f->engine->rows);
    return rc;
}

/* Changes rows of a record without a change of the store. */
static void take_out(filling *f, const rows_record *record, uint64_t sequence)
{
    expiry *x = &f->index->expiry;
    flat_remove(f->index->flat, record->slot, sequence);
    if (record->expires > atomic_load(&x->until)) atomic_store(&x->until, record->expires);
}

static evdb_status bring_back(filling *f, const rows_record *record, uint64_t sequence, evdb_error *err)
{
    rows_vector v;
    bool found;
    if (flat_row(f->index->flat, record->slot) != FLAT_NO_ROW) return EVDB_OK;
    evdb_status rc = rows_vector_in(f->reader, record->slot, &v, &found, err);
    return rc == EVDB_OK && found ? filling_put(f, sequence, &v, err) : rc;
}

/* What another process wrote before its time was up may come to one that took it out already. A record that is damaged is left as it
 * is: whoever reads it will be told. */
evdb_status expiry_change(filling *f, const rows_change *change, evdb_error *err)
{
    rows_record record;
    evdb_error why;
    if (!f->expiring || change->kind == EVDB_CHANGE_DELETE) return EVDB_OK;
    evdb_status rc = rows_get(f->reader, &change->id, 0, &record, &why);
    if (rc == EVDB_NOT_FOUND || rc == EVDB_CORRUPT) return EVDB_OK;
    if (rc != EVDB_OK) {
        if (err) *err = why;
        return rc;
    }
    if (!record.expires || record.expires > f->now) return bring_back(f, &record, change->sequence, err);
    take_out(f, &record, change->sequence);
    return EVDB_OK;
}

typedef struct settling {
    filling *filling;
    uint64_t tip;
    bool back;
    size_t rows; /* that went or came */
} settling;

static evdb_status settle_one(void *context, const rows_record *record, evdb_error *err)
{
    settling *s = context;
    s->rows++;
    if (s->back) return bring_back(s->filling, record, s->tip, err);
    take_out(s->filling, record, s->tip);
    return EVDB_OK;
}

evdb_status expiry_settle(filling *f, uint64_t tip, evdb_error *err)
{
    expiry *x = &f->index->expiry;
    int64_t next;
    settling s = { f, tip, f->now < f->until, 0 };
    evdb_status rc = EVDB_OK;
    if (!f->expiring) return rc;
    if (s.back) {
        TRY(rows_expired(f->reader, f->now, f->until, settle_one, &s, err));
        atomic_store(&x->until, f->now);
    } else TRY(rows_expired(f->reader, f->until, f->now, settle_one, &s, err));
    TRY(rows_next_expiry(f->reader, f->now, &next, err));
    atomic_store(&x->next, next);
    atomic_fetch_add(&x->turns, 1); /* behind the rows: who has read this sees them as they are */
    if (s.rows || !atomic_load(&f->engine->sweep.job.running)) sweep_begin(f->engine);
out:
    return rc;
}
