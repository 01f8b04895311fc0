/* about.h - what the server says of itself: who it is, which versions it speaks, what it can do. */
#ifndef MCP_ABOUT_H
#define MCP_ABOUT_H
#include "mcp/mcp.h"

#define MCP_PREFIX "io.modelcontextprotocol/" /* of the protocol's own members of _meta */

/* initialize begins the legacy versions; server/discover is what the modern one has instead, and need not be asked. */
void initialize(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void server_discover(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

/* Name, title and version, as a member of this name. */
void about_server(op_out *o, const char *key);
/* The versions: as an array, and as words. */
void about_supported(op_out *o, const char *key);
const char *about_versions(void);

#endif
