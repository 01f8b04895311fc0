/* message.c - JSON text to message: what JSON-RPC 2.0 and MCP ask of its shape. Unknown members are left alone. */
#include "mcp/about.h"
#include "op/op_json.h"
#include "op/op_status.h"
#include <string.h>
#include <strings.h>

const char *mcp_text(const mcp_message *m, const json_t *v)
{
    return op_slice_of(&m->slices, v) ? NULL : json_string_value(v);
}

static void malformed(mcp_message *m, int code, const char *what)
{
    m->kind = MCP_MALFORMED;
    m->code = code;
    (void)op_fail(&m->fault, EVDB_INVALID, "%s", what);
}

/* A reply must carry the id of its request, exactly: fractions have no one spelling, and null is what errors without an id use. */
static bool read_id(mcp_message *m)
{
    const json_t *id = json_object_get(m->tree, "id");
    if (!id || json_is_integer(id) || mcp_text(m, id)) m->id = id;
    else malformed(m, MCP_INVALID_REQUEST, "'id' must be a string or an integer");
    return m->id == id;
}

static bool read_token(mcp_message *m)
{
    const json_t *auth = json_object_get(m->tree, "auth");
    if (!auth || json_is_null(auth)) return true;
    const char *type = mcp_text(m, json_object_get(auth, "type")), *token = mcp_text(m, json_object_get(auth, "token"));
    if (type && strcasecmp(type, "bearer") == 0) m->token = token;
    if (!m->token) malformed(m, MCP_INVALID_REQUEST, "'auth' must be {\"type\": \"bearer\", \"token\": \"...\"}");
    return m->token != NULL;
}

/* A notification is not answered whatever is wrong with it: it has none then. */
static bool read_params(mcp_message *m)
{
    const json_t *params = json_object_get(m->tree, "params");
    if (!params || json_is_null(params) || (!m->id && !json_is_object(params))) return true;
    if (json_is_object(params)) m->params = params;
    else malformed(m, json_is_array(params) || op_slice_of(&m->slices, params) ? MCP_INVALID_PARAMS : MCP_INVALID_REQUEST,
                   "'params' must be an object");
    return m->params != NULL;
}

/* A version that is unknown is one to come, which has no initialize either; server/discover never had. */
static void read_version(mcp_message *m)
{
    const json_t *meta = json_object_get(m->params, "_meta");
    if (json_is_object(meta)) m->meta = meta;
    m->version = mcp_text(m, json_object_get(m->meta, MCP_PREFIX "protocolVersion"));
    m->modern = m->version ? mcp_era_of(m->version) != MCP_LEGACY : strcmp(m->method, "server/discover") == 0;
}

static void read_call(mcp_message *m)
{
    m->method = mcp_text(m, json_object_get(m->tree, "method"));
    if (!m->method) malformed(m, MCP_INVALID_REQUEST, "'method' must be a string");
    else if (read_params(m)) {
        read_version(m);
        m->kind = m->id ? MCP_REQUEST : MCP_NOTIFICATION;
    }
}

/* Never to be answered, whatever else is wrong with it: two sides that answer each other's errors do not end. */
static bool is_response(const json_t *tree)
{
    return !json_object_get(tree, "method") && (json_object_get(tree, "result") || json_object_get(tree, "error"));
}

static void read_shape(mcp_message *m)
{
    bool response = is_response(m->tree);
    if (json_is_array(m->tree)) malformed(m, MCP_INVALID_REQUEST, "batches are not part of this protocol: send one message");
    else if (!json_is_object(m->tree)) malformed(m, MCP_INVALID_REQUEST, "a message must be a JSON object");
    else if ((!response && !read_id(m)) || !read_token(m)) return;
    else if (response) m->kind = MCP_RESPONSE;
    else {
        const char *version = mcp_text(m, json_object_get(m->tree, "jsonrpc"));
        if (!version || strcmp(version, "2.0") != 0) malformed(m, MCP_INVALID_REQUEST, "'jsonrpc' must be \"2.0\"");
        else if (op_json_deeper(m->tree, MCP_DEPTH_MAX)) malformed(m, MCP_INVALID_REQUEST, "the message is nested too deep");
        else read_call(m);
    }
}

void mcp_read(const char *text, size_t length, mcp_message *m)
{
    *m = (mcp_message){ .kind = MCP_MALFORMED };
    evdb_status rc = op_slices_parse(text, length, &m->slices, &m->tree, &m->fault);
    if (rc == EVDB_OK) read_shape(m);
    else m->code = rc == EVDB_INVALID ? MCP_PARSE_ERROR : op_status(rc).rpc;
}

void mcp_forget(mcp_message *m)
{
    json_decref(m->tree);
    op_slices_free(&m->slices);
    *m = (mcp_message){ .kind = MCP_MALFORMED };
}
