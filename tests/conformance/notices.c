/* notices.c - implements notices.h. */
#include "conformance/notices.h"
#include "conformance/content.h"
#include "conformance/offer.h"
#include "mcp/about.h"
#include "mcp/envelope.h"
#include <stdatomic.h>
#include <string.h>

enum { INFO = 1, LEVELS = 8 };
static const char *const levels[LEVELS] = { "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency" };
static atomic_int legacy_level = INFO; /* of all clients: this server has one at a time */

static int level_of(const char *name)
{
    for (int i = 0; name && i < LEVELS; i++)
        if (strcmp(levels[i], name) == 0) return i;
    return LEVELS;
}

static const json_t *level_asked(const mcp_message *m) { return json_object_get(m->meta, MCP_PREFIX "logLevel"); }

bool notices_level_unknown(const mcp_message *m, mcp_reply *reply)
{
    const json_t *asked = level_asked(m);
    if (!m->modern || !asked || level_of(json_string_value(asked)) < LEVELS) return false;
    envelope_error(m, reply, MCP_INVALID_PARAMS, "'params._meta." MCP_PREFIX "logLevel' is no level of a log");
    return true;
}

bool notices_set_level(const mcp_message *m, mcp_reply *reply)
{
    int level = level_of(param_text(m, "level"));
    if (level == LEVELS) {
        envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.level' must be a level of a log");
        return true;
    }
    atomic_store(&legacy_level, level);
    envelope_open(m, reply);
    envelope_close(reply);
    return true;
}

static void open_notice(op_out *o, const char *method)
{
    op_out_open(o, NULL, '{');
    op_out_text(o, "jsonrpc", "2.0");
    op_out_text(o, "method", method);
    op_out_open(o, "params", '{');
}

/* Closes and sends it. Nobody needs to know whether it came through. */
static void send_notice(const mcp_caller *who, op_out *o)
{
    evdb_error err;
    op_out_close(o, '}');
    op_out_close(o, '}');
    if (op_out_done(o, &err) == EVDB_OK) (void)who->channel->send(who->channel->context, o->text, o->size);
    op_out_free(o);
}

void notices_progress(const mcp_message *m, const mcp_caller *who, int64_t progress)
{
    const json_t *token = json_object_get(m->meta, "progressToken");
    op_out o = OP_OUT;
    if (!who->channel || (!json_is_string(token) && !json_is_integer(token))) return;
    open_notice(&o, "notifications/progress");
    if (json_is_integer(token)) op_out_integer(&o, "progressToken", json_integer_value(token));
    else op_out_bytes(&o, "progressToken", json_string_value(token), json_string_length(token));
    op_out_integer(&o, "progress", progress);
    op_out_integer(&o, "total", 100);
    send_notice(who, &o);
}

void notices_log(const mcp_message *m, const mcp_caller *who, const char *text)
{
    int least = m->modern ? level_of(json_string_value(level_asked(m))) : atomic_load(&legacy_level);
    op_out o = OP_OUT;
    if (!who->channel || INFO < least) return;
    open_notice(&o, "notifications/message");
    op_out_text(&o, "level", levels[INFO]);
    op_out_text(&o, "logger", "conformance");
    op_out_text(&o, "data", text);
    send_notice(who, &o);
}
