/* image.c - implements disk/image.h. */
#include "disk/image.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/wal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct pending { uint32_t page; uint64_t at; } pending;

typedef struct reading {
    image *image;
    bool behind, broken, doubtful; /* doubtful: broken before the next commit frame that counts */
    pending *pending; /* of frames whose commit frame has not come yet */
    size_t count, capacity;
    evdb_status rc;
} reading;

static bool room_for(image *i, uint32_t page)
{
    if (page <= i->capacity) return true;
    uint32_t capacity = page + page / 2 + 64;
    uint64_t *frames = mem_resize(&i->platform->mem, i->frames, capacity, sizeof(*frames));
    if (!frames) return false;
    memset(frames + i->capacity, 0, (capacity - i->capacity) * sizeof(*frames));
    i->frames = frames;
    i->capacity = capacity;
    return true;
}

static bool keep(reading *r, const wal_frame *f)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity * 2 + 64;
        pending *more = mem_resize(&r->image->platform->mem, r->pending, capacity, sizeof(*more));
        if (!more) return false;
        r->pending = more;
        r->capacity = capacity;
    }
    r->pending[r->count++] = (pending){ f->page, f->at };
    return true;
}

static bool commit(reading *r)
{
    image *i = r->image;
    for (size_t n = 0; n < r->count; n++) {
        if (!room_for(i, r->pending[n].page)) return false;
        i->frames[r->pending[n].page - 1] = r->pending[n].at;
        if (r->pending[n].page > i->pages) i->pages = r->pending[n].page;
    }
    r->count = 0;
    i->stale = i->stale || r->doubtful;
    r->doubtful = false;
    return true;
}

static void take(void *context, const wal_frame *f)
{
    reading *r = context;
    if (r->rc != EVDB_OK) return;
    if (!f->sound) {
        r->broken = r->doubtful = true;
        return;
    }
    if (r->broken && f->pages) r->image->commits_behind++;
    if ((r->broken && !r->behind) || !f->page) return;
    if (!keep(r, f) || (f->pages && !commit(r))) r->rc = EVDB_NO_MEMORY;
}

static int open_if_there(const platform *p, const char *path, descriptor *out)
{
    int failed = descriptor_open(p, path, out);
    return failed == ENOENT ? 0 : failed;
}

evdb_status image_open(const platform *p, const char *path, bool behind, image *out, evdb_error *err)
{
    image i = { .platform = p, .file = { .fd = -1 }, .log = { .fd = -1 } };
    reading r = { .image = &i, .behind = behind };
    uint64_t size = 0;
    size_t page, bytes = strlen(path) + sizeof("-wal");
    evdb_status rc = EVDB_OK;
    if (!(i.log_path = mem_alloc(&p->mem, bytes))) TRY(error_no_memory(err, bytes, "a path"));
    snprintf(i.log_path, bytes, "%s-wal", path);
    int failed = open_if_there(p, i.log_path, &i.log); /* first: whoever moves pages from it into the file leaves it as it is */
    if (failed) TRY(error_errno(err, failed, "open", i.log_path));
    failed = open_if_there(p, path, &i.file);
    if (!failed && i.file.fd >= 0) failed = descriptor_size(&i.file, &size);
    if (failed) TRY(error_errno(err, failed, "open", path));
    i.pages = (uint32_t)((size + SQL_PAGE_SIZE - 1) / SQL_PAGE_SIZE);
    TRY(wal_frames(p, i.log_path, take, &r, &page, err));
    if (page && page != SQL_PAGE_SIZE) memset(i.frames, 0, i.capacity * sizeof(*i.frames)); /* not a log of this file */
    if (r.rc != EVDB_OK) rc = error_no_memory(err, r.capacity * sizeof(pending), "the frames of a log");
out:
    mem_free(&p->mem, r.pending);
    if (rc == EVDB_OK) *out = i;
    else image_close(&i);
    return rc;
}

void image_close(image *i)
{
    if (!i->platform) return;
    descriptor_close(&i->file);
    descriptor_close(&i->log);
    mem_free(&i->platform->mem, i->frames);
    mem_free(&i->platform->mem, i->log_path);
    *i = (image){ 0 };
}

/* No page of a database is all zeros: that one was never written, or wiped out. */
static bool written(const unsigned char *page) { return page[0] || memcmp(page, page + 1, SQL_PAGE_SIZE - 1) != 0; }

evdb_status image_page(const image *i, uint32_t number, unsigned char out[SQL_PAGE_SIZE], bool *sound, evdb_error *err)
{
    *sound = false;
    if (!number || number > i->pages) return EVDB_OK;
    uint64_t frame = number <= i->capacity ? i->frames[number - 1] : 0;
    const descriptor *d = frame ? &i->log : &i->file;
    if (d->fd < 0) return EVDB_OK;
    int failed = descriptor_read(d, frame ? frame : (uint64_t)(number - 1) * SQL_PAGE_SIZE, out, SQL_PAGE_SIZE);
    if (failed == EIO) return EVDB_OK; /* the disk cannot read it, or the file ends before */
    if (failed) return error_errno(err, failed, "read", d->path);
    *sound = frame || (written(out) && vfs_page_sound(out, SQL_PAGE_SIZE, number));
    return EVDB_OK;
}
