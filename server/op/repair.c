/* repair.c - the operation repair_store. */
#include "op/choices.h"
#include "op/ops.h"

typedef struct repair_args { const char *store; } repair_args;
static const op_field repair_fields[] = { OP_STORE(repair_args), OP_END };

static const op_result lost_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Its id."),
    OP_RESULT(lost, OP_CHOICE, 0, .choice = &choice_lost, .doc = "What of it cannot be read any more."),
    OP_END
};

static const op_result repair_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Name of the store."),
    OP_RESULT(repaired, OP_BOOL, 0, .doc = "Whether the store was damaged, and is replaced by what was salvaged."),
    OP_RESULT(problems, OP_INTEGER, 0, .doc = "Problems that were found; 0 = it was sound and is left alone."),
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records in the store, all of them sound."),
    OP_RESULT(lost, OP_INTEGER, 0, .doc = "Records that are lost and whose ids are known."),
    OP_RESULT(lost_unnamed, OP_INTEGER, 0, .doc = "At least so many more are lost, whose ids nothing tells of."),
    OP_RESULT(missing_changes, OP_INTEGER, 0, .doc = "Changes that were committed and that nothing tells of any more."),
    OP_RESULT(fields_lost, OP_BOOL, 0, .doc = "Whether names of declared fields may be missing."),
    OP_RESULT(sequence, OP_INTEGER, OP_OPTIONAL, .doc = "Number of the repaired store's last change."),
    OP_RESULT(quarantine, OP_STRING, OP_OPTIONAL, .doc = "Where the damaged files are kept, below the database's directory."),
    OP_RESULT(lost_records, OP_LIST, 0, .of = lost_reply, .doc = "The first of the lost records, in order of id."),
    OP_END
};

typedef struct lost_list { op_out out; size_t count; const op_call *call; } lost_list;

static void add_lost(void *context, const evdb_id *id, evdb_lost what)
{
    lost_list *l = context;
    if (l->count++ >= OP_PROBLEMS_MAX) return;
    op_out_open(&l->out, NULL, '{');
    op_out_id(&l->out, "id", id);
    op_out_text(&l->out, "lost", choice_lost.name(what));
    op_out_close(&l->out, '}');
}

static int salvage(void *context, evdb_transfer_phase phase, uint64_t records)
{
    const op_call *call = ((lost_list *)context)->call;
    return call->progress(call->progress_context, phase, records);
}

static void put_report(op_out *reply, const char *store, const evdb_repair_report *r)
{
    op_out_text(reply, "store", store);
    op_out_bool(reply, "repaired", r->repaired);
    op_out_integer(reply, "problems", (int64_t)r->problems);
    op_out_integer(reply, "records", (int64_t)r->records);
    op_out_integer(reply, "lost", (int64_t)r->lost);
    op_out_integer(reply, "lost_unnamed", (int64_t)r->lost_unnamed);
    op_out_integer(reply, "missing_changes", (int64_t)r->missing_changes);
    op_out_bool(reply, "fields_lost", r->fields_lost);
    if (!r->repaired) return;
    op_out_integer(reply, "sequence", (int64_t)r->sequence);
    op_out_text(reply, "quarantine", r->quarantine);
}

static evdb_status repair(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const repair_args *a = args;
    evdb_repair_options options = EVDB_REPAIR_OPTIONS;
    evdb_repair_report report = EVDB_REPAIR_REPORT;
    lost_list lost = { .out = OP_OUT, .call = call };
    options.context = &lost;
    options.progress = call->progress ? salvage : NULL;
    options.lost = add_lost;
    op_out_open(&lost.out, NULL, '[');
    evdb_status rc = evdb_store_repair(call->db, a->store, &options, &report, err);
    op_out_close(&lost.out, ']');
    if (rc == EVDB_OK) rc = op_out_done(&lost.out, err);
    if (rc == EVDB_OK) {
        put_report(reply, a->store, &report);
        op_out_json(reply, "lost_records", lost.out.text, lost.out.size);
    }
    op_out_free(&lost.out);
    return rc;
}

const op op_repair_store = {
    .name = "repair_store", .doc = "Replace a damaged store by every record of it that can still be read.",
    .method = "POST", .path = "/api/v1/stores/{name}/repair", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = repair_fields, .args_size = sizeof(repair_args), .reply = repair_reply, .run = repair,
};
