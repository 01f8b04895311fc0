/* tls.c - implements http/tls.h. */
#include "http/tls.h"
#include "http/refusal.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 4 }; /* at once; the kernel tells of the others before it tells of these again */

struct tls_transport {
    tls_transport *next, **link; /* link: what points here; NULL when in no list */
    tls_port *port;
    struct MHD_Connection *connection;
    watched *watched;
    certificate *certificate;
    int fd;
    uint32_t wanted;     /* events that the handshake waits for */
    bool heard;          /* something of the client */
    bool sent, received; /* the message Finished; both: the handshake is done */
};

struct tls_port {
    watch *connections;
    int events;               /* epoll */
    tls_transport *waiting;   /* whose handshakes found nothing to read, or no room to write */
    tls_transport *suspended;
    tls_transport *stepped;   /* whose handshake has gone on in this run: one, since it takes a millisecond of computing */
    unsigned traffic;
};

/* ---- lists ---- */

static void leave(tls_transport *t)
{
    if (!t->link) return;
    *t->link = t->next;
    if (t->next) t->next->link = t->link;
    t->link = NULL;
}

static void enter(tls_transport *t, tls_transport **list)
{
    leave(t);
    t->next = *list;
    t->link = list;
    if (t->next) t->next->link = &t->next;
    *list = t;
}

/* ---- the transport, as GnuTLS calls it ---- */

static bool is_done(const tls_transport *t) { return t->sent && t->received; }

static ssize_t moved(tls_transport *t, ssize_t bytes, uint32_t wanted)
{
    if (bytes >= 0) t->port->traffic++;
    else if ((errno == EAGAIN || errno == EWOULDBLOCK) && !is_done(t)) {
        t->wanted = wanted;
        enter(t, &t->port->waiting);
    }
    return bytes; /* errno tells GnuTLS why not */
}

/* A method begins with a letter, which nothing of TLS does. What is unread when a socket is closed can take the answer with it. */
static void refuse_plain(int fd)
{
    char rest[4096];
    for (int i = 0; i < 8 && recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0; i++) continue;
    refusal_write(&refusal_plain, fd);
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes, size_t size)
{
    tls_transport *t = transport;
    tls_port *p = t->port;
    if (!is_done(t) && p->stepped && p->stepped != t) { /* as if nothing had come: in the next run, when others have had theirs */
        errno = EAGAIN;
        return moved(t, -1, EPOLLIN);
    }
    ssize_t got = moved(t, recv(t->fd, bytes, size, 0), EPOLLIN);
    if (got > 0 && !is_done(t)) p->stepped = t;
    char first = got > 0 && !t->heard ? *(const char *)bytes : 0;
    t->heard |= got > 0;
    if (first < 'A' || first > 'Z') return got;
    refuse_plain(t->fd);
    return 0; /* as if the client had left */
}

static ssize_t push(gnutls_transport_ptr_t transport, const giovec_t *pieces, int count)
{
    tls_transport *t = transport;
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)count };
    return moved(t, sendmsg(t->fd, &message, MSG_NOSIGNAL), EPOLLOUT);
}

static int pull_timeout(gnutls_transport_ptr_t transport, unsigned ms)
{
    struct pollfd p = { .fd = ((tls_transport *)transport)->fd, .events = POLLIN };
    return poll(&p, 1, ms == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)ms);
}

/* From here on the connection waits for a request, which gets a deadline of its own. */
static int finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *message)
{
    tls_transport *t = gnutls_transport_get_ptr(session);
    (void)type, (void)when, (void)message;
    *(incoming ? &t->received : &t->sent) = true;
    if (!is_done(t)) return 0;
    watch_enter(t->port->connections, t->watched, WATCH_IDLE, 0);
    /* Nothing goes back with it in TLS 1.3: a client with Nagle's algorithm keeps its request until this is acknowledged, 40 ms later. */
    if (incoming) setsockopt(t->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
    return 0;
}

tls_transport *tls_transport_begin(tls_port *p, struct MHD_Connection *connection, watched *place, certificate *shown)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? info->tls_session : NULL;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    tls_transport *t = session && info && certificate_use(shown, session) ? calloc(1, sizeof *t) : NULL;
    if (!t) return NULL;
    t->port = p;
    t->connection = connection;
    t->watched = place;
    t->certificate = certificate_hold(shown);
    t->fd = info->connect_fd;
    gnutls_transport_set_ptr(session, t);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, pull_timeout);
    gnutls_transport_set_vec_push_function(session, push);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, finished);
    return t;
}

void tls_transport_end(tls_transport *t)
{
    if (!t) return;
    leave(t);
    if (t->port->stepped == t) t->port->stepped = NULL;
    certificate_release(t->certificate);
    free(t);
}

/* ---- the port ---- */

tls_port *tls_port_open(watch *connections)
{
    tls_port *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->connections = connections;
    p->events = epoll_create1(EPOLL_CLOEXEC);
    if (p->events >= 0) return p;
    free(p);
    return NULL;
}

void tls_port_close(tls_port *p)
{
    if (!p) return;
    close(p->events);
    free(p);
}

int tls_port_descriptor(tls_port *p, int daemon_events)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    return epoll_ctl(p->events, EPOLL_CTL_ADD, daemon_events, &event) == 0 ? p->events : -1;
}

unsigned tls_port_traffic(const tls_port *p) { return p->traffic; }

/* MHD_resume_connection() only leaves a note, for the daemon's next run. */
static void resume(tls_transport *t)
{
    leave(t);
    epoll_ctl(t->port->events, EPOLL_CTL_DEL, t->fd, NULL);
    MHD_resume_connection(t->connection);
}

void tls_port_wake(tls_port *p)
{
    struct epoll_event events[EVENTS_MAX];
    bool one = false;
    p->stepped = NULL;
    int count = p->suspended ? epoll_wait(p->events, events, EVENTS_MAX, 0) : 0;
    for (int i = 0; i < count && !one; i++) {
        one = events[i].data.ptr; /* not the daemon's */
        if (one) resume(events[i].data.ptr);
    }
}

bool tls_port_stepped(const tls_port *p) { return p->stepped; }

/* One that cannot be watched stays with libmicrohttpd, which then asks to be run until the deadline. */
void tls_port_sleep(tls_port *p)
{
    while (p->waiting) {
        tls_transport *t = p->waiting;
        struct epoll_event event = { .events = t->wanted, .data.ptr = t };
        leave(t);
        watch_enter(p->connections, t->watched, WATCH_HANDSHAKE, 0);
        if (epoll_ctl(p->events, EPOLL_CTL_ADD, t->fd, &event) != 0) continue;
        MHD_suspend_connection(t->connection);
        enter(t, &p->suspended);
    }
}

void tls_port_end(tls_port *p)
{
    while (p->suspended) resume(p->suspended);
}
