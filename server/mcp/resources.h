/* resources.h - what operations answer, as resources: whatever has a URI in the table. No operation is named here. */
#ifndef MCP_RESOURCES_H
#define MCP_RESOURCES_H
#include "mcp/mcp.h"

/* resources/list: the stores that the caller may see. resources/templates/list: the kinds of resources there are. resources/read: what
 * the operation answers that the URI leads to. */
void resources_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void resources_templates(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
void resources_read(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

/* What a URI leads to: *args, to be freed, gets its arguments. EVDB_NOT_FOUND, EVDB_INVALID: nowhere. */
evdb_status resources_find(const char *uri, const op **out, json_t **args, evdb_error *err);
/* The operation whose resource is a store, and no more than that, with its argument that names it; NULL = there is none. */
const op *resources_of_stores(const op_field **name_of);
/* The content of one: uri, media type and text. */
void resources_put(op_out *out, const char *key, const char *uri, const op_out *answer);

#endif
