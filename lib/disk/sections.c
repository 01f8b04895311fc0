/* sections.c - implements disk/sections.h. */
#include "disk/sections.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include "platform/map.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char magic[8] = "evdbsect";

typedef struct entry {
    char name[SECTIONS_NAME];
    uint64_t offset, size, sum;
} entry;

typedef struct header {
    char magic[8];
    uint32_t format, count;
    char uuid[40];
    uint64_t sequence, size; /* of the file */
    entry entries[SECTIONS_MAX];
    uint64_t sum; /* of all before */
} header;
_Static_assert(sizeof(header) <= SECTIONS_PAGE, "the header fits its page");

struct sections_out {
    const platform *platform;
    char *path, *temporary, *dir;
    descriptor file;
    header h;
    uint64_t end;
    unsigned char *block; /* of the section under way */
    size_t filled;
};

struct sections_in {
    const platform *platform;
    header h;
    const void *at;
};

static uint64_t header_sum(const header *h) { return checksum(h, offsetof(header, sum), SECTIONS_FORMAT); }

static char *join(const evdb_allocator *mem, const char *dir, const char *name, const char *suffix)
{
    size_t bytes = strlen(dir) + strlen(name) + strlen(suffix) + 2;
    char *path = mem_alloc(mem, bytes);
    if (path) snprintf(path, bytes, "%s/%s%s", dir, name, suffix);
    return path;
}

/* ---- writing ---- */

static void out_free(sections_out *s)
{
    const evdb_allocator *mem = &s->platform->mem;
    descriptor_close(&s->file);
    mem_free(mem, s->path), mem_free(mem, s->temporary), mem_free(mem, s->dir), mem_free(mem, s->block);
    mem_free(mem, s);
}

void sections_abandon(sections_out *s)
{
    if (!s) return;
    if (s->file.fd >= 0) (void)file_unlink(s->platform, s->temporary);
    out_free(s);
}

evdb_status sections_create(const platform *p, const char *dir, const char *name, const sections_of *of, sections_out **out,
                            evdb_error *err)
{
    sections_out *s = mem_zero(&p->mem, sizeof(*s));
    evdb_status rc = EVDB_OK;
    if (!s) return error_no_memory(err, sizeof(*s), "a file of sections");
    s->platform = p;
    s->file.fd = -1;
    s->path = join(&p->mem, dir, name, "");
    s->temporary = join(&p->mem, dir, name, ".new");
    s->dir = mem_text(&p->mem, dir, strlen(dir));
    s->block = mem_alloc(&p->mem, SECTIONS_BLOCK);
    if (!s->path || !s->temporary || !s->dir || !s->block) TRY(error_no_memory(err, SECTIONS_BLOCK, "a file of sections"));
    int failed = descriptor_create(p, s->temporary, &s->file);
    if (failed) TRY(error_errno(err, failed, "create", s->temporary));
    memcpy(s->h.magic, magic, sizeof(magic));
    s->h.format = SECTIONS_FORMAT;
    memcpy(s->h.uuid, of->uuid, sizeof(of->uuid));
    s->h.sequence = of->sequence;
    s->end = SECTIONS_PAGE;
    *out = s;
    return EVDB_OK;
out:
    sections_abandon(s);
    return rc;
}

static evdb_status flush(sections_out *s, evdb_error *err)
{
    if (!s->filled) return EVDB_OK;
    entry *e = &s->h.entries[s->h.count - 1];
    int failed = descriptor_write(&s->file, s->end, s->block, s->filled);
    if (failed) return error_errno(err, failed, "write", s->temporary);
    e->sum = checksum(s->block, s->filled, e->sum);
    e->size += s->filled;
    s->end += s->filled;
    s->filled = 0;
    return EVDB_OK;
}

evdb_status sections_begin(sections_out *s, const char *name, evdb_error *err)
{
    evdb_status rc = flush(s, err);
    if (rc != EVDB_OK) return rc;
    if (s->h.count == SECTIONS_MAX) return error_set(err, EVDB_INTERNAL, "%s: more than %d sections", s->path, SECTIONS_MAX);
    entry *e = &s->h.entries[s->h.count++];
    memcpy(e->name, name, strnlen(name, SECTIONS_NAME));
    s->end = (s->end + SECTIONS_PAGE - 1) / SECTIONS_PAGE * SECTIONS_PAGE;
    e->offset = s->end;
    return EVDB_OK;
}

evdb_status sections_write(sections_out *s, const void *bytes, size_t size, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (const char *at = bytes; rc == EVDB_OK && size;) {
        size_t some = size < SECTIONS_BLOCK - s->filled ? size : SECTIONS_BLOCK - s->filled;
        memcpy(s->block + s->filled, at, some);
        s->filled += some;
        at += some;
        size -= some;
        if (s->filled == SECTIONS_BLOCK) rc = flush(s, err);
    }
    return rc;
}

evdb_status sections_finish(sections_out *s, evdb_error *err)
{
    unsigned char page[SECTIONS_PAGE] = { 0 };
    evdb_status rc;
    TRY(flush(s, err));
    bool bare = s->h.count && !s->h.entries[s->h.count - 1].size; /* a section without bytes begins where the file would end before */
    int failed = bare ? descriptor_write(&s->file, s->end, page, sizeof(page)) : 0;
    if (bare) s->end += sizeof(page);
    s->h.size = s->end;
    s->h.sum = header_sum(&s->h);
    memcpy(page, &s->h, sizeof(s->h));
    if (!failed) failed = descriptor_write(&s->file, 0, page, sizeof(page));
    if (!failed) failed = descriptor_sync(&s->file);
    if (failed) TRY(error_errno(err, failed, "write", s->temporary));
    failed = descriptor_rename(s->platform, s->temporary, s->path);
    if (failed) TRY(error_errno(err, failed, "rename", s->temporary));
    failed = file_sync_dir(s->platform, s->dir);
    if (failed) rc = error_errno(err, failed, "sync", s->dir);
    out_free(s); /* it has its name */
    return rc;
out:
    sections_abandon(s);
    return rc;
}

/* ---- reading ---- */

void sections_close(void *of)
{
    sections_in *s = of;
    if (!s) return;
    if (s->at) map_drop((void *)(uintptr_t)s->at, s->h.size);
    mem_free(&s->platform->mem, s);
}

static evdb_status damaged(const char *path, const char *what, evdb_error *err)
{
    return error_set(err, EVDB_CORRUPT, "%s: %s", path, what);
}

static evdb_status read_header(const descriptor *d, const char *uuid, uint64_t newest, header *h, evdb_error *err)
{
    uint64_t size;
    int failed = descriptor_size(d, &size);
    if (failed) return error_errno(err, failed, "read", d->path);
    if (size < SECTIONS_PAGE) return damaged(d->path, "is cut short", err);
    failed = descriptor_read(d, 0, h, sizeof(*h));
    if (failed) return error_errno(err, failed, "read", d->path);
    if (memcmp(h->magic, magic, sizeof(magic)) != 0) return damaged(d->path, "is something else", err);
    if (h->format > SECTIONS_FORMAT) return error_set(err, EVDB_NEWER, "%s: format %u, but this evdb knows %d", d->path, h->format, SECTIONS_FORMAT);
    if (h->sum != header_sum(h)) return damaged(d->path, "its header's checksum does not match", err);
    if (h->count > SECTIONS_MAX) return damaged(d->path, "has more sections than it can", err);
    if (h->size != size) return damaged(d->path, "has another length than it says", err);
    if (strncmp(h->uuid, uuid, sizeof(h->uuid)) != 0) return damaged(d->path, "belongs to another store", err);
    if (h->sequence > newest)
        return error_set(err, EVDB_NEWER, "%s: of change %llu, but the store has had %llu", d->path, (unsigned long long)h->sequence,
                         (unsigned long long)newest);
    for (uint32_t i = 0; i < h->count; i++)
        if (h->entries[i].offset % SECTIONS_PAGE || h->entries[i].offset > size || h->entries[i].size > size - h->entries[i].offset)
            return damaged(d->path, "a section lies outside of it", err);
    return EVDB_OK;
}

static evdb_status check_section(const descriptor *d, const entry *e, unsigned char *block, evdb_error *err)
{
    uint64_t sum = 0;
    for (uint64_t at = 0; at < e->size;) {
        size_t some = e->size - at < SECTIONS_BLOCK ? (size_t)(e->size - at) : SECTIONS_BLOCK;
        int failed = descriptor_read(d, e->offset + at, block, some);
        if (failed) return error_errno(err, failed, "read", d->path);
        sum = checksum(block, some, sum);
        at += some;
    }
    if (sum == e->sum) return EVDB_OK;
    return error_set(err, EVDB_CORRUPT, "%s: the checksum of section '%.8s' does not match", d->path, e->name);
}

evdb_status sections_open(const platform *p, const char *dir, const char *name, const char *uuid, uint64_t newest,
                          sections_in **out, evdb_error *err)
{
    sections_in *s = mem_zero(&p->mem, sizeof(*s));
    char *path = join(&p->mem, dir, name, "");
    unsigned char *block = mem_alloc(&p->mem, SECTIONS_BLOCK);
    descriptor d = { .fd = -1 };
    evdb_status rc = EVDB_OK;
    if (!s || !path || !block) TRY(error_no_memory(err, SECTIONS_BLOCK, "a file of sections"));
    s->platform = p;
    int failed = descriptor_open(p, path, &d);
    if (failed == ENOENT) TRY(error_set(err, EVDB_NOT_FOUND, "%s: there is no such file", path));
    if (failed) TRY(error_errno(err, failed, "open", path));
    TRY(read_header(&d, uuid, newest, &s->h, err));
    for (uint32_t i = 0; i < s->h.count; i++) TRY(check_section(&d, &s->h.entries[i], block, err));
    failed = descriptor_map(&d, s->h.size, &s->at);
    if (failed) TRY(error_errno(err, failed, "map", path));
    *out = s;
    s = NULL;
out:
    descriptor_close(&d);
    if (s && s->platform) sections_close(s);
    else mem_free(&p->mem, s);
    mem_free(&p->mem, path);
    mem_free(&p->mem, block);
    return rc;
}

uint64_t sections_sequence(const sections_in *s) { return s->h.sequence; }

uint64_t sections_peek(const platform *p, const char *dir, const char *name, const char *uuid)
{
    header h = { .sequence = 0 };
    descriptor d = { .fd = -1 };
    char *path = join(&p->mem, dir, name, "");
    bool read = path && descriptor_open(p, path, &d) == 0 && read_header(&d, uuid, UINT64_MAX, &h, NULL) == EVDB_OK;
    descriptor_close(&d);
    mem_free(&p->mem, path);
    return read ? h.sequence : 0;
}

evdb_status sections_find(const sections_in *s, const char *name, size_t size, const void **out, size_t *found, evdb_error *err)
{
    for (uint32_t i = 0; i < s->h.count; i++) {
        const entry *e = &s->h.entries[i];
        if (strncmp(e->name, name, SECTIONS_NAME) != 0 || (size != SIZE_MAX && e->size != size)) continue;
        *out = (const char *)s->at + e->offset;
        if (found) *found = e->size;
        return EVDB_OK;
    }
    return error_set(err, EVDB_CORRUPT, "an index file has no section '%s' of the right size", name);
}
