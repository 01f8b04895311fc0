/* http.h - the HTTP server: the only room that sees microhttpd.h.
 *
 * A crew of threads reads requests, calls the handler and writes responses; a handler that takes long holds up neither other
 * requests nor the ports. A listener belongs to one endpoint; several endpoints may share a port. */
#ifndef HTTP_H
#define HTTP_H
#include <evdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits, with the defaults of http_options. */
#define HTTP_BODY_MAX (32u << 20)       /* bytes of a request body; more: 413 */
#define HTTP_HEADERS_MAX (16u << 10)    /* bytes of a request's head; more: 431 */
#define HTTP_CONNECTIONS_MAX 1000u
#define HTTP_IDLE_SECONDS 60u           /* a connection without traffic */
#define HTTP_REQUEST_SECONDS 60u        /* from the first byte of a request to its last: a slow client is cut off */
#define HTTP_BODIES_MAX (1u << 30)      /* bytes of all bodies together; more: 503 with Retry-After */
#define HTTP_STREAM_BYTES_MAX (1u << 20) /* bytes of a stream that its client has not read yet; more: it is cut off */
#define HTTP_PORTS_MAX 3u
#define HTTP_QUEUE_MAX 1024u            /* requests waiting for a worker; more: 503 with Retry-After */

typedef struct http_request {
    const char *method;  /* "GET" ... */
    const char *path;    /* decoded, starts with '/', without the query */
    const char *query;   /* raw, "" when there is none */
    const char *body;    /* NUL-terminated behind body_size bytes */
    size_t body_size;
    uint16_t port;       /* the port it came in on */
    const char *peer;    /* address of the client, for logs */
    void *connection;    /* for http_header() and what begins a stream */
} http_request;

/* A request header by name (case-insensitive), or NULL. Valid during the request, and until a stream is begun: ask again then. */
const char *http_header(const http_request *request, const char *name);
/* One parameter of a query or of a form body (application/x-www-form-urlencoded), decoded into a malloc'd string, or NULL.
 * *twice (may be NULL) is set when it occurs more than once. */
char *http_parameter(const char *form, const char *name, bool *twice);
/* The same one after the other: *rest is the form at first, and then what is behind the one that is answered. *found tells one that is
 * malformed (NULL) from none. */
char *http_parameter_next(const char **rest, const char *name, bool *found);
/* Can every name and value of it be read? What cannot is NULL for http_parameter(), as if it were not there. */
bool http_form_good(const char *form, size_t size);

enum { HTTP_RESPONSE_HEADERS = 12, HTTP_RESPONSE_HEADER_BYTES = 512 };
typedef struct http_response {
    int status;              /* 200 unless set */
    const char *type;        /* content type; static */
    char *body;              /* malloc'd, owned by the response; NULL = empty */
    size_t body_size;        /* of the file, when the body is one */
    bool from_file;          /* `file` is the body; owned by the response */
    int file;
    struct { const char *name; char value[HTTP_RESPONSE_HEADER_BYTES]; } headers[HTTP_RESPONSE_HEADERS];
    size_t header_count;
    char *location;          /* malloc'd, owned by the response: of any length, as others are not */
} http_response;

/* Sets the body to a copy / to a malloc'd block it takes over / to the first `size` bytes of an open regular file that it takes
 * over, which are never all in memory; adds a header. */
bool http_body_copy(http_response *response, const char *type, const void *bytes, size_t size);
void http_body_take(http_response *response, const char *type, char *bytes, size_t size);
void http_body_file(http_response *response, const char *type, int file, size_t size);
void http_header_add(http_response *response, const char *name, const char *value);
/* Sends the client elsewhere: takes over a malloc'd URL. */
void http_redirect_take(http_response *response, int status, char *url);
/* Frees the body, and all there is; the server does so itself. */
void http_body_free(http_response *response);
void http_response_free(http_response *response);

/* Runs on a worker thread; the request stays valid until it returns. */
typedef void http_handler(void *context, const http_request *request, http_response *response);

/* Has the client of a request closed its connection? Valid while its handler runs; a system call. */
bool http_client_left(const http_request *request);

/* A response that is written bit by bit, by whatever thread, and behind its handler, too: an idle one holds no worker. */
typedef struct http_stream http_stream;
/* From within a handler, once: the response becomes a stream, whose status and headers are those in `response` at this moment and are sent at
 * once. What the handler puts into response afterwards is ignored. NULL without memory: the response is what it was. */
http_stream *http_stream_begin(const http_request *request, http_response *response);
/* Copies. Any thread. False when the client has left or was cut off, or has more than HTTP_STREAM_BYTES_MAX unread already: it is cut off then.
 * A piece may be of any size. */
bool http_stream_write(http_stream *s, const void *bytes, size_t size);
/* Has it? Cheap; any thread. A client that closes its connection has left about 0.1 s later. */
bool http_stream_left(http_stream *s);
/* What was written is still sent. Once; frees. With HTTP/1.1 the connection can be used for another request then. */
void http_stream_end(http_stream *s);

typedef struct http_options {
    const char *address;     /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t ports[HTTP_PORTS_MAX]; /* 0 = the system chooses */
    size_t port_count;
    uint32_t threads;        /* workers; 0 = 2 per core, at least 4 */
    size_t body_max;
    uint32_t connections_max, idle_seconds, request_seconds;
    const char *certificate_file, *key_file; /* PEM; TLS on all ports. NULL: plain HTTP */
    http_handler *handler;
    void *context;
    void (*stopping)(void *context); /* http_stop() calls it once before it waits: end all streams, since it waits for their ends. May be NULL */
} http_options;

typedef struct http_server http_server;

/* Binds every port; nothing is answered before http_serve(). Errors name the port ("port 8080 is in use"). */
evdb_status http_start(const http_options *options, http_server **out, evdb_error *err);
/* The port that slot listens on. */
uint16_t http_port(const http_server *server, size_t slot);
/* Begins to answer. */
void http_serve(http_server *server);
/* Reads the two files again, for connections that begin from now on; when that fails, all stays as it is. */
evdb_status http_certificate_reload(http_server *server, evdb_error *err);
int64_t http_certificate_expires(http_server *server); /* Unix time; only where there is one */
/* What http_start() would say of them. */
evdb_status http_certificate_check(const char *certificate_file, const char *key_file, evdb_error *err);
/* No new connections; requests already accepted are answered, and streams ended by whoever writes them (in
 * request_seconds, or they are cut off); then everything is closed and freed. Streams that were cut off may still be ended. */
void http_stop(http_server *server);

#endif
