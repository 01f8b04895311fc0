/* mcp_stream.h - a response to a request of MCP that stays open behind its handler. */
#ifndef MCP_STREAM_H
#define MCP_STREAM_H
#include "proto/mcp_events.h"

/* mcp_channel.keep of mcp_events: makes a stream of the response, which holds the token it came with and asks again whom that speaks for. */
evdb_status mcp_stream_keep(void *events, mcp_channel *out, evdb_error *err);

#endif
