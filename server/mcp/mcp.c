/* mcp.c - implements mcp/mcp.h: the methods, and which of them a message means. */
#include "mcp/mcp.h"
#include "mcp/envelope.h"
#include "mcp/tools.h"
#include <string.h>

const char *const mcp_versions[] = { "2025-11-25", "2025-06-18", NULL };

/* For the model that will use the tools. */
static const char instructions[] =
    "evdb keeps vectors in stores. A store holds records: an id (integer or string), a vector, and metadata (a JSON object). "
    "All vectors of a store have the same number of elements and should come from the same embedding model. "
    "Searching a store returns the records nearest to a vector, with their metadata: a smaller distance is nearer, a larger "
    "score is better. Every write is on disk when it is answered. An error says which argument is wrong and why.";

bool mcp_version_known(const char *version)
{
    for (const char *const *v = mcp_versions; *v; v++)
        if (strcmp(*v, version) == 0) return true;
    return false;
}

/* The version asked for when we know it, else our newest: whether that will do is for the client to say. */
static void initialize(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    (void)who;
    const json_t *asked = json_object_get(m->params, "protocolVersion");
    const char *version = json_string_value(asked);
    op_out *o = &reply->text;
    if (!version) {
        envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.protocolVersion' must be a string");
        return;
    }
    envelope_open(m, reply);
    op_out_text(o, "protocolVersion", mcp_version_known(version) ? version : mcp_versions[0]);
    op_out_open(o, "capabilities", '{');
    op_out_open(o, "tools", '{');
    op_out_close(o, '}');
    op_out_close(o, '}');
    op_out_open(o, "serverInfo", '{');
    op_out_text(o, "name", "evdb");
    op_out_text(o, "title", "evdb, a vector database");
    op_out_text(o, "version", evdb_version());
    op_out_close(o, '}');
    op_out_text(o, "instructions", instructions);
    envelope_close(reply);
}

static void ping(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    (void)who;
    envelope_open(m, reply);
    envelope_close(reply);
}

static const struct method {
    const char *name;
    void (*answer)(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
} methods[] = {
    { "initialize", initialize },
    { "ping", ping },
    { "tools/list", tools_list },
    { "tools/call", tools_call },
};

static void answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    evdb_error why;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, m->method) == 0) {
            methods[i].answer(m, who, reply);
            return;
        }
    (void)op_fail(&why, EVDB_INVALID, "there is no method '%s'", m->method);
    envelope_error(m, reply, MCP_METHOD_NOT_FOUND, why.message);
}

/* When there is no memory for the reply, there may be for saying so. */
static evdb_status finish(const mcp_message *m, mcp_reply *reply, evdb_error *err)
{
    evdb_error why;
    if (op_out_done(&reply->text, &why) == EVDB_OK) return EVDB_OK;
    envelope_failure(m, reply, &why);
    evdb_status rc = op_out_done(&reply->text, err);
    if (rc != EVDB_OK) op_out_free(&reply->text);
    return rc;
}

evdb_status mcp_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply, evdb_error *err)
{
    *reply = (mcp_reply)MCP_REPLY;
    switch (m->kind) {
    case MCP_NOTIFICATION:
    case MCP_RESPONSE: return EVDB_OK;
    case MCP_MALFORMED: envelope_error(m, reply, m->code, m->fault.message); break;
    case MCP_REQUEST: answer(m, who, reply); break;
    }
    return finish(m, reply, err);
}

evdb_status mcp_refuse(const mcp_message *m, const evdb_error *why, mcp_reply *reply, evdb_error *err)
{
    *reply = (mcp_reply)MCP_REPLY;
    envelope_failure(m, reply, why);
    return finish(m, reply, err);
}
