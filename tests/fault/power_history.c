/* power_history.c - implements power_history.h: goes through the recording once, as it went. */
#include "power_history.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more, whose number is returned. */
static void *grown(void *list, int count, size_t size)
{
    if (count & (count - 1)) return list; /* there is room up to the next power of two */
    void *more = realloc(list, (size_t)(count ? count * 2 : 1) * size);
    if (!more) errx(2, "out of memory");
    return more;
}

static int add_node(power_history *h, bool folder, const tree_file *base)
{
    h->nodes = grown(h->nodes, h->node_count, sizeof(*h->nodes));
    h->nodes[h->node_count] = (power_node){ folder, base };
    return h->node_count++;
}

static int name_in(power_history *h, int folder, const char *name, size_t length)
{
    for (int i = 0; i < h->name_count; i++)
        if (h->names[i].folder == folder && strncmp(h->names[i].name, name, length) == 0 && !h->names[i].name[length]) return i;
    h->names = grown(h->names, h->name_count, sizeof(*h->names));
    h->names[h->name_count] = (power_name){ folder, strndup(name, length), -1, -1 };
    if (!h->names[h->name_count].name) errx(2, "out of memory");
    return h->name_count++;
}

/* -1: a folder on the way is missing. `make`: folders of the beginning. */
static int find(power_history *h, const char *path, bool make)
{
    int folder = 0;
    for (;;) {
        const char *slash = strchr(path, '/');
        int name = name_in(h, folder, path, slash ? (size_t)(slash - path) : strlen(path));
        if (!slash) return name;
        if (make && h->names[name].last < 0) {
            int node = add_node(h, true, NULL);
            h->names[name].first = h->names[name].last = node;
        }
        folder = h->names[name].last;
        if (folder < 0 || !h->nodes[folder].folder) return -1;
        path = slash + 1;
    }
}

static void begin(power_history *h, const tree *base)
{
    add_node(h, true, NULL);
    for (size_t i = 0; base && i < base->count; i++) {
        const tree_file *f = &base->files[i];
        if (f->absent) continue;
        int name = find(h, f->path, true);
        if (h->names[name].last >= 0) continue; /* a folder that was met with a file in it */
        int node = add_node(h, f->folder, f->folder ? NULL : f);
        h->names[name].first = h->names[name].last = node;
    }
}

static void move(power_history *h, const power_event *e, power_step *s, int name)
{
    int to = e->to ? find(h, e->to, false) : -1;
    s->node = h->names[name].last;
    if (s->node < 0) return;
    s->unnamed = name;
    h->names[name].last = -1;
    if (to >= 0) h->names[to].last = s->node;
    s->named = to;
}

static void go(power_history *h, const power_event *e, power_step *s)
{
    *s = (power_step){ 0, -1, -1, POWER_NEVER, POWER_NEVER };
    if (!*e->path) return; /* the directory itself */
    int name = find(h, e->path, false);
    s->node = name < 0 ? -1 : h->names[name].last;
    if (name < 0 || e->kind == IO_SYNC || e->kind == IO_SYNC_DIR) return;
    if (e->kind == IO_UNLINK || e->kind == IO_RENAME) move(h, e, s, name);
    else if (s->node < 0) {
        s->node = h->names[name].last = add_node(h, e->kind == IO_MKDIR, NULL);
        s->named = name;
    }
}

static bool is_log(const char *path)
{
    size_t length = strlen(path);
    return (length >= 4 && strcmp(path + length - 4, "-wal") == 0) || (length >= 8 && strcmp(path + length - 8, "-journal") == 0);
}

/* Was this sync made? */
static bool made(const power *p, const power_event *e, bool renamed_later)
{
    switch (p->bug) {
    case POWER_NO_SYNCS: return false;
    case POWER_NO_LOG_SYNCS: return !is_log(e->path);
    case POWER_NO_SYNCS_BEFORE_RENAMES: return e->kind == IO_SYNC_DIR || !renamed_later;
    case POWER_NO_FOLDER_SYNCS: return e->kind == IO_SYNC;
    default: return true;
    }
}

static int folder_of(const power_history *h, const power_step *s) { return h->names[s->named >= 0 ? s->named : s->unnamed].folder; }

static void *filled(size_t count, size_t size)
{
    void *list = malloc(count * size + 1);
    if (!list) errx(2, "out of memory");
    memset(list, 0xff, count * size);
    return list;
}

/* SQLite syncs the folder of a log together with a new log's first sync, past the gate: the folder by events, -1 = none. */
static int *first_syncs(const power *p, const power_history *h)
{
    int *folders = filled(p->count, sizeof(*folders)), *of_new = filled((size_t)h->node_count, sizeof(*of_new));
    for (size_t i = 0; i < p->count; i++) {
        const power_step *s = &h->steps[i];
        if (s->node < 0 || !is_log(p->events[i].path)) continue;
        if (s->named >= 0) of_new[s->node] = folder_of(h, s);
        if (p->events[i].kind != IO_SYNC) continue;
        folders[i] = of_new[s->node];
        of_new[s->node] = -1;
    }
    free(of_new);
    return folders;
}

/* Backwards: of each node, the next sync of its content, or of the names in it, and whether it is renamed. */
static void find_what_lasts(const power *p, power_history *h)
{
    size_t *next = filled((size_t)h->node_count, sizeof(*next)); /* POWER_NEVER */
    bool *renamed = calloc((size_t)h->node_count, sizeof(*renamed));
    int *folders = first_syncs(p, h);
    if (!renamed) errx(2, "out of memory");
    for (size_t i = p->count; i-- > 0;) {
        const power_event *e = &p->events[i];
        power_step *s = &h->steps[i];
        if (s->node < 0) continue;
        if (e->kind == IO_RENAME) renamed[s->node] = true;
        if (e->kind == IO_SYNC || e->kind == IO_SYNC_DIR) {
            if (!made(p, e, renamed[s->node])) continue;
            next[s->node] = i;
            if (folders[i] >= 0) next[folders[i]] = i;
            continue;
        }
        s->content_lasts = next[s->node];
        if (s->named >= 0 || s->unnamed >= 0) s->name_lasts = next[folder_of(h, s)];
    }
    free(next), free(renamed), free(folders);
}

power_history *power_history_of(const power *p)
{
    power_history *h = calloc(1, sizeof(*h));
    if (!h || !(h->steps = malloc((p->count + 1) * sizeof(*h->steps)))) errx(2, "out of memory");
    begin(h, p->base);
    for (size_t i = 0; i < p->count; i++) go(h, &p->events[i], &h->steps[i]);
    find_what_lasts(p, h);
    return h;
}

void power_history_free(power_history *h)
{
    if (!h) return;
    for (int i = 0; i < h->name_count; i++) free(h->names[i].name);
    free(h->nodes), free(h->names), free(h->steps);
    free(h);
}
