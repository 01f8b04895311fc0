/* batch.c - write_batch: records of any shape in one durable commit. */
#include "op/choices.h"
#include "op/op_meter.h"
#include "op/ops.h"
#include "op/write_one.h"
#include <stdlib.h>

typedef struct batch_args {
    const char *store;
    op_records records;
    uint32_t mode;
    bool partial;
} batch_args;

static const op_field batch_fields[] = {
    OP_STORE(batch_args),
    OP_FIELD(batch_args, records, OP_RECORDS, OP_REQUIRED, .min = 1, .max = EVDB_BATCH_MAX, .doc = "The records."),
    OP_FIELD(batch_args, mode, OP_CHOICE, 0, .def = EVDB_INSERT, .choice = &choice_write, .doc = "What to do with them."),
    OP_FIELD(batch_args, partial, OP_BOOL, 0,
             .doc = "Write the good records and report the others, rather than all or nothing."),
    OP_END
};

static const op_result item_reply[] = {
    OP_RESULT(index, OP_INTEGER, 0, .doc = "Position in the request, from 0."),
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(status, OP_STRING, 0, .doc = "'OK', or why it was not written: 'EXISTS', 'NOT_FOUND', 'CONFLICT', 'INVALID'."),
    OP_RESULT(version, OP_INTEGER, OP_OPTIONAL, .doc = "Of those that were written: the record's version now; of a deleted one the number of that change."),
    OP_RESULT(message, OP_STRING, OP_OPTIONAL, .doc = "Of those that were not: what was wrong."),
    OP_END
};

static const op_result batch_reply[] = {
    OP_RESULT(written, OP_INTEGER, 0, .doc = "Records written or deleted."),
    OP_RESULT(failed, OP_INTEGER, 0, .doc = "Records that were not, with 'partial'."),
    OP_RESULT(items, OP_LIST, 0, .of = item_reply, .doc = "What became of each record, in their order."),
    OP_END
};

/* What the library is given: columns of the records that could be good, `index` being their place among all. */
typedef struct columns {
    size_t count;
    size_t *index;
    evdb_id *ids;
    const char **metadata;
    uint64_t *if_versions;
    int64_t *expires;
    float *copy; /* of vectors that are no block; else NULL */
    /* out, by column */
    evdb_status *statuses;
    uint64_t *versions;
    evdb_error *errors;
    /* by record: those that are no column, and in the end all */
    evdb_error *whys; /* status EVDB_OK when nothing was wrong */
} columns;

static void free_columns(columns *c)
{
    free(c->index), free(c->ids), free(c->metadata), free(c->if_versions), free(c->expires), free(c->copy);
    free(c->statuses), free(c->versions), free(c->errors), free(c->whys);
}

static bool make_columns(columns *c, size_t count)
{
    c->index = calloc(count, sizeof *c->index);
    c->ids = calloc(count, sizeof *c->ids);
    c->metadata = calloc(count, sizeof *c->metadata);
    c->if_versions = calloc(count, sizeof *c->if_versions);
    c->expires = calloc(count, sizeof *c->expires);
    c->statuses = calloc(count, sizeof *c->statuses);
    c->versions = calloc(count, sizeof *c->versions);
    c->errors = calloc(count, sizeof *c->errors);
    c->whys = calloc(count, sizeof *c->whys);
    return c->index && c->ids && c->metadata && c->if_versions && c->expires && c->statuses && c->versions && c->errors && c->whys;
}

/* What the mode asks of a record's shape. dim: what the vectors of this request should have. */
static evdb_status judge(const op_record *r, uint32_t mode, bool vectors, size_t dim, int64_t *expires, evdb_error *why)
{
    evdb_status rc = op_expiry_take(&r->expiry, expires, why);
    if (rc != EVDB_OK) return rc;
    bool put = mode == EVDB_INSERT || mode == EVDB_UPSERT;
    if (put && !r->vector.at) return op_fail(why, EVDB_INVALID, "'vector' is required");
    if (mode == EVDB_DELETE && (r->vector.at || r->metadata || *expires))
        return op_fail(why, EVDB_INVALID, "a delete takes an 'id' and nothing to keep");
    if (mode == EVDB_UPDATE && !r->vector.at && !r->metadata && !*expires)
        return op_fail(why, EVDB_INVALID, "nothing to update: give 'vector', 'metadata' or 'ttl'");
    if (mode == EVDB_UPDATE && vectors && !r->vector.at)
        return op_fail(why, EVDB_INVALID, "in one batch of updates every record has a 'vector', or none has");
    if (r->vector.at && r->vector.count != dim)
        return op_fail(why, EVDB_INVALID, "the vector has %zu elements, but should have %zu", r->vector.count, dim);
    return EVDB_OK;
}

/* Good records to columns. Without `partial` the first bad one fails the call. */
static evdb_status fill_columns(const batch_args *a, size_t dim, columns *c, evdb_error *err)
{
    for (size_t i = 0; i < a->records.count; i++) {
        const op_record *r = &a->records.at[i];
        evdb_status rc = judge(r, a->mode, a->records.block != NULL, dim, &c->expires[c->count], &c->whys[i]);
        if (rc != EVDB_OK && !a->partial) {
            op_fail(err, rc, "'records[%zu]': %s", i, c->whys[i].message);
            if (err) err->item = i;
            return rc;
        }
        if (rc != EVDB_OK) continue;
        c->index[c->count] = i;
        c->ids[c->count] = r->id;
        c->metadata[c->count] = r->metadata;
        c->if_versions[c->count++] = (uint64_t)r->if_version;
    }
    return EVDB_OK;
}

/* The vectors of the columns, row by row: the block they came in when every record is a column. */
static evdb_status pack(const batch_args *a, size_t dim, columns *c, const float **out, evdb_error *err)
{
    *out = c->count == a->records.count ? a->records.block : NULL;
    if (*out || !a->records.block || !c->count || a->mode == EVDB_DELETE) return EVDB_OK;
    if (!(c->copy = malloc(c->count * dim * sizeof *c->copy)))
        return op_fail(err, EVDB_NO_MEMORY, "out of memory for %zu vectors", c->count);
    for (size_t i = 0; i < c->count; i++) {
        const float *from = a->records.at[c->index[i]].vector.at;
        for (size_t k = 0; k < dim; k++) c->copy[i * dim + k] = from[k];
    }
    *out = c->copy;
    return EVDB_OK;
}

/* The store knows how long its vectors are; before the first one the first of the request decides. */
static evdb_status vector_length(evdb_store *store, const op_records *records, size_t *out, evdb_error *err)
{
    evdb_store_info *info = NULL;
    evdb_status rc = evdb_store_describe(store, &info, err);
    if (rc == EVDB_OK) *out = info->dim ? info->dim : records->dim;
    evdb_store_info_free(info);
    return rc;
}

static evdb_status write_columns(const op_call *call, evdb_store *store, const batch_args *a, columns *c, size_t *written, evdb_error *err)
{
    evdb_batch batch = EVDB_BATCH;
    const float *vectors = NULL;
    size_t dim = 0;
    evdb_status rc = vector_length(store, &a->records, &dim, err);
    if (rc == EVDB_OK) rc = fill_columns(a, dim, c, err);
    if (rc == EVDB_OK) rc = pack(a, dim, c, &vectors, err);
    if (rc != EVDB_OK) return rc;
    batch.kind = a->mode;
    batch.flags = a->partial ? EVDB_BATCH_PARTIAL : 0;
    batch.count = c->count;
    batch.ids = c->ids;
    batch.vectors = vectors;
    batch.dim = vectors ? (uint32_t)dim : 0;
    batch.metadata = c->metadata;
    batch.if_versions = c->if_versions;
    batch.expires = c->expires;
    batch.statuses = c->statuses;
    batch.versions = c->versions;
    batch.errors = c->errors;
    batch.author = op_author(call);
    *written = 0;
    return c->count ? evdb_batch_write(store, &batch, written, err) : EVDB_OK;
}

static void put_items(op_out *o, const op_records *records, const columns *c)
{
    op_out_open(o, "items", '[');
    for (size_t i = 0, column = 0; i < records->count; i++) {
        bool tried = column < c->count && c->index[column] == i;
        const evdb_error *why = tried ? &c->errors[column] : &c->whys[i];
        evdb_status status = tried ? c->statuses[column] : why->status;
        op_out_open(o, NULL, '{');
        op_out_integer(o, "index", (int64_t)i);
        op_out_id(o, "id", &records->at[i].id);
        op_out_text(o, "status", evdb_status_name(status));
        if (status == EVDB_OK) op_out_integer(o, "version", (int64_t)c->versions[column]);
        else op_out_text(o, "message", why->message);
        op_out_close(o, '}');
        column += tried;
    }
    op_out_close(o, ']');
}

static evdb_status write_batch(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const batch_args *a = args;
    evdb_store *store = NULL;
    columns c = { 0 };
    size_t written = 0, metered = a->mode == EVDB_DELETE ? 0 : a->records.count;
    evdb_status rc = make_columns(&c, a->records.count) ? EVDB_OK
                   : op_fail(err, EVDB_NO_MEMORY, "out of memory for %zu records", a->records.count);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK && metered) rc = op_meter_take(call, metered, err);
    if (rc == EVDB_OK) {
        rc = write_columns(call, store, a, &c, &written, err);
        if (metered) op_meter_return(call, rc == EVDB_OK ? metered - written : metered);
    }
    if (rc == EVDB_OK) {
        op_out_integer(reply, "written", (int64_t)written);
        op_out_integer(reply, "failed", (int64_t)(a->records.count - written));
        put_items(reply, &a->records, &c);
    }
    evdb_store_close(store);
    free_columns(&c);
    return rc;
}

const op op_write_batch = {
    .name = "write_batch", .doc = "Insert, upsert, update or delete many records in one commit.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/batch", .scope = OP_SCOPE_WRITE,
    .effect = OP_WRITES, .destroys = true,
    .args = batch_fields, .args_size = sizeof(batch_args), .reply = batch_reply, .run = write_batch,
};
