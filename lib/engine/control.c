/* control.c - implements engine/control.h. */
#include "engine/control.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "platform/file.h"

static const char *const names[CONTROL_MARKS] = { "index.off", "index.paused", "index.cancel" };

/* The store's folder and the mark in it, NULL before and in memory; the caller's to free also on failure. */
static evdb_status paths(engine *e, control_mark mark, char **dir, char **path, evdb_error *err)
{
    evdb_status rc = engine_dir(e->db, e->uuid, dir, err);
    return rc == EVDB_OK && *dir ? engine_file(e->db, *dir, names[mark], path, err) : rc;
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
