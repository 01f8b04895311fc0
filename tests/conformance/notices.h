/* notices.h - what a tool says to its client before its result. A client that takes nothing but a reply is told nothing. */
#ifndef CONFORMANCE_NOTICES_H
#define CONFORMANCE_NOTICES_H
#include "mcp/mcp.h"

/* notifications/progress of 100, when the request has a token for it. */
void notices_progress(const mcp_message *m, const mcp_caller *who, int64_t progress);
/* notifications/message at level info: by the request's own level in the modern era, by what logging/setLevel said last in the legacy ones. */
void notices_log(const mcp_message *m, const mcp_caller *who, const char *text);
/* Is the level that a request names, if any, none? Then the reply says so. */
bool notices_level_unknown(const mcp_message *m, mcp_reply *reply);
bool notices_set_level(const mcp_message *m, mcp_reply *reply);

#endif
