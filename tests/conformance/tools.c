/* tools.c - the tools that the suite calls. */
#include "conformance/changes.h"
#include "conformance/content.h"
#include "conformance/headers.h"
#include "conformance/inputs.h"
#include "conformance/notices.h"
#include "conformance/offer.h"
#include "mcp/about.h"
#include "mcp/envelope.h"
#include <string.h>

#define NO_ARGUMENTS "{\"type\":\"object\",\"additionalProperties\":false}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define IMAGE "{\"type\":\"image\",\"data\":\"" PIXEL "\",\"mimeType\":\"image/png\"}"
#define RESOURCE(uri, type, text) "{\"type\":\"resource\",\"resource\":{\"uri\":\"" uri "\",\"mimeType\":\"" type "\",\"text\":\"" text "\"}}"

/* Words of JSON Schema 2020-12 that a server might lose on the way to its list. */
static const char schema_2020_12[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\","
    "\"properties\":{\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{\"name\":{\"type\":\"string\"},"
    "\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},"
    "\"email\":{\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],"
    "\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{\"required\":[\"phone\"]},"
    "\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}";

static void with_progress(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    for (int64_t progress = 0; progress <= 100; progress += 50) notices_progress(m, who, progress);
    content_reply_text(m, reply, "All 100 of 100 are done.", false);
}

static void with_logging(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    static const char *const steps[] = { "Tool execution started", "Tool processing data", "Tool execution completed" };
    if (notices_level_unknown(m, reply)) return;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) notices_log(m, who, steps[i]);
    content_reply_text(m, reply, "What was to be logged is logged.", false);
}

static void with_input(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    char text[INPUTS_TEXT_BYTES];
    if (inputs_ask(m, who, reply, text)) content_reply_text(m, reply, text, false);
}

static void with_sampling(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    (void)who;
    bool capable = !m->modern || json_object_get(json_object_get(m->meta, MCP_PREFIX "clientCapabilities"), "sampling");
    if (capable) content_reply_text(m, reply, "This client could be asked for a message of its model.", false);
    else content_needs(m, reply, "sampling");
}

/* The argument of this tool stands in a header, too, for whoever is on the way and does not read messages. */
static void with_header(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const json_t *arguments = json_object_get(m->params, "arguments"), *given = json_object_get(arguments, "region");
    const char *region = text_in(m, arguments, "region");
    (void)who;
    if (given && !region && !json_is_null(given)) content_reply_text(m, reply, "'region' must be a string", true);
    else if (!m->modern || headers_say("Mcp-Param-Region", region)) content_reply_text(m, reply, region ? region : "nowhere", false);
    else {
        envelope_error(m, reply, MCP_HEADER_MISMATCH, "the header Mcp-Param-Region is not the argument 'region'");
        reply->rejected = true;
    }
}

static void change_tools(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    changes_make(who, MCP_TOOLS_CHANGED);
    content_reply_text(m, reply, "The list of tools has changed.", false);
}

static void change_prompts(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    changes_make(who, MCP_PROMPTS_CHANGED);
    content_reply_text(m, reply, "The list of prompts has changed.", false);
}

static const struct tool {
    const char *name, *description;
    const char *content; /* JSON of what it always answers, or ... */
    void (*call)(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
    const char *schema; /* NULL = it takes no arguments */
    bool fails, changes; /* it always fails; it comes and goes */
} tools[] = {
    { "test_simple_text", "Answers a text", .content = "[" TEXT("This is a simple text response for testing.") "]" },
    { "test_image_content", "Answers a picture", .content = "[" IMAGE "]" },
    { "test_audio_content", "Answers a sound", .content = "[{\"type\":\"audio\",\"data\":\"" SOUND "\",\"mimeType\":\"audio/wav\"}]" },
    { "test_embedded_resource", "Answers a resource", .content = "[" RESOURCE("test://embedded-resource", "text/plain", "This is an embedded resource content.") "]" },
    { "test_multiple_content_types", "Answers a text, a picture and a resource",
      .content = "[" TEXT("Multiple content types test:") "," IMAGE "," RESOURCE("test://mixed-content-resource", "application/json", "{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}") "]" },
    { "test_error_handling", "Fails", .content = "[" TEXT("This tool intentionally returns an error for testing") "]", .fails = true },
    { "test_tool_with_progress", "Tells how far it is", .call = with_progress },
    { "test_tool_with_logging", "Logs what it does", .call = with_logging },
    { "test_logging_tool", "Logs what it does, when the request asks for that", .call = with_logging },
    { "test_missing_capability", "Needs a client that has a model", .call = with_sampling },
    { "json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", .content = "[" TEXT("Its arguments are what counts.") "]", .schema = schema_2020_12 },
    { "test_header_parameter", "Answers its argument, which a header repeats", .call = with_header,
      .schema = "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}},\"additionalProperties\":false}" },
    { "test_trigger_tool_change", "Has another tool come or go", .call = change_tools },
    { "test_trigger_prompt_change", "Has a prompt come or go", .call = change_prompts },
    { "test_changing_tool", "Comes and goes", .content = "[" TEXT("It is there.") "]", .changes = true },
    { "test_streaming_elicitation", "Asks for a name, in its result", .call = with_input },
    { "test_input_required_result_elicitation", "Asks for a name", .call = with_input },
    { "test_input_required_result_sampling", "Asks the client's model", .call = with_input },
    { "test_input_required_result_list_roots", "Asks for the client's folders", .call = with_input },
    { "test_input_required_result_request_state", "Asks, and has the client carry a state", .call = with_input },
    { "test_input_required_result_multiple_inputs", "Asks three things at once", .call = with_input },
    { "test_input_required_result_multi_round", "Asks twice", .call = with_input },
    { "test_input_required_result_tampered_state", "Refuses a state that was changed", .call = with_input },
    { "test_input_required_result_capabilities", "Asks what the client can be asked", .call = with_input },
};
enum { TOOLS = sizeof tools / sizeof *tools };

static bool is_there(const struct tool *t) { return !t->changes || changes_has(MCP_TOOLS_CHANGED); }

void tools_offer(op_out *out)
{
    for (size_t i = 0; i < TOOLS; i++) {
        if (!is_there(&tools[i])) continue;
        op_out_open(out, NULL, '{');
        op_out_text(out, "name", tools[i].name);
        op_out_text(out, "description", tools[i].description);
        put_json(out, "inputSchema", tools[i].schema ? tools[i].schema : NO_ARGUMENTS);
        op_out_close(out, '}');
    }
}

bool tools_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *name = param_text(m, "name");
    for (size_t i = 0; name && i < TOOLS; i++)
        if (strcmp(tools[i].name, name) == 0 && is_there(&tools[i])) {
            if (tools[i].call) tools[i].call(m, who, reply);
            else content_reply(m, reply, tools[i].content, tools[i].fails);
            return true;
        }
    return false;
}
