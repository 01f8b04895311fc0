/* stream.c - implements http/stream.h.
 *
 * Locks are taken in this order: those of libmicrohttpd and watch.c, then a stream's. With a stream's nothing is called that waits. */
#include "http/stream.h"
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BYTES = 4096,
    KEPT_BYTES = 64 << 10 /* of a buffer that is empty: idle streams are many */
};

struct http_stream {
    pthread_mutex_t lock; /* of all but `left` */
    stream_place place;
    unsigned holders;
    char *bytes; /* those between `at` and `end` are unread */
    size_t at, end, capacity;
    size_t fresh;    /* written since the loop last looked */
    bool suspended;  /* the connection, by us */
    bool working;    /* the handler has not returned */
    bool ended;      /* by its writer */
    atomic_bool left;
};

http_stream *stream_open(const stream_place *place)
{
    http_stream *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->place = *place;
    s->holders = 2;
    s->working = true;
    return s;
}

static void drop_bytes(http_stream *s)
{
    free(s->bytes);
    s->bytes = NULL;
    s->at = s->end = s->capacity = 0;
}

/* Unlocks. */
static void let_go(http_stream *s)
{
    bool last = --s->holders == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last) return;
    drop_bytes(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void stream_release(http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    let_go(s);
}

/* The loop is left to the crew: whoever writes may hold locks of his own. Under the lock, the connection is known to be there. */
static void wake(http_stream *s)
{
    if (!s->suspended) return;
    s->suspended = false;
    MHD_resume_connection(s->place.connection);
    crew_nudge(s->place.workers);
}

/* ---- the loop's side ---- */

static size_t take(http_stream *s, char *to, size_t room)
{
    size_t unread = s->end - s->at, size = unread < room ? unread : room;
    if (size) memcpy(to, s->bytes + s->at, size);
    s->at += size;
    if (s->at < s->end) return size;
    s->at = s->end = 0;
    if (s->capacity > KEPT_BYTES) drop_bytes(s);
    return size;
}

/* A connection whose content ends with an error is closed the next time libmicrohttpd looks at it. By itself it does so when all that are older
 * have timed out; those with a time-out of their own it looks at each time. */
static ssize_t break_off(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_TIMEOUT);
    unsigned usual = info ? info->connection_timeout : 0;
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, usual + 1);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

ssize_t stream_read(void *stream, uint64_t position, char *to, size_t room)
{
    http_stream *s = stream;
    const stream_place *p = &s->place; /* ours: nothing changes it before stream_detach() */
    (void)position;
    loop_progress(p->loop);
    pthread_mutex_lock(&s->lock);
    size_t fresh = s->fresh, size = take(s, to, room);
    bool over = s->ended && !size, working = s->working, left = atomic_load(&s->left);
    s->fresh = 0;
    s->suspended = !size && !over && !left;
    if (s->suspended) MHD_suspend_connection(p->connection);
    pthread_mutex_unlock(&s->lock);
    if (left) return break_off(p->connection);
    if (size || over) watch_feed(p->connections, p->watched, fresh);
    else watch_enter(p->connections, p->watched, working ? WATCH_WORKING : WATCH_STREAMING, 0);
    return over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)size;
}

void stream_alone(http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->working = false;
    wake(s); /* to be told apart from one with a handler */
    pthread_mutex_unlock(&s->lock);
}

static void leave(http_stream *s)
{
    atomic_store(&s->left, true);
    drop_bytes(s);
    wake(s);
}

void stream_drop(http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    leave(s);
    pthread_mutex_unlock(&s->lock);
}

void stream_detach(http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->suspended = false; /* nobody is to wake it any more */
    leave(s);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the writer's side ---- */

static bool make_room(http_stream *s, size_t size)
{
    size_t unread = s->end - s->at;
    if (s->capacity - s->end >= size) return true;
    if (s->at && s->capacity - unread >= size) memmove(s->bytes, s->bytes + s->at, unread);
    else {
        size_t capacity = s->capacity ? s->capacity : FIRST_BYTES;
        while (capacity - unread < size) {
            if (capacity > SIZE_MAX / 2) return false;
            capacity *= 2;
        }
        char *bytes = malloc(capacity);
        if (!bytes) return false;
        if (unread) memcpy(bytes, s->bytes + s->at, unread);
        free(s->bytes);
        s->bytes = bytes;
        s->capacity = capacity;
    }
    s->at = 0;
    s->end = unread;
    return true;
}

bool http_stream_write(http_stream *s, const void *bytes, size_t size)
{
    pthread_mutex_lock(&s->lock);
    bool left = atomic_load(&s->left), taken = !left && s->end - s->at <= HTTP_STREAM_BYTES_MAX && make_room(s, size);
    if (taken && size) {
        memcpy(s->bytes + s->end, bytes, size);
        s->end += size;
        s->fresh += size;
        wake(s);
    } else if (!taken && !left) leave(s); /* a stream with a gap is worth nothing */
    pthread_mutex_unlock(&s->lock);
    return taken;
}

bool http_stream_left(http_stream *s) { return atomic_load(&s->left); }

void http_stream_end(http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    wake(s);
    let_go(s);
}
