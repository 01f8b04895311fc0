/* completion.c - implements mcp/completion.h. */
#include "mcp/completion.h"
#include "mcp/completion_ids.h"
#include "mcp/envelope.h"
#include "mcp/operation.h"
#include "mcp/params.h"
#include "mcp/prompts.h"
#include <stdio.h>
#include <string.h>

enum { VALUES_MAX = 100 }; /* of the protocol */

/* What is being completed. */
typedef struct subject {
    const op *op;                /* whose URI has the argument, and ... */
    const op_field *field;       /* ... as which of its own; NULL = an argument of a prompt */
    bool is_store;
    const char *value;           /* as far as it is known */
} subject;

/* The array of values, which is open, gets them; *count is how many there are, when more than VALUES_MAX at least one more. */
typedef evdb_status values(const mcp_message *m, const mcp_caller *who, const subject *s, op_out *out, size_t *count, evdb_error *err);

static evdb_status stores(const mcp_message *m, const mcp_caller *who, const subject *s, op_out *out, size_t *count, evdb_error *err)
{
    op_call call = operation_call(who);
    evdb_store_info **list = NULL;
    size_t all = 0;
    evdb_status rc = evdb_store_list(who->db, &list, &all, err);
    (void)m;
    for (size_t i = 0; i < all; i++) {
        if (strncmp(list[i]->name, s->value, strlen(s->value)) != 0 || !op_may_see(&call, list[i]->name)) continue;
        if (++*count <= VALUES_MAX) op_out_text(out, NULL, list[i]->name);
    }
    evdb_store_list_free(list, all);
    return rc;
}

/* The store among the arguments that are known already. */
static const char *known_store(const mcp_message *m, const op *o)
{
    const json_t *known = json_object_get(json_object_get(m->params, "context"), "arguments");
    for (const op_field *f = o->args; f->name; f++) {
        const json_t *v = f->flags & OP_NAMES_STORE ? op_field_given(f, known, NULL) : NULL;
        if (v) return mcp_text(m, v);
    }
    return NULL;
}

static evdb_status ids(const mcp_message *m, const mcp_caller *who, const subject *s, op_out *out, size_t *count, evdb_error *err)
{
    const json_t *known = json_object_get(json_object_get(m->params, "context"), "arguments");
    const char *name = known_store(m, s->op);
    evdb_store *store = NULL;
    if (!name || op_allow(s->op, who->who, known, err) != EVDB_OK) return EVDB_OK;
    evdb_status rc = evdb_store_open(who->db, name, &store, err);
    if (rc == EVDB_NOT_FOUND || rc == EVDB_INVALID) return EVDB_OK;
    if (rc == EVDB_OK) rc = completion_ids(store, s->value, VALUES_MAX, out, count, err);
    evdb_store_close(store);
    return rc;
}

/* All of the template, and a variable of it. */
static evdb_status find_resource(const char *uri, const char *argument, subject *s, evdb_error *err)
{
    char variable[64];
    for (const op *const *o = ops; *o && !s->op; o++)
        if ((*o)->resource.uri && strcmp((*o)->resource.uri, uri) == 0) s->op = *o;
    if (!s->op) return op_fail(err, EVDB_INVALID, "there is no resource template '%s'", uri);
    snprintf(variable, sizeof variable, "{%.60s}", argument);
    if (strstr(s->op->resource.uri, variable)) s->field = op_field_find(s->op, argument);
    if (!s->field) return op_fail(err, EVDB_INVALID, "the template '%s' has no argument '%s'", uri, argument);
    s->is_store = s->field->flags & OP_NAMES_STORE;
    return EVDB_OK;
}

static evdb_status find_prompt(const char *name, const char *argument, subject *s, evdb_error *err)
{
    const prompt *p = prompt_find(name);
    const prompt_argument *a = p ? prompt_argument_find(p, argument) : NULL;
    if (!p) return op_fail(err, EVDB_INVALID, "there is no prompt '%s'", name);
    if (!a) return op_fail(err, EVDB_INVALID, "the prompt '%s' has no argument '%s'", name, argument);
    s->is_store = a->is_store;
    return EVDB_OK;
}

static evdb_status find(const mcp_message *m, subject *s, evdb_error *err)
{
    const json_t *ref = json_object_get(m->params, "ref"), *given = json_object_get(m->params, "argument");
    const char *type = params_text(m, ref, "type"), *argument = params_text(m, given, "name");
    bool of_prompt = type && strcmp(type, "ref/prompt") == 0, of_resource = type && strcmp(type, "ref/resource") == 0;
    const char *of = of_prompt ? params_text(m, ref, "name") : of_resource ? params_text(m, ref, "uri") : NULL;
    s->value = params_text(m, given, "value");
    if (!of_prompt && !of_resource) return op_fail(err, EVDB_INVALID, "'params.ref.type' must be 'ref/prompt' or 'ref/resource'");
    if (!of) return op_fail(err, EVDB_INVALID, "'params.ref.%s' must be a string", of_prompt ? "name" : "uri");
    if (!argument || !s->value) return op_fail(err, EVDB_INVALID, "'params.argument' must have the strings 'name' and 'value'");
    return of_prompt ? find_prompt(of, argument, s, err) : find_resource(of, argument, s, err);
}

void completion_complete(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    subject s = { 0 };
    size_t count = 0;
    evdb_error err;
    evdb_status rc = find(m, &s, &err);
    if (rc != EVDB_OK) {
        envelope_error(m, reply, MCP_INVALID_PARAMS, err.message);
        return;
    }
    op_out *out = &reply->text;
    values *of = s.is_store ? stores : s.field && s.field->type == OP_ID ? ids : NULL;
    envelope_open(m, reply);
    op_out_open(out, "completion", '{');
    op_out_open(out, "values", '[');
    if (of) rc = of(m, who, &s, out, &count, &err);
    op_out_close(out, ']');
    if (count <= VALUES_MAX || s.is_store) op_out_integer(out, "total", (int64_t)count);
    op_out_bool(out, "hasMore", count > VALUES_MAX);
    op_out_close(out, '}');
    envelope_close(reply);
    if (rc != EVDB_OK) envelope_failure(m, reply, &err);
}
