/* mcp_events.h - the answer to one message as server-sent events. It becomes that when there is something to say before the reply; until then
 * the reply can still be one JSON body with a status of its own. */
#ifndef PROTO_MCP_EVENTS_H
#define PROTO_MCP_EVENTS_H
#include "mcp/mcp.h"
#include "proto/proto.h"

typedef struct mcp_events {
    const service *s;
    const http_request *request;
    http_response *response;
    http_stream *stream; /* NULL: not begun */
    bool modern;
    const char *token; /* of the message itself, or NULL */
    mcp_channel channel;
} mcp_events;

#define MCP_EVENTS "text/event-stream"

/* The way to whoever sent the message, as long as its handler runs and in that thread; NULL when he takes JSON alone. Who leaves cancels what he
 * asked for in the modern era; in the legacy one he may have lost his connection and nothing else. */
const mcp_channel *mcp_events_channel(mcp_events *e, const service *s, const http_request *request, const mcp_message *m,
                                      http_response *response);
/* The reply is the last event, where there have been others; false when there have been none. */
bool mcp_events_end(mcp_events *e, const mcp_reply *reply);

/* Sends the head. The stream is the caller's from then on; NULL without memory. */
http_stream *mcp_events_begin(mcp_events *e);
/* One event; false when the client has left. */
bool mcp_event_write(http_stream *s, const char *message, size_t size);

#endif
