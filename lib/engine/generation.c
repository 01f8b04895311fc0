/* generation.c - implements engine/generation.h. */
#include "engine/generation.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/sections.h"
#include "engine/engine.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char name[] = "index", bad_name[] = "index.bad", half_name[] = "index.new", lock_name[] = "index.lock", coding_part[] = "coding", expired_part[] = "expired";

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
    indexer_say(e, message);
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

/* Its rows must be what an index of today would have: the codec may have changed since. */
static evdb_status check_form(const sections_in *file, const stored_form *form, evdb_error *err)
{
    const void *at;
    uint64_t found = 0;
    if (sections_find(file, coding_part, sizeof(found), &at, NULL, NULL) == EVDB_OK) memcpy(&found, at, sizeof(found));
    return found == form->version ? EVDB_OK : error_set(err, EVDB_NOT_FOUND, "the index is of vectors that were kept with another codec");
}

/* Until when records were taken out: rows of them are not in the file. */
static void load_expiry(const sections_in *file, expiry *out)
{
    const void *at;
    int64_t until;
    expiry_init(out);
    if (sections_find(file, expired_part, sizeof(until), &at, NULL, NULL) != EVDB_OK) return;
    memcpy(&until, at, sizeof(until));
    atomic_store(&out->until, until);
}

static evdb_status save_expiry(sections_out *file, int64_t until, evdb_error *err)
{
    evdb_status rc = until != INT64_MIN ? sections_begin(file, expired_part, err) : EVDB_OK;
    return rc == EVDB_OK && until != INT64_MIN ? sections_write(file, &until, sizeof(until), err) : rc;
}

static evdb_status save_form(sections_out *file, const stored_form *form, evdb_error *err)
{
    uint64_t version = form->version;
    evdb_status rc = version ? sections_begin(file, coding_part, err) : EVDB_OK;
    return rc == EVDB_OK && version ? sections_write(file, &version, sizeof(version), err) : rc;
}

evdb_status generation_read(engine *e, const char *dir, uint64_t newest, view_index **out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    view_index *index = mem_zero(mem, sizeof(*index));
    sections_in *file = NULL;
    evdb_status rc;
    if (!index) return error_no_memory(err, sizeof(*index), "an index");
    TRY(stored_form_now(e, NULL, atomic_load(&e->dim), &index->form, err));
    TRY(sections_open(&e->db->platform, dir, name, e->uuid, newest, &file, err));
    TRY(check_form(file, &index->form, err));
    load_expiry(file, &index->expiry);
    indexed_options o = view_options(e, &index->form);
    TRY(indexed_load(&o, sections_sequence(file), &(loader){ file, find }, file, sections_close, &index->vectors, err));
    index->flat = indexed_flat(index->vectors);
    index->saved = sections_sequence(file);
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
    rc = generation_read(e, dir, newest, out, &why);
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
    int64_t until = atomic_load(&index->expiry.until); /* before the rows: more of them may go while they are written */
    flat_begin(index->flat, &s);
    memcpy(of.uuid, e->uuid, sizeof(of.uuid));
    of.sequence = s.sequence;
    TRY(sections_create(&e->db->platform, dir, name, &of, &file, err));
    TRY(save_form(file, &index->form, err));
    TRY(save_expiry(file, until, err));
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

evdb_status generation_begin(engine *e, generation_turn *out, bool *mine, evdb_error *err)
{
    char *dir = NULL;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    *out = (generation_turn){ .lock.fd = -1 };
    *mine = true;
    if (rc != EVDB_OK || !dir) return rc;
    TRY(engine_file(e->db, dir, lock_name, &out->path, err));
    int failed = lock_open(&e->db->platform, out->path, &out->lock);
    if (!failed) failed = lock_try(&out->lock, mine);
    if (failed) rc = error_errno(err, failed, "lock", out->path);
    if (failed || !*mine) lock_close(&out->lock);
out:
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

void generation_end(engine *e, generation_turn *turn)
{
    lock_drop(&turn->lock); /* not by closing alone: a child that was forked meanwhile has it open too */
    lock_close(&turn->lock);
    mem_free(&e->db->platform.mem, turn->path);
    turn->path = NULL;
}

evdb_status generation_look(engine *e, generation_state *out, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    char *dir = NULL, *path = NULL, *lock = NULL;
    *out = (generation_state){ 0 };
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK || !dir) return rc;
    TRY(engine_file(e->db, dir, name, &path, err));
    TRY(engine_file(e->db, dir, lock_name, &lock, err));
    out->sequence = sections_peek(&e->db->platform, dir, name, e->uuid);
    if (file_size(path, &out->bytes) != 0) out->bytes = 0;
    out->turn_taken = lock_taken(lock);
out:
    mem_free(mem, dir);
    mem_free(mem, path);
    mem_free(mem, lock);
    return rc;
}

bool generation_newer(engine *e, const view_index *index)
{
    char *dir = NULL;
    bool newer = engine_dir(e->db, e->uuid, &dir, NULL) == EVDB_OK && dir &&
                 sections_peek(&e->db->platform, dir, name, e->uuid) > index->saved;
    mem_free(&e->db->platform.mem, dir);
    return newer;
}

void generation_follow(engine *e)
{
    view_index *now = view_hold(&e->view), *later = NULL;
    evdb_error why;
    uint64_t last = 0;
    evdb_status rc = now && generation_newer(e, now) ? last_change(e, &last, &why) : EVDB_NOT_FOUND;
    view_let_go(e, now);
    if (rc == EVDB_OK) rc = generation_load(e, last, &later, &why);
    if (rc == EVDB_OK) rc = view_adopt(e, later, &why);
    if (rc != EVDB_OK && rc != EVDB_NOT_FOUND && rc != EVDB_GONE) indexer_say(e, why.message);
}

static evdb_status save_and_adopt(engine *e, view_index *index, const char *dir, evdb_error *err)
{
    view_index *saved = NULL;
    evdb_status rc;
    TRY(syncer_flush(e, err));
    TRY(save_to(e, index, dir, err));
    TRY(generation_read(e, dir, UINT64_MAX, &saved, err));
    rc = view_adopt(e, saved, err);
out:
    return rc;
}

/* An index of before records were erased must not come to disk any more. */
static evdb_status may_be_saved(engine *e, const view_index *index, bool *out, evdb_error *err)
{
    rows_reader *rd = NULL;
    uint64_t forgotten = 0;
    evdb_status rc = rows_read(e->rows, &rd, err);
    if (rc == EVDB_OK) rc = rows_forgotten(rd, &forgotten, err);
    rows_read_end(rd);
    *out = flat_sequence(index->flat) >= forgotten;
    return rc;
}

evdb_status generation_save(engine *e, view_index *index, evdb_error *err)
{
    char *dir = NULL;
    bool may;
    evdb_status rc;
    TRY(engine_dir(e->db, e->uuid, &dir, err));
    bool outdated = index->form.version != atomic_load(&e->codecs.version); /* another one is about to take its place */
    if (!dir || outdated || !indexed_has_graph(index->vectors) || !much_changed(index)) goto out;
    TRY(may_be_saved(e, index, &may, err));
    if (may) TRY(save_and_adopt(e, index, dir, err));
out:
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

static evdb_status remove_file(engine *e, const char *dir, const char *which, evdb_error *err)
{
    char *path = NULL;
    evdb_status rc = engine_file(e->db, dir, which, &path, err);
    if (rc != EVDB_OK) return rc;
    int failed = file_unlink(&e->db->platform, path);
    if (failed && failed != ENOENT) rc = error_errno(err, failed, "remove", path);
    mem_free(&e->db->platform.mem, path);
    return rc;
}

evdb_status generation_renew(engine *e, view_index *index, evdb_error *err)
{
    char *dir = NULL;
    evdb_error why;
    bool may = false;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK || !dir) return rc;
    TRY(remove_file(e, dir, bad_name, err));
    TRY(remove_file(e, dir, half_name, err));
    if (index && indexed_has_graph(index->vectors)) TRY(may_be_saved(e, index, &may, err));
    if (may && save_and_adopt(e, index, dir, &why) == EVDB_OK) goto out;
    TRY(remove_file(e, dir, name, err));
    TRY(remove_file(e, dir, half_name, err));
    int failed = file_sync_dir(&e->db->platform, dir);
    if (failed) rc = error_errno(err, failed, "sync", dir);
out:
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

evdb_status generation_remove(engine *e, evdb_error *err)
{
    const platform *p = &e->db->platform;
    char *dir = NULL, *path = NULL;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    if (rc != EVDB_OK || !dir) return rc;
    TRY(engine_file(e->db, dir, name, &path, err));
    int failed = file_unlink(p, path);
    if (!failed) failed = file_sync_dir(p, dir);
    if (failed) rc = error_errno(err, failed, "remove", path);
out:
    mem_free(&p->mem, dir);
    mem_free(&p->mem, path);
    return rc;
}
