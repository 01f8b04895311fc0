/* mcp.c - implements mcp/mcp.h: the methods, and which of them a message means. */
#include "mcp/mcp.h"
#include "mcp/about.h"
#include "mcp/completion.h"
#include "mcp/envelope.h"
#include "mcp/prompts.h"
#include "mcp/resources.h"
#include "mcp/subscriptions.h"
#include "mcp/tools.h"
#include <string.h>

static void ping(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    (void)who;
    envelope_open(m, reply);
    envelope_close(reply);
}

enum { BOTH = MCP_LEGACY | MCP_MODERN, FOLLOWS = 4 };

static const struct method {
    const char *name;
    unsigned eras; /* which have it, and FOLLOWS: only where somebody follows changes */
    void (*answer)(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
} methods[] = {
    { "initialize", MCP_LEGACY, initialize },
    { "ping", MCP_LEGACY, ping },
    { "server/discover", MCP_MODERN, server_discover },
    { "tools/list", BOTH, tools_list },
    { "tools/call", BOTH, tools_call },
    { "resources/list", BOTH, resources_list },
    { "resources/templates/list", BOTH, resources_templates },
    { "resources/read", BOTH, resources_read },
    { "prompts/list", BOTH, prompts_list },
    { "prompts/get", BOTH, prompts_get },
    { "completion/complete", BOTH, completion_complete },
    { "subscriptions/listen", MCP_MODERN | FOLLOWS, subscriptions_listen },
    { "resources/subscribe", MCP_LEGACY | FOLLOWS, resources_subscribe },
    { "resources/unsubscribe", MCP_LEGACY | FOLLOWS, resources_unsubscribe },
};

/* What every request of the modern era carries in its _meta. */
static bool carries_all(const mcp_message *m, mcp_reply *reply)
{
    if (!m->version) envelope_rejected(m, reply, MCP_INVALID_PARAMS, "'params._meta." MCP_PREFIX "protocolVersion' must be a string");
    else if (mcp_era_of(m->version) != MCP_MODERN) envelope_rejected_version(m, reply, m->version);
    else if (!json_is_object(json_object_get(m->meta, MCP_PREFIX "clientCapabilities")))
        envelope_rejected(m, reply, MCP_INVALID_PARAMS, "'params._meta." MCP_PREFIX "clientCapabilities' must be an object");
    else return true;
    return false;
}

static void answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    evdb_error why;
    unsigned era = m->modern ? MCP_MODERN : MCP_LEGACY;
    if (m->modern && !carries_all(m, reply)) return;
    if (who->offer && who->offer->answer(m, who, reply)) return;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].eras & era && (who->hub || !(methods[i].eras & FOLLOWS)) && strcmp(methods[i].name, m->method) == 0) {
            methods[i].answer(m, who, reply);
            return;
        }
    (void)op_fail(&why, EVDB_INVALID, "there is no method '%s'", m->method);
    envelope_rejected(m, reply, MCP_METHOD_NOT_FOUND, why.message);
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
    case MCP_NOTIFICATION: subscriptions_notified(m, who); return EVDB_OK;
    case MCP_RESPONSE: return EVDB_OK;
    case MCP_MALFORMED: envelope_rejected(m, reply, m->code, m->fault.message); break;
    case MCP_REQUEST: answer(m, who, reply); break;
    }
    if (reply->kept) return EVDB_OK;
    return finish(m, reply, err);
}

evdb_status mcp_refuse(const mcp_message *m, const evdb_error *why, mcp_reply *reply, evdb_error *err)
{
    *reply = (mcp_reply)MCP_REPLY;
    envelope_failure(m, reply, why);
    return finish(m, reply, err);
}

evdb_status mcp_reject(const mcp_message *m, int code, const char *message, mcp_reply *reply, evdb_error *err)
{
    *reply = (mcp_reply)MCP_REPLY;
    envelope_rejected(m, reply, code, message);
    return finish(m, reply, err);
}

evdb_status mcp_reject_version(const mcp_message *m, const char *version, mcp_reply *reply, evdb_error *err)
{
    *reply = (mcp_reply)MCP_REPLY;
    envelope_rejected_version(m, reply, version);
    return finish(m, reply, err);
}
