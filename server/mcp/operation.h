/* operation.h - one operation, run for whoever sent a message. */
#ifndef MCP_OPERATION_H
#define MCP_OPERATION_H
#include "mcp/mcp.h"

op_call operation_call(const mcp_caller *who);

/* op_allow() said no: counts that, and tells what would have been needed in reply->refused and, beside what stands there, ->needed: as far as there is
 * room. */
void operation_refused(const op *o, const json_t *arguments, const mcp_caller *who, mcp_reply *reply);

/* Asks op_allow(), and runs it. EVDB_OK with what it answered; free that in any case. When the caller may not, or not now, that is
 * counted and stands in reply->refused or ->throttled; nothing is written to the reply's text. */
evdb_status operation_run(const op *o, const json_t *arguments, const mcp_message *m, const mcp_caller *who, mcp_reply *reply, op_out *answer,
                          evdb_error *err);

#endif
