/* backup_read.c - evdb_backup_read(), evdb_backup_check() and evdb_backup_check_chain().
 *
 * Every source is read twice, as by an import: first all of it is checked, then written, into a store
 * in the making (staging.h). */
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "database_private.h"
#include "engine/engine.h"
#include "platform/file.h"
#include "staging.h"
#include "store_private.h"
#include <stdio.h>
#include <string.h>

#define ROOM_BESIDE (UINT64_C(4) << 20) /* of a small store's files */

typedef struct restoring {
    evdb *db;
    const char *name;
    evdb_restore_options options;
    const evdb_source *const *sources;
    backup_checked checked;
    size_t count;       /* files that are needed */
    int64_t ttl_ms, trash_ms; /* of the last one's store */
    uint32_t authors;   /* likewise */
    uint64_t *sums;     /* of each */
    staging staging;
    bool last;          /* the file under way ends with the state that counts */
    uint64_t written, before;
} restoring;

evdb_status backup_restore_options(const evdb_restore_options *given, evdb_restore_options *out, evdb_error *err)
{
    *out = (evdb_restore_options)EVDB_RESTORE_OPTIONS;
    return options_import(out, sizeof(*out), given, "evdb_restore_options", err);
}

evdb_status backup_tick(const evdb_restore_options *o, evdb_transfer_phase phase, uint64_t records, evdb_error *err)
{
    if (!o->progress || o->progress(o->context, phase, records) == 0) return EVDB_OK;
    return error_set(err, EVDB_CANCELLED, "cancelled after %llu records were %s", (unsigned long long)records,
                     phase == EVDB_PHASE_CHECK ? "checked" : "written: nothing has changed");
}

evdb_status backup_blame(const evdb_backup_info *info, evdb_status rc, const evdb_error *why, evdb_error *err)
{
    if (rc == EVDB_OK) return rc;
    if (*info->name) return error_set(err, rc, "backup '%s': %s", info->name, why->message);
    return error_set(err, rc, "%s", why->message);
}

/* ---- checking ---- */

static evdb_status sources_check(const evdb_source *const *sources, size_t count, evdb_error *err)
{
    if (!sources || !count || count > EVDB_BACKUP_CHAIN_MAX)
        return error_set(err, EVDB_INVALID, "a chain has 1 to %u files, not %zu", EVDB_BACKUP_CHAIN_MAX, count);
    for (size_t i = 0; i < count; i++)
        if (!sources[i]) return error_set(err, EVDB_INVALID, "source %zu of a backup is NULL", i);
    return EVDB_OK;
}

static evdb_status check_sources(evdb *db, bool alone, const evdb_source *const *sources, size_t count, const evdb_restore_options *options,
                                 evdb_backup_info *out, evdb_error *err)
{
    evdb_restore_options o;
    backup_checked checked = { .alone = alone };
    evdb_error why;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(sources_check(sources, count, err));
    TRY(backup_restore_options(options, &o, err));
    for (size_t i = 0; i < count; i++) {
        rc = backup_check_next(db, &checked, sources[i], &o, &why);
        TRY(backup_blame(&checked.last_seen, rc, &why, err));
    }
    if (out) rc = options_export(out, &checked.last, sizeof(checked.last), "evdb_backup_info", err);
out:
    backup_check_end(db, &checked);
    return rc;
}

evdb_status evdb_backup_check(evdb *db, const evdb_source *source, const evdb_restore_options *options, evdb_backup_info *out,
                              evdb_error *err)
{
    return check_sources(db, true, &source, 1, options, out, err);
}

evdb_status evdb_backup_check_chain(evdb *db, const evdb_source *const *sources, size_t count, const evdb_restore_options *options,
                                    evdb_backup_info *out, evdb_error *err)
{
    return check_sources(db, false, sources, count, options, out, err);
}

static bool too_late(const restoring *r, const evdb_backup_info *i)
{
    return (r->options.sequence && i->sequence > r->options.sequence) || (r->options.time_ms && i->finished_ms > r->options.time_ms);
}

/* All files up to the last that counts. */
static evdb_status check_all(restoring *r, size_t given, evdb_error *err)
{
    evdb_error why;
    evdb_status rc = EVDB_OK;
    for (size_t i = 0; i < given; i++) {
        rc = backup_check_next(r->db, &r->checked, r->sources[i], &r->options, &why);
        TRY(backup_blame(&r->checked.last_seen, rc, &why, err));
        if (too_late(r, &r->checked.last)) break;
        r->sums[r->count++] = r->checked.sum;
        r->ttl_ms = r->checked.ttl_ms;
        r->trash_ms = r->checked.trash_ms;
        r->authors = r->checked.authors;
    }
    if (!r->count) TRY(error_set(err, EVDB_NOT_FOUND, "the backup holds no state that early: its first is of change %llu",
                                 (unsigned long long)r->checked.last.sequence));
out:
    return rc;
}

static evdb_status check_room(const restoring *r, evdb_error *err)
{
    char stores[4096];
    uint64_t free_bytes, needed = r->checked.raw_bytes + r->checked.raw_bytes / 4 + ROOM_BESIDE;
    if (!r->db->dir) return EVDB_OK;
    snprintf(stores, sizeof(stores), "%s/stores", r->db->dir);
    int failed = file_free_bytes(stores, &free_bytes);
    if (failed) return error_errno(err, failed, "look at", stores);
    if (needed <= free_bytes) return EVDB_OK;
    return error_set(err, EVDB_FULL, "%s: the store needs about %llu bytes, and %llu are free", stores, (unsigned long long)needed,
                     (unsigned long long)free_bytes);
}

/* ---- writing ---- */

static evdb_status load_codec(void *context, const rows_codec *codec_row, evdb_error *err)
{
    restoring *r = context;
    return rows_load_codec(&r->staging.load, codec_row, err);
}

static evdb_status load_record(void *context, const backup_entry *e, evdb_error *err)
{
    restoring *r = context;
    r->written++;
    if (e->kind == BACKUP_DELETE) return rows_load_delete(&r->staging.load, &e->id, err);
    const rows_record record = { .id = e->id, .version = e->version, .metadata = e->text, .metadata_length = e->length, .vector = e->bytes,
                                 .vector_bytes = e->size, .codec = e->codec, .expires = e->expires,
                                 .author = e->author, .author_length = e->author_length, .written = e->written };
    return rows_load_put(&r->staging.load, &record, err);
}

static evdb_status load_state(void *context, const backup_entry *e, evdb_error *err)
{
    restoring *r = context;
    rows_load_state s = { .tip = { e->version, e->live }, .dim = e->dim, .id_type = e->id_type, .change = (evdb_change_kind)e->change,
                          .id = e->id, .coding = { .codec = e->codec, .version = e->coding } };
    if (!r->last) return EVDB_OK;
    memcpy(s.coding.wanted, e->text, e->length);
    return rows_load_finish(&r->staging.load, &s, err);
}

static evdb_status load_tick(void *context, uint64_t entries, evdb_error *err)
{
    const restoring *r = context;
    return backup_tick(&r->options, EVDB_PHASE_WRITE, r->before + entries, err);
}

static evdb_status load_file(restoring *r, size_t i, evdb_error *err)
{
    const backup_visitor v = { .context = r, .codec = load_codec, .record = load_record, .state = load_state, .chunk = load_tick };
    const evdb_source *source = r->sources[i];
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the backup cannot be read a second time" };
    backup_in *in = NULL;
    evdb_status rc = source->rewind(source->context, &why);
    why.status = rc;
    if (rc != EVDB_OK && err) *err = why;
    if (rc != EVDB_OK) return rc;
    TRY(backup_in_open(&r->db->platform.mem, source, r->options.key, &in, err));
    r->last = i + 1 == r->count;
    r->before = r->written;
    TRY(backup_walk(&r->db->platform.mem, in, &v, err));
    if (backup_in_foot(in)->sum != r->sums[i]) TRY(error_set(err, EVDB_BUSY, "the backup changed while it was being restored"));
out:
    backup_in_close(in);
    return rc;
}

/* *old: the store that has the name and may be replaced; "" = none has it. */
static evdb_status may_take_name(const restoring *r, char old[37], evdb_error *err)
{
    evdb_error why;
    evdb_status rc = system_find(r->db->system, r->name, old, &why);
    if (rc == EVDB_OK && !r->options.replace) return error_set(err, EVDB_EXISTS, "store '%s' already exists", r->name);
    if (rc == EVDB_OK) return rc;
    *old = 0;
    if (rc == EVDB_NOT_FOUND) return EVDB_OK;
    if (err) *err = why;
    return rc;
}

static evdb_status fill(restoring *r, evdb_error *err)
{
    evdb_status rc;
    TRY(staging_begin(&r->staging, err));
    TRY(staging_fill(&r->staging, err));
    for (size_t i = 0; i < r->count; i++) TRY(load_file(r, i, err));
    TRY(staging_settle(&r->staging, err));
out:
    return rc;
}

/* With the system lock held. */
static evdb_status publish(restoring *r, evdb_error *err)
{
    char old[37];
    evdb_status rc;
    TRY(may_take_name(r, old, err));
    TRY(staging_publish(&r->staging, old, false, err));
    if (*old) staging_retire(r->db, old);
out:
    return rc;
}

static evdb_status write_all(restoring *r, evdb_error *err)
{
    evdb_status rc = fill(r, err);
    if (rc == EVDB_OK) rc = system_lock(r->db->system, err);
    if (rc == EVDB_OK) {
        rc = publish(r, err);
        system_unlock(r->db->system);
    }
    staging_end(&r->staging);
    return rc;
}

static void describe(restoring *r)
{
    evdb_store_info *i = &r->staging.info;
    r->staging.db = r->db;
    *i = r->checked.first.store;
    i->format = ROWS_FORMAT;
    i->ttl_ms = r->ttl_ms;
    i->trash_ms = r->trash_ms;
    i->authors = r->authors;
    i->fields = r->checked.first.fields;
    store_make_uuid(&r->db->platform, i->uuid);
    snprintf(i->name, sizeof(i->name), "%s", r->name);
}

evdb_status evdb_backup_read(evdb *db, const evdb_source *const *sources, size_t count, const char *store,
                             const evdb_restore_options *options, evdb_error *err)
{
    restoring r = { .db = db, .name = store, .sources = sources };
    char old[37];
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(store, err));
    TRY(backup_restore_options(options, &r.options, err));
    TRY(sources_check(sources, count, err));
    TRY(may_take_name(&r, old, err)); /* before all is read for nothing */
    if (!(r.sums = mem_array(&db->platform.mem, count, sizeof(*r.sums)))) TRY(error_no_memory(err, count * sizeof(*r.sums), "a chain"));
    TRY(check_all(&r, count, err));
    TRY(check_room(&r, err));
    describe(&r);
    TRY(write_all(&r, err));
out:
    backup_check_end(db, &r.checked);
    mem_free(&db->platform.mem, r.sums);
    return rc;
}
