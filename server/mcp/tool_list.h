/* tool_list.h - what tools/list says of the operation table, as JSON text. */
#ifndef MCP_TOOL_LIST_H
#define MCP_TOOL_LIST_H
#include "op/op_out.h"

/* Every tool, as items of the array that is open. The text is the same until the process ends: it is made once, by whoever asks first. */
void tool_list_put(op_out *out);

#endif
