/* call.c - from arguments to the shown reply of an operation. */
#include "cli.h"
#include "interrupt.h"
#include "op/op_audit.h"
#include "progress.h"
#include "terminal.h"
#include <stdio.h>

static void note(void *context, const char *message)
{
    (void)context;
    complain("note: %s", message);
}

op_exit database_open(cli *c, bool create)
{
    evdb_error err;
    evdb_options options = EVDB_OPTIONS;
    options.flags = create || c->command->alone ? 0 : EVDB_OPEN_EXISTING;
    options.log = note;
    evdb_status rc = evdb_open(c->command->alone ? ":memory:" : c->directory, &options, &c->db, &err);
    return rc == EVDB_OK ? OP_EXIT_OK : complain_error(rc, &err);
}

static int draw(void *context, evdb_transfer_phase phase, uint64_t records)
{
    const cli *c = context;
    progress_show(c->bar, phase == EVDB_PHASE_CHECK ? "checking" : "writing", records, records, 0);
    return interrupt_noted();
}

static op_exit call_for_text(cli *c, const op *o, const json_t *args, op_out *reply)
{
    evdb_error err;
    char user[OP_AUDIT_USER_BYTES];
    op_call call = { .db = c->db, .user = op_audit_self(user), .protocol = "cli", .local = true, .backup_key = c->has_key ? c->key : NULL,
                     .progress = c->bar ? draw : NULL, .progress_context = c };
    evdb_status rc = op_run(o, &call, args, &c->slices, reply, &err);
    if (c->bar) progress_clear(c->bar);
    return rc == EVDB_OK ? OP_EXIT_OK : complain_error(rc, &err);
}

static op_exit as_tree(const op_out *text, json_t **out)
{
    evdb_error err;
    evdb_status rc = op_parse(text->text, text->size, out, &err);
    return rc == EVDB_OK ? OP_EXIT_OK : complain_error(rc, &err);
}

op_exit call_operation(cli *c, const op *o, const json_t *args, json_t **reply)
{
    op_out text = OP_OUT;
    op_exit rc = call_for_text(c, o, args, &text);
    if (rc == OP_EXIT_OK) rc = as_tree(&text, reply);
    op_out_free(&text);
    return rc;
}

op_exit extra_bind(const cli *c, const op *shape, void *out)
{
    evdb_error err;
    evdb_status rc = op_bind(shape, c->extra, &c->slices, out, &err);
    return rc == EVDB_OK ? OP_EXIT_OK : complain_error(rc, &err);
}

/* A reply can be bad news: ids that are missing, problems that were found. */
static op_exit judge(const cli_command *command, const json_t *reply)
{
    size_t i;
    json_t *item, *trouble = command->trouble ? json_object_get(reply, command->trouble) : NULL;
    if (json_is_integer(trouble) && json_integer_value(trouble) != 0) {
        complain("%" JSON_INTEGER_FORMAT " %s", json_integer_value(trouble), command->complaint);
        return command->trouble_exit;
    }
    json_array_foreach(trouble, i, item) {
        if (json_is_string(item)) complain("%s: '%s'", command->complaint, json_string_value(item));
        else complain("%s: %" JSON_INTEGER_FORMAT, command->complaint, json_integer_value(item));
    }
    return json_array_size(trouble) ? command->trouble_exit : OP_EXIT_OK;
}

op_exit run_operation(cli *c)
{
    op_out text = OP_OUT;
    json_t *reply = NULL;
    op_exit rc = c->db ? OP_EXIT_OK : database_open(c, c->command->creates);
    if (rc == OP_EXIT_OK) rc = call_for_text(c, c->op, c->args, &text);
    if (rc == OP_EXIT_OK) rc = as_tree(&text, &reply);
    if (rc == OP_EXIT_OK && c->json) puts(text.text);
    else if (rc == OP_EXIT_OK) rc = show_reply(c, reply);
    if (rc == OP_EXIT_OK) rc = judge(c->command, reply);
    json_decref(reply);
    op_out_free(&text);
    return rc;
}
