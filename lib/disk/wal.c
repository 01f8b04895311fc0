/* wal.c - implements disk/wal.h. */
#include "disk/wal.h"
#include "base/error.h"
#include "base/mem.h"
#include "platform/file.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WAL_HEADER = 32, FRAME_HEADER = 24, PAGE_MIN = 512, PAGE_MAX = 65536 };

typedef struct sums { uint32_t a, b; } sums;

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The log's running checksum over `size` bytes (a multiple of 8), in the byte order its header names. */
static sums add(sums s, const unsigned char *p, size_t size, bool big)
{
    for (const unsigned char *end = p + size; p < end; p += 8) {
        s.a += (big ? big32(p) : little32(p)) + s.b;
        s.b += (big ? big32(p + 4) : little32(p + 4)) + s.a;
    }
    return s;
}

static bool same(sums s, const unsigned char *stored) { return s.a == big32(stored) && s.b == big32(stored + 4); }

typedef struct log_file {
    FILE *file;
    unsigned char header[WAL_HEADER];
    size_t page;
    bool big;
} log_file;

/* False when there is no usable header: recovery will take the log for empty, and so do we. */
static bool read_header(log_file *log)
{
    if (fread(log->header, 1, WAL_HEADER, log->file) != WAL_HEADER) return false;
    uint32_t magic = big32(log->header);
    log->big = magic == 0x377f0683;
    log->page = big32(log->header + 8);
    if (!log->big && magic != 0x377f0682) return false;
    if (log->page < PAGE_MIN || log->page > PAGE_MAX || (log->page & (log->page - 1))) return false;
    return same(add((sums){ 0, 0 }, log->header, 24, log->big), log->header + 24);
}

static void walk(log_file *log, unsigned char *frame, wal_frame_fn *each, void *context)
{
    sums before = { big32(log->header + 24), big32(log->header + 28) };
    size_t size = FRAME_HEADER + log->page;
    for (uint64_t n = 1; fread(frame, 1, size, log->file) == size; n++) {
        bool salted = memcmp(frame + 8, log->header + 16, 8) == 0; /* else a frame of an earlier round */
        sums now = salted ? add(add(before, frame, 8, log->big), frame + FRAME_HEADER, log->page, log->big) : before;
        each(context, &(wal_frame){ .number = n, .at = WAL_HEADER + (n - 1) * size + FRAME_HEADER, .page = big32(frame),
                                    .pages = big32(frame + 4), .current = salted, .sound = salted && same(now, frame + 16) });
        before = (sums){ big32(frame + 16), big32(frame + 20) };
    }
}

evdb_status wal_frames(const platform *p, const char *path, wal_frame_fn *each, void *context, size_t *page, evdb_error *err)
{
    log_file log = { 0 };
    evdb_status rc = EVDB_OK;
    int asked = io_ask(p, &(io_event){ .kind = IO_READ, .path = path });
    *page = 0;
    if (asked > 0) return error_errno(err, asked, "read", path);
    if (!(log.file = fopen(path, "rbe"))) return errno == ENOENT ? EVDB_OK : error_errno(err, errno, "open", path);
    *page = read_header(&log) ? log.page : 0;
    if (*page) {
        unsigned char *frame = mem_alloc(&p->mem, FRAME_HEADER + log.page);
        if (frame) walk(&log, frame, each, context);
        else rc = error_no_memory(err, FRAME_HEADER + log.page, "a page of the write-ahead log");
        mem_free(&p->mem, frame);
    }
    fclose(log.file);
    return rc;
}

static void count(void *context, const wal_frame *f)
{
    wal_report *out = context;
    if (f->sound && !out->broken) out->frames = f->number;
    else if (!out->broken) {
        out->broken = f->number;
        out->broken_commit = f->current && f->pages;
    } else if (f->sound && f->pages) out->commits_behind++;
}

evdb_status wal_inspect(const platform *p, const char *path, wal_report *out, evdb_error *err)
{
    size_t page;
    *out = (wal_report){ 0 };
    evdb_status rc = wal_frames(p, path, count, out, &page, err);
    if (page) out->bytes = WAL_HEADER + out->frames * (FRAME_HEADER + page);
    return rc;
}

bool wal_damaged(const wal_report *r)
{
    return r->commits_behind > 1 || (r->commits_behind == 1 && r->broken_commit);
}
