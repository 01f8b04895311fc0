/* reserve.c - implements disk/reserve.h. */
#include "disk/reserve.h"
#include "base/mem.h"
#include "platform/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX "-reserve"

bool reserve_init(reserve *r, const platform *p, const char *of, uint64_t page)
{
    size_t bytes = strlen(of) + sizeof(SUFFIX);
    char *path = mem_alloc(&p->mem, bytes);
    if (!path) return false;
    snprintf(path, bytes, "%s" SUFFIX, of);
    *r = (reserve){ .platform = p, .path = path, .page = page, .deletes = true };
    return true;
}

void reserve_free(reserve *r)
{
    if (r->path) mem_free(&r->platform->mem, r->path);
    r->path = NULL;
}

/* Has it that many bytes? What fails for another reason than want of room is none to refuse a write for: there is no reserve then. */
static bool has(reserve *r, uint64_t bytes)
{
    int failed = file_ensure(r->platform, r->path, bytes);
    return failed != ENOSPC && failed != EDQUOT;
}

static uint64_t growth_of(const reserve *r, uint64_t size, uint64_t pages)
{
    uint64_t end = pages * r->page;
    return end > size ? end - size : 0;
}

void reserve_begin(reserve *r, uint64_t size, uint64_t pages)
{
    r->had = pages;
    r->deletes = false;
    r->growth = growth_of(r, size, pages);
}

/* Beyond what the file will grow by. */
static uint64_t kept(const reserve *r, uint64_t pages)
{
    uint64_t half = pages / 2;
    return r->page * (half < RESERVE_LEAST ? RESERVE_LEAST : half > RESERVE_MOST ? RESERVE_MOST : half);
}

bool reserve_commit(reserve *r, uint64_t size, uint64_t pages, uint64_t log)
{
    uint64_t now;
    if (!r->path) return true;
    r->growth = growth_of(r, size, pages);
    uint64_t whole = r->growth + kept(r, pages), step = r->growth ? RESERVE_STEP : 0;
    if (file_size(r->path, &now) != 0) now = 0;
    if (now > whole + 2 * RESERVE_STEP) (void)file_cut(r->platform, r->path, whole + step);
    r->short_of = now < whole && !has(r, whole + step) && !has(r, whole);
    if (!r->short_of) return true;
    if (pages > r->had && !r->deletes) return false;
    uint64_t room = RESERVE_LOG * r->page, for_log = pages > r->had && log < room ? room - log : 0;
    return now >= r->growth + for_log || has(r, r->growth + for_log);
}

bool reserve_give(reserve *r, uint64_t bytes, uint64_t growth)
{
    uint64_t now;
    if (!r->path || file_size(r->path, &now) != 0 || now <= growth) return false;
    r->short_of = true;
    return file_cut(r->platform, r->path, now - growth > bytes ? now - bytes : growth) == 0;
}

void reserve_rest(const reserve *r, uint64_t size)
{
    uint64_t now, whole = kept(r, size / r->page);
    if (file_size(r->path, &now) == 0 && now > whole) (void)file_cut(r->platform, r->path, whole);
}
