/* content.c - implements content.h. */
#include "conformance/content.h"
#include "mcp/envelope.h"
#include <stdio.h>
#include <string.h>

void put_json(op_out *out, const char *key, const char *json) { op_out_json(out, key, json, strlen(json)); }

void content_text(op_out *out, const char *key, const char *text)
{
    op_out_open(out, key, '{');
    op_out_text(out, "type", "text");
    op_out_text(out, "text", text);
    op_out_close(out, '}');
}

void content_reply(const mcp_message *m, mcp_reply *reply, const char *json, bool is_error)
{
    envelope_open(m, reply);
    put_json(&reply->text, "content", json);
    op_out_bool(&reply->text, "isError", is_error);
    envelope_close(reply);
}

void content_reply_text(const mcp_message *m, mcp_reply *reply, const char *text, bool is_error)
{
    envelope_open(m, reply);
    op_out_open(&reply->text, "content", '[');
    content_text(&reply->text, NULL, text);
    op_out_close(&reply->text, ']');
    op_out_bool(&reply->text, "isError", is_error);
    envelope_close(reply);
}

void content_needs(const mcp_message *m, mcp_reply *reply, const char *capability)
{
    op_out data = OP_OUT;
    char message[80];
    snprintf(message, sizeof message, "this needs a client with the capability '%.20s'", capability);
    op_out_open(&data, NULL, '{');
    op_out_open(&data, "requiredCapabilities", '{');
    put_json(&data, capability, "{}");
    op_out_close(&data, '}');
    op_out_close(&data, '}');
    envelope_error_with(m, reply, MCP_CAPABILITY_MISSING, message, &data);
    reply->rejected = true;
    op_out_free(&data);
}
