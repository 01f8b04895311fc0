/* changes.c - implements evdb/changes.h. */
#include <evdb/changes.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/engine.h"
#include "store_private.h"
#include <string.h>

typedef struct collecting {
    const evdb_allocator *mem;
    evdb_change *at; /* id.text holds offset + 1 into texts */
    size_t count, capacity;
    buf texts;
} collecting;

static evdb_status collect(void *context, const rows_change *change, evdb_error *err)
{
    collecting *c = context;
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 64;
        evdb_change *at = mem_resize(c->mem, c->at, capacity, sizeof(*at));
        if (!at) return error_no_memory(err, capacity * sizeof(*at), "changes");
        c->at = at;
        c->capacity = capacity;
    }
    evdb_change *to = &c->at[c->count];
    *to = (evdb_change){ change->sequence, change->kind, change->id };
    if (change->id.text) {
        to->id.text = (const char *)(uintptr_t)(c->texts.size + 1);
        if (!buf_add(&c->texts, change->id.text, change->id.length) || !buf_byte(&c->texts, 0))
            return error_no_memory(err, change->id.length, "an id");
    }
    c->count++;
    return EVDB_OK;
}

/* One block: the struct, the changes, the texts. */
static evdb_status assemble(const collecting *c, uint64_t after, uint64_t horizon, evdb_changes **out, evdb_error *err)
{
    size_t bytes = sizeof(evdb_changes) + c->count * sizeof(evdb_change) + c->texts.size;
    evdb_changes *all = mem_owned(c->mem, bytes);
    if (!all) return error_no_memory(err, bytes, "changes");
    evdb_change *at = (evdb_change *)(all + 1);
    char *texts = (char *)(at + c->count);
    if (c->count) memcpy(at, c->at, c->count * sizeof(*at));
    if (c->texts.size) memcpy(texts, c->texts.at, c->texts.size);
    for (size_t i = 0; i < c->count; i++)
        if (at[i].id.text) at[i].id.text = texts + ((uintptr_t)at[i].id.text - 1);
    all->at = at;
    all->count = c->count;
    all->last = c->count ? at[c->count - 1].sequence : after;
    all->horizon = horizon;
    *out = all;
    return EVDB_OK;
}

evdb_status evdb_changes_read(evdb_store *store, uint64_t after, size_t max, evdb_changes **out, evdb_error *err)
{
    engine *e = store->engine;
    collecting c = { .mem = &e->db->platform.mem };
    rows_reader *rd = NULL;
    uint64_t horizon, forgotten;
    evdb_status rc;
    buf_init(&c.texts, c.mem);
    TRY(engine_usable(e, err));
    if (max > EVDB_CHANGES_MAX)
        TRY(error_set(err, EVDB_LIMIT, "%zu changes at once are more than %u", max, EVDB_CHANGES_MAX));
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_horizon(rd, &horizon, err));
    TRY(rows_forgotten(rd, &forgotten, err));
    if (forgotten > horizon) horizon = forgotten;
    if (after < horizon) TRY(error_set(err, EVDB_GONE, "changes up to %llu were trimmed, or of records that were erased", (unsigned long long)horizon));
    TRY(rows_changes(rd, after, max ? max : EVDB_CHANGES_MAX, collect, &c, err));
    TRY(assemble(&c, after, horizon, out, err));
out:
    rows_read_end(rd);
    mem_free(c.mem, c.at);
    buf_free(&c.texts);
    return rc;
}

void evdb_changes_free(evdb_changes *changes) { mem_owned_free(changes); }

evdb_status evdb_changes_trim(evdb_store *store, uint64_t through, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_TRIM, .through = through };
    evdb_status rc = engine_usable(store->engine, err);
    if (rc != EVDB_OK) return rc;
    return commit_run(store->engine, &request, err);
}
