/* api_keys.c - operations on API keys, for those who want no OAuth: make, list, remove. They hand out credentials, so no tool of them is
 * offered to language models. */
#include "op/op_names.h"
#include "op/ops.h"
#include "op/write_one.h"
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64 };

typedef struct create_args {
    const char *title;
    op_strings scopes;
    op_expiry expiry;
} create_args;

static const op_field create_fields[] = {
    OP_FIELD(create_args, title, OP_STRING, 0, .position = 1, .doc = "What it is for, in people's words."),
    OP_FIELD(create_args, scopes, OP_STRINGS, 0, .max = NAMES_MAX,
             .doc = "What it opens: read, write (which includes read), admin (which includes both), or of some stores "
                    "read:STORE, write:STORE, where a '*' at the end stands for any rest of a name; without it read."),
    OP_EXPIRY_OF(create_args, "key", "the same."),
    OP_END
};

static const op_result create_reply[] = {
    OP_RESULT(key_id, OP_STRING, 0, .doc = "Name of the key."),
    OP_RESULT(api_key, OP_STRING, 0, .doc = "The key: sent as a bearer token, or in the header X-API-Key. It cannot be asked for again."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What it opens."),
    OP_RESULT(expires_ms, OP_TIME, OP_OPTIONAL, .doc = "Until when, Unix time in milliseconds; left out when it does not expire."),
    OP_END
};

static void put_rights(op_out *reply, uint32_t scopes, const char *stores, int64_t expires_ms)
{
    char names[EVDB_SCOPES_BYTES];
    op_names_put(reply, "scopes", evdb_auth_scopes_join(scopes, stores, names));
    if (expires_ms) op_out_integer(reply, "expires_ms", expires_ms);
}

/* stores has EVDB_STORE_SCOPES_BYTES. */
static evdb_status read_scopes(const op_strings *given, uint32_t *scopes, char *stores, evdb_error *err)
{
    *stores = 0;
    *scopes = EVDB_SCOPE_READ;
    if (!given->count) return EVDB_OK;
    char *text = op_names_join(given);
    evdb_status rc = text ? evdb_auth_scopes_split(text, scopes, stores, err) : op_fail(err, EVDB_NO_MEMORY, "out of memory for scopes");
    free(text);
    return rc;
}

static evdb_status create(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const create_args *a = args;
    evdb_api_key_options o = EVDB_API_KEY_OPTIONS;
    char id[EVDB_API_KEY_ID_BYTES], text[EVDB_API_KEY_BYTES], stores[EVDB_STORE_SCOPES_BYTES];
    evdb_status rc = read_scopes(&a->scopes, &o.scopes, stores, err);
    if (rc == EVDB_OK) rc = op_expiry_take(&a->expiry, &o.expires_ms, err);
    if (o.expires_ms == EVDB_NEVER) o.expires_ms = 0;
    o.stores = stores;
    o.title = a->title;
    if (rc == EVDB_OK) rc = evdb_auth_api_key_add(call->db, &o, id, text, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "key_id", id);
    op_out_text(reply, "api_key", text);
    put_rights(reply, o.scopes, stores, o.expires_ms);
    explicit_bzero(text, sizeof text);
    return EVDB_OK;
}

const op op_create_api_key = {
    .name = "create_api_key", .doc = "Make an API key: it opens what its scopes say, without OAuth.", .no_tool = true, .secret = true,
    .method = "POST", .path = "/api/v1/api-keys", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS,
    .creates = "/api/v1/api-keys",
    .args = create_fields, .args_size = sizeof(create_args), .reply = create_reply, .run = create,
};

static const op_field no_fields[] = { OP_END };

static const op_result key_reply[] = {
    OP_RESULT(key_id, OP_STRING, 0, .doc = "Name of the key."),
    OP_RESULT(title, OP_STRING, OP_OPTIONAL, .doc = "What it is for."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What it opens."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When it was made, Unix time in milliseconds."),
    OP_RESULT(expires_ms, OP_TIME, OP_OPTIONAL, .doc = "Until when it opens anything; left out when it does not expire."),
    OP_END
};

static const op_result keys_reply[] = {
    OP_RESULT(api_keys, OP_LIST, 0, .of = key_reply, .doc = "All API keys, sorted by name."),
    OP_END
};

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_api_key *keys = NULL;
    size_t count = 0;
    (void)args;
    evdb_status rc = evdb_auth_api_key_list(call->db, &keys, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "api_keys", '[');
    for (size_t i = 0; i < count; i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "key_id", keys[i].id);
        if (*keys[i].title) op_out_text(reply, "title", keys[i].title);
        put_rights(reply, keys[i].scopes, keys[i].stores, keys[i].expires_ms);
        op_out_integer(reply, "created_ms", keys[i].created_ms);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    evdb_auth_api_key_list_free(keys);
    return EVDB_OK;
}

const op op_list_api_keys = {
    .name = "list_api_keys", .doc = "List the API keys.", .no_tool = true,
    .method = "GET", .path = "/api/v1/api-keys", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = no_fields, .reply = keys_reply, .run = list,
};

typedef struct remove_args { const char *key_id; } remove_args;

static const op_field remove_fields[] = {
    OP_FIELD(remove_args, key_id, OP_STRING, OP_REQUIRED, .alias = "id", .position = 1,
             .doc = "Name of the key: the sixteen characters behind 'evdbkey_'."),
    OP_END
};
static const op_result remove_reply[] = { OP_RESULT(removed, OP_STRING, 0, .doc = "Name of the key that is gone."), OP_END };

static evdb_status remove_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const remove_args *a = args;
    evdb_status rc = evdb_auth_api_key_remove(call->db, a->key_id, err);
    if (rc == EVDB_OK) op_out_text(reply, "removed", a->key_id);
    return rc;
}

const op op_remove_api_key = {
    .name = "remove_api_key", .doc = "Remove an API key; it opens nothing any more.", .no_tool = true,
    .method = "DELETE", .path = "/api/v1/api-keys/{key_id}", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = remove_fields, .args_size = sizeof(remove_args), .reply = remove_reply, .run = remove_run,
};
