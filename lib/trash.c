/* trash.c - implements evdb/trash.h. */
#include <evdb/trash.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "disk/rows_trash.h"
#include "engine/engine.h"
#include "engine/recode.h"
#include "store_private.h"
#include <string.h>

enum { RESTORED_AT_ONCE = 1000 }; /* without ids, in one commit */

/* ---- keeping ---- */

evdb_status store_check_trash(int64_t keep_ms, evdb_error *err)
{
    if (keep_ms >= 0 && keep_ms <= EVDB_TRASH_MAX_MS) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "the trash keeps records for 0 (not at all) to %lld milliseconds, not %lld", (long long)EVDB_TRASH_MAX_MS,
                     (long long)keep_ms);
}

static evdb_status set(void *context, rows *r, evdb_error *err) { return rows_set_trash(r, *(const int64_t *)context, err); }

evdb_status evdb_store_set_trash(evdb_store *store, int64_t keep_ms, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_WORK, .work = set, .context = &keep_ms, .deletes = !keep_ms };
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    TRY(store_check_trash(keep_ms, err));
    rc = commit_run(store->engine, &request, err);
out:
    return rc;
}

static evdb_status empty(void *context, rows *r, evdb_error *err) { return rows_trash_empty(r, context, err); }

evdb_status evdb_trash_empty(evdb_store *store, uint64_t *removed, evdb_error *err)
{
    uint64_t count = 0;
    commit_request request = { .kind = COMMIT_WORK, .work = empty, .context = &count, .deletes = true };
    evdb_status rc = engine_usable(store->engine, err);
    if (rc == EVDB_OK) rc = commit_run(store->engine, &request, err);
    if (rc == EVDB_OK && removed) *removed = count;
    return rc;
}

/* ---- listing ---- */

typedef struct listing {
    evdb_trashed at[EVDB_TRASH_LIST_MAX]; /* texts are offsets + 1 into texts */
    size_t count;
    int64_t keep_ms;
    buf texts;
} listing;

static bool keep(listing *l, const char *text, size_t length, const char **out)
{
    *out = text ? (const char *)(uintptr_t)(l->texts.size + 1) : NULL;
    return !text || (buf_add(&l->texts, text, length) && buf_byte(&l->texts, 0));
}

static evdb_status collect(void *context, const rows_trashed *t, evdb_error *err)
{
    listing *l = context;
    evdb_trashed *to = &l->at[l->count++];
    int64_t until = t->deleted + l->keep_ms;
    *to = (evdb_trashed){ .id = t->id, .number = (uint64_t)t->number, .deleted_ms = t->deleted, .version = t->version, .expires_ms = t->expires,
                          .metadata_length = t->metadata_length, .until_ms = t->expires && t->expires < until ? t->expires : until };
    bool kept = keep(l, t->id.text, t->id.length, &to->id.text) && keep(l, t->deleter, t->deleter_length, &to->deleter) &&
                keep(l, t->metadata, t->metadata_length, &to->metadata);
    return kept ? EVDB_OK : error_no_memory(err, t->metadata_length, "what is in the trash");
}

/* One block: the struct, the records, the texts. */
static evdb_status assemble(const evdb_allocator *mem, const listing *l, uint64_t next, evdb_trash **out, evdb_error *err)
{
    size_t records = l->count * sizeof(*l->at), bytes = sizeof(evdb_trash) + records + l->texts.size;
    evdb_trash *all = mem_owned(mem, bytes);
    if (!all) return error_no_memory(err, bytes, "what is in the trash");
    evdb_trashed *at = (evdb_trashed *)(all + 1);
    const char *texts = (char *)(at + l->count);
    if (records) memcpy(at, l->at, records);
    if (l->texts.size) memcpy(at + l->count, l->texts.at, l->texts.size);
    for (size_t i = 0; i < l->count; i++) {
        const char **parts[] = { &at[i].id.text, &at[i].deleter, &at[i].metadata };
        for (size_t p = 0; p < 3; p++)
            if (*parts[p]) *parts[p] = texts + ((uintptr_t)*parts[p] - 1);
    }
    *all = (evdb_trash){ .count = l->count, .at = at, .next = next };
    *out = all;
    return EVDB_OK;
}

evdb_status evdb_trash_list(evdb_store *store, uint64_t before, size_t limit, evdb_trash **out, evdb_error *err)
{
    engine *e = store->engine;
    const evdb_allocator *mem = &e->db->platform.mem;
    listing *l = NULL;
    rows_reader *rd = NULL;
    evdb_store_info *info = NULL;
    evdb_status rc;
    TRY(engine_usable(e, err));
    if (limit > EVDB_TRASH_LIST_MAX) TRY(error_set(err, EVDB_LIMIT, "%zu records of the trash at once are more than %u", limit, EVDB_TRASH_LIST_MAX));
    if (!limit) limit = EVDB_TRASH_LIST_MAX;
    if (!(l = mem_zero(mem, sizeof(*l)))) TRY(error_no_memory(err, sizeof(*l), "what is in the trash"));
    buf_init(&l->texts, mem);
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_info(rd, &info, err));
    l->keep_ms = info->trash_ms;
    TRY(rows_trash_list(rd, before && before < INT64_MAX ? (int64_t)before : INT64_MAX, limit, collect, l, err));
    rc = assemble(mem, l, l->count == limit ? l->at[l->count - 1].number : 0, out, err);
out:
    rows_read_end(rd);
    mem_owned_free(info);
    if (l) buf_free(&l->texts);
    mem_free(mem, l);
    return rc;
}

void evdb_trash_free(evdb_trash *trash) { mem_owned_free(trash); }

/* ---- bringing back ---- */

typedef struct restoring {
    const evdb_undelete *what;
    evdb_undelete_report report; /* of this commit */
    int64_t from, after;         /* without ids: the last that earlier commits looked at, and this one */
    int64_t *numbers;            /* room for those of a commit */
    bool more;
    evdb_status status; /* of an id: nothing is restored */
    evdb_error why;
} restoring;

static bool of_an_id(evdb_status rc) { return rc == EVDB_EXISTS || rc == EVDB_NOT_FOUND || rc == EVDB_INVALID || rc == EVDB_CORRUPT; }

static evdb_status by_ids(restoring *s, rows *r, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < s->what->count; i++) {
        evdb_id id = s->what->ids[i];
        TRY(id_check(&id, err)); /* it learns its length */
        uint64_t version;
        rc = rows_restore(r, &id, &version, &s->why);
        if (rc == EVDB_OK) s->report.restored++;
        else if (of_an_id(rc) && !rows_lost(r)) {
            s->status = rc;
            s->why.item = i;
            return EVDB_OK;
        } else {
            if (err) *err = s->why;
            return rc;
        }
    }
out:
    return rc;
}

static evdb_status by_time(restoring *s, rows *r, evdb_error *err)
{
    size_t count = 0;
    evdb_error why;
    evdb_status rc;
    TRY(rows_trash_since(r, s->what->since_ms, s->from, RESTORED_AT_ONCE, s->numbers, &count, err));
    s->more = count == RESTORED_AT_ONCE;
    for (size_t i = 0; i < count; i++) {
        uint64_t version;
        rc = rows_restore_number(r, s->numbers[i], &version, &why);
        if (rc == EVDB_OK) s->report.restored++;
        else if (rc == EVDB_EXISTS) s->report.existing++;
        else if (rc != EVDB_NOT_FOUND) { /* that has expired */
            if (err) *err = why;
            return rc;
        }
    }
    s->after = count ? s->numbers[count - 1] : s->from;
    rc = EVDB_OK;
out:
    return rc;
}

/* An id that cannot be restored is an answer, not a failure of the commit, which others share: so it is undone here. A dry run is the same
 * undone in any case. */
static evdb_status restore(void *context, rows *r, evdb_error *err)
{
    restoring *s = context;
    evdb_status rc;
    s->report = (evdb_undelete_report)EVDB_UNDELETE_REPORT; /* a commit that failed may be tried again */
    s->status = EVDB_OK;
    TRY(rows_mark(r, err));
    TRY((s->what->ids ? by_ids : by_time)(s, r, err));
    bool undone = s->status != EVDB_OK || s->what->flags & EVDB_RESTORE_DRY_RUN;
    rc = (undone ? rows_undo : rows_unmark)(r, err);
out:
    return rc;
}

static evdb_status check(const evdb_undelete *what, evdb_error *err)
{
    if (what->flags & ~(uint32_t)EVDB_RESTORE_DRY_RUN) return error_set(err, EVDB_INVALID, "there is no such flag of a restore: %u", what->flags);
    if (what->since_ms < 0 || (what->ids && what->since_ms))
        return error_set(err, EVDB_INVALID, "give ids, or a Unix time in milliseconds since when to restore what was deleted");
    return what->ids ? id_check_all(what->ids, what->count, err) : EVDB_OK;
}

evdb_status evdb_trash_restore(evdb_store *store, const evdb_undelete *given, evdb_undelete_report *report, evdb_error *err)
{
    engine *e = store->engine;
    evdb_undelete what = EVDB_UNDELETE;
    evdb_undelete_report all = EVDB_UNDELETE_REPORT;
    restoring s = { .what = &what };
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(options_import(&what, sizeof(what), given, "evdb_undelete", err));
    TRY(check(&what, err));
    if (!what.ids && !(s.numbers = mem_array(&e->db->platform.mem, RESTORED_AT_ONCE, sizeof(*s.numbers))))
        TRY(error_no_memory(err, RESTORED_AT_ONCE * sizeof(*s.numbers), "what to restore"));
    do {
        s.from = s.after; /* a commit that failed is tried again from there */
        commit_request request = { .kind = COMMIT_WORK, .work = restore, .context = &s };
        TRY(commit_run(e, &request, err));
        if (s.status != EVDB_OK && err) *err = s.why;
        if (s.status != EVDB_OK) TRY(s.status);
        all.restored += s.report.restored;
        all.existing += s.report.existing;
    } while (s.more);
    if (codecs_unsettled(e)) recode_begin(e);
    if (report) rc = options_export(report, &all, sizeof(all), "evdb_undelete_report", err);
out:
    mem_free(&e->db->platform.mem, s.numbers);
    return rc;
}
