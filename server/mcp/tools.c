/* tools.c - implements mcp/tools.h: the operation table as tools. No operation is named here. */
#include "mcp/tools.h"
#include "mcp/envelope.h"
#include "mcp/operation.h"
#include "mcp/params.h"
#include "mcp/tool_list.h"
#include "op/op_status.h"
#include <string.h>

void tools_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    if (!params_first_page(m, reply)) return;
    envelope_open(m, reply);
    op_out_open(&reply->text, "tools", '[');
    tool_list_put(&reply->text);
    if (who->offer) who->offer->list(m->method, &reply->text);
    op_out_close(&reply->text, ']');
    envelope_cacheable(m, reply, ENVELOPE_PROGRAM_TTL_MS, true);
    envelope_close(reply);
}

static void put_content(op_out *o, const char *text, size_t length)
{
    op_out_open(o, "content", '[');
    op_out_open(o, NULL, '{');
    op_out_text(o, "type", "text");
    op_out_bytes(o, "text", text, length);
    op_out_close(o, '}');
    op_out_close(o, ']');
}

static void put_success(const mcp_message *m, mcp_reply *reply, const op_out *answer)
{
    envelope_open(m, reply);
    put_content(&reply->text, answer->text, answer->size);
    op_out_json(&reply->text, "structuredContent", answer->text, answer->size);
    op_out_bool(&reply->text, "isError", false);
    envelope_close(reply);
}

/* Is it the request that is at fault, so that a model can do better with another? What only the server's operator can mend
 * is an error of the protocol. (501 is about something that was asked for.) */
static bool caller_can_mend(evdb_status status)
{
    int http = op_status(status).http;
    return http < 500 || http == 501;
}

static void put_failure(const mcp_message *m, mcp_reply *reply, const evdb_error *why)
{
    if (reply->refused || reply->throttled || !caller_can_mend(why->status)) {
        envelope_failure(m, reply, why);
        return;
    }
    envelope_open_failed(m, reply, why->status);
    put_content(&reply->text, why->message, strlen(why->message));
    op_out_bool(&reply->text, "isError", true);
    envelope_close(reply);
}

static void run(const mcp_message *m, const op *o, const json_t *arguments, const mcp_caller *who, mcp_reply *reply)
{
    op_out answer = OP_OUT;
    evdb_error err;
    if (operation_run(o, arguments, m, who, reply, &answer, &err) == EVDB_OK) put_success(m, reply, &answer);
    else put_failure(m, reply, &err);
    op_out_free(&answer);
}

void tools_call(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    evdb_error why;
    const json_t *given = json_object_get(m->params, "arguments");
    const char *name = params_text(m, m->params, "name");
    const op *o = name ? op_find(name) : NULL;
    json_t *none = given && !json_is_null(given) ? NULL : json_object();
    if (!name) envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.name' must be a string, the name of a tool");
    else if (!o || o->no_tool) {
        (void)op_fail(&why, EVDB_INVALID, "there is no tool '%s'", name);
        envelope_error(m, reply, MCP_INVALID_PARAMS, why.message);
    } else if (!none && !json_is_object(given))
        envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.arguments' must be an object");
    else run(m, o, none ? none : given, who, reply);
    json_decref(none);
}
