/* head.h - what is looked at before a request's body is read. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H
#include "http/refusal.h"
#include <stddef.h>

/* Takes a request target apart, in place: the path decoded, the query raw. NULL when it is good. */
const refusal *head_target(char *target, const char **path, const char **query);

typedef struct head {
    size_t length;  /* of the body as announced; 0 when chunked or none */
    bool expects;   /* the client waits for 100 Continue before it sends the body */
} head;

/* Reads the headers that frame the body, and refuses what could be read in two ways. NULL when it is good. */
const refusal *head_read(struct MHD_Connection *connection, head *out);

#endif
