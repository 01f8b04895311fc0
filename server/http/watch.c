/* watch.c - implements http/watch.h. */
#include "http/stream.h"
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 250,           /* how late a deadline may be noticed */
    DEPARTURE_TICK_MS = 100, /* and the departure of a stream's client */
    DEPARTURES = 64,         /* seen at once */
    KEEPALIVE_S = 60,        /* after which an idle stream's client is asked whether it is still there, ... */
    KEEPALIVE_TRIES = 4,     /* ... so often, ... */
    KEEPALIVE_TRY_S = 15,    /* ... so far apart */
    ABANDONED_MS = 1000,     /* after which a request whose client has left is given up */
    STUCK_MS = 5000,         /* and one whose bytes nobody reads */
    FRESH_MS = 1000,         /* a connection that is idle for less is one in use */
    SETTLE_TICK_MS = 20,
    WRITE_BYTES_PER_MS = 64, /* a response gets the time that this rate takes, on top of the request's */
};

struct watched {
    watched *next, **link; /* link: what points here */
    int fd;
    watch_state state;
    int64_t since, deadline;
    int64_t left; /* when its client was first seen to have left, or 0 */
    int64_t stuck;     /* since when nothing of what its client has sent was read, or 0 */
    uint64_t consumed; /* bytes read by then */
    uint64_t received; /* bytes of the connection when it became idle */
    bool sampled, cut;
    http_stream *stream; /* its response, or NULL */
    char peer[INET6_ADDRSTRLEN];
};

struct watch {
    pthread_mutex_t lock; /* of everything here */
    pthread_cond_t wake;  /* to stop the reaper */
    pthread_cond_t moved; /* a connection changed its state while somebody settles */
    pthread_t reaper;
    watched *first;
    uint32_t count, most; /* of those not cut off */
    int departures;       /* epoll: connections of streams whose clients leave */
    uint32_t streams;
    int64_t limit_ms;
    bool stopping, settling;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_ms(watch *w, pthread_cond_t *condition, int64_t ms)
{
    int64_t until = now_ms() + ms;
    struct timespec t = { .tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000 };
    pthread_cond_timedwait(condition, &w->lock, &t);
}

/* The event loop sees the end of the connection and closes it; here only its descriptor is known to be open. Of a stream that has nothing to
 * send it sees nothing. */
static void cut(watch *w, watched *c)
{
    shutdown(c->fd, SHUT_RDWR);
    if (c->stream) stream_drop(c->stream);
    c->cut = true;
    w->count--;
}

static void set(watch *w, watched *c, watch_state state, int64_t now, int64_t extra)
{
    bool timed = state == WATCH_HANDSHAKE || state == WATCH_READING || state == WATCH_WRITING;
    c->state = state;
    c->since = now;
    c->deadline = timed ? now + w->limit_ms + extra : INT64_MAX;
    c->left = 0;
    c->stuck = 0;
    c->sampled = false;
}

/* Bytes that came over the connection so far; false when the kernel does not say. */
static bool bytes_of(const watched *c, uint64_t *out)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
    *out = info.tcpi_bytes_received;
    return true;
}

/* The first byte of a request goes to libmicrohttpd unseen; the kernel's count of bytes tells that it came. */
static void look_for_bytes(watch *w, watched *c, int64_t now)
{
    uint64_t received;
    if (!bytes_of(c, &received)) return;
    if (!c->sampled) c->received = received;
    else if (c->received != received) set(w, c, WATCH_READING, now, 0);
    c->sampled = true;
}

bool watch_departed(const watched *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };
    return poll(&p, 1, 0) == 1;
}

/* Whether the client has closed its side and all that it sent has been read. */
static bool has_left(const watched *c)
{
    int unread = 0;
    return watch_departed(c) && ioctl(c->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* libmicrohttpd misses the end of a connection that comes together with bytes. Half a request waits for the other half for
 * ever then, unless we see it; a whole one is with a worker long before ABANDONED_MS are over. */
static bool is_abandoned(watched *c, int64_t now)
{
    if (!has_left(c)) return false;
    if (!c->left) c->left = now;
    return now - c->left >= ABANDONED_MS;
}

/* A line of the chunked coding that fills libmicrohttpd's buffer is never read to its end. */
static bool is_stuck(watched *c, int64_t now)
{
    uint64_t received;
    int unread = 0;
    if (ioctl(c->fd, FIONREAD, &unread) != 0 || !bytes_of(c, &received)) return false;
    uint64_t consumed = received - (uint64_t)unread;
    if (unread == 0) c->stuck = 0;
    else if (!c->stuck || consumed != c->consumed) c->stuck = now;
    c->consumed = consumed;
    return c->stuck && now - c->stuck >= STUCK_MS;
}

/* Has it too much unread, or did it leave unseen? */
static bool is_dropped(const watched *c) { return c->stream && http_stream_left(c->stream); }

static void look(watch *w, int64_t now)
{
    for (watched *c = w->first; c; c = c->next) {
        if (c->cut) continue;
        if (c->state == WATCH_IDLE) look_for_bytes(w, c, now);
        bool lost = c->state == WATCH_READING ? is_abandoned(c, now) || is_stuck(c, now) : is_dropped(c);
        if (lost || now >= c->deadline) cut(w, c);
    }
}

/* Suspended connections are watched by nobody else. */
static void look_for_departures(watch *w)
{
    struct epoll_event events[DEPARTURES];
    int count = w->streams ? epoll_wait(w->departures, events, DEPARTURES, 0) : 0;
    for (int i = 0; i < count; i++) {
        watched *c = events[i].data.ptr;
        if (!c->cut) cut(w, c);
    }
}

static void *reap(void *context)
{
    watch *w = context;
    int64_t next = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        wait_ms(w, &w->wake, w->streams ? DEPARTURE_TICK_MS : TICK_MS);
        int64_t now = now_ms();
        look_for_departures(w);
        if (now < next) continue;
        look(w, now);
        next = now + (w->streams ? TICK_MS - DEPARTURE_TICK_MS / 2 : 0);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void destroy(watch *w)
{
    if (w->departures >= 0) close(w->departures);
    pthread_cond_destroy(&w->moved);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

watch *watch_start(uint32_t connections_max, uint32_t request_seconds)
{
    watch *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->most = connections_max;
    w->limit_ms = (int64_t)request_seconds * 1000;
    pthread_mutexattr_t short_waits; /* it is held for moments, four times a request: look again before sleeping */
    pthread_mutexattr_init(&short_waits);
    pthread_mutexattr_settype(&short_waits, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&w->lock, &short_waits);
    pthread_mutexattr_destroy(&short_waits);
    init_condition(&w->wake);
    init_condition(&w->moved);
    w->departures = epoll_create1(EPOLL_CLOEXEC);
    if (w->departures >= 0 && pthread_create(&w->reaper, NULL, reap, w) == 0) return w;
    destroy(w);
    return NULL;
}

/* How readily a connection makes room for another: really idle, then sending a request or at a handshake, then between two of its requests or
 * before its first, then a stream that has long had nothing to send; 0 = never. */
static int readiness(const watched *c, int64_t now)
{
    bool fresh = now - c->since < FRESH_MS;
    if (c->cut) return 0;
    if (c->state == WATCH_STREAMING) return fresh ? 0 : 1;
    if (c->state == WATCH_IDLE) return fresh ? 2 : 4;
    return c->state == WATCH_READING || c->state == WATCH_HANDSHAKE ? 3 : 0;
}

/* Who goes when there are too many: the readiest, and of these the longest at it. */
static watched *weakest(const watch *w, int64_t now)
{
    watched *found = NULL;
    int most = 0;
    for (watched *c = w->first; c; c = c->next) {
        int ready = readiness(c, now);
        if (ready > most || (ready && ready == most && c->since < found->since)) {
            found = c;
            most = ready;
        }
    }
    return found;
}

watched *watch_add(watch *w, int fd, const struct sockaddr *peer)
{
    watched *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->fd = fd;
    if (peer->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, c->peer, sizeof c->peer);
    else inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, c->peer, sizeof c->peer);
    pthread_mutex_lock(&w->lock);
    int64_t now = now_ms();
    watched *victim = w->count >= w->most ? weakest(w, now) : NULL;
    bool full = w->count >= w->most && !victim;
    if (victim) cut(w, victim);
    set(w, c, WATCH_IDLE, now, 0);
    c->sampled = true; /* of a new connection every byte counts */
    c->next = w->first;
    c->link = &w->first;
    if (c->next) c->next->link = &c->next;
    w->first = c;
    w->count++;
    if (full) cut(w, c);
    pthread_mutex_unlock(&w->lock);
    return c;
}

/* A client that is there no more, without having said so, is told from one that has nothing to say. */
static void keep_alive(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ KEEPALIVE_S }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ KEEPALIVE_TRY_S }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ KEEPALIVE_TRIES }, sizeof(int));
}

static void end_stream(watch *w, watched *c)
{
    if (!c->stream) return;
    epoll_ctl(w->departures, EPOLL_CTL_DEL, c->fd, NULL);
    c->stream = NULL;
    w->streams--;
}

static bool begin_stream(watch *w, watched *c, http_stream *stream)
{
    struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = c };
    if (c->cut || epoll_ctl(w->departures, EPOLL_CTL_ADD, c->fd, &event) != 0) return false;
    keep_alive(c->fd);
    c->stream = stream;
    if (w->streams++ == 0) pthread_cond_signal(&w->wake);
    return true;
}

bool watch_stream(watch *w, watched *c, http_stream *stream)
{
    pthread_mutex_lock(&w->lock);
    end_stream(w, c);
    bool done = !stream || begin_stream(w, c, stream);
    pthread_mutex_unlock(&w->lock);
    return done;
}

void watch_remove(watch *w, watched *c)
{
    pthread_mutex_lock(&w->lock);
    end_stream(w, c);
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    if (!c->cut) w->count--;
    if (w->settling) pthread_cond_signal(&w->moved);
    pthread_mutex_unlock(&w->lock);
    free(c);
}

bool watch_enter(watch *w, watched *c, watch_state state, size_t size)
{
    pthread_mutex_lock(&w->lock);
    bool alive = !c->cut;
    if (state != c->state || (state != WATCH_READING && state != WATCH_HANDSHAKE)) /* the deadline counts from the first byte seen */
        set(w, c, state, now_ms(), (int64_t)(size / WRITE_BYTES_PER_MS));
    if (w->settling) pthread_cond_signal(&w->moved);
    pthread_mutex_unlock(&w->lock);
    return alive;
}

void watch_feed(watch *w, watched *c, size_t size)
{
    int64_t extra = (int64_t)(size / WRITE_BYTES_PER_MS);
    pthread_mutex_lock(&w->lock);
    if (c->state == WATCH_WRITING) c->deadline += extra;
    else set(w, c, WATCH_WRITING, now_ms(), extra);
    pthread_mutex_unlock(&w->lock);
}

void watch_cut_streams(watch *w)
{
    pthread_mutex_lock(&w->lock);
    for (watched *c = w->first; c; c = c->next)
        if (c->stream && !c->cut) cut(w, c);
    pthread_mutex_unlock(&w->lock);
}

const char *watch_peer(const watched *c)
{
    return c->peer;
}

/* No request is under way; who is still at a handshake has sent none. */
static bool all_idle(const watch *w)
{
    for (const watched *c = w->first; c; c = c->next)
        if (c->state == WATCH_WORKING || (c->state != WATCH_IDLE && c->state != WATCH_HANDSHAKE && !c->cut)) return false;
    return true;
}

bool watch_settle(watch *w, uint32_t grace_ms, uint32_t most_ms)
{
    bool settled = false;
    pthread_mutex_lock(&w->lock);
    w->settling = true;
    for (int64_t began = now_ms(), now = began; !settled; now = now_ms()) {
        look(w, now);
        settled = !w->first || (now - began >= grace_ms && all_idle(w));
        if (!settled && now - began >= most_ms) break;
        if (!settled) wait_ms(w, &w->moved, SETTLE_TICK_MS);
    }
    w->settling = false;
    pthread_mutex_unlock(&w->lock);
    return settled;
}

void watch_stop(watch *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->reaper, NULL);
    destroy(w);
}
