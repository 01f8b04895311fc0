/* tls.h - what is below TLS on the connections of a port: a transport of ours, so that a handshake can wait.
 *
 * libmicrohttpd has GnuTLS do the handshakes, and asks to be run again at once, for ever, while it waits for a client in the midst of
 * one. So our transport sees what a handshake waits for, and the connection is suspended until that is there, as it is while
 * a request is worked on. Only one handshake goes on in each run of the daemon, so that requests need not wait for many. Its deadline is that of a request, from the first byte of the handshake. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H
#include "http/certificate.h"
#include "http/watch.h"
#include <microhttpd.h>

typedef struct tls_port tls_port;           /* of one daemon */
typedef struct tls_transport tls_transport; /* of one connection, as long as it is there */

/* NULL without memory or descriptors. */
tls_port *tls_port_open(watch *connections);
void tls_port_close(tls_port *p); /* NULL allowed; when its connections have ended */
/* One epoll descriptor for the daemon's events and for what handshakes wait for; -1 when that cannot be. */
int tls_port_descriptor(tls_port *p, int daemon_events);

/* These, and all callbacks of libmicrohttpd, are called with the daemon for oneself. */
void tls_port_wake(tls_port *p);  /* before the daemon is run: one whose client has done something goes on */
bool tls_port_stepped(const tls_port *p); /* a handshake has gone on in the last run */
void tls_port_sleep(tls_port *p); /* behind it: who waits for his client is suspended */
void tls_port_end(tls_port *p);   /* nobody is suspended here any more */
/* Counts bytes that came or went, behind handshakes too. */
unsigned tls_port_traffic(const tls_port *p);

/* Of a connection that has just been accepted. NULL without memory: it cannot be served. */
tls_transport *tls_transport_begin(tls_port *p, struct MHD_Connection *connection, watched *place, certificate *shown);
void tls_transport_end(tls_transport *t); /* when the connection ends; NULL allowed */

#endif
