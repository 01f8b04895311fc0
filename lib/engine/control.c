/* control.c - implements engine/control.h. */
#include "engine/control.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "platform/file.h"
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 16 };
static const char names[CONTROL_MARKS][NAME_MAX_BYTES] = { "index.off", "index.paused", "index.cancel" };

/* The store's folder and the mark in it; both NULL in memory. */
static evdb_status paths(engine *e, control_mark mark, char **dir, char **path, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    *path = NULL;
    evdb_status rc = engine_dir(e->db, e->uuid, dir, err);
    if (rc != EVDB_OK || !*dir) return rc;
    size_t bytes = strlen(*dir) + NAME_MAX_BYTES + 1;
    if (!(*path = mem_alloc(mem, bytes))) {
        mem_free(mem, *dir);
        *dir = NULL;
        return error_no_memory(err, bytes, "a path");
    }
    snprintf(*path, bytes, "%s/%s", *dir, names[mark]);
    return EVDB_OK;
}

bool control_is(engine *e, control_mark mark)
{
    char *dir = NULL, *path = NULL;
    bool there = false, directory;
    if (!e->db->dir) return atomic_load(&e->indexer.marks[mark]);
    if (paths(e, mark, &dir, &path, NULL) == EVDB_OK && file_exists(path, &there, &directory) != 0) there = false;
    mem_free(&e->db->platform.mem, dir);
    mem_free(&e->db->platform.mem, path);
    return there;
}

evdb_status control_set(engine *e, control_mark mark, bool on, evdb_error *err)
{
    const platform *p = &e->db->platform;
    char *dir = NULL, *path = NULL;
    atomic_store(&e->indexer.marks[mark], on);
    evdb_status rc = paths(e, mark, &dir, &path, err);
    if (rc == EVDB_OK && dir) {
        int failed = on ? file_ensure(p, path, 0) : file_unlink(p, path);
        if (!failed) failed = file_sync_dir(p, dir);
        if (failed) rc = error_errno(err, failed, on ? "create" : "remove", path);
    }
    mem_free(&p->mem, dir);
    mem_free(&p->mem, path);
    return rc;
}
