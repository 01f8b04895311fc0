/* envelope.h - what stands around a reply. */
#ifndef MCP_ENVELOPE_H
#define MCP_ENVELOPE_H
#include "mcp/about.h"

/* The member of _meta by which a message tells which subscription it belongs to. */
#define ENVELOPE_SUBSCRIPTION MCP_PREFIX "subscriptionId"

/* The result of a request: its members are written to reply->text in between. It begins with what a result of the request's era carries
 * in any case, _meta among it. */
void envelope_open(const mcp_message *m, mcp_reply *reply);
/* One that tells of a failure, in its _meta. */
void envelope_open_failed(const mcp_message *m, mcp_reply *reply, evdb_status status);
/* One of the modern era that is not "complete". */
void envelope_open_as(const mcp_message *m, mcp_reply *reply, const char *result_type);
/* The one that a subscription ends with. */
void envelope_open_subscription(const mcp_message *m, mcp_reply *reply);
void envelope_close(mcp_reply *reply);
/* How long what changes with the program alone may be kept: until another version may have taken this one's place. */
enum { ENVELOPE_PROGRAM_TTL_MS = 3600000 };
/* Before that, once: how long the result may be kept, and whether it is the same for everybody. The legacy era does not tell. */
void envelope_cacheable(const mcp_message *m, mcp_reply *reply, int64_t ttl_ms, bool is_public);

/* An error instead; what had been written is dropped. */
void envelope_error(const mcp_message *m, mcp_reply *reply, int code, const char *message);
/* One with data: a JSON object as text. */
void envelope_error_with(const mcp_message *m, mcp_reply *reply, int code, const char *message, const op_out *data);
/* An error about the message as such. */
void envelope_rejected(const mcp_message *m, mcp_reply *reply, int code, const char *message);
void envelope_rejected_version(const mcp_message *m, mcp_reply *reply, const char *version);
/* The same for what the library or the table said; the code is that of status.def. */
void envelope_failure(const mcp_message *m, mcp_reply *reply, const evdb_error *why);
/* The one for a URI that leads to no resource, in the code of the request's era. */
void envelope_missing(const mcp_message *m, mcp_reply *reply, const char *uri, const evdb_error *why);
/* The id of a request, or null. */
void envelope_id(op_out *o, const char *key, const json_t *id);
/* "status": "NOT_FOUND", "retryable": false, as members named with this prefix ("evdb/", or ""). */
void envelope_status(op_out *o, const char *prefix, evdb_status status);

#endif
