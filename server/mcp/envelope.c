/* envelope.c - implements mcp/envelope.h. */
#include "mcp/envelope.h"
#include "op/op_status.h"
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 32 };

static void open_reply(const mcp_message *m, mcp_reply *reply)
{
    op_out *o = &reply->text;
    op_out_open(o, NULL, '{');
    op_out_text(o, "jsonrpc", "2.0");
    if (json_is_integer(m->id)) op_out_integer(o, "id", json_integer_value(m->id));
    else if (m->id) op_out_bytes(o, "id", json_string_value(m->id), json_string_length(m->id));
    else op_out_json(o, "id", "null", 4);
}

void envelope_open(const mcp_message *m, mcp_reply *reply)
{
    open_reply(m, reply);
    op_out_open(&reply->text, "result", '{');
}

void envelope_close(mcp_reply *reply)
{
    op_out_close(&reply->text, '}');
    op_out_close(&reply->text, '}');
}

/* Leaves the object "error" open. */
static void open_error(const mcp_message *m, mcp_reply *reply, int code, const char *message)
{
    op_out_free(&reply->text);
    reply->code = code;
    open_reply(m, reply);
    op_out_open(&reply->text, "error", '{');
    op_out_integer(&reply->text, "code", code);
    op_out_text(&reply->text, "message", message);
}

void envelope_error(const mcp_message *m, mcp_reply *reply, int code, const char *message)
{
    open_error(m, reply, code, message);
    envelope_close(reply);
}

void envelope_failure(const mcp_message *m, mcp_reply *reply, const evdb_error *why)
{
    open_error(m, reply, op_status(why->status).rpc, why->message);
    op_out_open(&reply->text, "data", '{');
    envelope_status(&reply->text, "", why->status);
    op_out_close(&reply->text, '}');
    envelope_close(reply);
}

void envelope_status(op_out *o, const char *prefix, evdb_status status)
{
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%sstatus", prefix);
    op_out_text(o, key, evdb_status_name(status));
    snprintf(key, sizeof key, "%sretryable", prefix);
    op_out_bool(o, key, op_status(status).retryable);
}
