/* stores.c - operations on stores as a whole: create, list, describe, rename, drop. */
#include "op/choices.h"
#include "op/ops.h"
#include "op/store_reply.h"

#define THREADS_MAX 1024

const op_result op_store_reply[] = {
    OP_RESULT(name, OP_STRING, 0, .doc = "Name of the store."),
    OP_RESULT(dim, OP_INTEGER, 0, .doc = "Elements in a vector; 0 until the first vector decides."),
    OP_RESULT(metric, OP_CHOICE, OP_OPTIONAL, .choice = &choice_metric, .doc = "How distance is measured."),
    OP_RESULT(metric_name, OP_STRING, OP_OPTIONAL, .doc = "With metric custom: the name under which programs register it."),
    OP_RESULT(dtype, OP_CHOICE, OP_OPTIONAL, .choice = &choice_dtype, .doc = "Type of a vector's elements."),
    OP_RESULT(codec, OP_STRING, OP_OPTIONAL, .doc = "Codec that its vectors are kept with; left out where there is none."),
    OP_RESULT(id_type, OP_CHOICE, OP_OPTIONAL, .choice = &choice_id_type,
              .doc = "Type of record ids; left out until the first record decides."),
    OP_RESULT(m, OP_INTEGER, 0, .doc = "Links of a node in the graph index."),
    OP_RESULT(ef_construction, OP_INTEGER, 0, .doc = "Search effort while building the index."),
    OP_RESULT(threads, OP_INTEGER, 0, .doc = "Threads that build the index; 0 = all."),
    OP_RESULT(ttl_ms, OP_INTEGER, OP_OPTIONAL,
              .doc = "Milliseconds that records live which are written without an expiry; left out = for ever."),
    OP_RESULT(trash_ms, OP_INTEGER, OP_OPTIONAL, .doc = "Milliseconds that deleted records can be restored; left out = not at all."),
    OP_RESULT(authors, OP_BOOL, OP_OPTIONAL, .doc = "true when records say who wrote them, and when."),
    OP_RESULT(fields, OP_STRINGS, 0, .doc = "Metadata fields that filters are fast on."),
    OP_RESULT(format, OP_INTEGER, 0, .doc = "On-disk format."),
    OP_RESULT(created_ms, OP_TIME, 0, .doc = "When the store was created, Unix time in milliseconds."),
    OP_RESULT(uuid, OP_STRING, 0, .doc = "Identity that survives renaming."),
    OP_RESULT(damaged, OP_BOOL, OP_OPTIONAL, .doc = "true when the store's own files cannot be read; run verify."),
    OP_END
};

/* The value's name, or nothing for a value that has none (undecided, or not readable). */
static void put_name(op_out *o, const char *key, const char *name)
{
    if (name) op_out_text(o, key, name);
}

static void put_store(op_out *o, const evdb_store_info *info)
{
    op_out_text(o, "name", info->name);
    op_out_integer(o, "dim", info->dim);
    put_name(o, "metric", choice_metric.name(info->metric));
    put_name(o, "metric_name", info->metric_name);
    put_name(o, "dtype", choice_dtype.name(info->dtype));
    put_name(o, "codec", info->codec);
    put_name(o, "id_type", choice_id_type.name(info->id_type));
    op_out_integer(o, "m", info->m);
    op_out_integer(o, "ef_construction", info->ef_construction);
    op_out_integer(o, "threads", info->index_threads);
    if (info->ttl_ms) op_out_integer(o, "ttl_ms", info->ttl_ms);
    if (info->trash_ms) op_out_integer(o, "trash_ms", info->trash_ms);
    if (info->authors) op_out_bool(o, "authors", true);
    op_out_open(o, "fields", '[');
    for (uint32_t i = 0; i < info->field_count; i++) op_out_text(o, NULL, info->fields[i]);
    op_out_close(o, ']');
    op_out_integer(o, "format", info->format);
    op_out_integer(o, "created_ms", info->created_ms);
    op_out_text(o, "uuid", info->uuid);
    if (!info->metric) op_out_bool(o, "damaged", true);
}

evdb_status op_reply_store(evdb_store *store, op_out *reply, evdb_error *err)
{
    evdb_store_info *info = NULL;
    evdb_status rc = evdb_store_describe(store, &info, err);
    if (rc == EVDB_OK) put_store(reply, info);
    evdb_store_info_free(info);
    return rc;
}

/* How long records live: two ways to say it. */
#define OP_TTL(st)                                                                                                          \
    OP_FIELD(st, ttl, OP_INTEGER, 0, .alias = "ttl_seconds", .max = EVDB_TTL_MAX_MS / 1000,                                 \
             .doc = "Seconds that records live which are written without an expiry of their own; 0 = for ever."),           \
    OP_FIELD(st, ttl_ms, OP_INTEGER, 0, .max = EVDB_TTL_MAX_MS, .doc = "The same in milliseconds.")

static evdb_status take_ttl(int64_t ttl, int64_t ttl_ms, int64_t *out, evdb_error *err)
{
    if (ttl && ttl_ms) return op_fail(err, EVDB_INVALID, "'ttl' and 'ttl_ms' exclude each other");
    *out = ttl ? ttl * 1000 : ttl_ms;
    return EVDB_OK;
}

#define AUTHORS_DOC "Keep with each record who wrote it last, and when."

typedef struct create_args {
    const char *name, *metric_name, *codec;
    int64_t dim, m, ef_construction, threads, ttl, ttl_ms;
    uint32_t metric, dtype, id_type;
    bool trash;
    op_strings fields;
    bool authors;
} create_args;

static const op_field create_fields[] = {
    OP_FIELD(create_args, name, OP_STRING, OP_REQUIRED | OP_NAMES_STORE, .alias = "store", .position = 1,
             .doc = "Name: a-z, 0-9, _ and -, at most 64, beginning with a letter or digit."),
    OP_FIELD(create_args, dim, OP_INTEGER, 0, .max = EVDB_DIM_MAX,
             .doc = "Elements in a vector; 0 = taken from the first vector."),
    OP_FIELD(create_args, metric, OP_CHOICE, 0, .def = EVDB_COSINE, .choice = &choice_metric,
             .doc = "How distance is measured."),
    OP_FIELD(create_args, metric_name, OP_STRING, 0,
             .doc = "With metric custom: the name of a metric that programs register; only they can search the store."),
    OP_FIELD(create_args, dtype, OP_CHOICE, 0, .def = EVDB_F32, .choice = &choice_dtype,
             .doc = "Type of a vector's elements as they are stored: f16 rounds, i8 takes whole numbers -128..127, bit 0 and 1."),
    OP_FIELD(create_args, codec, OP_STRING, 0, .alias = "compression_algorithm algorithm compression",
             .doc = "Codec to keep vectors with, such as i8 or quantization_8bit; none = no codec. list_codecs names all."),
    OP_FIELD(create_args, id_type, OP_CHOICE, 0, .choice = &choice_id_type,
             .doc = "Type of record ids; without it the first record decides."),
    OP_FIELD(create_args, m, OP_INTEGER, 0, .def = 16, .min = 2, .max = 128, .doc = "Links of a node in the graph index."),
    OP_FIELD(create_args, ef_construction, OP_INTEGER, 0, .def = 200, .min = 8, .max = 4096,
             .doc = "Search effort while building the index."),
    OP_FIELD(create_args, threads, OP_INTEGER, 0, .max = THREADS_MAX, .doc = "Threads that build the index; 0 = all."),
    OP_TTL(create_args),
    OP_FIELD(create_args, trash, OP_BOOL, 0, .doc = "Keep deleted records for a day, so that they can be restored; set_trash says for how long."),
    OP_FIELD(create_args, authors, OP_BOOL, 0, .doc = AUTHORS_DOC),
    OP_FIELD(create_args, fields, OP_STRINGS, 0, .max = EVDB_STORE_FIELDS_MAX,
             .doc = "Metadata fields that filters shall be fast on."),
    OP_END
};

static evdb_status create(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const create_args *a = args;
    evdb_store_options options = EVDB_STORE_OPTIONS;
    evdb_store *store = NULL;
    options.dim = (uint32_t)a->dim;
    options.metric = a->metric;
    options.metric_name = a->metric_name;
    options.dtype = a->dtype;
    options.codec = a->codec;
    options.id_type = a->id_type;
    options.m = (uint32_t)a->m;
    options.ef_construction = (uint32_t)a->ef_construction;
    options.index_threads = (uint32_t)a->threads;
    options.trash_ms = a->trash ? EVDB_TRASH_DAY_MS : 0;
    options.field_count = (uint32_t)a->fields.count;
    options.fields = a->fields.at;
    options.authors = a->authors;
    evdb_status rc = take_ttl(a->ttl, a->ttl_ms, &options.ttl_ms, err);
    if (rc == EVDB_OK) rc = evdb_store_create(call->db, a->name, &options, &store, err);
    if (rc == EVDB_OK) rc = op_reply_store(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_create_store = {
    .name = "create_store", .doc = "Create an empty store.", .method = "POST", .path = "/api/v1/stores",
    .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .creates = "/api/v1/stores/{name}",
    .args = create_fields, .args_size = sizeof(create_args), .reply = op_store_reply, .run = create,
};

static const op_field no_fields[] = { OP_END };

static const op_result list_reply[] = {
    OP_RESULT(stores, OP_LIST, 0, .of = op_store_reply, .doc = "All stores, sorted by name."),
    OP_END
};

static evdb_status list(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    evdb_store_info **infos = NULL;
    size_t count = 0;
    (void)args;
    evdb_status rc = evdb_store_list(call->db, &infos, &count, err);
    if (rc != EVDB_OK) return rc;
    op_out_open(reply, "stores", '[');
    for (size_t i = 0; i < count; i++) {
        if (!op_may_see(call, infos[i]->name)) continue;
        op_out_open(reply, NULL, '{');
        put_store(reply, infos[i]);
        op_out_close(reply, '}');
    }
    op_out_close(reply, ']');
    evdb_store_list_free(infos, count);
    return EVDB_OK;
}

const op op_list_stores = {
    .name = "list_stores", .doc = "List all stores, or those that the caller may read.", .lists_stores = true, .method = "GET", .path = "/api/v1/stores",
    .scope = OP_SCOPE_READ, .effect = OP_READS, .args = no_fields, .reply = list_reply, .run = list,
};

typedef struct store_args { const char *store; } store_args;
static const op_field store_fields[] = { OP_STORE(store_args), OP_END };

static evdb_status describe(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const store_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = op_reply_store(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_describe_store = {
    .name = "describe_store", .doc = "Show what a store is: dimension, metric, types.",
    .method = "GET", .path = "/api/v1/stores/{name}", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .resource = { "evdb://stores/{name}", "store", "Store" },
    .args = store_fields, .args_size = sizeof(store_args), .reply = op_store_reply, .run = describe,
};

typedef struct ttl_args { const char *store; int64_t ttl, ttl_ms; } ttl_args;
static const op_field ttl_fields[] = { OP_STORE(ttl_args), OP_TTL(ttl_args), OP_END };

static evdb_status set_ttl(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const ttl_args *a = args;
    evdb_store *store = NULL;
    int64_t ttl_ms = 0;
    evdb_status rc = take_ttl(a->ttl, a->ttl_ms, &ttl_ms, err);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_set_ttl(store, ttl_ms, err);
    if (rc == EVDB_OK) rc = op_reply_store(store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_set_ttl = {
    .name = "set_ttl", .doc = "Say how long records of a store live that are written from now on.",
    .method = "PUT", .path = "/api/v1/stores/{name}/ttl", .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .destroys = true,
    .args = ttl_fields, .args_size = sizeof(ttl_args), .reply = op_store_reply, .run = set_ttl,
};

typedef struct authors_args { const char *store; bool authors; } authors_args;
static const op_field authors_fields[] = {
    OP_STORE(authors_args),
    OP_FIELD(authors_args, authors, OP_BOOL, OP_REQUIRED, .position = 2, .doc = AUTHORS_DOC),
    OP_END
};

static evdb_status set_authors(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const authors_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_set_authors(store, a->authors, err);
    if (rc == EVDB_OK) rc = op_reply_store(store, reply, err);
    evdb_store_close(store);
    return rc;
}

/* Who may write cannot turn off what tells who wrote. */
const op op_set_authors = {
    .name = "set_authors", .doc = "Say whether records of a store that are written from now on tell who wrote them, and when.",
    .method = "PUT", .path = "/api/v1/stores/{name}/authors", .scope = OP_SCOPE_ADMIN, .effect = OP_ADMINISTERS, .destroys = true,
    .args = authors_fields, .args_size = sizeof(authors_args), .reply = op_store_reply, .run = set_authors,
};

typedef struct rename_args { const char *store, *new_name; } rename_args;

static const op_field rename_fields[] = {
    OP_STORE(rename_args),
    OP_FIELD(rename_args, new_name, OP_STRING, OP_REQUIRED | OP_NAMES_STORE, .position = 2, .doc = "The name it shall have."),
    OP_END
};

static const op_result rename_reply[] = { OP_RESULT(name, OP_STRING, 0, .doc = "The store's name now."), OP_END };

static evdb_status rename_run(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const rename_args *a = args;
    evdb_status rc = evdb_store_rename(call->db, a->store, a->new_name, err);
    if (rc == EVDB_OK) op_out_text(reply, "name", a->new_name);
    return rc;
}

const op op_rename_store = {
    .name = "rename_store", .doc = "Give a store another name.",
    .method = "POST", .path = "/api/v1/stores/{name}/rename", .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .destroys = true,
    .args = rename_fields, .args_size = sizeof(rename_args), .reply = rename_reply, .run = rename_run,
};

static const op_result drop_reply[] = { OP_RESULT(dropped, OP_STRING, 0, .doc = "Name of the store that is gone."), OP_END };

static evdb_status drop(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const store_args *a = args;
    evdb_status rc = evdb_store_drop(call->db, a->store, err);
    if (rc == EVDB_OK) op_out_text(reply, "dropped", a->store);
    return rc;
}

const op op_drop_store = {
    .name = "drop_store", .doc = "Remove a store and all its records.",
    .method = "DELETE", .path = "/api/v1/stores/{name}", .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .destroys = true,
    .args = store_fields, .args_size = sizeof(store_args), .reply = drop_reply, .run = drop,
};
