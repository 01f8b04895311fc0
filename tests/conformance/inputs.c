/* inputs.c - implements inputs.h. */
#include "conformance/inputs.h"
#include "conformance/content.h"
#include "conformance/offer.h"
#include "conformance/sealed.h"
#include "mcp/about.h"
#include "mcp/envelope.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 2, ASKS = 3 };
typedef enum kind { ELICITATION, SAMPLING, ROOTS } kind;

/* How a kind of question is asked, and what the client must be capable of for that. */
static const struct { const char *capability, *method; } kinds[] = {
    [ELICITATION] = { "elicitation", "elicitation/create" },
    [SAMPLING] = { "sampling", "sampling/createMessage" },
    [ROOTS] = { "roots", "roots/list" },
};

typedef struct ask {
    const char *key;
    kind kind;
    const char *params; /* JSON */
    const char *member; /* of what a form gives back: text, or ... */
    bool is_boolean;
} ask;

typedef struct dialogue {
    const char *name;
    bool is_sealed; /* has state that the client carries */
    bool adapts;    /* leaves out what the client is not capable of, instead of refusing it */
    const ask *rounds[ROUNDS][ASKS];
    const char *begin, *subject, *end; /* what is said in the end, with the answer to the key `subject` in it */
} dialogue;

#define FORM(message, member, type)                                                                                                             \
    "{\"mode\":\"form\",\"message\":\"" message "\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"" member "\":{\"type\":\"" type "\"}}," \
    "\"required\":[\"" member "\"]}}"
#define QUESTION(text, tokens) "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" text "\"}}],\"maxTokens\":" tokens "}"

static const ask user_name = { "user_name", ELICITATION, FORM("What is your name?", "name", "string"), "name", false };
static const ask confirm = { "confirm", ELICITATION, FORM("Please confirm", "ok", "boolean"), "ok", true };
static const ask step1 = { "step1", ELICITATION, FORM("Step 1: What is your name?", "name", "string"), "name", false };
static const ask step2 = { "step2", ELICITATION, FORM("Step 2: What is your favorite color?", "color", "string"), "color", false };
static const ask user_context = { "user_context", ELICITATION, FORM("What context should the prompt use?", "context", "string"), "context", false };
static const ask capital = { "capital_question", SAMPLING, QUESTION("What is the capital of France?", "100"), NULL, false };
static const ask greeting = { "greeting", SAMPLING, QUESTION("Generate a greeting", "50"), NULL, false };
static const ask client_roots = { "client_roots", ROOTS, "{}", NULL, false };

static const dialogue dialogues[] = {
    { "test_input_required_result_elicitation", false, false, { { &user_name } }, "Hello, ", "user_name", "!" },
    { "test_input_required_result_sampling", false, false, { { &capital } }, "The model says: ", "capital_question", "" },
    { "test_input_required_result_list_roots", false, false, { { &client_roots } }, "The first root is ", "client_roots", "." },
    { "test_input_required_result_request_state", true, false, { { &confirm } }, "state-ok, confirmed: ", "confirm", "" },
    { "test_input_required_result_multiple_inputs", true, false, { { &user_name, &greeting, &client_roots } }, "All is there, ", "user_name", "." },
    { "test_input_required_result_multi_round", true, false, { { &step1 }, { &step2 } }, "Both steps are done, ", "step1", "." },
    { "test_input_required_result_tampered_state", true, false, { { &confirm } }, "The state is as it was made; confirmed: ", "confirm", "" },
    { "test_input_required_result_capabilities", false, true, { { &user_name, &greeting, &client_roots } }, "All that this client can be asked: ", "greeting", "" },
    { "test_streaming_elicitation", false, false, { { &user_name } }, "Hello, ", "user_name", "!" },
    { "test_input_required_result_prompt", false, false, { { &user_context } }, "Use this context: ", "user_context", "" },
};

static const dialogue *find(const char *name)
{
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++)
        if (strcmp(dialogues[i].name, name) == 0) return &dialogues[i];
    abort(); /* a fixture that is in no table */
}

static bool is_capable(const mcp_message *m, kind k)
{
    return json_object_get(json_object_get(m->meta, MCP_PREFIX "clientCapabilities"), kinds[k].capability) != NULL;
}

/* ---- answers ---- */

/* Is it what a question of this kind is answered with? A user may refuse a form. */
static bool fits(const ask *a, const json_t *response)
{
    const json_t *content = json_object_get(response, "content"), *value = json_object_get(content, a->member ? a->member : "text");
    const char *action = json_string_value(json_object_get(response, "action"));
    switch (a->kind) {
    case ELICITATION:
        if (!action || strcmp(action, "accept") != 0) return action && (strcmp(action, "decline") == 0 || strcmp(action, "cancel") == 0);
        return a->is_boolean ? json_is_boolean(value) : json_is_string(value);
    case SAMPLING: return json_is_string(json_object_get(response, "role")) && json_is_string(json_object_get(response, "model")) && json_is_string(value);
    case ROOTS: return json_is_array(json_object_get(response, "roots"));
    }
    return false;
}

static const char *text_of(const ask *a, const json_t *response)
{
    const json_t *content = json_object_get(response, "content"), *value = json_object_get(content, a->member ? a->member : "text");
    const char *text = json_string_value(a->kind == ROOTS ? json_object_get(json_array_get(json_object_get(response, "roots"), 0), "uri") : value);
    return text ? text : json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "no answer";
}

static void tell(const dialogue *d, const json_t *answers, char text[INPUTS_TEXT_BYTES])
{
    const char *answer = "no answer";
    for (size_t i = 0; i < ROUNDS * ASKS; i++) {
        const ask *a = d->rounds[i / ASKS][i % ASKS];
        if (a && strcmp(a->key, d->subject) == 0) answer = text_of(a, json_object_get(answers, a->key));
    }
    snprintf(text, INPUTS_TEXT_BYTES, "%s%.100s%s", d->begin, answer, d->end);
}

/* ---- a round ---- */

typedef struct talk {
    const dialogue *dialogue;
    size_t round;
    json_t *answers; /* of this round, and of those before it */
} talk;

/* Takes up where the request says that it is. False: it says what nobody of us has said. */
static bool resume(const mcp_message *m, const mcp_caller *who, talk *t, mcp_reply *reply)
{
    const json_t *given = json_object_get(m->params, "requestState");
    json_t *state = NULL;
    if (!given || json_is_null(given) || !t->dialogue->is_sealed) return true;
    const char *text = param_text(m, "requestState");
    if (text) state = sealed_open(text, t->dialogue->name, who->who, (int64_t)time(NULL));
    if (state) {
        t->round = (size_t)json_integer_value(json_object_get(state, "round"));
        json_object_update(t->answers, json_object_get(state, "answers"));
        json_decref(state);
        return true;
    }
    envelope_error(m, reply, MCP_INVALID_PARAMS, "'params.requestState' is not what this server gave out for this request, or was given out too long ago");
    return false;
}

/* What is there already of this round's answers. Whoever carries a state has to show it with them. */
static void take(const mcp_message *m, talk *t)
{
    const json_t *given = json_object_get(m->params, "inputResponses");
    if (t->dialogue->is_sealed && !param_text(m, "requestState")) return;
    for (size_t i = 0; i < ASKS; i++) {
        const ask *a = t->dialogue->rounds[t->round][i];
        json_t *response = a ? json_object_get(given, a->key) : NULL;
        if (response && fits(a, response)) json_object_set(t->answers, a->key, response);
    }
}

/* Is this to be asked in this round? */
static bool is_open(const mcp_message *m, const talk *t, const ask *a)
{
    return a && !json_object_get(t->answers, a->key) && (is_capable(m, a->kind) || !t->dialogue->adapts);
}

/* The one that this client cannot be asked, or NULL. */
static const ask *impossible(const mcp_message *m, const talk *t)
{
    for (size_t i = 0; i < ASKS; i++) {
        const ask *a = t->dialogue->rounds[t->round][i];
        if (is_open(m, t, a) && !is_capable(m, a->kind)) return a;
    }
    return NULL;
}

static bool is_done(const mcp_message *m, const talk *t)
{
    for (size_t i = 0; i < ASKS; i++)
        if (is_open(m, t, t->dialogue->rounds[t->round][i])) return false;
    return true;
}

static void put_state(const mcp_caller *who, const talk *t, mcp_reply *reply)
{
    json_t *state = json_pack("{s:I, s:O}", "round", (json_int_t)t->round, "answers", t->answers);
    char *text = state ? sealed_make(state, t->dialogue->name, who->who, (int64_t)time(NULL)) : NULL;
    if (text) op_out_text(&reply->text, "requestState", text);
    else reply->text.failed = true;
    free(text);
    json_decref(state);
}

static void put_asks(const mcp_message *m, const mcp_caller *who, const talk *t, mcp_reply *reply)
{
    op_out *out = &reply->text;
    envelope_open_as(m, reply, "input_required");
    op_out_open(out, "inputRequests", '{');
    for (size_t i = 0; i < ASKS; i++) {
        const ask *a = t->dialogue->rounds[t->round][i];
        if (!is_open(m, t, a)) continue;
        op_out_open(out, a->key, '{');
        op_out_text(out, "method", kinds[a->kind].method);
        put_json(out, "params", a->params);
        op_out_close(out, '}');
    }
    op_out_close(out, '}');
    if (t->dialogue->is_sealed) put_state(who, t, reply);
    envelope_close(reply);
}

bool inputs_ask(const mcp_message *m, const mcp_caller *who, mcp_reply *reply, char text[INPUTS_TEXT_BYTES])
{
    talk t = { .dialogue = find(param_text(m, "name")), .answers = json_object() };
    const ask *refused;
    bool done = false;
    if (!m->modern) envelope_error(m, reply, MCP_INVALID_PARAMS, "this asks its client for more, which versions that begin with initialize do otherwise");
    else if (resume(m, who, &t, reply)) {
        take(m, &t);
        if (is_done(m, &t) && t.round + 1 < ROUNDS && t.dialogue->rounds[t.round + 1][0]) t.round++;
        done = is_done(m, &t);
        if (done) tell(t.dialogue, t.answers, text);
        else if ((refused = impossible(m, &t))) content_needs(m, reply, kinds[refused->kind].capability);
        else put_asks(m, who, &t, reply);
    }
    json_decref(t.answers);
    return done;
}
