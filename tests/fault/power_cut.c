/* power_cut.c - the other half of power.h: puts together what the disk may hold. */
#include "power_history.h"
#include "seed.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

typedef struct content {
    unsigned char *bytes;
    size_t size, capacity;
    bool given; /* to a tree */
} content;

typedef struct disk {
    const power *power;
    const power_history *history;
    content *contents; /* of nodes */
    int *now;          /* the node of each name, -1 = none */
    power_mood mood;
    size_t stop;
    uint64_t *seed;
} disk;

static void resize(content *c, size_t size)
{
    if (size > c->capacity) {
        c->capacity = size + size / 2;
        if (!(c->bytes = realloc(c->bytes, c->capacity))) errx(2, "out of memory");
    }
    if (size > c->size) memset(c->bytes + c->size, 0, size - c->size);
    c->size = size;
}

/* Sectors from..to of a write. */
static void put(content *c, const power_event *e, size_t from, size_t to)
{
    if (to > e->size) to = e->size;
    if (from >= to) return;
    if (c->size < e->offset + to) resize(c, e->offset + to);
    if (e->data) memcpy(c->bytes + e->offset + from, e->data + from, to - from);
    else memset(c->bytes + e->offset + from, 0, to - from);
}

static void put_some(content *c, const power_event *e, uint64_t *seed)
{
    for (size_t at = 0; at < e->size; at += SECTOR)
        if (seed_next(seed) % 2) put(c, e, at, at + SECTOR);
}

static void write_all(content *c, const power_event *e)
{
    if (e->kind == IO_WRITE) put(c, e, 0, e->size);
    if (e->kind == IO_TRUNCATE) resize(c, e->offset);
}

typedef enum fate { LOST, DONE, TORN } fate;

/* Of an operation that no sync has made last. */
static fate fate_of(const disk *d, size_t i)
{
    switch (d->mood) {
    case POWER_DROPS: return LOST;
    case POWER_TEARS: return seed_next(d->seed) % 2 ? TORN : DONE;
    case POWER_REORDERS: return (fate)(seed_next(d->seed) % 3);
    case POWER_STOPS: return i < d->stop ? DONE : i == d->stop ? TORN : LOST;
    default: return DONE;
    }
}

static void name_it(disk *d, const power_step *s)
{
    if (s->unnamed >= 0 && d->now[s->unnamed] == s->node) d->now[s->unnamed] = -1;
    if (s->named >= 0) d->now[s->named] = s->node;
}

static void go(disk *d, size_t i, size_t at)
{
    const power_event *e = &d->power->events[i];
    const power_step *s = &d->history->steps[i];
    if (s->node < 0 || e->kind == IO_SYNC || e->kind == IO_SYNC_DIR) return;
    bool names = s->named >= 0 || s->unnamed >= 0;
    if (names && (s->name_lasts < at || fate_of(d, i) != LOST)) name_it(d, s);
    if (e->kind != IO_WRITE && e->kind != IO_TRUNCATE) return;
    fate f = s->content_lasts < at ? DONE : fate_of(d, i);
    if (f == TORN && e->kind == IO_WRITE) put_some(&d->contents[s->node], e, d->seed);
    else if (f != LOST) write_all(&d->contents[s->node], e);
}

/* ---- what can be reached ---- */

static char *path_below(const char *folder, const char *name)
{
    char *path;
    if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0) errx(2, "out of memory");
    return path;
}

static void add(disk *d, tree *t, int node, char *path)
{
    content *c = &d->contents[node];
    bool folder = d->history->nodes[node].folder;
    tree_file f = { .path = path, .size = folder ? 0 : c->size, .folder = folder };
    if (!folder && (c->given || !c->bytes)) { /* it has two names for the moment: a rename that was undone, and a later one that was not */
        if (!(f.bytes = malloc(c->size + 1))) errx(2, "out of memory");
        if (c->size) memcpy(f.bytes, c->bytes, c->size);
    } else if (!folder) {
        f.bytes = c->bytes;
        c->given = true;
    }
    if (!(t->files = realloc(t->files, (t->count + 1) * sizeof(*t->files)))) errx(2, "out of memory");
    t->files[t->count++] = f;
}

static void collect(disk *d, tree *t, int folder, const char *path)
{
    const power_history *h = d->history;
    for (int i = 0; i < h->name_count; i++) {
        int node = h->names[i].folder == folder ? d->now[i] : -1;
        if (node < 0) continue;
        char *whole = path_below(path, h->names[i].name);
        add(d, t, node, whole);
        if (h->nodes[node].folder) collect(d, t, node, whole);
    }
}

static void begin(disk *d)
{
    const power_history *h = d->history;
    d->contents = calloc((size_t)h->node_count, sizeof(*d->contents));
    d->now = malloc(((size_t)h->name_count + 1) * sizeof(*d->now));
    if (!d->contents || !d->now) errx(2, "out of memory");
    for (int i = 0; i < h->name_count; i++) d->now[i] = h->names[i].first;
    for (int i = 0; i < h->node_count; i++) {
        const tree_file *base = h->nodes[i].base;
        if (!base || !base->size) continue;
        resize(&d->contents[i], base->size);
        memcpy(d->contents[i].bytes, base->bytes, base->size);
    }
}

tree power_cut(power *p, size_t at, power_mood mood, uint64_t *seed)
{
    tree t = { 0 };
    if (!p->history) p->history = power_history_of(p);
    disk d = { .power = p, .history = p->history, .mood = mood, .seed = seed };
    d.stop = at ? at - 1 - seed_below(seed, 1 + seed_below(seed, at)) : 0; /* mostly not long before */
    begin(&d);
    for (size_t i = 0; i < at; i++) go(&d, i, at);
    collect(&d, &t, 0, "");
    for (int i = 0; i < p->history->node_count; i++)
        if (!d.contents[i].given) free(d.contents[i].bytes);
    free(d.contents), free(d.now);
    return t;
}
