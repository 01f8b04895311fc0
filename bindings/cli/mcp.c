/* mcp.c - `evdb mcp`: the Model Context Protocol on standard input and output, one message a line. Whoever started the
 * process is who asks; --scope says how much of that is lent to the client. */
#include "cli.h"
#include "lines.h"
#include "mcp/mcp.h"
#include "op/op_audit.h"
#include "terminal.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX (32u << 20) /* bytes of one message, as over HTTP */
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

/* false when the answer could not be delivered. */
static bool send_reply(mcp_reply *reply)
{
    bool sent = true;
    if (reply->text.size) sent = fwrite(reply->text.text, 1, reply->text.size, stdout) == reply->text.size && putchar('\n') != EOF;
    op_out_free(&reply->text);
    return sent && fflush(stdout) == 0;
}

static bool blank(const char *line, size_t length)
{
    while (length && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t')) length--;
    return length == 0;
}

static evdb_status answer_line(const mcp_caller *who, const char *line, size_t length, mcp_reply *reply, evdb_error *err)
{
    mcp_message m;
    mcp_read(line, length, &m);
    evdb_status rc = mcp_answer(&m, who, reply, err);
    mcp_forget(&m);
    return rc;
}

static evdb_status refuse_line(mcp_reply *reply, evdb_error *err)
{
    mcp_message none = { .kind = MCP_MALFORMED };
    evdb_error why;
    (void)op_fail(&why, EVDB_LIMIT, "a message may have %u MiB", MESSAGE_MAX >> 20);
    return mcp_refuse(&none, &why, reply, err);
}

static op_exit serve(const mcp_caller *who)
{
    lines in = LINES(STDIN_FILENO, MESSAGE_MAX);
    op_exit code = OP_EXIT_OK;
    lines_got got = LINES_ONE;
    while (code == OP_EXIT_OK && got != LINES_END) {
        const char *line = NULL;
        size_t length = 0;
        mcp_reply reply = MCP_REPLY;
        evdb_error err;
        evdb_status rc = EVDB_OK;
        got = lines_next(&in, &line, &length);
        if (got == LINES_ONE && !blank(line, length)) rc = answer_line(who, line, length, &reply, &err);
        else if (got == LINES_TOO_LONG) rc = refuse_line(&reply, &err);
        else if (got == LINES_FAILED) rc = op_fail(&err, EVDB_IO, "cannot read standard input: %s", strerror(errno));
        if (rc == EVDB_OK) rc = op_refusals_write(who->refusals, false, &err);
        if (rc != EVDB_OK) code = complain_error(rc, &err);
        else if (!send_reply(&reply)) code = OP_EXIT_IO; /* main() says why */
    }
    lines_free(&in);
    return code;
}

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
    rc = serve(&who);
    op_refusals_close(who.refusals);
    return rc;
}
