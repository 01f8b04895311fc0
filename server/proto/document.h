/* document.h - documents that a server publishes about itself, below /.well-known: public, and the same for everybody. */
#ifndef PROTO_DOCUMENT_H
#define PROTO_DOCUMENT_H
#include "proto/proto.h"
#include <jansson.h>

/* Is it read? Else the response is made. */
bool document_admitted(const http_request *request, http_response *response);
/* Takes over body; NULL when memory ran out for it. */
void document_send(http_response *response, json_t *body);

#endif
