/* notice.h - the messages of a subscription: what it is told, and its end. */
#ifndef MCP_NOTICE_H
#define MCP_NOTICE_H
#include "mcp/hub.h"

/* False when the client has left, or for want of memory. id: of the request that opened the subscription, which every message
 * carries then; NULL = a legacy one. */
bool notice_list_changed(const mcp_channel *to, const json_t *id, const char *list); /* "tools", "prompts", "resources" */
bool notice_updated(const mcp_channel *to, const json_t *id, const char *uri);
/* The first message: what is honoured, as JSON text, which the first of these writes. */
void notice_put_honoured(op_out *o, const hub_filter *filter);
bool notice_acknowledged(const mcp_channel *to, const json_t *id, const op_out *honoured);
/* The result. */
bool notice_end(const mcp_channel *to, const json_t *id);

#endif
