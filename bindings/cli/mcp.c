/* mcp.c - `evdb mcp`: the Model Context Protocol on standard input and output, one message a line. Whoever started the
 * process is who asks; --scope says how much of that is lent to the client. */
#include "cli.h"
#include "mcp_session.h"
#include "op/op_audit.h"
#include "terminal.h"
#include <string.h>

enum { SCOPE_WRITE = OP_SCOPE_WRITE + 1 };

/* Choices begin at 1, scopes at 0. */
static const char *scope_name(uint32_t value)
{
    return value >= 1 && value <= OP_SCOPE_ADMIN + 1 ? op_scope_name((op_scope)(value - 1)) : NULL;
}

static evdb_status scope_parse(const char *name, uint32_t *out, evdb_error *err)
{
    for (uint32_t i = 1; scope_name(i); i++)
        if (strcmp(scope_name(i), name) == 0) {
            *out = i;
            return EVDB_OK;
        }
    return op_fail(err, EVDB_INVALID, "unknown scope '%s': use read, write or admin", name);
}

static const op_choice choice_scope = { scope_name, scope_parse };

typedef struct mcp_args { uint32_t scope; } mcp_args;

const op_field mcp_fields[] = {
    OP_FIELD(mcp_args, scope, OP_CHOICE, 0, .choice = &choice_scope, .def = SCOPE_WRITE, .doc = "What the client may do."),
    OP_END
};

static const op mcp_shape = { .name = "mcp", .args = mcp_fields, .args_size = sizeof(mcp_args) };

op_exit run_mcp(cli *c)
{
    mcp_args a;
    evdb_principal user = { .expires_ms = INT64_MAX };
    mcp_caller who = { .who = &user };
    evdb_error err;
    op_exit rc = extra_bind(c, &mcp_shape, &a);
    if (rc != OP_EXIT_OK) return rc;
    evdb_status known = evdb_auth_scopes_parse(scope_name(a.scope), &user.scopes, &err);
    if (known != EVDB_OK) return complain_error(known, &err);
    (void)op_audit_self(user.client);
    rc = database_open(c, a.scope >= SCOPE_WRITE); /* who may only read creates nothing */
    if (rc != OP_EXIT_OK) return rc;
    who.db = c->db;
    if (!(who.refusals = op_refusals_open(c->db))) return complain_error(op_fail(&err, EVDB_NO_MEMORY, "out of memory"), &err);
    rc = mcp_session(&who);
    op_refusals_close(who.refusals);
    return rc;
}
