/* notice.c - implements mcp/notice.h. */
#include "mcp/notice.h"
#include "mcp/envelope.h"
#include <stdio.h>

enum { METHOD_BYTES = 64 };

/* Leaves params open. */
static void begin(op_out *o, const char *method, const json_t *id)
{
    op_out_open(o, NULL, '{');
    op_out_text(o, "jsonrpc", "2.0");
    op_out_text(o, "method", method);
    op_out_open(o, "params", '{');
    if (!id) return;
    op_out_open(o, "_meta", '{');
    envelope_id(o, ENVELOPE_SUBSCRIPTION, id);
    op_out_close(o, '}');
}

static bool send(const mcp_channel *to, op_out *o)
{
    evdb_error err;
    bool sent = op_out_done(o, &err) == EVDB_OK && to->send(to->context, o->text, o->size);
    op_out_free(o);
    return sent;
}

static bool finish(const mcp_channel *to, op_out *o)
{
    op_out_close(o, '}');
    op_out_close(o, '}');
    return send(to, o);
}

bool notice_list_changed(const mcp_channel *to, const json_t *id, const char *list)
{
    char method[METHOD_BYTES];
    op_out o = OP_OUT;
    snprintf(method, sizeof method, "notifications/%s/list_changed", list);
    begin(&o, method, id);
    return finish(to, &o);
}

bool notice_updated(const mcp_channel *to, const json_t *id, const char *uri)
{
    op_out o = OP_OUT;
    begin(&o, "notifications/resources/updated", id);
    op_out_text(&o, "uri", uri);
    return finish(to, &o);
}

void notice_put_honoured(op_out *o, const hub_filter *filter)
{
    op_out_open(o, NULL, '{');
    if (filter->lists & MCP_TOOLS_CHANGED) op_out_bool(o, "toolsListChanged", true);
    if (filter->lists & MCP_PROMPTS_CHANGED) op_out_bool(o, "promptsListChanged", true);
    if (filter->lists & MCP_RESOURCES_CHANGED) op_out_bool(o, "resourcesListChanged", true);
    if (filter->count) op_out_open(o, "resourceSubscriptions", '[');
    for (size_t i = 0; i < filter->count; i++) op_out_text(o, NULL, filter->topics[i].uri);
    if (filter->count) op_out_close(o, ']');
    op_out_close(o, '}');
}

bool notice_acknowledged(const mcp_channel *to, const json_t *id, const op_out *honoured)
{
    op_out o = OP_OUT;
    begin(&o, "notifications/subscriptions/acknowledged", id);
    op_out_json(&o, "notifications", honoured->text, honoured->size);
    return finish(to, &o);
}

bool notice_end(const mcp_channel *to, const json_t *id)
{
    mcp_message asked = { .kind = MCP_REQUEST, .id = id, .modern = true };
    mcp_reply reply = MCP_REPLY;
    envelope_open_subscription(&asked, &reply);
    envelope_close(&reply);
    return send(to, &reply.text);
}
