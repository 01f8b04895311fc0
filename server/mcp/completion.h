/* completion.h - completion/complete: what an argument could be that has been begun. */
#ifndef MCP_COMPLETION_H
#define MCP_COMPLETION_H
#include "mcp/mcp.h"

/* Of what the caller may not read, or what is not there, nothing is told: there are no values then, and no error. */
void completion_complete(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

#endif
