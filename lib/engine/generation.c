/* generation.c - implements engine/generation.h. */
#include "engine/generation.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/sections.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include "platform/lock.h"
#include <stdio.h>
#include <string.h>

static const char name[] = "index", bad_name[] = "index.bad", lock_name[] = "index.lock";

static evdb_status begin(void *context, const char *part, evdb_error *err) { return sections_begin(context, part, err); }

static evdb_status write(void *context, const void *bytes, size_t size, evdb_error *err)
{
    return sections_write(context, bytes, size, err);
}

static evdb_status find(void *context, const char *part, size_t size, const void **out, size_t *found, evdb_error *err)
{
    return sections_find(context, part, size, out, found, err);
}

/* Nobody is stopped by a bad index: it is told, kept for whoever wonders, and out of the way. */
static void set_aside(engine *e, const char *dir, const evdb_error *why)
{
    const platform *p = &e->db->platform;
    char message[sizeof(why->message) + 64], from[4096], to[4096];
    snprintf(from, sizeof(from), "%s/%s", dir, name);
    snprintf(to, sizeof(to), "%s/%s", dir, bad_name);
    (void)descriptor_rename(p, from, to);
    snprintf(message, sizeof(message), "%s: set aside, and built anew", why->message);
    if (e->db->log) e->db->log(e->db->log_context, message);
}

/* The store's last change, now: another process may have saved an index of later than the caller's own reader sees. */
static evdb_status last_change(engine *e, uint64_t *out, evdb_error *err)
{
    rows_reader *rd = NULL;
    rows_tip tip;
    evdb_status rc = rows_read(e->rows, &rd, err);
    if (rc == EVDB_OK) rc = rows_tip_now(rd, &tip, err);
    rows_read_end(rd);
    if (rc == EVDB_OK) *out = tip.sequence;
    return rc;
}

static evdb_status load_from(engine *e, const char *dir, uint64_t newest, view_index **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    indexed_options o = view_options(e);
    view_index *index = mem_zero(mem, sizeof(*index));
    sections_in *file = NULL;
    evdb_status rc;
    if (!index) return error_no_memory(err, sizeof(*index), "an index");
    TRY(sections_open(&e->db->platform, dir, name, e->uuid, newest, &file, err));
    TRY(indexed_load(&o, sections_sequence(file), &(loader){ file, find }, file, sections_close, &index->vectors, err));
    index->flat = indexed_flat(index->vectors);
    file = NULL;
    *out = index;
    index = NULL;
out:
    sections_close(file);
    mem_free(mem, index);
    return rc;
}

evdb_status generation_load(engine *e, uint64_t newest, view_index **out, evdb_error *err)
{
    char *dir = NULL;
    uint64_t last;
    evdb_error why;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK) return rc;
    if (!dir) return error_set(err, EVDB_NOT_FOUND, "a database in memory has no files");
    rc = load_from(e, dir, newest, out, &why);
    if (rc == EVDB_NEWER && last_change(e, &last, NULL) == EVDB_OK && last > newest) rc = EVDB_NOT_FOUND;
    if (rc == EVDB_CORRUPT || rc == EVDB_NEWER || rc == EVDB_IO) {
        set_aside(e, dir, &why);
        rc = EVDB_NOT_FOUND;
    }
    if (rc != EVDB_OK && err) *err = why;
    if (err) err->status = rc;
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

static evdb_status save_to(engine *e, view_index *index, const char *dir, evdb_error *err)
{
    sections_out *file = NULL;
    sections_of of = { .sequence = 0 };
    flat_snapshot s;
    evdb_status rc;
    flat_begin(index->flat, &s);
    memcpy(of.uuid, e->uuid, sizeof(of.uuid));
    of.sequence = s.sequence;
    TRY(sections_create(&e->db->platform, dir, name, &of, &file, err));
    TRY(indexed_save(index->vectors, &s, &(saver){ file, begin, write }, err));
    rc = sections_finish(file, err);
    file = NULL;
out:
    sections_abandon(file);
    flat_end(&s);
    return rc;
}

static bool much_changed(const view_index *index)
{
    uint64_t base = flat_base_count(index->flat), alive = flat_count(index->flat);
    uint64_t fresh = flat_used(index->flat) - base;
    return fresh * GENERATION_SHARE >= alive || (base - (base < alive ? base : alive)) * GENERATION_SHARE >= base;
}

/* One process at a time saves; who finds another at it leaves it to that one. */
static evdb_status locked(engine *e, const char *dir, lock_file *lock, bool *mine, char *path, size_t bytes, evdb_error *err)
{
    snprintf(path, bytes, "%s/%s", dir, lock_name);
    int failed = lock_open(&e->db->platform, path, lock);
    if (!failed) failed = lock_try(lock, mine);
    return failed ? error_errno(err, failed, "lock", path) : EVDB_OK;
}

evdb_status generation_save(engine *e, view_index *index, evdb_error *err)
{
    char *dir = NULL, path[4096];
    lock_file lock = { .fd = -1 };
    view_index *saved = NULL;
    bool mine = false;
    evdb_status rc;
    TRY(engine_dir(e->db, e->uuid, &dir, err));
    if (!dir || !indexed_has_graph(index->vectors) || !much_changed(index)) goto out;
    TRY(locked(e, dir, &lock, &mine, path, sizeof(path), err));
    if (!mine) goto out;
    TRY(save_to(e, index, dir, err));
    TRY(load_from(e, dir, UINT64_MAX, &saved, err));
    TRY(view_adopt(e, saved, err));
out:
    lock_close(&lock);
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

evdb_status generation_verify(engine *e, void (*problem)(void *context, const char *text), void *context, evdb_error *err)
{
    char *dir = NULL;
    sections_in *file = NULL;
    evdb_error bad;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK || !dir) return rc;
    uint64_t last = 0;
    rc = sections_open(&e->db->platform, dir, name, e->uuid, UINT64_MAX, &file, &bad);
    if (rc == EVDB_OK) rc = last_change(e, &last, &bad);
    if (rc == EVDB_OK && sections_sequence(file) > last)
        rc = error_set(&bad, EVDB_NEWER, "%s/%s: is of a change that the store has not had", dir, name);
    if (rc == EVDB_NO_MEMORY && err) *err = bad;
    else if (rc != EVDB_OK && rc != EVDB_NOT_FOUND && rc != EVDB_NO_MEMORY) problem(context, bad.message);
    sections_close(file);
    mem_free(&e->db->platform.mem, dir);
    return rc == EVDB_NO_MEMORY ? rc : EVDB_OK;
}
