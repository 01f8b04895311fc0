/* watch.h - the table of connections: how far each is, and the thread that cuts off those who take too long.
 *
 * libmicrohttpd's time-out is on inactivity, so a byte a second outlives it; here a request has a deadline. */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum watch_state {
    WATCH_IDLE,      /* no byte of a request has been seen */
    WATCH_HANDSHAKE, /* of TLS; has a deadline */
    WATCH_READING,   /* a request is coming in; has a deadline */
    WATCH_WORKING,   /* it waits for a worker or is with one */
    WATCH_WRITING,   /* its response is going out; has a deadline, later for a larger one */
    WATCH_STREAMING  /* its response is a stream with nothing to send, and no worker is at it */
} watch_state;

typedef struct watch watch;
typedef struct watched watched; /* one connection */

/* NULL when memory or a thread is missing. */
watch *watch_start(uint32_t connections_max, uint32_t request_seconds);
/* A new connection; NULL without memory. Over the maximum the one that has been idle longest is cut off for it, when that is a
 * second or more, else the one that has been sending longest, else any idle one, else a stream that has had nothing to send for
 * that long; when all are being answered, the new one. */
watched *watch_add(watch *w, int fd, const struct sockaddr *peer);
/* Before fd is closed, so that a number used again is never shut. */
void watch_remove(watch *w, watched *c);
/* size: of the response, for WATCH_WRITING. False when the connection was cut off already. */
bool watch_enter(watch *w, watched *c, watch_state state, size_t size);
/* A stream has so many bytes more to send: its deadline is that of a response which began when it had none. */
void watch_feed(watch *w, watched *c, size_t size);
/* The response is a stream from now on (NULL: no more): stream_drop() is called when its client leaves, or is cut off. False without memory
 * for it, or when the connection was cut off already. */
struct http_stream;
bool watch_stream(watch *w, watched *c, struct http_stream *stream);
/* Has the client closed its connection, which must be there? A system call. */
bool watch_departed(const watched *c);
/* The client's address as text. */
const char *watch_peer(const watched *c);

/* Waits until no connection is left, or grace_ms have passed and all are idle; false after most_ms. */
bool watch_settle(watch *w, uint32_t grace_ms, uint32_t most_ms);
/* Cuts off all streams. */
void watch_cut_streams(watch *w);
void watch_stop(watch *w); /* NULL allowed; every connection has been removed */

#endif
