/* signing.c - operations on what proves who somebody is: the keys that access tokens are signed with, and tokens that end early. No tool
 * of them is offered to language models. */
#include "op/ops.h"

static const op_field no_fields[] = { OP_END };

static const op_result key_reply[] = {
    OP_RESULT(key_id, OP_STRING, 0, .doc = "Name of the key (kid)."),
    OP_RESULT(state, OP_STRING, 0, .doc = "active: it signs; next: it will; retiring: tokens that it signed may live."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When it was made, Unix time in milliseconds."),
    OP_RESULT(changed_ms, OP_TIME, 0, .doc = "Since when it is in this state."),
    OP_RESULT(ends_ms, OP_TIME, OP_OPTIONAL, .doc = "Of a retiring key: when it is gone."),
    OP_END
};

static const op_result keys_reply[] = {
    OP_RESULT(keys, OP_LIST, 0, .of = key_reply, .doc = "The active key, the next one, and those that retire."),
    OP_END
};

static const char *state_name(evdb_key_state state)
{
    switch (state) {
    case EVDB_KEY_NEXT: return "next";
    case EVDB_KEY_ACTIVE: return "active";
    case EVDB_KEY_RETIRING: break;
    }
    return "retiring";
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_signing_key *keys;
    size_t count;
    (void)args;
    evdb_status rc = evdb_auth_keys_list(call->db, &keys, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "keys", '[');
    for (size_t i = 0; i < count; i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "key_id", keys[i].id);
        op_out_text(reply, "state", state_name(keys[i].state));
        op_out_integer(reply, "created_ms", keys[i].created_ms);
        op_out_integer(reply, "changed_ms", keys[i].changed_ms);
        if (keys[i].ends_ms) op_out_integer(reply, "ends_ms", keys[i].ends_ms);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    evdb_auth_keys_list_free(keys);
    return EVDB_OK;
}

const op op_list_signing_keys = {
    .name = "list_signing_keys", .doc = "List the keys that access tokens are signed with.", .no_tool = true,
    .method = "GET", .path = "/api/v1/signing-keys", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = no_fields, .reply = keys_reply, .run = list,
};

static evdb_status rotate(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_status rc = evdb_auth_keys_rotate(call->db, err);
    return rc == EVDB_OK ? list(call, args, reply, err) : rc;
}

const op op_rotate_keys = {
    .name = "rotate_keys", .doc = "Sign access tokens with the next key from now on; those signed before stay good.", .no_tool = true,
    .method = "POST", .path = "/api/v1/signing-keys/rotate", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS,
    .args = no_fields, .reply = keys_reply, .run = rotate,
};

typedef struct revoke_args { const char *token; } revoke_args;

static const op_field revoke_fields[] = {
    OP_FIELD(revoke_args, token, OP_STRING, OP_REQUIRED | OP_SECRET, .flag = "token",
             .doc = "An access token or its id (jti); a refresh token, which ends all that came from the same log-in."),
    OP_END
};
static const op_result revoke_reply[] = { OP_RESULT(revoked, OP_BOOL, 0, .doc = "Always true: the token is no good any more."), OP_END };

static evdb_status revoke(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const revoke_args *a = args;
    evdb_status rc = evdb_auth_token_revoke(call->db, NULL, a->token, err);
    if (rc == EVDB_OK) op_out_bool(reply, "revoked", true);
    return rc;
}

const op op_revoke_token = {
    .name = "revoke_token", .doc = "End a token before it expires.", .no_tool = true,
    .method = "POST", .path = "/api/v1/tokens/revoke", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = revoke_fields, .args_size = sizeof(revoke_args), .reply = revoke_reply, .run = revoke,
};
