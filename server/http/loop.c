/* loop.c - implements http/loop.h. */
#include "http/loop.h"
#include <stdint.h>
#include <sys/epoll.h>

enum {
    ROUNDS_MAX = 16,    /* in one go: a client that sends and sends holds up nobody else */
    FRUITLESS_MAX = 512 /* rounds until a loop lags; sending a large file is some, too */
};

static bool control(loop *l, int what)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = l };
    return epoll_ctl(l->watchers, what, l->own, &event) == 0;
}

bool loop_init(loop *l, struct MHD_Daemon *daemon, tls_port *tls, int watchers)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info) return false;
    l->daemon = daemon;
    l->tls = tls;
    l->watchers = watchers;
    l->own = tls ? tls_port_descriptor(tls, info->epoll_fd) : info->epoll_fd;
    pthread_mutex_init(&l->turn, NULL);
    if (control(l, EPOLL_CTL_ADD)) return true;
    loop_destroy(l);
    return false;
}

void loop_destroy(loop *l) { pthread_mutex_destroy(&l->turn); }

/* Once. True when there is more to do. */
static bool run_daemon(loop *l)
{
    MHD_UNSIGNED_LONG_LONG wait;
    if (l->tls) tls_port_wake(l->tls);
    MHD_run_wait(l->daemon, 0);
    if (l->tls) tls_port_sleep(l->tls);
    return MHD_get_timeout(l->daemon, &wait) == MHD_YES && wait == 0;
}

static unsigned progress(const loop *l)
{
    return atomic_load(&l->calls) + (l->tls ? tls_port_traffic(l->tls) : 0);
}

/* libmicrohttpd tells by a time-out of 0 that it has connections it could go on with; no event will. For a chunked body with a
 * line that fills its buffer it says so for ever, and does nothing. */
static bool run_rounds(loop *l)
{
    bool more = true;
    int rounds = atomic_load(&l->lagging) ? 1 : ROUNDS_MAX;
    atomic_store(&l->again, false);
    for (int round = 0; more && round < rounds; round++) {
        if (round && l->tls && tls_port_stepped(l->tls)) break; /* the requests that came in are not to wait for the next handshake */
        unsigned before = progress(l);
        more = run_daemon(l);
        l->fruitless = more && progress(l) == before ? l->fruitless + 1 : 0;
    }
    bool lags = l->fruitless > FRUITLESS_MAX;
    atomic_store(&l->lagging, lags);
    return more && !lags;
}

bool loop_lags(const loop *l) { return atomic_load(&l->lagging); }

void loop_progress(loop *l) { atomic_fetch_add_explicit(&l->calls, 1, memory_order_relaxed); }

bool loop_run(loop *l)
{
    bool more = false;
    atomic_store(&l->again, true);
    while (!more && atomic_load(&l->again) && pthread_mutex_trylock(&l->turn) == 0) {
        more = run_rounds(l);
        pthread_mutex_unlock(&l->turn);
        /* behind the unlocking: who found it taken has left his notes by now, or finds it free */
        if (atomic_exchange(&l->disarmed, false)) control(l, EPOLL_CTL_MOD);
    }
    return more;
}

bool loop_run_event(loop *l)
{
    atomic_store(&l->disarmed, true);
    return loop_run(l);
}

void loop_hold(loop *l) { pthread_mutex_lock(&l->turn); }

void loop_release(loop *l) { pthread_mutex_unlock(&l->turn); }
