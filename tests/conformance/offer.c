/* offer.c - implements offer.h: which fixtures a method is about. */
#include "conformance/offer.h"
#include "conformance/notices.h"
#include <string.h>

const char *text_in(const mcp_message *m, const json_t *object, const char *name)
{
    return mcp_text(m, json_object_get(object, name));
}

const char *param_text(const mcp_message *m, const char *name) { return text_in(m, m->params, name); }

static void list(const char *method, op_out *out)
{
    if (strcmp(method, "tools/list") == 0) tools_offer(out);
    else if (strcmp(method, "prompts/list") == 0) prompts_offer(out);
    else if (strcmp(method, "resources/list") == 0) resources_offer(out);
    else if (strcmp(method, "resources/templates/list") == 0) resource_templates_offer(out);
}

static bool answer(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    if (strcmp(m->method, "tools/call") == 0) return tools_answer(m, who, reply);
    if (strcmp(m->method, "prompts/get") == 0) return prompts_answer(m, who, reply);
    if (strcmp(m->method, "completion/complete") == 0) return prompts_complete(m, reply);
    if (strcmp(m->method, "resources/read") == 0) return resources_answer(m, reply);
    return !m->modern && strcmp(m->method, "logging/setLevel") == 0 && notices_set_level(m, reply);
}

const mcp_offer conformance_offer = { .lists_change = true, .logs = true, .list = list, .watched = resources_watched, .answer = answer };
