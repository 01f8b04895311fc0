/* mcp_events.c - implements proto/mcp_events.h. */
#include "proto/mcp_events.h"
#include "proto/mcp_stream.h"
#include <stdlib.h>
#include <string.h>

static const char before[] = "event: message\ndata: ", behind[] = "\n\n";

/* A message has no line breaks: op_out writes none, and takes those of stored JSON out. In one piece, so that others' do not come in between. */
bool mcp_event_write(http_stream *s, const char *message, size_t size)
{
    size_t head = sizeof before - 1, tail = sizeof behind - 1;
    char *event = malloc(head + size + tail);
    if (!event) return false;
    memcpy(event, before, head);
    memcpy(event + head, message, size);
    memcpy(event + head + size, behind, tail);
    bool sent = http_stream_write(s, event, head + size + tail);
    free(event);
    return sent;
}

http_stream *mcp_events_begin(mcp_events *e)
{
    http_response *r = e->response;
    const char *type = r->type;
    size_t headers = r->header_count;
    r->type = MCP_EVENTS;
    http_header_add(r, "Cache-Control", "no-store");
    http_header_add(r, "X-Accel-Buffering", "no"); /* a proxy is not to collect events */
    http_stream *stream = http_stream_begin(e->request, r);
    if (stream) return stream;
    r->type = type; /* what is said instead is another response */
    r->header_count = headers;
    return NULL;
}

static bool send(void *context, const char *message, size_t size)
{
    mcp_events *e = context;
    return (e->stream || (e->stream = mcp_events_begin(e))) && mcp_event_write(e->stream, message, size);
}

static bool cancelled(void *context)
{
    const mcp_events *e = context;
    return e->modern && http_client_left(e->request);
}

const mcp_channel *mcp_events_channel(mcp_events *e, const service *s, const http_request *request, const mcp_message *m,
                                      http_response *response)
{
    *e = (mcp_events){ .s = s, .request = request, .response = response, .modern = m->modern, .token = m->token,
                         .channel = { .context = e, .send = send, .cancelled = cancelled, .keep = mcp_stream_keep } };
    return media_accepted(request, MCP_EVENTS) ? &e->channel : NULL;
}

bool mcp_events_end(mcp_events *e, const mcp_reply *reply)
{
    if (!e->stream) return false;
    if (reply->text.size) (void)mcp_event_write(e->stream, reply->text.text, reply->text.size);
    http_stream_end(e->stream);
    return true;
}
