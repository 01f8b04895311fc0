/* inputs.h - fixtures that ask their client before they answer: results of the kind input_required, which hold what the client is to ask its
 * user, its model or its folders. The request comes again with the answers, and is a request of its own: what must be remembered in between goes
 * through the client's hands, sealed. */
#ifndef CONFORMANCE_INPUTS_H
#define CONFORMANCE_INPUTS_H
#include "mcp/mcp.h"

enum { INPUTS_TEXT_BYTES = 256 };

/* Does the tool or prompt params.name have all it needs? Then `text` is what it has to say; else the reply asks for the rest, or is an error. */
bool inputs_ask(const mcp_message *m, const mcp_caller *who, mcp_reply *reply, char text[INPUTS_TEXT_BYTES]);

#endif
