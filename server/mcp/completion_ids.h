/* completion_ids.h - ids of a store that begin with some characters. */
#ifndef MCP_COMPLETION_IDS_H
#define MCP_COMPLETION_IDS_H
#include "mcp/mcp.h"

/* Puts at most so many of them into an array that is open, as strings, and tells how many there are: that, or one more than may be
 * put when there are more. Looks at few records besides, however many the store has. */
evdb_status completion_ids(evdb_store *store, const char *prefix, size_t most, op_out *out, size_t *count, evdb_error *err);

#endif
