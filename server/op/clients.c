/* clients.c - operations on those who may log in: register, list, remove, rotate. They hand out credentials, so no tool of
 * them is offered to language models. */
#include "op/choices.h"
#include "op/op_names.h"
#include "op/ops.h"
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, URIS_MAX = 32 };

typedef struct register_args {
    const char *client_id, *client_secret, *client_name;
    op_strings scopes, grant_types, redirect_uris;
    uint32_t method;
    char *jwks;
} register_args;

#define SECRET_FIELD(st)                                                                                          \
    OP_FIELD(st, client_secret, OP_STRING, OP_SECRET, .flag = "secret",                                           \
             .doc = "Its secret, at least 8 bytes; without it one is made and told this once.")
#define CLIENT_FIELD(st, text)                                                                                    \
    OP_FIELD(st, client_id, OP_STRING, OP_REQUIRED, .alias = "id", .position = 1, .doc = text)

static const op_field register_fields[] = {
    CLIENT_FIELD(register_args, "Name of the client: printable ASCII without space, ':', '\"' and '\\'."),
    SECRET_FIELD(register_args),
    OP_FIELD(register_args, scopes, OP_STRINGS, 0, .max = NAMES_MAX,
             .doc = "What it may do: read, write (which includes read), admin (which includes both), or of some stores "
                    "read:STORE, write:STORE, where a '*' at the end stands for any rest of a name; without it read."),
    OP_FIELD(register_args, grant_types, OP_STRINGS, 0, .max = NAMES_MAX,
             .doc = "How it may get tokens: client_credentials, refresh_token, authorization_code; without it client_credentials."),
    { .name = "token_endpoint_auth_method", .flag = "auth", .type = OP_CHOICE, .offset = offsetof(register_args, method),
      .def = EVDB_CLIENT_SECRET, .choice = &choice_client, .doc = "How it shows who it is: by its secret, not at all, or by keys of its own." },
    OP_FIELD(register_args, client_name, OP_STRING, 0, .flag = "title", .doc = "What people are shown who shall grant it something."),
    OP_FIELD(register_args, redirect_uris, OP_STRINGS, 0, .max = URIS_MAX, .flag = "redirect",
             .doc = "Where codes of authorization_code may be sent."),
    OP_FIELD(register_args, jwks, OP_OBJECT, 0, .doc = "Its public keys, a JWK set, for private_key_jwt."),
    OP_END
};

static const op_result register_reply[] = {
    OP_RESULT(client_id, OP_STRING, 0, .doc = "Name of the client."),
    OP_RESULT(client_secret, OP_STRING, OP_OPTIONAL, .doc = "The secret that was made; it cannot be asked for again."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What it may do."),
    OP_RESULT(grant_types, OP_STRINGS, 0, .doc = "How it may get tokens."),
    OP_RESULT(token_endpoint_auth_method, OP_CHOICE, 0, .choice = &choice_client, .doc = "How it shows who it is."),
    OP_END
};

/* A secret that everybody can read in a manual is none. */
static evdb_status check_secret(const char *secret, evdb_error *err)
{
    if (!secret || strcmp(secret, OP_PUBLISHED_SECRET) != 0) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "that secret is published: choose another, or give none and one is made");
}

static void put_rights(op_out *o, uint32_t scopes, const char *stores, uint32_t grants, evdb_client_method method)
{
    char names[EVDB_SCOPES_BYTES];
    op_names_put(o, "scopes", evdb_auth_scopes_join(scopes, stores, names));
    op_names_put(o, "grant_types", evdb_auth_grants_text(grants, names));
    op_out_text(o, "token_endpoint_auth_method", evdb_client_method_name(method));
}

/* What a client is made of, from the request; the texts of `all` go into *joined (3). */
static evdb_status read_client(const register_args *a, evdb_client_options *o, char stores[EVDB_STORE_SCOPES_BYTES], char **joined,
                               evdb_error *err)
{
    const op_strings *lists[] = { &a->scopes, &a->grant_types, &a->redirect_uris };
    evdb_status rc = check_secret(a->client_secret, err);
    for (int i = 0; rc == EVDB_OK && i < 3; i++)
        if (!(joined[i] = op_names_join(lists[i]))) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory for a client");
    if (rc != EVDB_OK) return rc;
    *stores = 0;
    o->secret = a->client_secret;
    o->method = (evdb_client_method)a->method;
    o->grants = EVDB_GRANT_CLIENT_CREDENTIALS;
    o->scopes = EVDB_SCOPE_READ;
    o->title = a->client_name;
    o->jwks = a->jwks;
    o->redirect_uris = a->redirect_uris.count ? joined[2] : NULL;
    o->stores = stores;
    if (a->scopes.count) rc = evdb_auth_scopes_split(joined[0], &o->scopes, stores, err);
    if (rc == EVDB_OK && a->grant_types.count) rc = evdb_auth_grants_parse(joined[1], &o->grants, err);
    return rc;
}

static evdb_status register_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const register_args *a = args;
    evdb_client_options o = EVDB_CLIENT_OPTIONS;
    char made[EVDB_SECRET_BYTES] = "", stores[EVDB_STORE_SCOPES_BYTES], *joined[3] = { NULL };
    evdb_status rc = read_client(a, &o, stores, joined, err);
    if (rc == EVDB_OK) rc = evdb_auth_client_register(call->db, a->client_id, &o, made, err);
    for (int i = 0; i < 3; i++) free(joined[i]);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "client_id", a->client_id);
    if (*made) op_out_text(reply, "client_secret", made);
    put_rights(reply, o.scopes, stores, o.grants, o.method);
    explicit_bzero(made, sizeof made);
    return EVDB_OK;
}

const op op_register_client = {
    .name = "register_client", .doc = "Register a client that may get tokens.", .no_tool = true, .secret = true,
    .method = "POST", .path = "/api/v1/clients", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS,
    .creates = "/api/v1/clients/{client_id}",
    .args = register_fields, .args_size = sizeof(register_args), .reply = register_reply, .run = register_run,
};

static const op_field no_fields[] = { OP_END };

static const op_result client_reply[] = {
    OP_RESULT(client_id, OP_STRING, 0, .doc = "Name of the client."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What it may do."),
    OP_RESULT(grant_types, OP_STRINGS, 0, .doc = "How it may get tokens."),
    OP_RESULT(token_endpoint_auth_method, OP_CHOICE, 0, .choice = &choice_client, .doc = "How it shows who it is."),
    OP_RESULT(client_name, OP_STRING, OP_OPTIONAL, .doc = "What people are shown."),
    OP_RESULT(redirect_uris, OP_STRINGS, OP_OPTIONAL, .doc = "Where codes may be sent."),
    OP_RESULT(secret, OP_STRING, 0, .doc = "Where its secret came from: 'made' here, or 'chosen' by somebody; 'none' when it has none."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When it was registered, Unix time in milliseconds."),
    OP_END
};

static const op_result clients_reply[] = {
    OP_RESULT(clients, OP_LIST, 0, .of = client_reply, .doc = "All clients, sorted by name."),
    OP_END
};

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_client *clients = NULL;
    size_t count = 0;
    (void)args;
    evdb_status rc = evdb_auth_client_list(call->db, &clients, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "clients", '[');
    for (size_t i = 0; i < count; i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "client_id", clients[i].id);
        put_rights(reply, clients[i].scopes, clients[i].stores, clients[i].grants, clients[i].method);
        if (*clients[i].title) op_out_text(reply, "client_name", clients[i].title);
        if (*clients[i].redirect_uris) op_names_put(reply, "redirect_uris", clients[i].redirect_uris);
        op_out_text(reply, "secret", clients[i].method != EVDB_CLIENT_SECRET ? "none" : clients[i].chosen_secret ? "chosen" : "made");
        op_out_integer(reply, "created_ms", clients[i].created_ms);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    evdb_auth_client_list_free(clients);
    return EVDB_OK;
}

const op op_list_clients = {
    .name = "list_clients", .doc = "List the clients that may get tokens.", .no_tool = true,
    .method = "GET", .path = "/api/v1/clients", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = no_fields, .reply = clients_reply, .run = list,
};

typedef struct remove_args { const char *client_id; } remove_args;

static const op_field remove_fields[] = { CLIENT_FIELD(remove_args, "Name of the client."), OP_END };
static const op_result remove_reply[] = { OP_RESULT(removed, OP_STRING, 0, .doc = "Name of the client that is gone."), OP_END };

static evdb_status remove_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const remove_args *a = args;
    evdb_status rc = evdb_auth_client_remove(call->db, a->client_id, err);
    if (rc == EVDB_OK) op_out_text(reply, "removed", a->client_id);
    return rc;
}

const op op_remove_client = {
    .name = "remove_client", .doc = "Remove a client; its tokens stop working.", .no_tool = true,
    .method = "DELETE", .path = "/api/v1/clients/{client_id}", .scope = OP_SCOPE_ADMIN,
    .effect = OP_ADMINISTERS, .destroys = true,
    .args = remove_fields, .args_size = sizeof(remove_args), .reply = remove_reply, .run = remove_run,
};

typedef struct rotate_args { const char *client_id, *client_secret; } rotate_args;

static const op_field rotate_fields[] = { CLIENT_FIELD(rotate_args, "Name of the client."), SECRET_FIELD(rotate_args), OP_END };

static const op_result rotate_reply[] = {
    OP_RESULT(client_id, OP_STRING, 0, .doc = "Name of the client."),
    OP_RESULT(client_secret, OP_STRING, OP_OPTIONAL, .doc = "The secret that was made; it cannot be asked for again."),
    OP_END
};

static evdb_status rotate(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const rotate_args *a = args;
    char made[EVDB_SECRET_BYTES] = "";
    evdb_status rc = check_secret(a->client_secret, err);
    if (rc == EVDB_OK) rc = evdb_auth_client_rotate(call->db, a->client_id, a->client_secret, made, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "client_id", a->client_id);
    if (!a->client_secret) op_out_text(reply, "client_secret", made);
    explicit_bzero(made, sizeof made);
    return EVDB_OK;
}

const op op_rotate_client = {
    .name = "rotate_client", .doc = "Give a client a new secret; the old one and its tokens stop working.", .no_tool = true,
    .secret = true, .method = "POST", .path = "/api/v1/clients/{client_id}/rotate", .scope = OP_SCOPE_ADMIN,
    .effect = OP_ADMINISTERS, .destroys = true,
    .args = rotate_fields, .args_size = sizeof(rotate_args), .reply = rotate_reply, .run = rotate,
};
