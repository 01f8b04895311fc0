/* refusal.h - what the server itself answers, before or instead of the handler: RFC 9457 problem JSON, constant. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H
#include <microhttpd.h>
#include <stdbool.h>

typedef struct refusal {
    unsigned status;
    const char *retry_after; /* seconds, or NULL */
    const char *body;
} refusal;

extern const refusal refusal_target;   /* 400: the path is malformed */
extern const refusal refusal_framing;  /* 400: how long the body is cannot be told for sure */
extern const refusal refusal_twice;    /* 400: a header that may be there once is there twice */
extern const refusal refusal_name;     /* 400: a header's name has a blank, and is another's elsewhere */
extern const refusal refusal_plain;    /* 400: plain HTTP where TLS is spoken */
extern const refusal refusal_coding;   /* 415: Content-Encoding */
extern const refusal refusal_body;     /* 413 */
extern const refusal refusal_head;     /* 431 */
extern const refusal refusal_answer;   /* 500: the handler's answer cannot be sent */
extern const refusal refusal_busy;     /* 503: no worker is free and the queue is full */
extern const refusal refusal_memory;   /* 503: no memory for the body */
extern const refusal refusal_stopping; /* 503 */

/* Writes it to a socket on which libmicrohttpd cannot answer; it is small, and not waited for. */
void refusal_write(const refusal *r, int fd);
/* Queues it on the connection; close: the connection ends with it. */
enum MHD_Result refusal_send(const refusal *r, struct MHD_Connection *connection, bool close);

#endif
