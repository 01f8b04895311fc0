/* changes.c - implements changes.h. */
#include "conformance/changes.h"
#include <stdatomic.h>

static atomic_uint there; /* bits: the lists that have their item */

bool changes_has(unsigned list) { return atomic_load(&there) & list; }

void changes_make(const mcp_caller *who, unsigned list)
{
    atomic_fetch_xor(&there, list);
    if (who->hub) mcp_hub_announce(who->hub, list);
}
