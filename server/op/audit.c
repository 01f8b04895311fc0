/* audit.c - operations on the audit log: audit_list, audit_verify. What goes into it is said in op_audit.h. */
#include "op/ops.h"

typedef struct list_args { int64_t after, limit; } list_args;

static const op_field list_fields[] = {
    OP_FIELD(list_args, after, OP_INTEGER, 0, .def = -1, .min = -1, .max = INT64_MAX,
             .doc = "Entries of higher numbers, the first of them; without it the newest."),
    OP_FIELD(list_args, limit, OP_INTEGER, 0, .def = 100, .min = 1, .max = EVDB_AUDIT_LIST_MAX, .doc = "At most so many."),
    OP_END
};

static const op_result entry_reply[] = {
    OP_RESULT(number, OP_INTEGER, 0, .doc = "Number of the entry: 1, 2 and so on."),
    OP_RESULT(time_ms, OP_TIME, 0, .doc = "When it was written, Unix time in milliseconds."),
    OP_RESULT(who, OP_STRING, 0, .doc = "A client, 'local:UID' for a user of the server's machine, or 'address:...' of somebody unknown."),
    OP_RESULT(via, OP_STRING, 0, .doc = "The way it came: rest, mcp, cli, oauth, start, schedule, admin."),
    OP_RESULT(act, OP_STRING, 0, .doc = "The operation, or 'refused'."),
    OP_RESULT(target, OP_STRING, 0, .doc = "What it was done to; of what was refused, the operation."),
    OP_RESULT(of, OP_INTEGER, 0, .doc = "Number of the entry that this one is the outcome of; 0 = none."),
    OP_RESULT(count, OP_INTEGER, 0, .doc = "How many acts it stands for."),
    OP_RESULT(outcome, OP_STRING, 0, .doc = "BEGUN, OK, or the code of the error."),
    OP_END
};

static const op_result list_reply[] = {
    OP_RESULT(entries, OP_LIST, 0, .of = entry_reply, .doc = "The entries, oldest first."),
    OP_END
};

static void put_entry(op_out *o, const evdb_audit_entry *e)
{
    op_out_open(o, NULL, '{');
    op_out_integer(o, "number", (int64_t)e->number);
    op_out_integer(o, "time_ms", e->time_ms);
    op_out_text(o, "who", e->who);
    op_out_text(o, "via", e->via);
    op_out_text(o, "act", e->act);
    op_out_text(o, "target", e->target);
    op_out_integer(o, "of", (int64_t)e->of);
    op_out_integer(o, "count", (int64_t)e->count);
    op_out_text(o, "outcome", e->outcome == EVDB_AUDIT_BEGUN ? "BEGUN" : evdb_status_name((evdb_status)e->outcome));
    op_out_close(o, '}');
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const list_args *a = args;
    evdb_audit_query q = EVDB_AUDIT_QUERY;
    evdb_audit_entry *entries;
    size_t count;
    q.after = a->after > 0 ? (uint64_t)a->after : 0;
    q.limit = (uint32_t)a->limit;
    q.newest = a->after < 0;
    evdb_status rc = evdb_audit_list(call->db, &q, &entries, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "entries", '[');
    for (size_t i = 0; i < count; i++) put_entry(reply, &entries[i]);
    op_out_close(reply, ']');
    evdb_audit_list_free(entries);
    return EVDB_OK;
}

const op op_audit_list = {
    .name = "audit_list", .doc = "List entries of the audit log: who did what, and what was refused.", .no_tool = true,
    .method = "GET", .path = "/api/v1/audit", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = list_fields, .args_size = sizeof(list_args), .reply = list_reply, .run = list,
};

typedef struct verify_args { const char *anchor; } verify_args;

static const op_field verify_fields[] = {
    OP_FIELD(verify_args, anchor, OP_STRING, 0,
             .doc = "A 'head' that was kept elsewhere: the log must still have that entry, so that it was not written anew as a whole."),
    OP_END
};

static const op_result problem_reply[] = { OP_RESULT(text, OP_STRING, 0, .doc = "What is wrong."), OP_END };

static const op_result verify_reply[] = {
    OP_RESULT(entries, OP_INTEGER, 0, .doc = "Sound entries."),
    OP_RESULT(problems, OP_INTEGER, 0, .doc = "Signs of tampering; 0 = none."),
    OP_RESULT(head, OP_STRING, 0, .doc = "The last entry as NUMBER:MAC, to be kept elsewhere as an anchor; empty while there is none."),
    OP_RESULT(found, OP_LIST, 0, .of = problem_reply, .doc = "The first of the problems."),
    OP_END
};

typedef struct found { op_out list; size_t count; } found;

static void add_problem(void *context, const char *text)
{
    found *f = context;
    if (f->count++ >= OP_PROBLEMS_MAX) return;
    op_out_open(&f->list, NULL, '{');
    op_out_text(&f->list, "text", text);
    op_out_close(&f->list, '}');
}

static evdb_status verify(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const verify_args *a = args;
    evdb_audit_report report = EVDB_AUDIT_REPORT;
    found problems = { .list = OP_OUT };
    op_out_open(&problems.list, NULL, '[');
    evdb_status rc = evdb_audit_verify(call->db, a->anchor, add_problem, &problems, &report, err);
    op_out_close(&problems.list, ']');
    if (rc == EVDB_OK) rc = op_out_done(&problems.list, err);
    if (rc == EVDB_OK) {
        op_out_integer(reply, "entries", (int64_t)report.entries);
        op_out_integer(reply, "problems", (int64_t)report.problems);
        op_out_text(reply, "head", report.head);
        op_out_json(reply, "found", problems.list.text, problems.list.size);
    }
    op_out_free(&problems.list);
    return rc;
}

const op op_audit_verify = {
    .name = "audit_verify", .doc = "Check that the audit log is what was written: nothing changed, taken out, put in or cut off.",
    .no_tool = true, .method = "POST", .path = "/api/v1/audit/verify", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = verify_fields, .args_size = sizeof(verify_args), .reply = verify_reply, .run = verify,
};
