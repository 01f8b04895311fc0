/* store_codec.c - operations on the codec of a store: insert_compressed, set_compression, compression_status. */
#include "op/choices.h"
#include "op/ops.h"
#include "op/write_one.h"

typedef struct insert_args {
    const char *store, *codec;
    evdb_id id;
    op_vector vector;
    char *metadata;
    op_expiry expiry;
} insert_args;

static const op_field insert_fields[] = {
    OP_STORE(insert_args),
    OP_FIELD(insert_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record, an integer or a string."),
    OP_FIELD(insert_args, vector, OP_VECTOR, OP_REQUIRED, .min = 1, .max = EVDB_DIM_MAX, .doc = "The vector's numbers."),
    OP_FIELD(insert_args, metadata, OP_OBJECT, 0, .doc = "Anything to keep with the vector."),
    OP_FIELD(insert_args, codec, OP_STRING, OP_REQUIRED, .alias = "algorithm compression_algorithm",
             .doc = "Codec that this one vector is kept with, whatever the store's is; none = as it is."),
    OP_EXPIRY(insert_args, "the store decides."),
    OP_END
};

static evdb_status insert(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const insert_args *a = args;
    const op_write w = { .kind = EVDB_INSERT, .store = a->store, .metadata = a->metadata, .codec = a->codec, .id = a->id,
                         .vector = &a->vector, .expiry = &a->expiry };
    return op_write_one(call, &w, reply, err);
}

const op op_insert_compressed = {
    .name = "insert_compressed", .doc = "Add a record whose vector is kept with a codec of its own.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/compressed", .scope = OP_SCOPE_WRITE, .effect = OP_WRITES,
    .creates = "/api/v1/stores/{name}/vectors/{id}",
    .args = insert_fields, .args_size = sizeof(insert_args), .reply = op_write_reply, .run = insert,
};

static const op_result status_reply[] = {
    OP_RESULT(store, OP_STRING, 0, .doc = "Name of the store."),
    OP_RESULT(codec, OP_STRING, 0, .doc = "That the store shall have, with its parameters; none = no codec."),
    OP_RESULT(state, OP_CHOICE, 0, .choice = &choice_compression,
              .doc = "settled = all vectors are as they shall be; waiting = for 'needed' vectors to train on; recoding = 'done' of 'total' are."),
    OP_RESULT(in_force, OP_STRING, 0, .doc = "That vectors written now are kept with."),
    OP_RESULT(needed, OP_INTEGER, 0, .doc = "Vectors that training waits for; 0 = for none."),
    OP_RESULT(done, OP_INTEGER, 0, .doc = "Places of vectors that have been looked at."),
    OP_RESULT(total, OP_INTEGER, 0, .doc = "Of so many."),
    OP_RESULT(vector_bytes, OP_INTEGER, 0, .doc = "Bytes that one vector takes on disk, at most."),
    OP_RESULT(row_bytes, OP_INTEGER, 0, .doc = "Bytes that one takes in memory."),
    OP_RESULT(plain_bytes, OP_INTEGER, 0, .doc = "Bytes that it would take as float32."),
    OP_RESULT(compression_ratio, OP_NUMBER, OP_OPTIONAL, .doc = "plain_bytes divided by vector_bytes; left out before the first vector."),
    OP_RESULT(trained_bytes, OP_INTEGER, 0, .doc = "Bytes of what all vectors share."),
    OP_RESULT(loss, OP_NUMBER, 0, .doc = "Mean of |x - x'| / |x| where the codec was trained; 0 = it was not."),
    OP_RESULT(loss_now, OP_NUMBER, 0, .doc = "Of vectors that this process has written lately; 0 = not known."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "How often a codec was chosen or trained."),
    OP_RESULT(problem, OP_STRING, 0, .doc = "Why training or writing again failed last, or cannot begin; empty = neither."),
    OP_END
};

static void put_codec(op_out *o, const char *key, const char *codec) { op_out_text(o, key, *codec ? codec : "none"); }

static evdb_status reply_status(evdb_store *store, const char *name, op_out *reply, evdb_error *err)
{
    evdb_compression c = EVDB_COMPRESSION;
    evdb_status rc = evdb_store_get_compression(store, &c, err);
    if (rc != EVDB_OK) return rc;
    op_out_text(reply, "store", name);
    put_codec(reply, "codec", c.codec);
    op_out_text(reply, "state", choice_compression.name(c.state));
    put_codec(reply, "in_force", c.in_force);
    op_out_integer(reply, "needed", (int64_t)c.needed);
    op_out_integer(reply, "done", (int64_t)c.done);
    op_out_integer(reply, "total", (int64_t)c.total);
    op_out_integer(reply, "vector_bytes", (int64_t)c.vector_bytes);
    op_out_integer(reply, "row_bytes", (int64_t)c.row_bytes);
    op_out_integer(reply, "plain_bytes", (int64_t)c.plain_bytes);
    if (c.vector_bytes) op_out_float(reply, "compression_ratio", (float)c.plain_bytes / (float)c.vector_bytes);
    op_out_integer(reply, "trained_bytes", (int64_t)c.trained_bytes);
    op_out_float(reply, "loss", (float)c.loss);
    op_out_float(reply, "loss_now", (float)c.loss_now);
    op_out_integer(reply, "version", (int64_t)c.version);
    op_out_text(reply, "problem", c.problem);
    return EVDB_OK;
}

typedef struct set_args {
    const char *store, *codec;
    bool wait;
} set_args;

static const op_field set_fields[] = {
    OP_STORE(set_args),
    OP_FIELD(set_args, codec, OP_STRING, OP_REQUIRED, .alias = "algorithm compression_algorithm", .position = 2,
             .doc = "Codec to keep the vectors with, such as i8 or quantization_8bit; none = as float32."),
    OP_FIELD(set_args, wait, OP_BOOL, 0, .doc = "Return when all vectors are written again, rather than let that be done in the background."),
    OP_END
};

static evdb_status set(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const set_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_set_codec(store, a->codec, err);
    if (rc == EVDB_OK && a->wait) rc = evdb_store_recode(store, err);
    if (rc == EVDB_OK) rc = reply_status(store, a->store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_set_compression = {
    .name = "set_compression", .doc = "Keep the vectors of a store with another codec.",
    .method = "PUT", .path = "/api/v1/stores/{name}/compression", .scope = OP_SCOPE_WRITE, .effect = OP_ADMINISTERS, .destroys = true,
    .args = set_fields, .args_size = sizeof(set_args), .reply = status_reply, .run = set,
};

typedef struct status_args { const char *store; } status_args;
static const op_field status_fields[] = { OP_STORE(status_args), OP_END };

static evdb_status status(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const status_args *a = args;
    evdb_store *store = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = reply_status(store, a->store, reply, err);
    evdb_store_close(store);
    return rc;
}

const op op_compression_status = {
    .name = "compression_status", .doc = "Show how a store's vectors are kept, and how far a change of that is.",
    .method = "GET", .path = "/api/v1/stores/{name}/compression", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = status_fields, .args_size = sizeof(status_args), .reply = status_reply, .run = status,
};
