/* stream.h - a response that is written bit by bit, by any thread: what lies between its writer and the loop that sends it.
 *
 * Its connection is suspended while there is nothing to send, so it holds nobody up and no thread. The writer resumes it. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H
#include "http/crew.h"
#include "http/http.h"
#include "http/watch.h"
#include <sys/types.h>

/* What it needs of its connection, until stream_detach(). */
typedef struct stream_place {
    struct MHD_Connection *connection; /* suspended */
    loop *loop;
    crew *workers;
    watch *connections;
    watched *watched;
} stream_place;

/* It has two holders, its writer and its exchange: one lets go by http_stream_end(), the other by stream_release(). NULL without memory. */
http_stream *stream_open(const stream_place *place);
void stream_release(http_stream *s); /* the last frees it */

/* libmicrohttpd's reader of content: suspends the connection where there is none. */
ssize_t stream_read(void *stream, uint64_t position, char *to, size_t room);
/* Its handler has returned. */
void stream_alone(http_stream *s);
/* Its client has left, or is cut off: nothing more is taken, and its connection ends. Under the lock of watch.c. */
void stream_drop(http_stream *s);
/* Its connection is there no more. */
void stream_detach(http_stream *s);

#endif
