/* echo_streams.h - the part of echo_server that answers with streams: GET /stream/open/N (?status=, ?silent), then POST /stream/write/N,
 * GET /stream/left/N and /stream/end/N over other connections. */
#ifndef ECHO_STREAMS_H
#define ECHO_STREAMS_H
#include "http/http.h"

/* false when the path is not of these. */
bool echo_streams_handle(const http_request *q, http_response *p);
/* Says goodbye on each and ends it. */
void echo_streams_end(void);
#endif
