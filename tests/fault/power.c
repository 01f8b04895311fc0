/* power.c - the recording half of power.h. */
#include "power.h"
#include "power_history.h"
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *copy(const void *bytes, size_t size)
{
    void *to = malloc(size + 1);
    if (!to) errx(2, "out of memory");
    if (size) memcpy(to, bytes, size);
    return to;
}

/* NULL: it is not of the session's directory. */
static char *below(const power *p, const char *path)
{
    size_t prefix = strlen(p->dir);
    if (strncmp(path, p->dir, prefix) != 0 || (path[prefix] && path[prefix] != '/')) return NULL;
    return copy(path + prefix + (path[prefix] == '/'), strlen(path + prefix + (path[prefix] == '/')) + 1);
}

static power_event *add(power *p, io_kind kind, char *path)
{
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? p->capacity * 2 : 256;
        if (!(p->events = realloc(p->events, p->capacity * sizeof(*p->events)))) errx(2, "out of memory");
    }
    p->events[p->count] = (power_event){ .kind = kind, .path = path, .noted = copy(p->notes, p->notes_size) };
    return &p->events[p->count++];
}

static void add_write(power *p, char *path, uint64_t offset, const unsigned char *data, size_t size)
{
    power_event *e = add(p, IO_WRITE, path);
    bool zeros = size && !data[0] && memcmp(data, data + 1, size - 1) == 0;
    e->offset = offset;
    e->size = size;
    e->data = zeros ? NULL : copy(data, size);
}

/* Files that are written to through a map, `hint` and `system.hint`: what is in them now, where that has changed. */
static void look_at_maps(power *p)
{
    for (size_t i = 0; i < p->map_count; i++) {
        power_map *m = &p->maps[i];
        unsigned char bytes[POWER_MAP_BYTES];
        if (pread(m->fd, bytes, sizeof(bytes), 0) != sizeof(bytes) || memcmp(bytes, m->bytes, sizeof(bytes)) == 0) continue;
        memcpy(m->bytes, bytes, sizeof(bytes));
        add_write(p, copy(m->path, strlen(m->path) + 1), 0, bytes, sizeof(bytes));
    }
}

static void note_map(power *p, const char *whole, char *path)
{
    size_t length = strlen(path), i = 0;
    bool hint = length >= 4 && strcmp(path + length - 4, "hint") == 0;
    while (i < p->map_count && strcmp(p->maps[i].path, path) != 0) i++;
    if (!hint || i < p->map_count) {
        free(path);
        return;
    }
    if (i == POWER_MAPS) errx(2, "more maps than %d", POWER_MAPS);
    p->maps[i] = (power_map){ .path = path, .fd = open(whole, O_RDONLY | O_CLOEXEC) };
    if (p->maps[i].fd < 0) err(2, "%s", whole);
    p->map_count++;
    if (pread(p->maps[i].fd, p->maps[i].bytes, POWER_MAP_BYTES, 0) != POWER_MAP_BYTES) errx(2, "%s: is short", whole);
}

/* Opening says nothing of making: whether a file was made shows at the next operation. */
static void look_at_opened(power *p)
{
    if (p->opened && access(p->opened, F_OK) == 0) add(p, IO_OPEN, below(p, p->opened));
    free(p->opened);
    p->opened = NULL;
}

static int record_next(power *p, const io_event *event)
{
    bool sync = event->kind == IO_SYNC || event->kind == IO_SYNC_DIR;
    char *path = below(p, event->path);
    look_at_opened(p);
    look_at_maps(p);
    switch (path ? event->kind : IO_LOCK) {
    case IO_OPEN:
        if (access(event->path, F_OK) != 0) p->opened = copy(event->path, strlen(event->path) + 1);
        free(path);
        break;
    case IO_MAP: note_map(p, event->path, path); break;
    case IO_WRITE: add_write(p, path, event->offset, event->data, event->size); break;
    case IO_RENAME: add(p, IO_RENAME, path)->to = below(p, event->to); break;
    case IO_TRUNCATE: add(p, IO_TRUNCATE, path)->offset = event->offset; break;
    case IO_MKDIR: case IO_UNLINK: case IO_SYNC: case IO_SYNC_DIR: add(p, event->kind, path); break;
    default: free(path);
    }
    return sync ? IO_SKIP : 0;
}

static int record(void *context, const io_event *event)
{
    power *p = context;
    pthread_mutex_lock(&p->turn);
    int answer = record_next(p, event);
    pthread_mutex_unlock(&p->turn);
    return answer;
}

io_gate power_gate(power *p)
{
    pthread_mutex_init(&p->turn, NULL);
    return (io_gate){ p, record };
}

void power_free(power *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->events[i].path);
        free(p->events[i].to);
        free(p->events[i].data);
        free(p->events[i].noted);
    }
    for (size_t i = 0; i < p->map_count; i++) {
        free(p->maps[i].path);
        close(p->maps[i].fd);
    }
    free(p->events);
    free(p->opened);
    power_history_free(p->history);
    pthread_mutex_destroy(&p->turn);
    *p = (power){ 0 };
}
