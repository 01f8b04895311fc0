/* audit_file.c - the file audit.log: reading its lines, and appending one.
 *
 * An append holds the system lock. It writes the line, syncs the file, and only then says so in system.db: the head is never ahead of the
 * file, unless somebody has cut it. What lies behind the head was never acknowledged, or is somebody's forgery:
 *  - whole lines that go on in the chain are counted, once they are synced;
 *  - a piece of a line is cut off, and that is synced, so that no line to come can be mixed with it;
 *  - anything else stays where it is, to be found. */
#include "audit_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "platform/file.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 << 10, RESERVE_STEP = 8 << 10 };
#define RESERVE "-reserve"

/* ---- reading ---- */

static evdb_status make_path(evdb *db, char **out, evdb_error *err)
{
    size_t bytes = strlen(db->dir) + sizeof("/audit.log");
    if (!(*out = mem_alloc(&db->platform.mem, bytes))) return error_no_memory(err, bytes, "a path");
    snprintf(*out, bytes, "%s/audit.log", db->dir);
    return EVDB_OK;
}

static evdb_status begin_reading(evdb *db, audit_reader *r, evdb_error *err)
{
    evdb_status rc;
    r->mem = &db->platform.mem;
    r->file.fd = -1;
    TRY(make_path(db, &r->path, err));
    if (!(r->at = mem_alloc(r->mem, READ_BYTES))) TRY(error_no_memory(err, READ_BYTES, "reading the audit log"));
out:
    return rc;
}

evdb_status audit_reader_open(evdb *db, audit_reader *r, evdb_error *err)
{
    *r = (audit_reader){ 0 };
    evdb_status rc = begin_reading(db, r, err);
    if (rc != EVDB_OK) return rc;
    int failed = descriptor_open(&db->platform, r->path, &r->file);
    if (failed == ENOENT) return EVDB_OK;
    if (!failed) failed = descriptor_size(&r->file, &r->end);
    return failed ? error_errno(err, failed, "open", r->path) : EVDB_OK;
}

void audit_reader_close(audit_reader *r)
{
    if (!r->mem) return;
    descriptor_close(&r->file);
    mem_free(r->mem, r->path);
    mem_free(r->mem, r->at);
}

void audit_reader_seek(audit_reader *r, uint64_t offset, uint64_t end)
{
    r->offset = offset;
    r->end = end;
    r->from = r->to = 0;
}

/* Behind what is there; false at the end. A piece of a line may be cut off while somebody reads: the file ends sooner then. */
static evdb_status read_more(audit_reader *r, bool *more, evdb_error *err)
{
    uint64_t size;
    memmove(r->at, r->at + r->from, r->to - r->from);
    r->to -= r->from;
    r->from = 0;
    *more = false;
    if (r->offset >= r->end) return EVDB_OK;
    uint64_t left = r->end - r->offset, room = READ_BYTES - r->to;
    size_t count = (size_t)(left < room ? left : room);
    int failed = descriptor_read(&r->file, r->offset, r->at + r->to, count);
    if (failed && descriptor_size(&r->file, &size) == 0 && size < r->end) {
        r->end = size;
        return read_more(r, more, err);
    }
    if (failed) return error_errno(err, failed, "read", r->path);
    r->offset += count;
    r->to += count;
    *more = true;
    return EVDB_OK;
}

evdb_status audit_reader_next(audit_reader *r, audit_line *out, bool *more, evdb_error *err)
{
    *out = (audit_line){ .offset = r->offset - (r->to - r->from) };
    for (bool got = true;;) {
        const char *end = r->to > r->from ? memchr(r->at + r->from, '\n', r->to - r->from) : NULL;
        size_t size = end ? (size_t)(end - (r->at + r->from)) : r->to - r->from;
        out->long_ |= size >= AUDIT_LINE_MAX;
        if (end || !got) {
            *more = end || size || out->long_;
            out->at = r->at + r->from;
            out->size = out->long_ ? 0 : size;
            out->ended = end != NULL;
            r->from += size + (end != NULL);
            return EVDB_OK;
        }
        if (out->long_) r->from = r->to;
        evdb_status rc = read_more(r, &got, err);
        if (rc != EVDB_OK) return rc;
    }
}

bool audit_torn(const audit_line *l, uint64_t end)
{
    bool last = l->offset + l->size + l->ended == end;
    return last && !l->long_ && (!l->ended || memchr(l->at, 0, l->size));
}

/* ---- the key ---- */

evdb_status audit_begin(evdb *db, bool make, bool *known, evdb_error *err)
{
    unsigned char fresh[AUDIT_KEY_BYTES], key[AUDIT_KEY_BYTES];
    evdb_status rc = EVDB_OK;
    *known = chain_ready(db->audit);
    if (*known) return EVDB_OK;
    TRY(audit_key_find(db->system, key, known, err));
    if (!*known && make) {
        db->platform.random(db->platform.random_context, fresh, sizeof(fresh));
        TRY(system_lock(db->system, err));
        rc = audit_key(db->system, fresh, key, err);
        system_unlock(db->system);
        *known = rc == EVDB_OK;
    }
    if (*known) chain_set_key(db->audit, key);
out:
    sodium_memzero(fresh, sizeof(fresh));
    sodium_memzero(key, sizeof(key));
    return rc;
}

/* ---- appending ---- */

typedef struct appending {
    evdb *db;
    audit_reader r;
    audit_head head;
    uint64_t at; /* where the next line goes */
} appending;

/* A file of those who may read system.db, no more and no fewer. */
static evdb_status open_log(appending *a, evdb_error *err)
{
    bool there, directory;
    char system[4096];
    evdb_status rc;
    TRY(begin_reading(a->db, &a->r, err));
    int failed = file_exists(a->r.path, &there, &directory);
    if (!failed) failed = descriptor_edit(&a->db->platform, a->r.path, &a->r.file);
    snprintf(system, sizeof(system), "%s/system.db", a->db->dir); /* fits: it is open */
    int refused = failed ? 0 : file_mode_as(&a->db->platform, a->r.path, system);
    if (!failed && !there) failed = refused ? refused : file_sync_dir(&a->db->platform, a->db->dir); /* else it is up to its owner */
    if (!failed) failed = descriptor_size(&a->r.file, &a->at);
    if (failed) rc = error_errno(err, failed, "open", a->r.path);
out:
    return rc;
}

static evdb_status sync_log(appending *a, evdb_error *err)
{
    int failed = descriptor_sync(&a->r.file);
    return failed ? error_errno(err, failed, "sync", a->r.path) : EVDB_OK;
}

/* Its bytes may have been lost by a sync that failed, and only look as if they were there: they are written again. */
static evdb_status count_line(appending *a, const audit_line *l, evdb_error *err)
{
    int failed = descriptor_write(&a->r.file, l->offset, l->at, l->size + 1); /* the newline is behind it */
    if (failed) return error_errno(err, failed, "write", a->r.path);
    (void)audit_line_shape(l, &a->head.number, a->head.mac);
    a->head.size = l->offset + l->size + 1;
    return EVDB_OK;
}

static evdb_status cut_piece(appending *a, uint64_t size, evdb_error *err)
{
    int failed = file_cut(&a->db->platform, a->r.path, size);
    if (failed) return error_errno(err, failed, "cut", a->r.path);
    a->at = size;
    return sync_log(a, err);
}

/* What lies behind the head. */
static evdb_status catch_up(appending *a, evdb_error *err)
{
    audit_line l;
    bool more, counted = false;
    evdb_status rc = EVDB_OK;
    if (a->at <= a->head.size) return EVDB_OK;
    audit_reader_seek(&a->r, a->head.size, a->at);
    for (;;) {
        TRY(audit_reader_next(&a->r, &l, &more, err));
        if (!more || !audit_line_follows(a->db->audit, &l, a->head.mac)) break;
        TRY(count_line(a, &l, err));
        counted = true;
    }
    bool torn = more && audit_torn(&l, a->at);
    if (counted) {
        TRY(sync_log(a, err));
        TRY(audit_head_write(a->db->system, &a->head, err));
    }
    if (torn) TRY(cut_piece(a, l.offset, err));
out:
    return rc;
}

/* Where the file ends within a line that is to stay, the next one begins on its own. */
static evdb_status begin_line(appending *a, buf *line, evdb_error *err)
{
    char last = '\n';
    int failed = a->at ? descriptor_read(&a->r.file, a->at - 1, &last, 1) : 0;
    if (failed) return error_errno(err, failed, "read", a->r.path);
    return last == '\n' || buf_byte(line, '\n') ? EVDB_OK : error_no_memory(err, AUDIT_LINE_MAX, "an entry");
}

/* On a full disk some of the reserve is given up for it. */
static evdb_status write_line(appending *a, const buf *line, evdb_error *err)
{
    const platform *p = &a->db->platform;
    char reserve[4096];
    uint64_t kept;
    bool has = (size_t)snprintf(reserve, sizeof(reserve), "%s" RESERVE, a->r.path) < sizeof(reserve);
    if (has && file_size(reserve, &kept) == 0 && kept < AUDIT_RESERVE_BYTES) (void)file_ensure(p, reserve, AUDIT_RESERVE_BYTES);
    int failed = descriptor_write(&a->r.file, a->at, line->at, line->size);
    if ((failed == ENOSPC || failed == EDQUOT) && has && file_size(reserve, &kept) == 0 && kept) {
        (void)file_cut(p, reserve, kept > RESERVE_STEP ? kept - RESERVE_STEP : 0);
        failed = descriptor_write(&a->r.file, a->at, line->at, line->size);
    }
    return failed ? error_errno(err, failed, "write", a->r.path) : sync_log(a, err);
}

static evdb_status append(appending *a, evdb_audit_entry *e, buf *line, evdb_error *err)
{
    bool found;
    evdb_status rc;
    TRY(audit_head_read(a->db->system, &a->head, &found, err)); /* without one the chain begins anew, and does not go on in the file's */
    TRY(open_log(a, err));
    TRY(catch_up(a, err));
    TRY(begin_line(a, line, err));
    e->number = a->head.number + 1;
    if (!audit_line_write(a->db->audit, e, a->head.mac, line)) TRY(error_no_memory(err, AUDIT_LINE_MAX, "an entry"));
    TRY(write_line(a, line, err));
    a->head.number = e->number;
    a->head.size = a->at + line->size;
    TRY(audit_head_write(a->db->system, &a->head, err));
out:
    return rc;
}

evdb_status audit_file_append(evdb *db, evdb_audit_entry *e, evdb_error *err)
{
    appending a = { .db = db };
    buf line;
    evdb_status rc = system_lock(db->system, err);
    if (rc != EVDB_OK) return rc;
    buf_init(&line, &db->platform.mem);
    rc = append(&a, e, &line, err);
    system_unlock(db->system);
    buf_free(&line);
    audit_reader_close(&a.r);
    return rc;
}
