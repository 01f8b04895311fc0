/* tools.h - operations as tools. */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H
#include "mcp/mcp.h"

/* tools/list: every tool, whoever asks. tools/call: runs one. */
void tools_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void tools_call(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

#endif
