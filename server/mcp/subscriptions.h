/* subscriptions.h - the requests by which clients say which changes they want to be told of. */
#ifndef MCP_SUBSCRIPTIONS_H
#define MCP_SUBSCRIPTIONS_H
#include "mcp/mcp.h"

/* subscriptions/listen, modern: what it is answered with goes to the channel, and the reply is empty. */
void subscriptions_listen(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
/* resources/subscribe and resources/unsubscribe, legacy. */
void resources_subscribe(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void resources_unsubscribe(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
/* What notifications of a client's mean for its subscriptions. */
void subscriptions_notified(const mcp_message *m, const mcp_caller *who);

#endif
