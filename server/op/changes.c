/* changes.c - the list_changes operation. */
#include "op/choices.h"
#include "op/ops.h"

typedef struct changes_args {
    const char *store;
    int64_t after, limit;
} changes_args;

static const op_field changes_fields[] = {
    OP_STORE(changes_args),
    OP_FIELD(changes_args, after, OP_INTEGER, 0, .max = INT64_MAX, .doc = "List changes behind this number."),
    OP_FIELD(changes_args, limit, OP_INTEGER, 0, .def = 1000, .min = 1, .max = EVDB_CHANGES_MAX,
             .doc = "How many changes, at most."),
    OP_END
};

static const op_result change_reply[] = {
    OP_RESULT(sequence, OP_INTEGER, 0, .doc = "Number of the change."),
    OP_RESULT(kind, OP_CHOICE, 0, .choice = &choice_change, .doc = "What happened to the record."),
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_END
};

static const op_result changes_reply[] = {
    OP_RESULT(changes, OP_LIST, 0, .of = change_reply, .doc = "Changes, oldest first."),
    OP_RESULT(last, OP_INTEGER, 0, .doc = "Continue behind this number."),
    OP_RESULT(horizon, OP_INTEGER, 0, .doc = "Changes behind smaller numbers are no longer kept in full."),
    OP_END
};

static void put_changes(op_out *o, const evdb_changes *c)
{
    op_out_open(o, "changes", '[');
    for (size_t i = 0; i < c->count; i++) {
        op_out_open(o, NULL, '{');
        op_out_integer(o, "sequence", (int64_t)c->at[i].sequence);
        op_out_text(o, "kind", choice_change.name(c->at[i].kind));
        op_out_id(o, "id", &c->at[i].id);
        op_out_close(o, '}');
    }
    op_out_close(o, ']');
    op_out_integer(o, "last", (int64_t)c->last);
    op_out_integer(o, "horizon", (int64_t)c->horizon);
}

static evdb_status changes(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const changes_args *a = args;
    evdb_store *store = NULL;
    evdb_changes *read = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_changes_read(store, (uint64_t)a->after, (size_t)a->limit, &read, err);
    if (rc == EVDB_OK) put_changes(reply, read);
    evdb_changes_free(read);
    evdb_store_close(store);
    return rc;
}

const op op_list_changes = {
    .name = "list_changes", .doc = "List what happened to a store's records.",
    .method = "GET", .path = "/api/v1/stores/{name}/changes", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = changes_fields, .args_size = sizeof(changes_args), .reply = changes_reply, .run = changes,
};
