/* store.c - implements evdb/store.h. */
#include <evdb/store.h>
#include <evdb/expiry.h>
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "base/utf8.h"
#include "database_private.h"
#include "engine/engine.h"
#include "engine/recode_private.h"
#include "platform/file.h"
#include "store_private.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { EF_DEFAULT = 200, EF_MIN = 8, EF_MAX = 4096 };

evdb_status store_name_check(const char *name, evdb_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = name ? strlen(name) : 0;
    bool good = length >= 1 && length <= EVDB_STORE_NAME_MAX && strspn(name, allowed) == length &&
                name[0] != '_' && name[0] != '-';
    if (good) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "'%.80s' is no name for a store: 1 to %u of a-z, 0-9, _ and -, the first a letter or digit",
                     name ? name : "", EVDB_STORE_NAME_MAX);
}

static evdb_status check_fields(const evdb_store_options *o, evdb_error *err)
{
    if (o->field_count > EVDB_STORE_FIELDS_MAX)
        return error_set(err, EVDB_LIMIT, "%u fields are declared, more than %u", o->field_count, EVDB_STORE_FIELDS_MAX);
    for (uint32_t i = 0; i < o->field_count; i++) {
        const char *name = o->fields ? o->fields[i] : NULL;
        size_t length = name ? strlen(name) : 0;
        if (!length || length > EVDB_FIELD_NAME_MAX || !utf8_valid(name, length))
            return error_set(err, EVDB_INVALID, "field %u: its name must be 1 to %u bytes of UTF-8", i, EVDB_FIELD_NAME_MAX);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(name, o->fields[j]) == 0) return error_set(err, EVDB_INVALID, "field '%s' is declared twice", name);
    }
    return EVDB_OK;
}

static evdb_status between(uint32_t value, uint32_t least, uint32_t most, const char *what, evdb_error *err)
{
    if (value >= least && value <= most) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "%s is %u, but must be %u..%u", what, value, least, most);
}

evdb_status store_check_ttl(int64_t ttl_ms, evdb_error *err)
{
    if (ttl_ms >= 0 && ttl_ms <= EVDB_TTL_MAX_MS) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "records live 0 (for ever) to %lld milliseconds, not %lld", (long long)EVDB_TTL_MAX_MS, (long long)ttl_ms);
}

static evdb_status check_metric(evdb_store_options *o, evdb_error *err)
{
    if (!o->metric) o->metric = o->metric_name ? EVDB_CUSTOM : EVDB_COSINE;
    if (!evdb_metric_name(o->metric)) return error_set(err, EVDB_INVALID, "there is no metric %d", (int)o->metric);
    if (o->metric == EVDB_CUSTOM && !o->metric_name)
        return error_set(err, EVDB_INVALID, "metric_name is missing: stores know a custom metric by its name");
    if (o->metric == EVDB_CUSTOM) return metrics_check_name(o->metric_name, err);
    if (!o->metric_name) return EVDB_OK;
    return error_set(err, EVDB_INVALID, "metric_name '%.64s' is of a custom metric, but the metric is %s", o->metric_name,
                     evdb_metric_name(o->metric));
}

evdb_status store_options_check(const evdb_store_options *given, evdb_store_options *o, evdb_error *err)
{
    evdb_status rc;
    *o = (evdb_store_options)EVDB_STORE_OPTIONS;
    TRY(options_import(o, sizeof(*o), given, "evdb_store_options", err));
    if (!o->dtype) o->dtype = EVDB_F32;
    if (!o->m) o->m = STORE_M_DEFAULT;
    if (!o->ef_construction) o->ef_construction = EF_DEFAULT;
    if (o->dim > EVDB_DIM_MAX) TRY(error_set(err, EVDB_LIMIT, "dimension %u is above %u", o->dim, EVDB_DIM_MAX));
    TRY(check_metric(o, err));
    if (!evdb_dtype_name(o->dtype)) TRY(error_set(err, EVDB_INVALID, "there is no element type %d", (int)o->dtype));
    if (o->metric == EVDB_CUSTOM && o->dtype != EVDB_F32)
        TRY(error_set(err, EVDB_UNSUPPORTED, "metric '%s' is a custom one, which is of f32, not of %s", o->metric_name, evdb_dtype_name(o->dtype)));
    if ((unsigned)o->id_type > EVDB_ID_STRING) TRY(error_set(err, EVDB_INVALID, "there is no id type %d", (int)o->id_type));
    TRY(between(o->m, STORE_M_MIN, STORE_M_MAX, "m", err));
    TRY(between(o->ef_construction, EF_MIN, EF_MAX, "ef_construction", err));
    TRY(between(o->index_threads, 0, STORE_INDEX_THREADS_MAX, "index threads", err));
    TRY(check_fields(o, err));
    TRY(store_check_ttl(o->ttl_ms, err));
    TRY(store_check_trash(o->trash_ms, err));
out:
    return rc;
}

/* The codec of a new store as text, "" = none; *needed is how many vectors it waits for. */
static evdb_status choose_codec(const evdb *db, const evdb_store_options *o, char *spec, uint64_t *needed, evdb_error *err)
{
    bool can = o->dtype == EVDB_F32 && o->metric != EVDB_CUSTOM;
    const char *wanted = o->codec ? o->codec : can ? db->default_codec : NULL;
    *spec = 0;
    if (!wanted || !*wanted || strcmp(wanted, CODECS_NONE) == 0) return EVDB_OK;
    if (!can)
        return error_set(err, EVDB_UNSUPPORTED, "codec '%.40s': stores of %s have none", wanted,
                         o->metric == EVDB_CUSTOM ? "a custom metric" : evdb_dtype_name(o->dtype));
    evdb_status rc = codec_check(wanted, o->dim, spec, NULL, err);
    return rc == EVDB_OK ? recode_needed(spec, o->dim, false, needed, err) : rc;
}

void store_make_uuid(const platform *p, char out[37])
{
    unsigned char b[16];
    p->random(p->random_context, b, sizeof(b));
    b[6] = (unsigned char)(0x40 | (b[6] & 0x0f)); /* version 4, RFC 9562 */
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    for (int i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
        at += snprintf(out + at, 3, "%02x", b[i]);
    }
}

static evdb_status handle(evdb *db, engine *e, evdb_store **out, evdb_error *err)
{
    evdb_store *s = mem_alloc(&db->platform.mem, sizeof(*s));
    if (!s) {
        engine_release(e);
        return error_no_memory(err, sizeof(*s), "a handle");
    }
    s->engine = e;
    *out = s;
    return EVDB_OK;
}

evdb_status store_build(evdb *db, const evdb_store_info *info, bool codec_ready, const char *dir, struct rows **out, evdb_error *err)
{
    int failed;
    evdb_status rc = rows_create(&db->platform, db->vfs, dir, info, codec_ready, out, err);
    if (rc != EVDB_OK || !dir) return rc;
    char *parent = mem_text(&db->platform.mem, dir, (size_t)(strrchr(dir, '/') - dir));
    failed = parent ? file_sync_dir(&db->platform, parent) : 0;
    if (!parent) rc = error_no_memory(err, strlen(dir), "a path");
    else if (failed) rc = error_errno(err, failed, "sync", parent);
    mem_free(&db->platform.mem, parent);
    return rc;
}

static evdb_status create_locked(evdb *db, const evdb_store_info *info, bool codec_ready, engine **out, evdb_error *err)
{
    char uuid[37], *dir = NULL;
    rows *r = NULL;
    engine *e = NULL;
    evdb_status rc;
    if (system_find(db->system, info->name, uuid, NULL) == EVDB_OK)
        return error_set(err, EVDB_EXISTS, "store '%s' already exists", info->name);
    TRY(engine_dir(db, info->uuid, &dir, err));
    TRY(system_add_debris(db->system, info->uuid, err));
    int failed = dir ? file_mkdir(&db->platform, dir) : 0;
    if (failed) TRY(error_errno(err, failed, "create", dir));
    TRY(store_build(db, info, codec_ready, dir, &r, err));
    TRY(engine_adopt(db, r, &e, err));
    r = NULL;
    rc = system_publish(db->system, info->uuid, info->name, info->created_ms, err);
    if (rc == EVDB_OK) *out = e;
    else {
        engine_drop(db, info->uuid);
        engine_release(e);
    }
out:
    rows_close(r);
    if (rc != EVDB_OK) (void)db_sweep(db, NULL);
    mem_free(&db->platform.mem, dir);
    return rc;
}

evdb_status evdb_store_create(evdb *db, const char *name, const evdb_store_options *options, evdb_store **out,
                              evdb_error *err)
{
    evdb_store_options o;
    evdb_store_info info = { .format = ROWS_FORMAT };
    evdb_store *opened = NULL;
    engine *e = NULL;
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    uint64_t needed = 0;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(name, err));
    TRY(store_options_check(options, &o, err));
    TRY(choose_codec(db, &o, spec, &needed, err));
    /* beforehand: once the store is there, nothing may fail any more */
    if (out && !(opened = mem_alloc(&db->platform.mem, sizeof(*opened))))
        TRY(error_no_memory(err, sizeof(*opened), "a handle"));
    snprintf(info.name, sizeof(info.name), "%s", name);
    store_make_uuid(&db->platform, info.uuid);
    info.dim = o.dim;
    info.metric = o.metric;
    info.metric_name = o.metric_name;
    info.dtype = o.dtype;
    info.id_type = o.id_type;
    info.m = o.m;
    info.ef_construction = o.ef_construction;
    info.index_threads = o.index_threads;
    info.created_ms = db->platform.clock_ms(db->platform.clock_context);
    info.codec = *spec ? spec : NULL;
    info.ttl_ms = o.ttl_ms;
    info.trash_ms = o.trash_ms;
    info.authors = o.authors != 0;
    info.field_count = o.field_count;
    info.fields = o.fields;
    TRY(system_lock(db->system, err));
    rc = create_locked(db, &info, !needed, &e, err);
    system_unlock(db->system);
    if (rc != EVDB_OK) goto out;
    if (!opened) engine_release(e);
    else {
        opened->engine = e;
        *out = opened;
        opened = NULL;
    }
out:
    mem_free(&db->platform.mem, opened);
    return rc;
}

evdb_status evdb_store_open(evdb *db, const char *name, evdb_store **out, evdb_error *err)
{
    char uuid[37];
    engine *e;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(name, err));
    TRY(system_find(db->system, name, uuid, err));
    TRY(engine_open(db, uuid, &e, err));
    rc = handle(db, e, out, err);
out:
    return rc;
}

void evdb_store_close(evdb_store *store)
{
    if (!store) return;
    engine *e = store->engine;
    if (db_usable(e->db, NULL) != EVDB_OK) return; /* a forked child: see evdb_close */
    const evdb_allocator mem = e->db->platform.mem;
    engine_release(e);
    mem_free(&mem, store);
}

evdb_status evdb_store_rename(evdb *db, const char *name, const char *new_name, evdb_error *err)
{
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(name, err));
    TRY(store_name_check(new_name, err));
    TRY(system_lock(db->system, err));
    rc = system_rename(db->system, name, new_name, err);
    system_unlock(db->system);
out:
    return rc;
}

evdb_status evdb_store_drop(evdb *db, const char *name, evdb_error *err)
{
    char uuid[37], *dir = NULL;
    evdb_status rc;
    TRY(db_usable(db, err));
    TRY(store_name_check(name, err));
    TRY(system_lock(db->system, err));
    rc = system_find(db->system, name, uuid, err);
    if (rc == EVDB_OK) rc = engine_dir(db, uuid, &dir, err);
    if (rc == EVDB_OK) rc = system_drop(db->system, uuid, err);
    if (rc == EVDB_OK) {
        evdb_error why;
        if (dir) rows_announce_drop(&db->platform, dir);
        engine_drop(db, uuid);
        /* the store is gone; files that resist are cleared by the next open */
        if (db_sweep(db, &why) != EVDB_OK && db->log) db->log(db->log_context, why.message);
    }
    system_unlock(db->system);
    mem_free(&db->platform.mem, dir);
out:
    return rc;
}

evdb_status store_has(evdb_store *s, const evdb_id *id, bool *has, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_record record;
    char text[ID_TEXT_MAX];
    evdb_id own;
    evdb_status rc;
    TRY(engine_usable(s->engine, err));
    TRY(rows_read(s->engine->rows, &rd, err));
    TRY(engine_learn(s->engine, rd, err));
    TRY(id_resolve((evdb_id_type)atomic_load(&s->engine->id_type), id, text, &own, err));
    rc = rows_get(rd, &own, ROWS_LIVE, &record, err);
    if (rc == EVDB_OK || rc == EVDB_NOT_FOUND) {
        *has = rc == EVDB_OK;
        rc = EVDB_OK;
    }
out:
    rows_read_end(rd);
    return rc;
}

const platform *store_platform(const evdb_store *s) { return &s->engine->db->platform; }

/* ---- asking ---- */

evdb_status store_describe(engine *e, evdb_store_info **out, evdb_error *err)
{
    rows_reader *rd = NULL;
    evdb_store_info *info = NULL;
    char name[EVDB_STORE_NAME_MAX + 1];
    evdb_status rc;
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_info(rd, &info, err));
    TRY(system_name(e->db->system, e->uuid, name, err)); /* rows.db knows the name it was created under */
    memcpy(info->name, name, sizeof(name));
    *out = info;
    info = NULL;
out:
    rows_read_end(rd);
    mem_owned_free(info);
    return rc;
}

evdb_status evdb_store_describe(evdb_store *store, evdb_store_info **out, evdb_error *err)
{
    evdb_status rc = engine_usable(store->engine, err);
    return rc == EVDB_OK ? store_describe(store->engine, out, err) : rc;
}

void evdb_store_info_free(evdb_store_info *info) { mem_owned_free(info); }

evdb_status evdb_store_get_stats(evdb_store *store, evdb_store_stats *out, evdb_error *err)
{
    engine *e = store->engine;
    evdb_store_stats s = EVDB_STORE_STATS;
    uint64_t filter_bytes, forgotten;
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_status rc;
    TRY(engine_usable(e, err));
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_tip_now(rd, &tip, err));
    TRY(rows_horizon(rd, &s.changes_horizon, err));
    TRY(rows_forgotten(rd, &forgotten, err));
    if (forgotten > s.changes_horizon) s.changes_horizon = forgotten;
    TRY(rows_count(rd, &tip, &s.records, err));
    s.sequence = tip.sequence;
    s.disk_bytes = rows_disk_bytes(e->rows);
    recall_now(e, &s.recall, &s.recall_samples);
    view_stats(e, &s.memory_bytes, &s.loaded_sequence);
    filters_stats(e, &filter_bytes, &s.filter_reads);
    s.memory_bytes += filter_bytes;
    rc = options_export(out, &s, sizeof(s), "evdb_store_stats", err);
out:
    rows_read_end(rd);
    return rc;
}

evdb_status evdb_store_count(evdb_store *store, uint64_t *out, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_status rc;
    TRY(engine_usable(store->engine, err));
    TRY(rows_read(store->engine->rows, &rd, err));
    TRY(rows_tip_now(rd, &tip, err));
    TRY(rows_count(rd, &tip, out, err));
out:
    rows_read_end(rd);
    return rc;
}

evdb_status evdb_store_sync(evdb_store *store, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_SYNC };
    evdb_status rc = engine_usable(store->engine, err);
    if (rc != EVDB_OK) return rc;
    return commit_run(store->engine, &request, err);
}
