/* content.h - results made of content. */
#ifndef CONFORMANCE_CONTENT_H
#define CONFORMANCE_CONTENT_H
#include "mcp/mcp.h"

/* A picture of one red pixel, and a sound of two samples, in base64. */
#define PIXEL "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
#define SOUND "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="

/* The result of a tool: content as JSON, or one text. */
void content_reply(const mcp_message *m, mcp_reply *reply, const char *json, bool is_error);
void content_reply_text(const mcp_message *m, mcp_reply *reply, const char *text, bool is_error);
/* {"type": "text", "text": ...} */
void content_text(op_out *out, const char *key, const char *text);
/* The modern era's error for a client that has not declared what a request needs: the name of a capability. */
void content_needs(const mcp_message *m, mcp_reply *reply, const char *capability);
/* A member, or an item, that is JSON already. */
void put_json(op_out *out, const char *key, const char *json);

#endif
