/* prompts.c - implements mcp/prompts.h. */
#include "mcp/prompts.h"
#include "mcp/envelope.h"
#include "mcp/operation.h"
#include "mcp/params.h"
#include "mcp/resources.h"
#include "op/op_route.h"
#include <stdlib.h>
#include <string.h>

enum { ARGUMENT_BYTES_MAX = 4096 };

static const prompt prompts[] = {
#define REQUIRED_STORE(words) { .name = "store", .title = "Store", .doc = words, .is_store = true }
#define OPTIONAL_TEXT(key, heading, words, otherwise) { .name = key, .title = heading, .doc = words, .without = otherwise }
#define PROMPT(key, heading, words, body, ...) { .name = key, .title = heading, .doc = words, .text = body, .arguments = { __VA_ARGS__ } },
#include "mcp/prompts.def"
#undef PROMPT
#undef OPTIONAL_TEXT
#undef REQUIRED_STORE
    { 0 }
};

const prompt *prompt_find(const char *name)
{
    for (const prompt *p = prompts; p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

const prompt_argument *prompt_argument_find(const prompt *p, const char *name)
{
    for (const prompt_argument *a = p->arguments; a->name; a++)
        if (strcmp(a->name, name) == 0) return a;
    return NULL;
}

static void put_prompt(op_out *out, const prompt *p)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, "name", p->name);
    op_out_text(out, "title", p->title);
    op_out_text(out, "description", p->doc);
    op_out_open(out, "arguments", '[');
    for (const prompt_argument *a = p->arguments; a->name; a++) {
        op_out_open(out, NULL, '{');
        op_out_text(out, "name", a->name);
        op_out_text(out, "title", a->title);
        op_out_text(out, "description", a->doc);
        op_out_bool(out, "required", !a->without);
        op_out_close(out, '}');
    }
    op_out_close(out, ']');
    op_out_close(out, '}');
}

void prompts_list(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    if (!params_first_page(m, reply)) return;
    envelope_open(m, reply);
    op_out_open(&reply->text, "prompts", '[');
    for (const prompt *p = prompts; p->name; p++) put_prompt(&reply->text, p);
    if (who->offer) who->offer->list(m->method, &reply->text);
    op_out_close(&reply->text, ']');
    envelope_cacheable(m, reply, ENVELOPE_PROGRAM_TTL_MS, true);
    envelope_close(reply);
}

/* What was given for an argument; NULL and "" are nothing. */
static const char *given_for(const mcp_message *m, const prompt_argument *a)
{
    const char *text = params_text(m, json_object_get(m->params, "arguments"), a->name);
    return text && *text ? text : NULL;
}

/* EVDB_INVALID names the argument that is missing, unknown, no text, or too long. */
static evdb_status check_arguments(const mcp_message *m, const prompt *p, evdb_error *err)
{
    const json_t *given = json_object_get(m->params, "arguments");
    const char *key;
    json_t *value;
    if (given && !json_is_null(given) && !json_is_object(given)) return op_fail(err, EVDB_INVALID, "'params.arguments' must be an object");
    json_object_foreach((json_t *)given, key, value) {
        const char *text = params_text(m, given, key);
        if (!prompt_argument_find(p, key)) return op_fail(err, EVDB_INVALID, "the prompt '%s' has no argument '%s'", p->name, key);
        if (!text) return op_fail(err, EVDB_INVALID, "the argument '%s' must be a string", key);
        if (strlen(text) > ARGUMENT_BYTES_MAX)
            return op_fail(err, EVDB_INVALID, "the argument '%s' may have %d bytes", key, ARGUMENT_BYTES_MAX);
    }
    for (const prompt_argument *a = p->arguments; a->name; a++)
        if (!a->without && !given_for(m, a)) return op_fail(err, EVDB_INVALID, "the prompt '%s' needs the argument '%s'", p->name, a->name);
    return EVDB_OK;
}

/* A text that grows; failed = no memory was left. */
typedef struct words {
    char *at;
    size_t size, room;
    bool failed;
} words;

static void say(words *w, const char *text, size_t length)
{
    if (w->room - w->size <= length && !w->failed) {
        size_t room = (w->room + length + 1) * 2;
        char *grown = realloc(w->at, room);
        w->failed = !grown;
        if (grown) w->at = grown, w->room = room;
    }
    if (w->failed) return;
    memcpy(w->at + w->size, text, length);
    w->size += length;
}

/* What is given stands between quotes, so that a reader sees whose words they are: as a string of JSON, so that none of it can end them. */
static void say_argument(words *w, const mcp_message *m, const prompt_argument *a)
{
    const char *text = given_for(m, a);
    op_out quoted = OP_OUT;
    if (!text) {
        say(w, a->without, strlen(a->without));
        return;
    }
    op_out_text(&quoted, NULL, text);
    if (op_out_done(&quoted, NULL) == EVDB_OK) say(w, quoted.text, quoted.size);
    else w->failed = true;
    op_out_free(&quoted);
}

static void say_prompt(words *w, const mcp_message *m, const prompt *p)
{
    for (const char *at = p->text; *at;) {
        size_t plain = strcspn(at, "{"), behind = plain + strcspn(at + plain, "}");
        const prompt_argument *it = NULL;
        for (const prompt_argument *a = p->arguments; a->name && at[plain]; a++)
            if (strlen(a->name) == behind - plain - 1 && strncmp(a->name, at + plain + 1, strlen(a->name)) == 0) it = a;
        if (!it && at[plain]) plain++; /* a brace that is a brace */
        say(w, at, plain);
        if (it) say_argument(w, m, it);
        at += it ? behind + 1 : plain;
    }
}

/* The store that the prompt is about: its resource. */
typedef struct subject {
    char uri[OP_URI_BYTES_MAX];
    op_out answer; /* empty when it cannot be told */
    bool missing;
} subject;

/* What cannot be read, for whatever reason, is left out: the prompt is good without it. EVDB_INVALID when it is no store's name. */
static evdb_status look_at(const mcp_message *m, const mcp_caller *who, const char *store, mcp_reply *reply, subject *s, evdb_error *err)
{
    const op_field *name_of;
    const op *o = resources_of_stores(&name_of);
    json_t *args = o ? json_pack("{s:s}", name_of->name, store) : NULL;
    evdb_status rc = EVDB_OK;
    if (args && op_uri(o, args, s->uri, sizeof s->uri) && op_allow(o, who->who, args, err) == EVDB_OK)
        rc = operation_run(o, args, m, who, reply, &s->answer, err);
    s->missing = rc == EVDB_NOT_FOUND;
    json_decref(args);
    return rc == EVDB_INVALID ? rc : EVDB_OK;
}

static void open_message(op_out *out)
{
    op_out_open(out, NULL, '{');
    op_out_text(out, "role", "user");
}

static void put_messages(op_out *out, const words *text, const subject *s)
{
    op_out_open(out, "messages", '[');
    open_message(out);
    op_out_open(out, "content", '{');
    op_out_text(out, "type", "text");
    op_out_bytes(out, "text", text->at, text->size);
    op_out_close(out, '}');
    op_out_close(out, '}');
    if (s->answer.size) {
        open_message(out);
        op_out_open(out, "content", '{');
        op_out_text(out, "type", "resource");
        resources_put(out, "resource", s->uri, &s->answer);
        op_out_close(out, '}');
        op_out_close(out, '}');
    }
    op_out_close(out, ']');
}

static void answer(const mcp_message *m, const prompt *p, const subject *s, mcp_reply *reply)
{
    static const char missing[] = "\n\nThere is no store of that name yet.";
    words w = { 0 };
    say_prompt(&w, m, p);
    if (s->missing) say(&w, missing, sizeof missing - 1);
    envelope_open(m, reply);
    op_out_text(&reply->text, "description", p->doc);
    if (w.failed) reply->text.failed = true; /* as any other want of memory, told by op_out_done() */
    else put_messages(&reply->text, &w, s);
    envelope_close(reply);
    free(w.at);
}

void prompts_get(const mcp_message *m, const mcp_caller *who, mcp_reply *reply)
{
    const char *name = params_text(m, m->params, "name");
    const prompt *p = name ? prompt_find(name) : NULL;
    subject s = { .answer = OP_OUT };
    evdb_error err;
    evdb_status rc = EVDB_INVALID;
    if (!name) (void)op_fail(&err, rc, "'params.name' must be a string, the name of a prompt");
    else if (!p) (void)op_fail(&err, rc, "there is no prompt '%s'", name);
    else rc = check_arguments(m, p, &err);
    for (const prompt_argument *a = rc == EVDB_OK ? p->arguments : NULL; rc == EVDB_OK && a->name; a++)
        if (a->is_store && given_for(m, a)) rc = look_at(m, who, given_for(m, a), reply, &s, &err);
    if (rc == EVDB_OK) answer(m, p, &s, reply);
    else envelope_error(m, reply, MCP_INVALID_PARAMS, err.message);
    op_out_free(&s.answer);
}
