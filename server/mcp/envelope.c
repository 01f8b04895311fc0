/* envelope.c - implements mcp/envelope.h. */
#include "mcp/envelope.h"
#include "mcp/about.h"
#include "op/op_status.h"
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 32 };

void envelope_id(op_out *o, const char *key, const json_t *id)
{
    if (json_is_integer(id)) op_out_integer(o, key, json_integer_value(id));
    else if (id) op_out_bytes(o, key, json_string_value(id), json_string_length(id));
    else op_out_json(o, key, "null", 4);
}

static void open_reply(const mcp_message *m, mcp_reply *reply)
{
    op_out *o = &reply->text;
    op_out_open(o, NULL, '{');
    op_out_text(o, "jsonrpc", "2.0");
    envelope_id(o, "id", m->id);
}

static void open_result(const mcp_message *m, mcp_reply *reply, const char *result_type, evdb_status status, bool subscription)
{
    op_out *o = &reply->text;
    open_reply(m, reply);
    op_out_open(o, "result", '{');
    if (m->modern) op_out_text(o, "resultType", result_type);
    if (!m->modern && status == EVDB_OK) return;
    op_out_open(o, "_meta", '{');
    if (subscription) envelope_id(o, ENVELOPE_SUBSCRIPTION, m->id);
    if (status != EVDB_OK) envelope_status(o, "evdb/", status);
    if (m->modern) about_server(o, MCP_PREFIX "serverInfo");
    op_out_close(o, '}');
}

void envelope_open(const mcp_message *m, mcp_reply *reply)
{
    open_result(m, reply, "complete", EVDB_OK, false);
}

void envelope_open_failed(const mcp_message *m, mcp_reply *reply, evdb_status status)
{
    open_result(m, reply, "complete", status, false);
}

void envelope_open_as(const mcp_message *m, mcp_reply *reply, const char *result_type)
{
    open_result(m, reply, result_type, EVDB_OK, false);
}

void envelope_open_subscription(const mcp_message *m, mcp_reply *reply)
{
    open_result(m, reply, "complete", EVDB_OK, true);
}

void envelope_cacheable(const mcp_message *m, mcp_reply *reply, int64_t ttl_ms, bool is_public)
{
    if (!m->modern) return;
    op_out_integer(&reply->text, "ttlMs", ttl_ms);
    op_out_text(&reply->text, "cacheScope", is_public ? "public" : "private");
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

void envelope_error_with(const mcp_message *m, mcp_reply *reply, int code, const char *message, const op_out *data)
{
    open_error(m, reply, code, message);
    op_out_json(&reply->text, "data", data->text, data->size);
    envelope_close(reply);
}

void envelope_rejected(const mcp_message *m, mcp_reply *reply, int code, const char *message)
{
    envelope_error(m, reply, code, message);
    reply->rejected = true;
}

void envelope_rejected_version(const mcp_message *m, mcp_reply *reply, const char *version)
{
    evdb_error why;
    (void)op_fail(&why, EVDB_UNSUPPORTED, "protocol version '%.40s' is not known here; these are: %s", version, about_versions());
    open_error(m, reply, MCP_VERSION_UNSUPPORTED, why.message);
    op_out_open(&reply->text, "data", '{');
    about_supported(&reply->text, "supported");
    op_out_text(&reply->text, "requested", version);
    op_out_close(&reply->text, '}');
    envelope_close(reply);
    reply->rejected = true;
}

void envelope_failure(const mcp_message *m, mcp_reply *reply, const evdb_error *why)
{
    open_error(m, reply, op_status(why->status).rpc, why->message);
    op_out_open(&reply->text, "data", '{');
    envelope_status(&reply->text, "", why->status);
    op_out_close(&reply->text, '}');
    envelope_close(reply);
}

void envelope_missing(const mcp_message *m, mcp_reply *reply, const char *uri, const evdb_error *why)
{
    open_error(m, reply, m->modern ? MCP_INVALID_PARAMS : MCP_RESOURCE_NOT_FOUND, why->message);
    op_out_open(&reply->text, "data", '{');
    op_out_text(&reply->text, "uri", uri);
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
