/* power.c - implements power.h. */
#include "power.h"
#include "memory_io.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

static void *copy(const void *bytes, size_t size)
{
    void *to = malloc(size + 1);
    if (!to) errx(2, "out of memory");
    if (size) memcpy(to, bytes, size);
    return to;
}

static char *below(const power *p, const char *path)
{
    size_t prefix = strlen(p->dir);
    char *name = strdup(path[prefix] ? path + prefix + 1 : "");
    if (!name) errx(2, "out of memory");
    return name;
}

static int record(void *context, const io_event *event)
{
    power *p = context;
    bool sync = event->kind == IO_SYNC || event->kind == IO_SYNC_DIR;
    bool kept = sync || event->kind == IO_WRITE || event->kind == IO_TRUNCATE || event->kind == IO_UNLINK || event->kind == IO_RENAME;
    size_t prefix = strlen(p->dir);
    if (!kept || strncmp(event->path, p->dir, prefix) != 0) return sync ? IO_SKIP : 0;
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? p->capacity * 2 : 256;
        if (!(p->events = realloc(p->events, p->capacity * sizeof(*p->events)))) errx(2, "out of memory");
    }
    power_event *e = &p->events[p->count++];
    *e = (power_event){ .kind = event->kind,
                        .path = below(p, event->path),
                        .to = event->kind == IO_RENAME ? below(p, event->to) : NULL,
                        .offset = event->offset,
                        .noted = copy(p->notes, p->notes_size) };
    if (event->kind == IO_WRITE) {
        e->size = event->size;
        e->data = copy(event->data, event->size);
    }
    return sync ? IO_SKIP : 0; /* this machine's own disk need not hurry */
}

io_gate power_gate(power *p) { return (io_gate){ p, record }; }

void power_free(power *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->events[i].path);
        free(p->events[i].to);
        free(p->events[i].data);
        free(p->events[i].noted);
    }
    free(p->events);
    *p = (power){ 0 };
}

/* ---- putting files together ---- */

static tree_file *file_of(tree *t, const char *path)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->files[i].path, path) == 0) return &t->files[i];
    if (!(t->files = realloc(t->files, (t->count + 1) * sizeof(*t->files)))) errx(2, "out of memory");
    t->files[t->count] = (tree_file){ .path = strdup(path), .absent = 1 };
    return &t->files[t->count++];
}

static void resize(tree_file *f, size_t size)
{
    if (!(f->bytes = realloc(f->bytes, size + 1))) errx(2, "out of memory");
    if (size > f->size) memset(f->bytes + f->size, 0, size - f->size);
    f->size = size;
}

/* Sectors from..to of a write. */
static void put(tree_file *f, const power_event *e, size_t from, size_t to)
{
    if (to > e->size) to = e->size;
    if (from >= to) return;
    if (f->size < e->offset + to) resize(f, e->offset + to);
    memcpy(f->bytes + e->offset + from, e->data + from, to - from);
}

static void apply(tree_file *f, const power_event *e)
{
    f->absent = e->kind == IO_UNLINK;
    if (e->kind == IO_WRITE) put(f, e, 0, e->size);
    if (e->kind == IO_TRUNCATE) resize(f, e->offset);
    if (e->kind == IO_UNLINK) resize(f, 0);
}

/* Of an operation that was never synced: nothing, all, or some sectors of it. */
static void apply_perhaps(tree_file *f, const power_event *e, power_mood mood, uint64_t *seed)
{
    uint64_t r = seed_next(seed);
    if (mood == POWER_LOSES_ALL || (mood == POWER_ANY && r % 3 == 0)) return;
    if (mood == POWER_KEEPS_ALL || r % 3 == 1 || e->kind != IO_WRITE) apply(f, e);
    else
        for (size_t at = 0; at < e->size; at += SECTOR)
            if (seed_next(seed) % 2) {
                f->absent = 0;
                put(f, e, at, at + SECTOR);
            }
}

static bool same_file(const power_event *a, const power_event *b) { return strcmp(a->path, b->path) == 0; }

static bool renamed_later(const power *p, size_t i)
{
    for (size_t j = i + 1; j < p->count; j++)
        if (p->events[j].kind == IO_RENAME && same_file(&p->events[i], &p->events[j])) return true;
    return false;
}

/* Is event j a sync that was made? */
static bool synced(const power *p, size_t j, io_kind kind)
{
    const power_event *e = &p->events[j];
    size_t length = strlen(e->path);
    if (e->kind != kind || p->bug == POWER_NO_SYNCS) return false;
    if (kind == IO_SYNC_DIR) return p->bug != POWER_NO_FOLDER_SYNCS;
    if (p->bug == POWER_NO_LOG_SYNCS) return length < 4 || strcmp(e->path + length - 4, "-wal") != 0;
    return p->bug != POWER_NO_SYNCS_BEFORE_RENAMES || !renamed_later(p, j);
}

/* Was event i made durable by a sync of its file before `at`? The removal of a file counts as one. */
static bool durable(const power *p, size_t i, size_t at)
{
    if (p->events[i].kind == IO_UNLINK) return true;
    for (size_t j = i + 1; j < at; j++)
        if (same_file(&p->events[i], &p->events[j]) &&
            (synced(p, j, IO_SYNC) || p->events[j].kind == IO_UNLINK))
            return true;
    return false;
}

/* A new name is durable once its directory was synced. */
static bool named(const power *p, size_t i, size_t at)
{
    const char *to = p->events[i].to, *slash = strrchr(to, '/');
    size_t length = slash ? (size_t)(slash - to) : 0;
    for (size_t j = i + 1; j < at; j++)
        if (synced(p, j, IO_SYNC_DIR) && strlen(p->events[j].path) == length && strncmp(p->events[j].path, to, length) == 0) return true;
    return false;
}

static void rename_file(tree *t, const power_event *e)
{
    tree_file *to = file_of(t, e->to), *from = file_of(t, e->path);
    to = file_of(t, e->to); /* the list may have moved */
    free(to->bytes);
    to->bytes = from->bytes;
    to->size = from->size;
    to->absent = from->absent;
    from->bytes = NULL;
    from->size = 0;
    from->absent = 1;
}

tree power_cut(const power *p, size_t at, power_mood mood, uint64_t *seed)
{
    tree t = { 0 };
    for (size_t i = 0; i < at; i++) {
        const power_event *e = &p->events[i];
        if (e->kind == IO_SYNC || e->kind == IO_SYNC_DIR) continue;
        if (e->kind == IO_RENAME) {
            bool done = named(p, i, at) || mood == POWER_KEEPS_ALL || (mood == POWER_ANY && seed_next(seed) % 2);
            if (done) rename_file(&t, e);
            continue;
        }
        tree_file *f = file_of(&t, e->path);
        if (durable(p, i, at)) apply(f, e);
        else apply_perhaps(f, e, mood, seed);
    }
    return t;
}
