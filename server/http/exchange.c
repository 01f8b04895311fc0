/* exchange.c - implements http/exchange.h.
 *
 * An exchange belongs to its event loop, except between suspend and resume: then it is the queue's and the worker's. When its response is
 * a stream it is both's, and ends with the later of them: libmicrohttpd may forget the request while the handler still runs. */
#include "http/exchange.h"
#include "http/body.h"
#include "http/head.h"
#include "http/stream.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOCK_BYTES = 32 << 10 }; /* of a stream, sent at once where there is no chunked coding */

typedef struct exchange {
    crew_job job; /* first */
    exchange_port *port;
    struct MHD_Connection *connection;
    watched *watched;
    enum { AT_HEAD, AT_BODY, AT_ANSWER } stage;
    const refusal *refusal; /* what is answered instead of the handler's response */
    body body;
    http_request request;
    http_response response;
    http_stream *stream;       /* the response, when it is one */
    struct MHD_Response *head; /* its status and headers, until they are queued */
    unsigned status;
    char *fields;              /* the request's method, peer and headers, once their owners may forget them: strings, end to end */
    size_t fields_size;
    atomic_uint holders;       /* libmicrohttpd and, of a stream, the handler */
    char target[]; /* path and query point here */
} exchange;

/* What libmicrohttpd keeps for us with a connection. */
typedef struct peer {
    watched *watched;
    tls_transport *transport; /* NULL without TLS */
} peer;

static const char *kept_header(const exchange *x, const char *name)
{
    const char *end = x->fields + x->fields_size;
    for (const char *at = x->request.peer + strlen(x->request.peer) + 1; at < end;) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

const char *http_header(const http_request *request, const char *name)
{
    const exchange *x = request->connection;
    return x->fields ? kept_header(x, name) : MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

bool http_client_left(const http_request *request)
{
    const exchange *x = request->connection;
    return x->stream ? http_stream_left(x->stream) : watch_departed(x->watched); /* whose descriptor may be another's already */
}

static tls_transport *begin_tls(exchange_port *port, struct MHD_Connection *connection, watched *place)
{
    exchange_host *host = port->host;
    pthread_mutex_lock(&host->certificate_lock);
    certificate *shown = certificate_hold(host->certificate);
    pthread_mutex_unlock(&host->certificate_lock);
    tls_transport *t = tls_transport_begin(port->tls, connection, place, shown);
    certificate_release(shown);
    return t;
}

/* NULL without memory: the connection is closed then, by us with TLS and else when its request has come. */
static peer *begin_peer(exchange_port *port, struct MHD_Connection *connection, int fd, const struct sockaddr *address)
{
    peer *p = calloc(1, sizeof *p);
    if (p) p->watched = watch_add(port->host->connections, fd, address);
    if (p && p->watched && port->tls) p->transport = begin_tls(port, connection, p->watched);
    if (p && p->watched && (p->transport || !port->tls)) return p;
    if (p && p->watched) watch_remove(port->host->connections, p->watched);
    free(p);
    if (port->tls) shutdown(fd, SHUT_RDWR);
    return NULL;
}

static void end_peer(exchange_port *port, peer *p)
{
    if (!p) return;
    tls_transport_end(p->transport);
    watch_remove(port->host->connections, p->watched);
    free(p);
}

void exchange_connection(void *port, struct MHD_Connection *connection, void **slot,
                         enum MHD_ConnectionNotificationCode what)
{
    loop_progress(((exchange_port *)port)->loop);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        end_peer(port, *slot);
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info ? info->connect_fd : -1;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *slot = info && fd >= 0 ? begin_peer(port, connection, fd, info->client_addr) : NULL;
}

void *exchange_target(void *port, const char *target, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    size_t length = strlen(target);
    if (!info || !info->socket_context) return NULL;
    exchange *x = calloc(1, sizeof *x + length + 1);
    if (!x) return NULL;
    x->port = port;
    x->connection = connection;
    x->watched = ((peer *)info->socket_context)->watched;
    atomic_init(&x->holders, 1);
    memcpy(x->target, target, length + 1);
    return x;
}

static exchange_host *host_of(const exchange *x)
{
    return x->port->host;
}

static enum MHD_Result refuse(exchange *x, bool close)
{
    if (!watch_enter(host_of(x)->connections, x->watched, WATCH_WRITING, 0)) return MHD_NO;
    return refusal_send(x->refusal, x->connection, close || atomic_load(&host_of(x)->stopping));
}

/* The head is there; the body is not, and is not asked for when the request is refused here. */
static enum MHD_Result begin(exchange *x, const char *method)
{
    exchange_host *host = host_of(x);
    head h;
    x->stage = AT_BODY;
    if (!watch_enter(host->connections, x->watched, WATCH_READING, 0)) return MHD_NO;
    x->refusal = head_read(x->connection, &h);
    if (!x->refusal) x->refusal = head_target(x->target, &x->request.path, &x->request.query);
    if (x->refusal) return refuse(x, true);
    body_begin(&x->body, h.length, host->body_max, &host->bodies);
    if (x->body.refusal) {
        x->refusal = x->body.refusal;
        /* A client that sends without asking would not read while it writes: its body is thrown away first, in reason. */
        if (h.expects || h.length > body_drain_max(host->body_max)) return refuse(x, true);
    }
    x->request.method = method;
    x->request.port = x->port->port;
    x->request.peer = watch_peer(x->watched);
    x->request.connection = x;
    return MHD_YES;
}

static enum MHD_Result hand_over(exchange *x)
{
    exchange_host *host = host_of(x);
    if (x->body.refusal) x->refusal = x->body.refusal;
    if (x->refusal) return refuse(x, false);
    if (!watch_enter(host->connections, x->watched, WATCH_WORKING, 0)) return MHD_NO;
    x->request.body = x->body.bytes ? x->body.bytes : "";
    x->request.body_size = x->body.size;
    x->stage = AT_ANSWER;
    x->job.loop = x->port->loop;
    MHD_suspend_connection(x->connection); /* first: another thread may be done before crew_push() returns */
    if (!crew_push(host->workers, &x->job)) {
        x->refusal = atomic_load(&host->stopping) ? &refusal_stopping : &refusal_busy;
        MHD_resume_connection(x->connection);
    }
    return MHD_YES;
}

static void run(crew_job *job, bool stopping)
{
    exchange *x = (exchange *)job;
    exchange_host *host = host_of(x);
    if (stopping) x->refusal = &refusal_stopping;
    else host->handler(host->context, &x->request, &x->response);
    body_free(&x->body);
}

static void release(exchange *x)
{
    if (atomic_fetch_sub(&x->holders, 1) != 1) return;
    body_free(&x->body);
    http_response_free(&x->response);
    if (x->head) MHD_destroy_response(x->head);
    if (x->stream) stream_release(x->stream);
    free(x->fields);
    free(x);
}

static void resume(crew_job *job)
{
    exchange *x = (exchange *)job;
    if (x->stream) {
        stream_alone(x->stream);
        release(x);
    } else MHD_resume_connection(x->connection); /* from here on whoever runs the loop may free it */
}

const crew_calls exchange_calls = { run, resume };

static bool add_headers(const exchange *x, const http_response *r, struct MHD_Response *out)
{
    bool ok = !r->type || MHD_add_response_header(out, "Content-Type", r->type) == MHD_YES;
    for (size_t i = 0; ok && i < r->header_count; i++)
        ok = MHD_add_response_header(out, r->headers[i].name, r->headers[i].value) == MHD_YES;
    if (ok && r->location) ok = MHD_add_response_header(out, "Location", r->location) == MHD_YES;
    if (ok && atomic_load(&host_of(x)->stopping)) ok = MHD_add_response_header(out, "Connection", "close") == MHD_YES;
    return ok;
}

/* Takes over the body. */
static struct MHD_Response *response_of(exchange *x)
{
    http_response *r = &x->response;
    struct MHD_Response *out = r->from_file ? MHD_create_response_from_fd64(r->body_size, r->file)
                             : MHD_create_response_from_buffer_with_free_callback(r->body ? r->body_size : 0, r->body, free);
    if (!out) return NULL;
    r->body = NULL;
    r->from_file = false;
    if (add_headers(x, r, out)) return out;
    MHD_destroy_response(out);
    return NULL;
}

static enum MHD_Result answer_stream(exchange *x)
{
    watch *connections = host_of(x)->connections;
    if (!watch_enter(connections, x->watched, WATCH_WRITING, 0) || !watch_stream(connections, x->watched, x->stream)) return MHD_NO;
    return MHD_queue_response(x->connection, x->status, x->head);
}

static enum MHD_Result answer(exchange *x)
{
    if (x->refusal) return refuse(x, false);
    if (x->stream) return answer_stream(x);
    size_t size = x->response.body_size;
    struct MHD_Response *response = response_of(x);
    if (!response) {
        x->refusal = &refusal_answer;
        return refuse(x, false);
    }
    enum MHD_Result queued = MHD_NO;
    if (watch_enter(host_of(x)->connections, x->watched, WATCH_WRITING, size))
        queued = MHD_queue_response(x->connection, (unsigned)(x->response.status ? x->response.status : 200), response);
    MHD_destroy_response(response);
    return queued;
}

enum MHD_Result exchange_access(void *port, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **slot)
{
    exchange *x = *slot;
    (void)connection, (void)url, (void)version;
    loop_progress(((exchange_port *)port)->loop);
    if (!x) return MHD_NO; /* no memory for it */
    if (x->stage == AT_HEAD) return begin(x, method);
    if (x->stage == AT_ANSWER) return answer(x);
    if (*size == 0) return hand_over(x);
    if (!body_take(&x->body, data, *size)) return MHD_NO;
    *size = 0;
    return MHD_YES;
}

void exchange_completed(void *port, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode why)
{
    exchange *x = *slot;
    (void)connection, (void)why;
    loop_progress(((exchange_port *)port)->loop);
    if (!x) return;
    if (x->stream) {
        watch_stream(host_of(x)->connections, x->watched, NULL);
        stream_detach(x->stream);
    }
    watch_enter(host_of(x)->connections, x->watched, WATCH_IDLE, 0);
    release(x);
    *slot = NULL;
}

/* ---- streams ---- */

static enum MHD_Result count_field(void *size, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    *(size_t *)size += strlen(name) + strlen(value ? value : "") + 2;
    return MHD_YES;
}

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    return at + size;
}

static enum MHD_Result copy_field(void *at, enum MHD_ValueKind kind, const char *name, const char *value)
{
    char **end = at;
    (void)kind;
    *end = put_text(put_text(*end, name), value ? value : "");
    return MHD_YES;
}

static bool keep_fields(exchange *x)
{
    size_t size = strlen(x->request.method) + strlen(x->request.peer) + 2;
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_field, &size);
    char *fields = malloc(size);
    if (!fields) return false;
    char *address = put_text(fields, x->request.method), *end = put_text(address, x->request.peer);
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, copy_field, &end);
    x->fields = fields;
    x->fields_size = size;
    x->request.method = fields;
    x->request.peer = address; /* watch.c forgets the connection when it ends */
    return true;
}

/* To HEAD libmicrohttpd would send the end of a chunked body. */
static struct MHD_Response *head_of(const exchange *x, http_stream *s)
{
    if (strcmp(x->request.method, "HEAD") == 0) return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read, s, NULL);
}

http_stream *http_stream_begin(const http_request *request, http_response *response)
{
    exchange *x = request->connection;
    exchange_host *host = host_of(x);
    assert(!x->stream);
    http_stream *s = stream_open(&(stream_place){ x->connection, x->port->loop, host->workers, host->connections, x->watched });
    if (!s) return NULL;
    x->head = head_of(x, s);
    if (!x->head || !add_headers(x, response, x->head) || !keep_fields(x)) {
        if (x->head) MHD_destroy_response(x->head);
        x->head = NULL;
        stream_release(s);
        stream_release(s);
        return NULL;
    }
    x->status = (unsigned)(response->status ? response->status : 200);
    x->stream = s;
    atomic_store(&x->holders, 2);
    MHD_resume_connection(x->connection);
    crew_run(host->workers, x->port->loop); /* the head is not to wait for the handler */
    return s;
}
