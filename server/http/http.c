/* http.c - starting and stopping: a libmicrohttpd daemon for each port, one crew of threads, one table of connections. */
#include "http/exchange.h"
#include "http/fail.h"
#include "http/listen.h"
#include <errno.h>
#include <gnutls/abstract.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    WORKERS_MIN = 4,
    GRACE_MS = 200,           /* in which a client that keeps its connection may send one more request when we stop */
    REFUSAL_MS = 1000,        /* for the last refusals to go out */
    HANDSHAKE_MS = 20,        /* for the last connections to be made */
    DESCRIPTORS_KEPT = 64,    /* for all else, at least, where descriptors are few */
    OTHER_DESCRIPTORS = 1024, /* what the rest of the process may have open besides connections */
};

typedef struct listener {
    exchange_port port; /* context of the callbacks */
    struct MHD_Daemon *daemon;
} listener;

struct http_server {
    exchange_host host;
    uint32_t request_seconds;
    const char *certificate_file, *key_file;
    size_t listener_count;
    listener listeners[HTTP_PORTS_MAX];
};

static uint32_t cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

/* Paths are decoded by head.c, which refuses what is malformed instead of leaving it as it is. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* The usual soft limit of 1024 descriptors is less than the connections and the stores need. How many connections there can be:
 * where the system allows fewer, the longest idle must make room before descriptors run out, since accepting needs one. */
static uint32_t raise_descriptor_limit(uint32_t connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return connections;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return connections;
    rlim_t kept = limit.rlim_cur / 4 < DESCRIPTORS_KEPT ? DESCRIPTORS_KEPT : limit.rlim_cur / 4;
    rlim_t most = limit.rlim_cur > kept ? limit.rlim_cur - kept : 1;
    return most < connections ? (uint32_t)most : connections;
}

/* Never asked: each connection is given its certificate when it begins. libmicrohttpd would keep one, with its key, to its end. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count, const gnutls_pk_algorithm_t *algorithms,
                          int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key)
{
    (void)session, (void)issuers, (void)issuer_count, (void)algorithms, (void)algorithm_count, (void)chain, (void)chain_length, (void)key;
    return -1;
}

static struct MHD_Daemon *start_daemon(listener *l, int fd, const http_options *o)
{
    /* Over our maximum an idle connection makes room for the new one; libmicrohttpd, which would leave the new one waiting, must
     * not be the first to say no. */
    unsigned most = o->connections_max + OTHER_DESCRIPTORS;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_seconds, NULL },
        /* holds the head and a piece of the body; twice the head's limit, so that it is we who say 431 */
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * (intptr_t)HTTP_HEADERS_MAX, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)exchange_connection, &l->port },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_target, &l->port },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_completed, &l->port },
        { l->port.tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0, (void *)(uintptr_t)no_certificate },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)certificate_priorities },
        { MHD_OPTION_END, 0, NULL }
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (l->port.tls ? MHD_USE_TLS : 0);
    return MHD_start_daemon(flags, 0, NULL, NULL, exchange_access, &l->port, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static evdb_status add_listener(http_server *s, uint16_t port, const http_options *o, evdb_error *err)
{
    listener *l = &s->listeners[s->listener_count];
    int fd;
    evdb_status rc = listen_open(o->address, &port, &fd, err);
    if (rc != EVDB_OK) return rc;
    l->port = (exchange_port){ .host = &s->host, .port = port };
    if (s->host.certificate) l->port.tls = tls_port_open(s->host.connections);
    if (l->port.tls || !s->host.certificate) l->daemon = start_daemon(l, fd, o);
    if (!l->daemon || !crew_add(s->host.workers, l->daemon, l->port.tls, &l->port.loop)) {
        if (l->daemon) MHD_stop_daemon(l->daemon); /* with the socket */
        else close(fd);
        tls_port_close(l->port.tls);
        return http_fail(err, EVDB_NO_MEMORY, "the event loop of port %u cannot be started", port);
    }
    s->listener_count++;
    return EVDB_OK;
}

static http_options with_defaults(const http_options *given)
{
    http_options o = *given;
    uint32_t workers = 2 * cores();
    if (!o.threads) o.threads = workers < WORKERS_MIN ? WORKERS_MIN : workers;
    if (!o.body_max) o.body_max = HTTP_BODY_MAX;
    if (!o.connections_max) o.connections_max = HTTP_CONNECTIONS_MAX;
    if (!o.idle_seconds) o.idle_seconds = HTTP_IDLE_SECONDS;
    if (!o.request_seconds) o.request_seconds = HTTP_REQUEST_SECONDS;
    return o;
}

/* Nothing is left in flight: every connection is idle or broken. */
static void close_all(http_server *s)
{
    crew_stop(s->host.workers);
    for (size_t i = 0; i < s->listener_count; i++) {
        listener *l = &s->listeners[i];
        if (l->port.tls) tls_port_end(l->port.tls);
        MHD_stop_daemon(l->daemon);
        tls_port_close(l->port.tls);
    }
    watch_stop(s->host.connections); /* it may wake the crew */
    crew_free(s->host.workers);
    certificate_release(s->host.certificate);
    pthread_mutex_destroy(&s->host.certificate_lock);
    free(s);
}

evdb_status http_start(const http_options *options, http_server **out, evdb_error *err)
{
    http_options o = with_defaults(options);
    if (o.port_count < 1 || o.port_count > HTTP_PORTS_MAX)
        return http_fail(err, EVDB_INVALID, "1 to %u ports can be listened on, not %zu", HTTP_PORTS_MAX, o.port_count);
    http_server *s = calloc(1, sizeof *s);
    if (!s) return http_fail(err, EVDB_NO_MEMORY, "out of memory");
    s->request_seconds = o.request_seconds;
    s->certificate_file = o.certificate_file;
    s->key_file = o.key_file;
    pthread_mutex_init(&s->host.certificate_lock, NULL);
    s->host.handler = o.handler;
    s->host.context = o.context;
    s->host.body_max = o.body_max;
    o.connections_max = raise_descriptor_limit(o.connections_max);
    s->host.workers = crew_start(o.threads, cores(), HTTP_QUEUE_MAX, &exchange_calls);
    s->host.connections = watch_start(o.connections_max, o.request_seconds);
    evdb_status rc = s->host.workers && s->host.connections
                         ? EVDB_OK : http_fail(err, EVDB_NO_MEMORY, "the threads of the server cannot be started");
    if (rc == EVDB_OK && o.certificate_file) rc = certificate_load(o.certificate_file, o.key_file, &s->host.certificate, err);
    for (size_t i = 0; rc == EVDB_OK && i < o.port_count; i++) rc = add_listener(s, o.ports[i], &o, err);
    if (rc == EVDB_OK) {
        s->host.wind_up = o.stopping;
        *out = s;
    } else http_stop(s);
    return rc;
}

uint16_t http_port(const http_server *server, size_t slot)
{
    return slot < server->listener_count ? server->listeners[slot].port.port : 0;
}

evdb_status http_certificate_check(const char *certificate_file, const char *key_file, evdb_error *err)
{
    certificate *c;
    evdb_status rc = certificate_load(certificate_file, key_file, &c, err);
    if (rc == EVDB_OK) certificate_release(c);
    return rc;
}

evdb_status http_certificate_reload(http_server *server, evdb_error *err)
{
    certificate *c;
    evdb_status rc = certificate_load(server->certificate_file, server->key_file, &c, err);
    if (rc != EVDB_OK) return rc;
    pthread_mutex_lock(&server->host.certificate_lock);
    certificate *old = server->host.certificate;
    server->host.certificate = c;
    pthread_mutex_unlock(&server->host.certificate_lock);
    certificate_release(old);
    return EVDB_OK;
}

int64_t http_certificate_expires(http_server *server)
{
    pthread_mutex_lock(&server->host.certificate_lock);
    int64_t expires = certificate_expires(server->host.certificate);
    pthread_mutex_unlock(&server->host.certificate_lock);
    return expires;
}

void http_serve(http_server *server)
{
    crew_open(server->host.workers);
}

static void let_go(crew *c, loop *l)
{
    loop_release(l);
    crew_run(c, l);
}

/* No new connections; those that the kernel has taken already are taken over, since their clients believe in them. */
static void close_door(listener *l)
{
    struct sockaddr_storage peer;
    crew *workers = l->port.host->workers;
    int client;
    loop_hold(l->port.loop);
    int fd = MHD_quiesce_daemon(l->daemon);
    let_go(workers, l->port.loop);
    if (fd < 0) return;
    listen_refuse(fd);
    struct pollfd door = { .fd = fd, .events = POLLIN };
    while (poll(&door, 1, HANDSHAKE_MS) > 0) {
        socklen_t size = sizeof peer;
        client = accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN)) continue;
        if (client < 0) break;
        loop_hold(l->port.loop);
        MHD_add_connection(l->daemon, client, (struct sockaddr *)&peer, size); /* closes it on failure */
        let_go(workers, l->port.loop); /* after each: held up, those who leave at once would count against the limit */
    }
    close(fd);
}

void http_stop(http_server *server)
{
    if (!server) return;
    exchange_host *host = &server->host;
    atomic_store(&host->stopping, true);
    for (size_t i = 0; i < server->listener_count; i++) close_door(&server->listeners[i]);
    if (host->workers && host->connections) {
        if (host->wind_up) host->wind_up(host->context);
        bool settled = watch_settle(host->connections, GRACE_MS, server->request_seconds * 1000);
        watch_cut_streams(host->connections); /* whose writers have had their time */
        crew_refuse(host->workers); /* a suspended connection would make MHD_stop_daemon() abort */
        if (!settled) watch_settle(host->connections, 0, REFUSAL_MS);
    }
    close_all(server);
}
