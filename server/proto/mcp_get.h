/* mcp_get.h - GET and DELETE of /mcp: the stream of what a legacy session is told, and the session's end. */
#ifndef MCP_GET_H
#define MCP_GET_H
#include "proto/proto.h"

/* Is it a request of a session? Without one there is nothing to GET or DELETE, and no version since 2026 has any. */
bool mcp_get_is(const service *s, const http_request *request);
void mcp_get_answer(const service *s, const http_request *request, const evdb_principal *who, http_response *response);

#endif
