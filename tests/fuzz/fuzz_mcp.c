/* fuzz_mcp.c - any bytes as MCP messages: each must be answered with one sound JSON-RPC reply, or with none when it is none's
 * place to answer, whatever it does to the database.
 *
 * Input: a byte whose lowest three bits are the caller's scopes. Then messages, one a line; or, with its fourth bit, bytes that write
 * messages (mcp_script.h), to a database with a store. */
#include "mcp/hub.h"
#include "mcp_script.h"
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 16, INPUTS_A_DATABASE = 64 };
#define ALL_SCOPES 7u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound) abort();
}

static json_t *parse(const char *text, size_t length)
{
    json_t *json = NULL;
    check(op_parse(text, length, &json, NULL) == EVDB_OK);
    return json;
}

static void check_id(const mcp_message *m, const json_t *id)
{
    check(m->id ? json_equal(id, (json_t *)m->id) : json_is_null(id));
}

/* What a tool answers stands there twice: as JSON, and as the same JSON in a text. */
static void check_result(const mcp_message *m, const json_t *result)
{
    const json_t *type = json_object_get(result, "resultType"), *structured = json_object_get(result, "structuredContent");
    const json_t *part = json_array_get(json_object_get(result, "content"), 0), *text = json_object_get(part, "text");
    check(json_is_object(result) && m->modern == (type != NULL));
    if (type) check(json_is_string(type) && json_is_object(json_object_get(result, "_meta")));
    if (!structured) return;
    check(json_is_false(json_object_get(result, "isError")) && json_is_object(structured));
    json_t *again = parse(json_string_value(text), json_string_length(text));
    check(json_equal(again, (json_t *)structured));
    json_decref(again);
}

/* What a subscription or a call that takes long tells, by this thread or the hub's. */
static bool take_event(void *context, const char *message, size_t size)
{
    (void)context;
    check(size && !memchr(message, '\n', size));
    json_decref(parse(message, size));
    return true;
}

static bool nobody_left(void *context)
{
    (void)context;
    return false;
}

static evdb_status keep(void *context, mcp_channel *out, evdb_error *err)
{
    (void)err;
    *out = (mcp_channel){ .context = context, .send = take_event, .cancelled = nobody_left };
    return EVDB_OK;
}

static void check_reply(const mcp_message *m, const mcp_reply *reply)
{
    if (!reply->text.size) {
        check(m->kind == MCP_NOTIFICATION || m->kind == MCP_RESPONSE || reply->kept);
        return;
    }
    check(!memchr(reply->text.text, '\n', reply->text.size)); /* one line */
    json_t *tree = parse(reply->text.text, reply->text.size);
    const json_t *result = json_object_get(tree, "result"), *error = json_object_get(tree, "error");
    check(json_object_size(tree) == 3 && !result == !!error);
    check(strcmp(json_string_value(json_object_get(tree, "jsonrpc")), "2.0") == 0);
    check_id(m, json_object_get(tree, "id"));
    if (result) check_result(m, result);
    else check(json_integer_value(json_object_get(error, "code")) == reply->code && json_is_string(json_object_get(error, "message")));
    check(!result == (reply->code != 0) && (!reply->refused || error) && (!reply->rejected || error));
    check(!(m->modern && reply->code == MCP_RESOURCE_NOT_FOUND));
    json_decref(tree);
}

static void one_message(evdb *db, mcp_hub *hub, uint32_t scopes, const char *text, size_t length)
{
    char *exact = malloc(length ? length : 1); /* so that a sanitizer sees what is read beyond */
    const evdb_principal fuzz = { .client = "fuzz", .scopes = scopes };
    const mcp_channel channel = { .send = take_event, .cancelled = nobody_left, .keep = keep };
    mcp_caller who = { .db = db, .who = &fuzz, .channel = &channel, .hub = hub, .session = 1 };
    mcp_message m;
    mcp_reply reply;
    check(exact != NULL);
    if (length) memcpy(exact, text, length);
    mcp_read(exact, length, &m);
    check(mcp_answer(&m, &who, &reply, NULL) == EVDB_OK);
    check_reply(&m, &reply);
    op_out_free(&reply.text);
    mcp_forget(&m);
    free(exact);
}

/* What an input does depends on that input alone. */
static void empty(evdb *db)
{
    evdb_store_info **list;
    size_t count;
    check(evdb_store_list(db, &list, &count, NULL) == EVDB_OK);
    for (size_t i = 0; i < count; i++) check(evdb_store_drop(db, list[i]->name, NULL) == EVDB_OK);
    evdb_store_list_free(list, count);
}

static void run_lines(evdb *db, mcp_hub *hub, uint32_t scopes, const char *p, const char *end)
{
    while (p < end) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((line ? line : end) - p);
        one_message(db, hub, scopes, p, length);
        p += length + 1;
    }
}

static void run_script(evdb *db, mcp_hub *hub, uint32_t scopes, const uint8_t *p, const uint8_t *end)
{
    static const char *const first[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"create_store\",\"arguments\":{\"name\":\"a\",\"metric\":\"euclidean\"}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"write_batch\",\"arguments\":{\"store\":\"a\",\"records\":["
        "{\"id\":1,\"vector\":[1,2],\"metadata\":{\"n\":1}},{\"id\":\"r1\",\"vector\":[3,4],\"metadata\":{\"n\":2}},{\"id\":2,\"vector\":[5,6]}]}}}",
    };
    static mcp_script s;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) one_message(db, hub, ALL_SCOPES, first[i], strlen(first[i]));
    s.at = p;
    s.end = end;
    for (unsigned n = 0; n < MESSAGES_MAX && mcp_script_next(&s); n++) one_message(db, hub, scopes, s.text, s.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static evdb *db;
    static unsigned inputs;
    if (inputs++ % INPUTS_A_DATABASE == 0) { /* it keeps traces of stores that are gone, and becomes slow */
        evdb_close(db);
        check(evdb_open(":memory:", NULL, &db, NULL) == EVDB_OK);
    }
    if (!size) return 0;
    mcp_hub *hub = mcp_hub_open(db);
    const evdb_principal fuzz = { .client = "fuzz", .scopes = data[0] & ALL_SCOPES };
    const mcp_channel channel = { .send = take_event, .cancelled = nobody_left, .keep = keep };
    const mcp_caller listener = { .db = db, .who = &fuzz, .channel = &channel, .session = 1 };
    check(hub && mcp_hub_attach(hub, &listener, NULL) == EVDB_OK);
    if (data[0] & 8u) run_script(db, hub, data[0] & ALL_SCOPES, data + 1, data + size);
    else run_lines(db, hub, data[0] & ALL_SCOPES, (const char *)data + 1, (const char *)data + size);
    if (size % 2) empty(db); /* sometimes while it is followed */
    mcp_hub_close(hub);
    empty(db);
    return 0;
}
