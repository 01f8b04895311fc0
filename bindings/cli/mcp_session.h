/* mcp_session.h - MCP on standard input and output: one thread reads, another answers requests in their order, so that whoever waits for a long
 * one can take it back, and hears how far it is. */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H
#include "mcp/mcp.h"
#include "op/op_status.h"

/* Serves until the input ends and all that was asked is answered, or until SIGTERM, SIGINT or SIGHUP. */
op_exit mcp_session(const mcp_caller *who);

#endif
