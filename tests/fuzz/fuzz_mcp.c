/* fuzz_mcp.c - any bytes as MCP messages: each must be answered with one sound JSON-RPC reply, or with none when it is none's
 * place to answer, whatever it does to the database.
 *
 * Input: a byte whose lowest three bits are the caller's scopes, then messages, one a line. */
#include "mcp/mcp.h"
#include <stdlib.h>
#include <string.h>

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
static void check_result(const json_t *result)
{
    const json_t *structured = json_object_get(result, "structuredContent");
    const json_t *part = json_array_get(json_object_get(result, "content"), 0), *text = json_object_get(part, "text");
    check(json_is_object(result));
    if (!structured) return;
    check(json_is_false(json_object_get(result, "isError")) && json_is_object(structured));
    json_t *again = parse(json_string_value(text), json_string_length(text));
    check(json_equal(again, (json_t *)structured));
    json_decref(again);
}

static void check_reply(const mcp_message *m, const mcp_reply *reply)
{
    if (!reply->text.size) {
        check(m->kind == MCP_NOTIFICATION || m->kind == MCP_RESPONSE);
        return;
    }
    check(!memchr(reply->text.text, '\n', reply->text.size)); /* one line */
    json_t *tree = parse(reply->text.text, reply->text.size);
    const json_t *result = json_object_get(tree, "result"), *error = json_object_get(tree, "error");
    check(json_object_size(tree) == 3 && !result == !!error);
    check(strcmp(json_string_value(json_object_get(tree, "jsonrpc")), "2.0") == 0);
    check_id(m, json_object_get(tree, "id"));
    if (result) check_result(result);
    else check(json_integer_value(json_object_get(error, "code")) == reply->code && json_is_string(json_object_get(error, "message")));
    check(!result == (reply->code != 0) && (!reply->refused || error) && !(m->modern && reply->code == MCP_RESOURCE_NOT_FOUND));
    json_decref(tree);
}

static void one_message(evdb *db, uint32_t scopes, const char *text, size_t length)
{
    char *exact = malloc(length ? length : 1); /* so that a sanitizer sees what is read beyond */
    const evdb_principal fuzz = { .client = "fuzz", .scopes = scopes };
    mcp_caller who = { .db = db, .who = &fuzz };
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static evdb *db;
    if (!db) check(evdb_open(":memory:", NULL, &db, NULL) == EVDB_OK);
    if (!size) return 0;
    const char *p = (const char *)data + 1, *end = (const char *)data + size;
    while (p < end) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((line ? line : end) - p);
        one_message(db, data[0] & 7u, p, length);
        p += length + 1;
    }
    empty(db);
    return 0;
}
