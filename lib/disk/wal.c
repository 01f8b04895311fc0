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

static void walk(log_file *log, unsigned char *frame, wal_report *out)
{
    sums before = { big32(log->header + 24), big32(log->header + 28) };
    for (uint64_t n = 1; fread(frame, 1, FRAME_HEADER + log->page, log->file) == FRAME_HEADER + log->page; n++) {
        bool salted = memcmp(frame + 8, log->header + 16, 8) == 0; /* else a frame of an earlier round */
        sums now = salted ? add(add(before, frame, 8, log->big), frame + FRAME_HEADER, log->page, log->big) : before;
        bool sound = salted && same(now, frame + 16);
        if (sound && !out->broken) out->frames = n;
        else if (!sound && !out->broken) out->broken = n;
        else if (sound && big32(frame + 4)) out->commits_behind++;
        before = (sums){ big32(frame + 16), big32(frame + 20) };
    }
    out->bytes = WAL_HEADER + out->frames * (FRAME_HEADER + log->page);
}

evdb_status wal_inspect(const platform *p, const char *path, wal_report *out, evdb_error *err)
{
    log_file log = { 0 };
    evdb_status rc = EVDB_OK;
    *out = (wal_report){ 0 };
    int asked = io_ask(p, &(io_event){ .kind = IO_READ, .path = path });
    if (asked > 0) return error_errno(err, asked, "read", path);
    if (!(log.file = fopen(path, "rbe"))) return errno == ENOENT ? EVDB_OK : error_errno(err, errno, "open", path);
    if (read_header(&log)) {
        unsigned char *frame = mem_alloc(&p->mem, FRAME_HEADER + log.page);
        if (frame) walk(&log, frame, out);
        else rc = error_no_memory(err, FRAME_HEADER + log.page, "a page of the write-ahead log");
        mem_free(&p->mem, frame);
    }
    fclose(log.file);
    return rc;
}
