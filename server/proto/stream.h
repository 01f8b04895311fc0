/* stream.h - bodies of HTTP as the sinks of operations that send plain bytes. */
#ifndef STREAM_H
#define STREAM_H
#include "http/http.h"
#include "op/op.h"
#include <stdio.h>

/* A reply of any size: first it goes to a file without a name, since its status and its length stand before it. */
typedef struct body_sink { FILE *file; } body_sink;
evdb_status body_sink_open(body_sink *b, evdb_error *err);
evdb_sink body_sink_of(body_sink *b);
/* Makes what was written the response's body. */
evdb_status body_sink_send(body_sink *b, const op_file *about, http_response *response, evdb_error *err);
void body_sink_close(body_sink *b);

#endif
