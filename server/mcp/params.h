/* params.h - what requests have in common among their parameters. */
#ifndef MCP_PARAMS_H
#define MCP_PARAMS_H
#include "mcp/mcp.h"

/* The text of a member of an object; NULL when there is none, or no object, or when it is no string. */
const char *params_text(const mcp_message *m, const json_t *object, const char *key);

/* Lists that are on one page have no cursors: false when there is one, and then that is answered. */
bool params_first_page(const mcp_message *m, mcp_reply *reply);

/* Lists in order of a name: behind which one the page begins, "" = none. false when the cursor is none of ours, and then that is
 * answered. */
bool params_page(const mcp_message *m, mcp_reply *reply, char *after, size_t room);
/* Before envelope_close(): there is another page, behind this name. */
void params_next_page(op_out *o, const char *last);

#endif
