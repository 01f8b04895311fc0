/* prompts.c - the prompts that the suite gets, and what it may complete of them. */
#include "conformance/changes.h"
#include "conformance/content.h"
#include "conformance/inputs.h"
#include "conformance/offer.h"
#include "mcp/envelope.h"
#include <stdio.h>
#include <string.h>

#define ARGUMENT(name, what) "{\"name\":\"" name "\",\"description\":\"" what "\",\"required\":true}"
#define SAYS(content) "{\"role\":\"user\",\"content\":" content "}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
enum { TEXT_BYTES = 512 };

static void with_arguments(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
static void with_resource(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
static void with_input(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);

static const struct prompt {
    const char *name, *description, *arguments; /* JSON */
    const char *messages;                       /* JSON, or ... */
    void (*get)(const mcp_message *m, const mcp_caller *who, mcp_reply *reply);
    bool changes; /* it comes and goes */
} prompts[] = {
    { "test_simple_prompt", "A prompt without arguments", "[]", .messages = "[" SAYS(TEXT("This is a simple prompt for testing.")) "]" },
    { "test_prompt_with_arguments", "A prompt with two arguments", "[" ARGUMENT("arg1", "First test argument") "," ARGUMENT("arg2", "Second test argument") "]",
      .get = with_arguments },
    { "test_prompt_with_embedded_resource", "A prompt that has a resource in it", "[" ARGUMENT("resourceUri", "URI of the resource to embed") "]", .get = with_resource },
    { "test_prompt_with_image", "A prompt that has a picture in it", "[]",
      .messages = "[" SAYS("{\"type\":\"image\",\"data\":\"" PIXEL "\",\"mimeType\":\"image/png\"}") "," SAYS(TEXT("Please analyze the image above.")) "]" },
    { "test_input_required_result_prompt", "A prompt that asks its client for more", "[]", .get = with_input },
    { "test_changing_prompt", "Comes and goes", "[]", .messages = "[" SAYS(TEXT("It is there.")) "]", .changes = true },
};
enum { PROMPTS = sizeof prompts / sizeof *prompts };

static bool is_there(const struct prompt *p) { return !p->changes || changes_has(MCP_PROMPTS_CHANGED); }

static const struct prompt *find(const char *name)
{
    for (size_t i = 0; name && i < PROMPTS; i++)
        if (strcmp(prompts[i].name, name) == 0 && is_there(&prompts[i])) return &prompts[i];
    return NULL;
}

void prompts_offer(op_out *out)
{
    for (size_t i = 0; i < PROMPTS; i++) {
        if (!is_there(&prompts[i])) continue;
        op_out_open(out, NULL, '{');
        op_out_text(out, "name", prompts[i].name);
        op_out_text(out, "description", prompts[i].description);
        put_json(out, "arguments", prompts[i].arguments);
        op_out_close(out, '}');
    }
}

static void open_messages(const mcp_message *m, mcp_reply *reply)
{
    const struct prompt *p = find(param_text(m, "name"));
    envelope_open(m, reply);
    op_out_text(&reply->text, "description", p->description);
    op_out_open(&reply->text, "messages", '[');
}

static void close_messages(mcp_reply *reply)
{
    op_out_close(&reply->text, ']');
    envelope_close(reply);
}

static void say(op_out *out, const char *text)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, "role", "user");
    content_text(out, "content", text);
    op_out_close(out, '}');
}

/* NULL when it is not given, which the reply says then. */
static const char *argument(const mcp_message *m, const char *name, mcp_reply *reply)
{
    char message[80];
    const char *value = text_in(m, json_object_get(m->params, "arguments"), name);
    snprintf(message, sizeof message, "'params.arguments.%.40s' must be a string", name);
    if (!value) envelope_error(m, reply, MCP_INVALID_PARAMS, message);
    return value;
}

static void with_arguments(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    char text[TEXT_BYTES];
    const char *first = argument(m, "arg1", reply), *second = first ? argument(m, "arg2", reply) : NULL;
    (void)who;
    if (!second) return;
    snprintf(text, sizeof text, "Prompt with arguments: arg1='%.200s', arg2='%.200s'", first, second);
    open_messages(m, reply);
    say(&reply->text, text);
    close_messages(reply);
}

static void with_resource(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *uri = argument(m, "resourceUri", reply);
    op_out *out = &reply->text;
    (void)who;
    if (!uri) return;
    open_messages(m, reply);
    op_out_open(out, NULL, '{');
    op_out_text(out, "role", "user");
    op_out_open(out, "content", '{');
    op_out_text(out, "type", "resource");
    op_out_open(out, "resource", '{');
    op_out_text(out, "uri", uri);
    op_out_text(out, "mimeType", "text/plain");
    op_out_text(out, "text", "Embedded resource content for testing.");
    for (int i = 0; i < 3; i++) op_out_close(out, '}');
    say(out, "Please process the embedded resource above.");
    close_messages(reply);
}

static void with_input(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    char text[INPUTS_TEXT_BYTES];
    if (!inputs_ask(m, who, reply, text)) return;
    open_messages(m, reply);
    say(&reply->text, text);
    close_messages(reply);
}

bool prompts_answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const struct prompt *p = find(param_text(m, "name"));
    if (!p) return false;
    if (p->get) p->get(m, who, reply);
    else {
        envelope_open(m, reply);
        op_out_text(&reply->text, "description", p->description);
        put_json(&reply->text, "messages", p->messages);
        envelope_close(reply);
    }
    return true;
}

/* Any text may be an argument of these prompts: what is there of it is as good as anything. */
bool prompts_complete(const mcp_message *m, mcp_reply *reply)
{
    static const char *const words[] = { "paris", "park", "party", "test" };
    const json_t *ref = json_object_get(m->params, "ref");
    const char *kind = text_in(m, ref, "type"), *begun = text_in(m, json_object_get(m->params, "argument"), "value");
    op_out *out = &reply->text;
    int64_t total = 0;
    if (!kind || strcmp(kind, "ref/prompt") != 0 || !find(text_in(m, ref, "name")) || !begun) return false;
    envelope_open(m, reply);
    op_out_open(out, "completion", '{');
    op_out_open(out, "values", '[');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(words[i], begun, strlen(begun)) == 0) op_out_text(out, NULL, words[i]), total++;
    op_out_close(out, ']');
    op_out_integer(out, "total", total);
    op_out_bool(out, "hasMore", false);
    op_out_close(out, '}');
    envelope_close(reply);
    return true;
}
