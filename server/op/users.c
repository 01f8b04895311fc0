/* users.c - operations on people who may log in: register, list, remove, another password. What they are for are clients that ask for
 * authorization_code. No tool of them is offered to language models. */
#include "op/ops.h"
#include <string.h>

enum { SCOPES_MAX = 64 };

typedef struct user_args {
    const char *user, *password;
    op_strings scopes;
} user_args;

#define USER_FIELD                                                                                           \
    OP_FIELD(user_args, user, OP_STRING, OP_REQUIRED, .alias = "name", .position = 1,                        \
             .doc = "Name of the user: printable ASCII without space, ':', '\"' and '\\'.")
#define PASSWORD_FIELD OP_FIELD(user_args, password, OP_STRING, OP_REQUIRED | OP_SECRET, .doc = "The password, at least 8 bytes.")

static const op_field register_fields[] = {
    USER_FIELD,
    PASSWORD_FIELD,
    OP_FIELD(user_args, scopes, OP_STRINGS, 0, .max = SCOPES_MAX,
             .doc = "What clients may do for the user at most: read, write, admin, or of some stores read:STORE, write:STORE, where a '*' at "
                    "the end stands for any rest of a name; without it read."),
    OP_END
};

static const op_result user_reply[] = {
    OP_RESULT(user, OP_STRING, 0, .doc = "Name of the user."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What clients may do for the user at most."),
    OP_END
};

static void put_scopes(op_out *o, uint32_t scopes, const char *stores)
{
    char names[EVDB_SCOPES_BYTES];
    op_out_open(o, "scopes", '[');
    for (const char *p = evdb_auth_scopes_join(scopes, stores, names); *p; p += strcspn(p, " "), p += *p == ' ')
        op_out_bytes(o, NULL, p, strcspn(p, " "));
    op_out_close(o, ']');
}

/* One by one: texts of clients and requests are lists with blanks, arguments are not. */
static evdb_status read_scopes(const op_strings *names, uint32_t *scopes, char stores[EVDB_STORE_SCOPES_BYTES], evdb_error *err)
{
    char text[EVDB_SCOPES_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < names->count; i++) {
        int more = snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "", names->at[i]);
        if ((size_t)more >= sizeof text - used) return op_fail(err, EVDB_LIMIT, "scopes may have %zu bytes together", sizeof text - 1);
        used += (size_t)more;
    }
    *scopes = EVDB_SCOPE_READ;
    *stores = 0;
    return names->count ? evdb_auth_scopes_split(text, scopes, stores, err) : EVDB_OK;
}

static evdb_status check_password(const char *password, evdb_error *err)
{
    if (strcmp(password, OP_PUBLISHED_SECRET) != 0) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "that password is published: choose another");
}

static evdb_status register_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const user_args *a = args;
    char stores[EVDB_STORE_SCOPES_BYTES];
    uint32_t scopes;
    evdb_status rc = check_password(a->password, err);
    if (rc == EVDB_OK) rc = read_scopes(&a->scopes, &scopes, stores, err);
    if (rc == EVDB_OK) rc = evdb_auth_user_add(call->db, a->user, a->password, scopes, stores, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "user", a->user);
    put_scopes(reply, scopes, stores);
    return EVDB_OK;
}

const op op_register_user = {
    .name = "register_user", .doc = "Register a user who may log in and let clients act for them.", .no_tool = true,
    .method = "POST", .path = "/api/v1/users", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .creates = "/api/v1/users/{user}",
    .args = register_fields, .args_size = sizeof(user_args), .reply = user_reply, .run = register_run,
};

static const op_field no_fields[] = { OP_END };

static const op_result listed_reply[] = {
    OP_RESULT(user, OP_STRING, 0, .doc = "Name of the user."),
    OP_RESULT(scopes, OP_STRINGS, 0, .doc = "What clients may do for the user at most."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When the user was registered, Unix time in milliseconds."),
    OP_END
};

static const op_result users_reply[] = {
    OP_RESULT(users, OP_LIST, 0, .of = listed_reply, .doc = "All users, sorted by name."),
    OP_END
};

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_user *users = NULL;
    size_t count = 0;
    (void)args;
    evdb_status rc = evdb_auth_user_list(call->db, &users, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "users", '[');
    for (size_t i = 0; i < count; i++) {
        op_out_open(reply, NULL, '{');
        op_out_text(reply, "user", users[i].name);
        put_scopes(reply, users[i].scopes, users[i].stores);
        op_out_integer(reply, "created_ms", users[i].created_ms);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    evdb_auth_user_list_free(users);
    return EVDB_OK;
}

const op op_list_users = {
    .name = "list_users", .doc = "List the users who may log in.", .no_tool = true,
    .method = "GET", .path = "/api/v1/users", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = no_fields, .reply = users_reply, .run = list,
};

static const op_field password_fields[] = { USER_FIELD, PASSWORD_FIELD, OP_END };
static const op_result password_reply[] = { OP_RESULT(user, OP_STRING, 0, .doc = "Name of the user."), OP_END };

static evdb_status change_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const user_args *a = args;
    evdb_status rc = check_password(a->password, err);
    if (rc == EVDB_OK) rc = evdb_auth_user_change_password(call->db, a->user, a->password, err);
    if (rc == EVDB_OK) op_out_text(reply, "user", a->user);
    return rc;
}

const op op_change_password = {
    .name = "change_password", .doc = "Give a user another password; what clients were given for the user stops working.", .no_tool = true,
    .method = "POST", .path = "/api/v1/users/{user}/password", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = password_fields, .args_size = sizeof(user_args), .reply = password_reply, .run = change_run,
};

static const op_field remove_fields[] = { USER_FIELD, OP_END };
static const op_result remove_reply[] = { OP_RESULT(removed, OP_STRING, 0, .doc = "Name of the user who is gone."), OP_END };

static evdb_status remove_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const user_args *a = args;
    evdb_status rc = evdb_auth_user_remove(call->db, a->user, err);
    if (rc == EVDB_OK) op_out_text(reply, "removed", a->user);
    return rc;
}

const op op_remove_user = {
    .name = "remove_user", .doc = "Remove a user; what clients were given for the user stops working.", .no_tool = true,
    .method = "DELETE", .path = "/api/v1/users/{user}", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = remove_fields, .args_size = sizeof(user_args), .reply = remove_reply, .run = remove_run,
};
