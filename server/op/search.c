/* search.c - the operations search_vectors and search_batch. */
#include "op/ops.h"
#include "op/store_rows.h"
#include "op/write_one.h"
#include <string.h>

typedef struct search_args {
    const char *store;
    op_vector vector;
    int64_t k, ef;
    op_number radius, accuracy;
    char *filter;
    bool metadata, exact;
} search_args;

#define FILTER_DOC                                                                                                                \
    "Only records whose metadata matches, such as {\"label\": \"boot\", \"size.eu\": {\"$gte\": 38}}. Operators: $eq $ne $gt $gte $lt " \
    "$lte $in $nin $exists $and $or $not."

static const op_field search_fields[] = {
    OP_STORE(search_args),
    OP_FIELD(search_args, vector, OP_VECTOR, OP_REQUIRED | OP_BODY, .min = 1, .max = EVDB_DIM_MAX, .doc = "What to search for."),
    OP_FIELD(search_args, k, OP_INTEGER, 0, .def = 10, .min = 1, .max = EVDB_K_MAX, .doc = "How many neighbours, at most."),
    OP_FIELD(search_args, radius, OP_NUMBER, 0, .doc = "Only records within this distance."),
    OP_FIELD(search_args, ef, OP_INTEGER, 0, .max = EVDB_K_MAX, .doc = "Effort of a search by the graph index: more finds more, slower; 0 = chosen for k."),
    OP_FIELD(search_args, accuracy, OP_NUMBER, 0, .doc = "Instead of ef: share of the nearest that is to be found, 0.5 to 0.999."),
    OP_FIELD(search_args, filter, OP_OBJECT, 0, .doc = FILTER_DOC),
    OP_FIELD(search_args, metadata, OP_BOOL, 0, .def = true, .doc = "Return each record's metadata."),
    OP_FIELD(search_args, exact, OP_BOOL, 0, .doc = "Scan all vectors, also where there is a graph index."),
    OP_END
};

static const op_result hit_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(distance, OP_NUMBER, 0, .doc = "Distance from the query; smaller is nearer."),
    OP_RESULT(score, OP_NUMBER, 0, .doc = "Similarity to the query; larger is better."),
    OP_RESULT(metadata, OP_OBJECT, OP_OPTIONAL, .doc = "What is kept with the vector."),
    OP_AUTHOR_RESULTS,
    OP_END
};

static const op_result search_reply[] = {
    OP_RESULT(results, OP_LIST, 0, .of = hit_reply, .doc = "Neighbours, nearest first."),
    OP_RESULT(complete, OP_BOOL, 0, .doc = "false when the search stopped before it had found everything."),
    OP_RESULT(stop, OP_STRING, OP_OPTIONAL, .doc = "Why it stopped: 'limit' = more than k records lie within the radius."),
    OP_END
};

static void put_hit(op_out *o, const evdb_result *r, size_t i)
{
    op_out_open(o, NULL, '{');
    op_out_id(o, "id", &r->ids[i]);
    op_out_float(o, "distance", r->distances[i]);
    op_out_float(o, "score", r->scores[i]);
    if (r->metadata) op_out_json(o, "metadata", r->metadata[i], strlen(r->metadata[i]));
    if (r->authors) op_put_author(o, r->authors[i], r->written[i]);
    op_out_close(o, '}');
}

/* The hits of one query. */
static void put_hits(op_out *o, const char *key, const evdb_result *r, size_t query)
{
    op_out_open(o, key, '[');
    for (size_t i = r->offsets[query]; i < r->offsets[query + 1]; i++) put_hit(o, r, i);
    op_out_close(o, ']');
}

static void put_end(op_out *o, const evdb_result *r)
{
    op_out_bool(o, "complete", r->complete);
    if (r->stop == EVDB_STOP_LIMIT) op_out_text(o, "stop", "limit");
}

/* The library takes 0 for "not given"; here it was. */
static evdb_status accuracy_of(const op_number *given, evdb_search_options *options, evdb_error *err)
{
    if (given->given && given->value == 0) return op_fail(err, EVDB_INVALID, "accuracy is 0, but must be 0.5..0.999");
    options->accuracy = given->given ? given->value : 0;
    return EVDB_OK;
}

static evdb_status search(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const search_args *a = args;
    evdb_store *store = NULL;
    evdb_result *result = NULL;
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    uint32_t dim = (uint32_t)a->vector.count;
    options.k = (uint32_t)a->k;
    options.ef = (uint32_t)a->ef;
    options.flags = (a->metadata ? EVDB_SEARCH_METADATA : 0) | (a->exact ? EVDB_SEARCH_EXACT : 0);
    options.filter = a->filter;
    evdb_status rc = accuracy_of(&a->accuracy, &options, err);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK && a->radius.given)
        rc = evdb_search_range(store, a->vector.at, dim, a->radius.value, &options, &result, err);
    else if (rc == EVDB_OK)
        rc = evdb_search(store, a->vector.at, dim, &options, &result, err);
    if (rc == EVDB_OK) {
        put_hits(reply, "results", result, 0);
        put_end(reply, result);
    }
    evdb_result_free(result);
    evdb_store_close(store);
    return rc;
}

const op op_search_vectors = {
    .name = "search_vectors", .doc = "Find the nearest vectors of a store.",
    .method = "POST", .path = "/api/v1/stores/{name}/search", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = search_fields, .args_size = sizeof(search_args), .reply = search_reply, .run = search,
};

typedef struct batch_args {
    const char *store;
    op_vectors vectors;
    int64_t k, ef, dim;
    op_number accuracy;
    char *filter;
    bool metadata;
} batch_args;

static const op_field batch_fields[] = {
    OP_STORE(batch_args),
    OP_FIELD(batch_args, vectors, OP_VECTORS, OP_REQUIRED | OP_BODY, .min = 1, .max = EVDB_QUERIES_MAX,
             .doc = "What to search for: arrays of numbers, or base64 of packed little-endian float32, one vector behind the other."),
    OP_FIELD(batch_args, k, OP_INTEGER, 0, .def = 10, .min = 1, .max = EVDB_K_MAX, .doc = "How many neighbours a vector, at most."),
    OP_FIELD(batch_args, ef, OP_INTEGER, 0, .max = EVDB_K_MAX, .doc = "Effort of an index search; 0 = chosen for k."),
    OP_FIELD(batch_args, accuracy, OP_NUMBER, 0, .doc = "Instead of ef: share of the nearest that is to be found, 0.5 to 0.999."),
    OP_FIELD(batch_args, filter, OP_OBJECT, 0, .doc = FILTER_DOC),
    OP_FIELD(batch_args, metadata, OP_BOOL, 0, .def = true, .doc = "Return each record's metadata."),
    OP_FIELD(batch_args, dim, OP_INTEGER, 0, .max = EVDB_DIM_MAX,
             .doc = "Elements in a packed vector, while the store has none; later it may be left out."),
    OP_END
};

static const op_result batch_reply[] = {
    OP_RESULT(results, OP_LISTS, 0, .of = hit_reply, .doc = "For each vector, in order, its neighbours, nearest first."),
    OP_RESULT(complete, OP_BOOL, 0, .doc = "false when a search stopped before it had found everything."),
    OP_RESULT(stop, OP_STRING, OP_OPTIONAL, .doc = "Why one stopped."),
    OP_END
};

static evdb_status search_rows(evdb_store *store, const batch_args *a, const op_rows *rows, evdb_result **out, evdb_error *err)
{
    evdb_search_options options = EVDB_SEARCH_OPTIONS;
    options.k = (uint32_t)a->k;
    options.ef = (uint32_t)a->ef;
    options.flags = a->metadata ? EVDB_SEARCH_METADATA : 0;
    options.filter = a->filter;
    evdb_status rc = accuracy_of(&a->accuracy, &options, err);
    if (rc != EVDB_OK) return rc;
    if (rows->count * (uint64_t)a->k > OP_REPLY_HITS_MAX)
        return op_fail(err, EVDB_LIMIT, "%zu queries of %u hits are more than %u hits in one reply", rows->count, options.k,
                       OP_REPLY_HITS_MAX);
    return evdb_search_batch(store, rows->at, rows->count, 0, (uint32_t)rows->dim, &options, out, err);
}

static evdb_status search_many(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const batch_args *a = args;
    evdb_store *store = NULL;
    evdb_result *result = NULL;
    op_rows rows = { 0 };
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = store_rows(store, &a->vectors, a->dim, EVDB_QUERIES_MAX, false, &rows, err);
    if (rc == EVDB_OK) rc = search_rows(store, a, &rows, &result, err);
    if (rc == EVDB_OK) {
        op_out_open(reply, "results", '[');
        for (size_t i = 0; i < result->queries; i++) put_hits(reply, NULL, result, i);
        op_out_close(reply, ']');
        put_end(reply, result);
    }
    evdb_result_free(result);
    op_rows_free(&rows);
    evdb_store_close(store);
    return rc;
}

const op op_search_batch = {
    .name = "search_batch", .doc = "Find the nearest vectors of a store to each of many.",
    .method = "POST", .path = "/api/v1/stores/{name}/search/batch", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = batch_fields, .args_size = sizeof(batch_args), .reply = batch_reply, .run = search_many,
};
