/* about.c - implements mcp/about.h. */
#include "mcp/about.h"
#include "mcp/envelope.h"
#include <string.h>

#define MODERN_NEWEST "2026-07-28"
#define LEGACY_NEWEST "2025-11-25"
#define LEGACY_OLDEST "2025-06-18"

const char *const mcp_versions[] = { MODERN_NEWEST, LEGACY_NEWEST, LEGACY_OLDEST, NULL };
const char *const mcp_legacy_newest = LEGACY_NEWEST;

/* For the model that will use the tools. */
static const char instructions[] =
    "evdb keeps vectors in stores. A store holds records: an id (integer or string), a vector, and metadata (a JSON object). "
    "All vectors of a store have the same number of elements and should come from the same embedding model. "
    "Searching a store returns the records nearest to a vector, with their metadata: a smaller distance is nearer, a larger "
    "score is better. Every write is on disk when it is answered. An error says which argument is wrong and why.";

mcp_era mcp_era_of(const char *version)
{
    if (strcmp(version, MODERN_NEWEST) == 0) return MCP_MODERN;
    return strcmp(version, LEGACY_NEWEST) == 0 || strcmp(version, LEGACY_OLDEST) == 0 ? MCP_LEGACY : MCP_UNKNOWN;
}

const char *about_versions(void)
{
    return MODERN_NEWEST ", " LEGACY_NEWEST ", " LEGACY_OLDEST;
}

void about_supported(op_out *o, const char *key)
{
    op_out_open(o, key, '[');
    for (const char *const *v = mcp_versions; *v; v++) op_out_text(o, NULL, *v);
    op_out_close(o, ']');
}

void about_server(op_out *o, const char *key)
{
    op_out_open(o, key, '{');
    op_out_text(o, "name", "evdb");
    op_out_text(o, "title", "evdb, a vector database");
    op_out_text(o, "version", evdb_version());
    op_out_close(o, '}');
}

static void capability(op_out *o, const char *name, bool changes, bool subscribe)
{
    op_out_open(o, name, '{');
    if (subscribe) op_out_bool(o, "subscribe", true);
    if (changes) op_out_bool(o, "listChanged", true);
    op_out_close(o, '}');
}

static void capabilities(op_out *o, const mcp_caller *who)
{
    const mcp_offer *offer = who->offer;
    op_out_open(o, "capabilities", '{');
    capability(o, "tools", offer && offer->lists_change, false);
    capability(o, "resources", who->hub, who->hub);
    capability(o, "prompts", offer && offer->lists_change, false);
    capability(o, "completions", false, false);
    if (offer && offer->logs) capability(o, "logging", false, false);
    op_out_close(o, '}');
}

/* The version asked for when it is a legacy one, else our newest of these: whether that will do is for the client to say. */
void initialize(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *version = json_string_value(json_object_get(m->params, "protocolVersion"));
    op_out *o = &reply->text;
    if (!version) {
        envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.protocolVersion' must be a string");
        return;
    }
    envelope_open(m, reply);
    op_out_text(o, "protocolVersion", mcp_era_of(version) == MCP_LEGACY ? version : mcp_legacy_newest);
    capabilities(o, who);
    about_server(o, "serverInfo");
    op_out_text(o, "instructions", instructions);
    envelope_close(reply);
}

void server_discover(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    op_out *o = &reply->text;
    envelope_open(m, reply);
    about_supported(o, "supportedVersions");
    capabilities(o, who);
    op_out_text(o, "instructions", instructions);
    envelope_cacheable(m, reply, ENVELOPE_PROGRAM_TTL_MS, true);
    envelope_close(reply);
}
