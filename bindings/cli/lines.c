/* lines.c - implements lines.h. */
#include "lines.h"
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_BYTES = 1 << 16 };

/* Drops what was given out and makes room behind the rest; errno is set on failure. */
static bool make_room(lines *l)
{
    if (l->taken) memmove(l->at, l->at + l->taken, l->used - l->taken);
    l->used -= l->taken;
    l->taken = 0;
    if (l->used < l->room) return true;
    size_t room = l->room ? l->room * 2 : FIRST_BYTES;
    char *grown = realloc(l->at, room);
    if (!grown) return false;
    l->at = grown;
    l->room = room;
    return true;
}

/* Waits for more; false when none is wanted. */
static bool wait_more(const lines *l)
{
    struct pollfd fds[] = { { .fd = l->end, .events = POLLIN }, { .fd = l->fd, .events = POLLIN } };
    int ready;
    if (l->end < 0) return true;
    do ready = poll(fds, 2, -1);
    while (ready < 0 && errno == EINTR);
    return !fds[0].revents;
}

/* Reads once; false on failure. */
static bool read_more(lines *l)
{
    if (!make_room(l)) return false;
    if (!wait_more(l)) {
        l->taken = l->used; /* half a line is none */
        l->ended = true;
        return true;
    }
    ssize_t got;
    do got = read(l->fd, l->at + l->used, l->room - l->used);
    while (got < 0 && errno == EINTR);
    if (got > 0) l->used += (size_t)got;
    l->ended = got == 0;
    return got >= 0;
}

/* How many bytes there are up to the next newline, of which the first `searched` have none; SIZE_MAX = there is none yet. */
static size_t line_size(const lines *l, size_t searched)
{
    if (l->used - l->taken <= searched) return SIZE_MAX;
    const char *from = l->at + l->taken, *end = memchr(from + searched, '\n', l->used - l->taken - searched);
    return end ? (size_t)(end - from) : SIZE_MAX;
}

lines_got lines_next(lines *l, const char **line, size_t *length)
{
    bool dropped = false;
    for (size_t searched = 0;;) {
        size_t left = l->used - l->taken, size = line_size(l, searched);
        bool last = size == SIZE_MAX && l->ended;
        if (last && !left && !dropped) return LINES_END;
        if (size != SIZE_MAX || last) {
            *length = last ? left : size;
            *line = *length ? l->at + l->taken : "";
            l->taken += *length + !last;
            return dropped || *length > l->most ? LINES_TOO_LONG : LINES_ONE;
        }
        if (left > l->most) dropped = true;
        if (dropped) l->taken = l->used;
        searched = dropped ? 0 : left;
        if (!read_more(l)) return LINES_FAILED;
    }
}

void lines_free(lines *l)
{
    free(l->at);
    l->at = NULL;
}
