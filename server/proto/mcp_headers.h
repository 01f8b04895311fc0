/* mcp_headers.h - the headers in which a client of MCP says again what its message says, for those who look at headers alone. */
#ifndef MCP_HEADERS_H
#define MCP_HEADERS_H
#include "http/http.h"
#include "mcp/mcp.h"

/* Legacy: MCP-Protocol-Version may be there, and is one of ours then. Modern: that header, Mcp-Method and, where the method has a name
 * or a URI, Mcp-Name are there and say what the message says. A message whose header alone names a modern version becomes m->modern.
 * false with the reply (HTTP 400) when that does not hold, or with *err when there is no memory for it. */
bool mcp_headers_check(const http_request *request, mcp_message *m, mcp_reply *reply, evdb_error *err);
/* Does the value of Mcp-Name say this text: as it is or, what a header could not hold, as =?base64?...?= The others have no such form. */
bool mcp_header_says(const char *value, const char *text, size_t text_length);

/* Of which era the version is that the header names. *given (may be NULL): does it name one? Without one, MCP_UNKNOWN as well. */
mcp_era mcp_header_era(const http_request *request, bool *given);
#define MCP_SESSION_HEADER "Mcp-Session-Id"

#endif
