/* engine.c - implements engine/engine.h. */
#include "engine/engine.h"
#include "disk/rows_trash.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

evdb_status db_usable(const evdb *db, evdb_error *err)
{
    bool ours = db->fork_page ? *db->fork_page == 1 : db->pid == getpid();
    if (ours) return EVDB_OK;
    return error_set(err, EVDB_FORKED, "'%s' was opened before a fork: open it again in the child", db->path);
}

evdb_status engine_usable(engine *e, evdb_error *err)
{
    evdb_status rc = db_usable(e->db, err);
    if (rc == EVDB_OK && (atomic_load(&e->dropped) || rows_dropped(e->rows)))
        rc = error_set(err, EVDB_NOT_FOUND, "the store was dropped");
    return rc;
}

evdb_status engine_dir(evdb *db, const char *uuid, char **out, evdb_error *err)
{
    *out = NULL;
    if (!db->dir) return EVDB_OK;
    size_t bytes = strlen(db->dir) + sizeof("/stores/") + strlen(uuid);
    if (!(*out = mem_alloc(&db->platform.mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(*out, bytes, "%s/stores/%s", db->dir, uuid);
    return EVDB_OK;
}

evdb_status engine_file(evdb *db, const char *dir, const char *name, char **out, evdb_error *err)
{
    size_t bytes = strlen(dir) + strlen(name) + 2;
    if (!(*out = mem_alloc(&db->platform.mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(*out, bytes, "%s/%s", dir, name);
    return EVDB_OK;
}

evdb_status engine_learn(engine *e, rows_reader *rd, evdb_error *err)
{
    evdb_store_info *info;
    if (atomic_load(&e->dim) && atomic_load(&e->id_type)) return EVDB_OK;
    evdb_status rc = rows_info(rd, &info, err);
    if (rc != EVDB_OK) return rc;
    atomic_store(&e->dim, info->dim);
    atomic_store(&e->id_type, info->id_type);
    mem_owned_free(info);
    return EVDB_OK;
}

static void engine_close(engine *e)
{
    evdb *db = e->db;
    commit_flush(e);
    recode_destroy(e);
    indexer_destroy(e);
    filters_destroy(e);
    recall_destroy(e);
    sweep_destroy(e); /* behind those who may begin a sweep */
    syncer_destroy(e);
    accuracy_destroy(&e->accuracy);
    view_destroy(e);
    codecs_destroy(e);
    drift_destroy(e);
    commit_destroy(&e->commits);
    rows_close(e->rows);
    mem_free(&db->platform.mem, e);
}

static evdb_status describe(engine *e, bool *expires, evdb_error *err)
{
    int64_t next, purge;
    rows_reader *rd = NULL;
    evdb_store_info *info = NULL;
    evdb_status rc;
    TRY(rows_read(e->rows, &rd, err));
    TRY(rows_info(rd, &info, err));
    TRY(codecs_learn(e, rd, err));
    TRY(rows_next_expiry(rd, INT64_MIN, &next, err));
    TRY(rows_next_purge(rd, &purge, err));
    *expires = next != INT64_MAX || purge != INT64_MAX;
    memcpy(e->uuid, info->uuid, sizeof(e->uuid));
    e->metric = info->metric;
    e->dtype = info->dtype;
    e->m = info->m;
    e->ef_construction = info->ef_construction;
    e->index_threads = info->index_threads;
    atomic_store(&e->dim, info->dim);
    atomic_store(&e->id_type, info->id_type);
    bool custom = e->metric == EVDB_CUSTOM; /* has a name, and is of floats */
    if (!evdb_metric_name(e->metric) || !evdb_dtype_name(e->dtype) || e->dim > EVDB_DIM_MAX || e->id_type > EVDB_ID_STRING ||
        custom != (info->metric_name != NULL) || (e->dtype != EVDB_F32 && (custom || info->codec)) || (custom && info->codec))
        rc = error_set(err, EVDB_CORRUPT, "store %s: its description makes no sense", e->uuid);
    else if (info->metric_name) rc = metrics_named(e->db, info->metric_name, &e->custom, err);
out:
    mem_owned_free(info);
    rows_read_end(rd);
    return rc;
}

/* With db->lock held. */
static evdb_status adopt(evdb *db, rows *r, engine **out, evdb_error *err)
{
    engine *e = mem_zero(&db->platform.mem, sizeof(*e));
    bool expires;
    if (!e) return error_no_memory(err, sizeof(*e), "a store");
    e->db = db;
    e->rows = r;
    codecs_init(&e->codecs);
    evdb_status rc = db->sync_ns ? rows_unsynced(r, err) : EVDB_OK;
    if (rc == EVDB_OK) rc = describe(e, &expires, err);
    if (rc != EVDB_OK) {
        codecs_destroy(e);
        mem_free(&db->platform.mem, e);
        return rc;
    }
    commit_init(&e->commits);
    view_init(&e->view);
    filters_init(&e->filters);
    indexer_init(&e->indexer);
    recode_init(&e->recode);
    sweep_init(&e->sweep);
    drift_init(&e->drift);
    syncer_init(&e->syncer);
    accuracy_init(&e->accuracy);
    recall_init(&e->recall);
    e->references = 1;
    e->next = db->engines;
    db->engines = e;
    *out = e;
    if (codecs_unsettled(e)) recode_begin(e);
    if (expires) sweep_begin(e);
    return EVDB_OK;
}

evdb_status engine_adopt(evdb *db, rows *r, engine **out, evdb_error *err)
{
    pthread_mutex_lock(&db->lock);
    evdb_status rc = adopt(db, r, out, err);
    pthread_mutex_unlock(&db->lock);
    return rc;
}

static evdb_status attach(evdb *db, const char *uuid, engine **out, evdb_error *err)
{
    char *dir = NULL;
    rows *r = NULL;
    engine *e;
    evdb_status rc = EVDB_OK;
    pthread_mutex_lock(&db->lock);
    for (e = db->engines; e && strcmp(e->uuid, uuid) != 0;) e = e->next;
    if (e) e->references++;
    else {
        TRY(engine_dir(db, uuid, &dir, err));
        if (!dir) TRY(error_set(err, EVDB_NOT_FOUND, "the store was dropped"));
        TRY(rows_open(&db->platform, db->vfs, dir, &r, err));
        TRY(adopt(db, r, &e, err));
        r = NULL;
    }
    *out = e;
out:
    pthread_mutex_unlock(&db->lock);
    rows_close(r);
    mem_free(&db->platform.mem, dir);
    return rc;
}

/* Another process may drop the store while we open it. Then some of its files were there and some were not, which must not
 * pass for damage; or all were, but the hint we mapped is not the one on which the drop was announced. */
evdb_status engine_open(evdb *db, const char *uuid, engine **out, evdb_error *err)
{
    char name[EVDB_STORE_NAME_MAX + 1];
    engine *e = NULL;
    evdb_error why;
    evdb_status rc = attach(db, uuid, &e, &why);
    if (system_name(db->system, uuid, name, NULL) == EVDB_NOT_FOUND) {
        engine_drop(db, uuid);
        if (e) engine_release(e);
        return error_set(err, EVDB_NOT_FOUND, "the store was dropped");
    }
    if (rc == EVDB_NOT_FOUND) rc = why.status = EVDB_CORRUPT; /* it is listed, but its folder is gone */
    if (rc == EVDB_OK) *out = e;
    else if (err) *err = why;
    return rc;
}

/* Detaches the engine that has lain idle longest when there are more than are kept. In memory all are kept: there the
 * engine is the store. With db->lock held. */
static engine *evict(evdb *db)
{
    engine **oldest = NULL;
    uint32_t idle = 0;
    for (engine **at = &db->engines; *at; at = &(*at)->next) {
        if ((*at)->references) continue;
        idle++;
        if (!oldest || (*at)->released < (*oldest)->released) oldest = at;
    }
    if (!db->dir || idle <= ENGINES_IDLE_MAX) return NULL;
    engine *e = *oldest;
    *oldest = e->next;
    return e;
}

void engine_release(engine *e)
{
    evdb *db = e->db;
    commit_flush(e);
    pthread_mutex_lock(&db->lock);
    e->references--;
    e->released = ++db->clock;
    engine *old = e->references ? NULL : evict(db);
    bool gone = !e->references && atomic_load(&e->dropped); /* detached by engine_drop already */
    pthread_mutex_unlock(&db->lock);
    if (old) engine_close(old);
    if (gone) engine_close(e);
}

void engine_drop(evdb *db, const char *uuid)
{
    pthread_mutex_lock(&db->lock);
    engine **at = &db->engines, *e = NULL;
    while (*at && strcmp((*at)->uuid, uuid) != 0) at = &(*at)->next;
    if (*at) {
        e = *at;
        *at = e->next;
        atomic_store(&e->dropped, true);
    }
    bool unused = e && !e->references;
    pthread_mutex_unlock(&db->lock);
    if (unused) engine_close(e);
}

void engine_close_all(evdb *db)
{
    while (db->engines) {
        engine *e = db->engines;
        db->engines = e->next;
        engine_close(e);
    }
}
