/* index.c - operations on a store's graph index: build, pause, drop it, see how far it has come. */
#include "op/choices.h"
#include "op/index_build.h"
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
static const op_field store_fields[] = { OP_STORE(index_args), OP_END };

static const op_result status_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Name of the store."),
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

static evdb_status reply_status(const char *name, evdb_store *store, op_out *reply, evdb_error *err)
{
    evdb_index_status s = EVDB_INDEX_STATUS;
    evdb_status rc = evdb_index_get_status(store, &s, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "store", name);
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

/* Opens the store, does that to its index (NULL = nothing), and answers how it is then. */
static evdb_status act(op_call *call, const index_args *a, evdb_status (*what)(op_call *, evdb_store *, const index_args *, evdb_error *),
                       op_out *reply, evdb_error *err)
{
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK && what) rc = what(call, store, a, err);
    if (rc == EVDB_OK) rc = reply_status(a->store, store, reply, err);
    evdb_store_close(store);
    return rc;
}

/* An operation that calls one function of evdb/index.h: how it is called, and how it is declared. */
#define INDEX_OP(id, call_it, fields, verb, path_end, harms, text)                                                            \
    static evdb_status id##_it(op_call *call, evdb_store *store, const index_args *a, evdb_error *err)                        \
    {                                                                                                                         \
        (void)call, (void)a;                                                                                                  \
        return call_it;                                                                                                       \
    }                                                                                                                         \
    static evdb_status id##_run(op_call *call, const void *args, op_out *reply, evdb_error *err)                              \
    {                                                                                                                         \
        return act(call, args, id##_it, reply, err);                                                                          \
    }                                                                                                                         \
    const op op_##id##_index = {                                                                                              \
        .name = #id "_index", .doc = text, .method = verb, .path = "/api/v1/stores/{name}/index" path_end,                    \
        .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .destroys = harms, .args = fields, .args_size = sizeof(index_args), \
        .reply = status_reply, .run = id##_run,                                                                               \
    };

INDEX_OP(create, evdb_index_create(store, err), store_fields, "POST", "", false,
         "Let a store have a graph index, also after drop_index, and begin to build it in the background.")
INDEX_OP(build, index_build(call, store, (uint32_t)a->threads, false, err), build_fields, "POST", "/build", false,
         "Build a store's graph index now, and wait until it is there.")
INDEX_OP(rebuild, index_build(call, store, (uint32_t)a->threads, true, err), build_fields, "POST", "/rebuild", false,
         "Build a store's graph index from scratch, and wait until it is there.")
INDEX_OP(pause, evdb_index_pause(store, err), store_fields, "POST", "/pause", false,
         "Keep a store's graph index from being built in the background.")
INDEX_OP(resume, evdb_index_resume(store, err), store_fields, "POST", "/resume", false,
         "Let a store's graph index be built in the background again.")
INDEX_OP(cancel, evdb_index_cancel(store, err), store_fields, "POST", "/cancel", false,
         "End the build of a store's graph index that is under way.")
INDEX_OP(drop, evdb_index_drop(store, err), store_fields, "DELETE", "", true,
         "Remove a store's graph index: searches scan all vectors, and none is built until somebody asks for it.")

static evdb_status status(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    return act(call, args, NULL, reply, err);
}

const op op_index_status = {
    .name = "index_status", .doc = "Show what a store's graph index is doing, and how much of the store it holds.",
    .method = "GET", .path = "/api/v1/stores/{name}/index", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = store_fields, .args_size = sizeof(index_args), .reply = status_reply, .run = status,
};

typedef struct estimate_args { int64_t dim, count, m; } estimate_args;

static const op_field estimate_fields[] = {
    OP_FIELD(estimate_args, dim, OP_INTEGER, OP_REQUIRED, .max = EVDB_DIM_MAX, .doc = "Elements in a vector."),
    OP_FIELD(estimate_args, count, OP_INTEGER, OP_REQUIRED, .max = 4294967294, .doc = "Vectors."),
    OP_FIELD(estimate_args, m, OP_INTEGER, 0, .def = 16, .min = 2, .max = 128, .doc = "Links of a node in the graph index."),
    OP_END
};

static const op_result estimate_reply[] = {
    OP_RESULT(memory_bytes, OP_INTEGER, 0, .doc = "Memory that the graph takes, without the vectors themselves."),
    OP_END
};

static evdb_status estimate(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const estimate_args *a = args;
    uint64_t bytes = 0;
    (void)call;
    evdb_status rc = evdb_index_estimate((uint32_t)a->dim, (uint64_t)a->count, (uint32_t)a->m, &bytes, err);
    if (rc == EVDB_OK) op_out_integer(reply, "memory_bytes", (int64_t)bytes);
    return rc;
}

const op op_estimate_index = {
    .name = "estimate_index", .doc = "Tell how much memory a graph index would take.",
    .method = "GET", .path = "/api/v1/indexes/estimate", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = estimate_fields, .args_size = sizeof(estimate_args), .reply = estimate_reply, .run = estimate,
};

static const op_field no_fields[] = { OP_END };

static const op_result list_reply[] = {
    OP_RESULT(indexes, OP_LIST, 0, .of = status_reply, .doc = "That of every store, sorted by name; damaged stores are left out."),
    OP_END
};

static evdb_status list_one(op_call *call, const char *name, op_out *reply, evdb_error *err)
{
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, name, &store, err);
    if (rc == EVDB_NOT_FOUND || rc == EVDB_CORRUPT || rc == EVDB_NEWER) return EVDB_OK; /* dropped meanwhile, or damaged */
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, NULL, '{');
    rc = reply_status(name, store, reply, err);
    op_out_close(reply, '}');
    evdb_store_close(store);
    return rc;
}

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_store_info **infos = NULL;
    size_t count = 0;
    (void)args;
    evdb_status rc = evdb_store_list(call->db, &infos, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "indexes", '[');
    for (size_t i = 0; i < count && rc == EVDB_OK; i++)
        if (op_may_see(call, infos[i]->name)) rc = list_one(call, infos[i]->name, reply, err);
    op_out_close(reply, ']');
    evdb_store_list_free(infos, count);
    return rc;
}

const op op_list_indexes = {
    .name = "list_indexes", .doc = "Show what the graph index of each store is doing.", .lists_stores = true,
    .method = "GET", .path = "/api/v1/indexes", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = no_fields, .reply = list_reply, .run = list,
};
