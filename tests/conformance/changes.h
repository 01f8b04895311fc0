/* changes.h - lists that change while clients look: an item of each comes and goes. */
#ifndef CONFORMANCE_CHANGES_H
#define CONFORMANCE_CHANGES_H
#include "mcp/hub.h"

/* list: MCP_TOOLS_CHANGED or MCP_PROMPTS_CHANGED. Is that item there? */
bool changes_has(unsigned list);
/* It comes, or goes, and whoever has subscribed is told. */
void changes_make(const mcp_caller *who, unsigned list);

#endif
