/* envelope.h - what stands around a reply. */
#ifndef MCP_ENVELOPE_H
#define MCP_ENVELOPE_H
#include "mcp/mcp.h"

/* The result of a request: its members are written to reply->text in between. */
void envelope_open(const mcp_message *m, mcp_reply *reply);
void envelope_close(mcp_reply *reply);

/* An error instead; what had been written is dropped. */
void envelope_error(const mcp_message *m, mcp_reply *reply, int code, const char *message);
/* The same for what the library or the table said; the code is that of status.def. */
void envelope_failure(const mcp_message *m, mcp_reply *reply, const evdb_error *why);
/* "status": "NOT_FOUND", "retryable": false, as members named with this prefix ("evdb/", or ""). */
void envelope_status(op_out *o, const char *prefix, evdb_status status);

#endif
