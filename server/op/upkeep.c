/* upkeep.c - operations that look after a store: store_stats, sync_store, verify. */
#include "op/choices.h"
#include "op/ops.h"

typedef struct store_args { const char *store; } store_args;
static const op_field store_fields[] = { OP_STORE(store_args), OP_END };

static const op_result stats_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Name of the store."),
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records in the store."),
    OP_RESULT(sequence, OP_INTEGER, 0, .doc = "Number of the last change."),
    OP_RESULT(changes_horizon, OP_INTEGER, 0, .doc = "Changes behind this number can still be listed."),
    OP_RESULT(loaded_sequence, OP_INTEGER, 0, .doc = "Change that the in-memory view has reached; 0 before the first search."),
    OP_RESULT(memory_bytes, OP_INTEGER, 0, .doc = "Memory that this process holds for the store."),
    OP_RESULT(disk_bytes, OP_INTEGER, 0, .doc = "Size of the store's files."),
    OP_RESULT(filter_reads, OP_INTEGER, 0, .doc = "Records this process read because a filter asked for a field that the store does not declare."),
    OP_RESULT(codec, OP_STRING, 0, .doc = "Codec that its vectors shall be kept with; none = no codec."),
    OP_RESULT(compression_state, OP_CHOICE, 0, .choice = &choice_compression, .doc = "Whether they are; compression_status tells more."),
    OP_RESULT(compression_ratio, OP_NUMBER, OP_OPTIONAL, .doc = "Bytes of a vector as float32, divided by those it takes at most; left out before the first vector."),
    OP_RESULT(recall_samples, OP_INTEGER, 0, .doc = "Searches by the graph that were compared with a scan, in this process."),
    OP_RESULT(recall, OP_NUMBER, OP_OPTIONAL, .doc = "Share of the nearest that they found; left out without samples."),
    OP_END
};

static evdb_status stats(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const store_args *a = args;
    evdb_store *store = NULL;
    evdb_store_stats s = EVDB_STORE_STATS;
    evdb_compression c = EVDB_COMPRESSION;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_get_stats(store, &s, err);
    if (rc == EVDB_OK) rc = evdb_store_get_compression(store, &c, err);
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "store", a->store);
    op_out_integer(reply, "records", (int64_t)s.records);
    op_out_integer(reply, "sequence", (int64_t)s.sequence);
    op_out_integer(reply, "changes_horizon", (int64_t)s.changes_horizon);
    op_out_integer(reply, "loaded_sequence", (int64_t)s.loaded_sequence);
    op_out_integer(reply, "memory_bytes", (int64_t)s.memory_bytes);
    op_out_integer(reply, "disk_bytes", (int64_t)s.disk_bytes);
    op_out_integer(reply, "filter_reads", (int64_t)s.filter_reads);
    op_out_text(reply, "codec", *c.codec ? c.codec : "none");
    op_out_text(reply, "compression_state", choice_compression.name(c.state));
    if (c.vector_bytes) op_out_float(reply, "compression_ratio", (float)c.plain_bytes / (float)c.vector_bytes);
    op_out_integer(reply, "recall_samples", (int64_t)s.recall_samples);
    if (s.recall_samples) op_out_float(reply, "recall", s.recall);
    return EVDB_OK;
}

const op op_store_stats = {
    .name = "store_stats", .doc = "Show a store's size and position.",
    .method = "GET", .path = "/api/v1/stores/{name}/stats", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = store_fields, .args_size = sizeof(store_args), .reply = stats_reply, .run = stats,
};

static const op_result sync_reply[] = { OP_RESULT(synced, OP_STRING, 0, .doc = "Name of the store."), OP_END };

static evdb_status sync_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const store_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_sync(store, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) op_out_text(reply, "synced", a->store);
    return rc;
}

const op op_sync_store = {
    .name = "sync_store", .doc = "Move everything written so far into the store's main file.",
    .method = "POST", .path = "/api/v1/stores/{name}/sync", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .args = store_fields, .args_size = sizeof(store_args), .reply = sync_reply, .run = sync_run,
};

static const op_field verify_fields[] = {
    OP_FIELD(store_args, store, OP_STRING, 0, .alias = "name", .position = 1,
             .doc = "Name of the store; without it the whole database."),
    OP_END
};

static const op_result problem_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Store it was found in; empty = the database itself."),
    OP_RESULT(text, OP_STRING, 0, .doc = "What is wrong."),
    OP_END
};

static const op_result verify_reply[] = {
    OP_RESULT(stores, OP_INTEGER, 0, .doc = "Stores looked at."),
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records whose checksums were computed."),
    OP_RESULT(problems, OP_INTEGER, 0, .doc = "Problems found; 0 = sound."),
    OP_RESULT(found, OP_LIST, 0, .of = problem_reply, .doc = "The first of them."),
    OP_END
};

typedef struct found { op_out list; size_t count; } found;

static void add_problem(void *context, const char *store, const char *text)
{
    found *f = context;
    if (f->count++ >= OP_PROBLEMS_MAX) return;
    op_out_open(&f->list, NULL, '{');
    op_out_text(&f->list, "store", store ? store : "");
    op_out_text(&f->list, "text", text);
    op_out_close(&f->list, '}');
}

static evdb_status verify(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const store_args *a = args;
    evdb_verify_report report = { 0 };
    found problems = { .list = OP_OUT };
    op_out_open(&problems.list, NULL, '[');
    evdb_status rc = evdb_verify(call->db, a->store, add_problem, &problems, &report, err);
    op_out_close(&problems.list, ']');
    if (rc == EVDB_OK) rc = op_out_done(&problems.list, err);
    if (rc == EVDB_OK) {
        op_out_integer(reply, "stores", (int64_t)report.stores);
        op_out_integer(reply, "records", (int64_t)report.records);
        op_out_integer(reply, "problems", (int64_t)report.problems);
        op_out_json(reply, "found", problems.list.text, problems.list.size);
    }
    op_out_free(&problems.list);
    return rc;
}

const op op_verify = {
    .name = "verify", .doc = "Read everything and check every checksum and invariant.",
    .method = "POST", .path = "/api/v1/verify", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = verify_fields, .args_size = sizeof(store_args), .reply = verify_reply, .run = verify,
};
