/* rows_salvage.c - implements disk/rows_salvage.h: its life, and what is handed out. */
#include "disk/rows_salvage.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_salvage_private.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TICK_EVERY = 1024 };

/* ---- opening ---- */

static evdb_status join(const platform *p, const char *dir, const char *name, char **out, evdb_error *err)
{
    size_t bytes = strlen(dir) + strlen(name) + 2;
    if (!(*out = mem_alloc(&p->mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(*out, bytes, "%s/%s", dir, name);
    return EVDB_OK;
}

/* What was acknowledged, if the hint can be believed. */
static evdb_status read_hint(salvage *s, evdb_error *err)
{
    descriptor d = { .fd = -1 };
    rows_hint hint;
    s->limit = INT64_MAX;
    int failed = descriptor_open(s->platform, s->hint_path, &d);
    if (failed == ENOENT) return EVDB_OK;
    if (!failed) failed = descriptor_read(&d, 0, &hint, sizeof(hint));
    descriptor_close(&d);
    if (failed == EIO) return EVDB_OK; /* cut short */
    if (failed) return error_errno(err, failed, "read", s->hint_path);
    uint64_t done = atomic_load(&hint.done), begun = atomic_load(&hint.begun);
    s->hinted = strncmp(hint.uuid, s->uuid, sizeof(hint.uuid)) == 0 && atomic_load(&hint.done_check) == ~done;
    if (!s->hinted) return EVDB_OK;
    s->acknowledged = done;
    s->begun = begun;
    return EVDB_OK;
}

static evdb_status make_scratch(salvage *s, const vfs *v, evdb_error *err)
{
    evdb_status rc;
    TRY(sql_open(s->platform, v, s->scratch_path, SQL_CREATE, &s->scratch, err));
    TRY(sql_exec(&s->scratch, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; BEGIN;"
                 "CREATE TABLE r(id, version INTEGER, slot INTEGER, at INTEGER);"
                 "CREATE TABLE v(slot INTEGER, sequence INTEGER, id, codec INTEGER, at INTEGER);"
                 "CREATE TABLE c(sequence INTEGER PRIMARY KEY, kind INTEGER, id, live INTEGER);"
                 "CREATE TABLE f(slot INTEGER PRIMARY KEY);"
                 "CREATE TABLE k(id INTEGER PRIMARY KEY, spec TEXT, own INTEGER, loss REAL, bytes BLOB)", err));
out:
    return rc;
}

/* SQLite's recovery ends at the first broken frame, and so does this reading, unless commits were acknowledged that lie behind it. The
 * log alone does not tell: behind a shorter commit the rest of one whose writer was killed looks the same (see rows.c). */
static evdb_status read_all(salvage *s, evdb_error *err)
{
    int64_t last;
    evdb_status rc;
    TRY(image_open(s->platform, s->path, false, &s->image, err));
    TRY(salvage_gather(s, err));
    if (!s->image.commits_behind) goto out;
    TRY(sql_integer(&s->scratch, "SELECT max(sequence) FROM c", &last, err));
    if (s->hinted ? s->acknowledged <= (uint64_t)last : s->image.commits_behind < 2) goto out;
    if (s->hinted) s->limit = s->acknowledged > s->begun ? s->acknowledged : s->begun;
    image_close(&s->image);
    TRY(image_open(s->platform, s->path, true, &s->image, err));
    TRY(sql_exec(&s->scratch, "DELETE FROM r; DELETE FROM v; DELETE FROM c; DELETE FROM f; DELETE FROM k", err));
    TRY(salvage_gather(s, err));
out:
    return rc;
}

static void describe(salvage *s)
{
    evdb_store_info *i = s->found.info;
    uint32_t count = 0;
    if (!i) return;
    for (uint32_t at = 0; at < EVDB_STORE_FIELDS_MAX; at++)
        if (*s->fields[at]) s->field_names[count++] = s->fields[at];
    i->field_count = count;
    i->fields = s->field_names;
}

evdb_status salvage_open(const platform *p, const vfs *v, const char *dir, const char *uuid, const char *scratch, salvage **out,
                         evdb_error *err)
{
    salvage *s = mem_zero(&p->mem, sizeof(*s));
    evdb_status rc;
    if (!s) return error_no_memory(err, sizeof(*s), "a salvage");
    s->platform = p;
    s->uuid = uuid;
    s->lock.fd = -1;
    s->scratch_path = scratch;
    for (int i = 0; i < 2; i++) buf_init(&s->streams[i].payload, &p->mem);
    TRY(join(p, dir, "rows.db", &s->path, err));
    TRY(join(p, dir, "rows.lock", &s->lock_path, err));
    TRY(join(p, dir, "hint", &s->hint_path, err));
    int failed = lock_open(p, s->lock_path, &s->lock);
    if (!failed) failed = lock_take(&s->lock);
    if (failed) TRY(error_errno(err, failed, "lock", s->lock_path));
    TRY(read_hint(s, err));
    TRY(make_scratch(s, v, err));
    TRY(read_all(s, err));
    describe(s);
    TRY(salvage_choose(s, err));
    *out = s;
    s = NULL;
out:
    salvage_close(s);
    return rc;
}

void salvage_finish(salvage *s)
{
    for (int i = 0; i < S_COUNT; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    sql_close(&s->scratch);
    (void)file_unlink(s->platform, s->scratch_path); /* a failure leaves a file nobody reads */
}

void salvage_close(salvage *s)
{
    if (!s) return;
    const evdb_allocator *mem = &s->platform->mem;
    salvage_finish(s);
    image_close(&s->image);
    lock_close(&s->lock);
    for (int i = 0; i < 2; i++) buf_free(&s->streams[i].payload);
    mem_free(mem, s->free);
    mem_free(mem, s->path);
    mem_free(mem, s->lock_path);
    mem_free(mem, s->hint_path);
    mem_free(mem, s);
}

const salvage_found *salvage_finds(const salvage *s) { return &s->found; }

/* ---- handing out ---- */

evdb_status salvage_lost(salvage *s, salvage_lost_fn *each, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(sql_prepare(&s->scratch, "SELECT id, fate FROM b WHERE fate>0 ORDER BY id", &st, err));
    for (;;) {
        TRY(sql_step(&s->scratch, st, &row, err));
        if (!row) break;
        evdb_id id = rows_column_id(st, 0);
        TRY(each(context, &id, sqlite3_column_int(st, 1), err));
    }
out:
    sqlite3_finalize(st);
    return rc;
}

evdb_status salvage_row(const salvage *s, salvage_stream *in, int64_t place, bool *found, evdb_error *err)
{
    uint32_t page = (uint32_t)(place >> 16);
    evdb_status rc = EVDB_OK;
    *found = in->number == page;
    if (!*found) rc = image_page(&s->image, page, in->page, found, err);
    in->number = *found ? page : 0;
    if (rc != EVDB_OK || !*found) return rc;
    return leaf_read(&s->image, in->page, page, (uint32_t)(place & 0xffff), &in->payload, &in->row, found, err);
}

static evdb_status load_codecs(salvage *s, rows_load *l, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(sql_prepare(&s->scratch, "SELECT id, spec, own, loss, bytes FROM k ORDER BY id", &st, err));
    for (;;) {
        TRY(sql_step(&s->scratch, st, &row, err));
        if (!row) break;
        const rows_codec c = { .id = (uint32_t)sqlite3_column_int64(st, 0), .spec = (const char *)sqlite3_column_text(st, 1),
                               .own = sqlite3_column_int(st, 2) != 0, .loss = sqlite3_column_double(st, 3), .bytes = sqlite3_column_blob(st, 4),
                               .size = (size_t)sqlite3_column_bytes(st, 4) };
        TRY(rows_load_codec(l, &c, err));
    }
out:
    sqlite3_finalize(st);
    return rc;
}

static evdb_status load_record(salvage *s, rows_load *l, int64_t record_at, int64_t vector_at, evdb_error *err)
{
    rows_record record;
    rows_vector vector;
    bool found[2];
    evdb_status rc;
    TRY(salvage_row(s, &s->streams[0], record_at, &found[0], err));
    TRY(salvage_row(s, &s->streams[1], vector_at, &found[1], err));
    if (!found[0] || !found[1] || !salvage_is_record(&s->streams[0].row, &record) || !salvage_is_vector(&s->streams[1].row, &vector))
        TRY(error_set(err, EVDB_BUSY, "%s: changed while it was being read", s->path));
    record.vector = vector.bytes;
    record.vector_bytes = vector.size;
    record.codec = vector.codec;
    TRY(rows_load_put(l, &record, err));
out:
    return rc;
}

evdb_status salvage_load(salvage *s, rows_load *l, salvage_tick_fn *tick, void *context, evdb_error *err)
{
    sqlite3_stmt *st = NULL;
    bool row;
    evdb_status rc;
    TRY(load_codecs(s, l, err));
    TRY(sql_prepare(&s->scratch, "SELECT at, vat FROM b WHERE fate=0 ORDER BY id", &st, err));
    for (uint64_t n = 0;; n++) {
        if (n % TICK_EVERY == 0) TRY(tick(context, n, err));
        TRY(sql_step(&s->scratch, st, &row, err));
        if (!row) break;
        TRY(load_record(s, l, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), err));
    }
out:
    sqlite3_finalize(st);
    return rc;
}
