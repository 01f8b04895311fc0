/* index.c - operations on a store's graph index: build it now, see how far it has come. */
#include "op/choices.h"
#include "op/ops.h"

#define THREADS_MAX 1024

typedef struct index_args {
    const char *store;
    int64_t threads;
} index_args;

static const op_field build_fields[] = {
    OP_STORE(index_args),
    OP_FIELD(index_args, threads, OP_INTEGER, 0, .max = THREADS_MAX, .doc = "Threads that build; 0 = those of the store, or all."),
    OP_END
};
static const op_field status_fields[] = { OP_STORE(index_args), OP_END };

static const op_result status_reply[] = {
    OP_RESULT(state, OP_CHOICE, 0, .choice = &choice_index, .doc = "What is being done to the index, or that it is ready, or none."),
    OP_RESULT(progress, OP_NUMBER, 0, .doc = "Share of the records that are in the graph, in this process."),
    OP_RESULT(total, OP_INTEGER, 0, .doc = "Records in the store."),
    OP_RESULT(linked, OP_INTEGER, 0, .doc = "Vectors in the graph, in this process."),
    OP_RESULT(waiting, OP_INTEGER, 0, .doc = "Vectors that are scanned exactly, because they are not in the graph yet."),
    OP_RESULT(memory_bytes, OP_INTEGER, 0, .doc = "Memory of the graph."),
    OP_RESULT(disk_bytes, OP_INTEGER, 0, .doc = "Size of the saved index; 0 = none was saved."),
    OP_RESULT(saved_sequence, OP_INTEGER, 0, .doc = "Number of the change that the saved index is the state of."),
    OP_RESULT(problem, OP_STRING, 0, .doc = "Why a saved index was last set aside, or a build failed; empty = neither happened."),
    OP_END
};

static evdb_status reply_status(evdb_store *store, op_out *reply, evdb_error *err)
{
    evdb_index_status s = EVDB_INDEX_STATUS;
    evdb_status rc = evdb_index_get_status(store, &s, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "state", choice_index.name(s.state));
    op_out_float(reply, "progress", s.progress);
    op_out_integer(reply, "total", (int64_t)s.total);
    op_out_integer(reply, "linked", (int64_t)s.linked);
    op_out_integer(reply, "waiting", (int64_t)s.waiting);
    op_out_integer(reply, "memory_bytes", (int64_t)s.memory_bytes);
    op_out_integer(reply, "disk_bytes", (int64_t)s.disk_bytes);
    op_out_integer(reply, "saved_sequence", (int64_t)s.saved_sequence);
    op_out_text(reply, "problem", s.problem);
    return EVDB_OK;
}

static evdb_status build(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const index_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_index_build(store, (uint32_t)a->threads, err);
    if (rc == EVDB_OK) rc = reply_status(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_build_index = {
    .name = "build_index", .doc = "Build a store's graph index now, and wait until it is there.",
    .method = "POST", .path = "/api/v1/stores/{name}/index/build", .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS,
    .args = build_fields, .args_size = sizeof(index_args), .reply = status_reply, .run = build,
};

static evdb_status status(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const index_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = reply_status(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_index_status = {
    .name = "index_status", .doc = "Show how much of a store its graph index holds.",
    .method = "GET", .path = "/api/v1/stores/{name}/index", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = status_fields, .args_size = sizeof(index_args), .reply = status_reply, .run = status,
};
