/* exchange.h - one request and its response: from the head, over the worker, to the last byte sent. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H
#include "http/crew.h"
#include "http/http.h"
#include "http/watch.h"
#include <microhttpd.h>
#include <stdatomic.h>

/* What all requests of a server share. */
typedef struct exchange_host {
    http_handler *handler;
    void *context;
    size_t body_max;
    crew *workers;
    watch *connections;
    void (*wind_up)(void *context); /* streams, when we stop; NULL = there are none, or nothing was served yet */
    atomic_size_t bodies; /* bytes held for bodies, all requests together */
    atomic_bool stopping; /* each response ends its connection */
    pthread_mutex_t certificate_lock;
    certificate *certificate; /* of connections that begin; NULL: plain HTTP */
} exchange_host;

/* Of one listening port: the context of every callback below. */
typedef struct exchange_port {
    exchange_host *host;
    loop *loop;
    tls_port *tls; /* NULL: plain HTTP */
    uint16_t port;
} exchange_port;

/* libmicrohttpd's callbacks, in the order in which it calls them. */
void exchange_connection(void *port, struct MHD_Connection *connection, void **slot,
                         enum MHD_ConnectionNotificationCode what);
void *exchange_target(void *port, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_access(void *port, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **slot);
void exchange_completed(void *port, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode why);

extern const crew_calls exchange_calls;

#endif
