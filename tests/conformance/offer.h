/* offer.h - what the conformance suite asks of a server besides evdb's own: offer.c hands each method to one of these.
 *
 * Each *_answer() is true when the request was for one of its fixtures, and the reply is written. */
#ifndef CONFORMANCE_OFFER_H
#define CONFORMANCE_OFFER_H
#include "mcp/mcp.h"

extern const mcp_offer conformance_offer;

void tools_offer(op_out *out);
bool tools_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

void prompts_offer(op_out *out);
bool prompts_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
bool prompts_complete(const mcp_message *m, mcp_reply *reply);

void resources_offer(op_out *out);
void resource_templates_offer(op_out *out);
bool resources_answer(const mcp_message *m, mcp_reply *reply);
bool resources_watched(const char *uri); /* may somebody subscribe to it? It never changes */

/* The text of params.NAME, or NULL; the same of an object within. */
const char *param_text(const mcp_message *m, const char *name);
const char *text_in(const mcp_message *m, const json_t *object, const char *name);

#endif
