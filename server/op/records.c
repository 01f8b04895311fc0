/* records.c - operations that read records, by id or one after the other: get, scroll, count. */
#include "op/ops.h"
#include "op/write_one.h"
#include <stdlib.h>

typedef struct get_args {
    const char *store;
    op_ids ids;
    bool vectors;
} get_args;

static const op_field get_fields[] = {
    OP_STORE(get_args),
    OP_FIELD(get_args, ids, OP_IDS, OP_REQUIRED, .position = 2, .min = 1, .max = OP_IDS_MAX, .doc = "Ids of the records."),
    OP_FIELD(get_args, vectors, OP_BOOL, 0, .def = true, .doc = "Return the vectors too."),
    OP_END
};

static const op_result record_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "Version of the record; grows with every write."),
    OP_RESULT(vector, OP_VECTOR, OP_OPTIONAL, .doc = "The vector, exactly as stored."),
    OP_RESULT(metadata, OP_OBJECT, 0, .doc = "What is kept with the vector."),
    OP_RESULT(expires_ms, OP_TIME, OP_OPTIONAL, .doc = "From when on it is gone, Unix time in milliseconds; left out when it never is."),
    OP_AUTHOR_RESULTS,
    OP_END
};

static const op_result get_reply[] = {
    OP_RESULT(records, OP_LIST, 0, .of = record_reply, .doc = "The records found, in the order asked for."),
    OP_RESULT(missing, OP_IDS, 0, .doc = "The ids that do not exist."),
    OP_END
};

static void put_members(op_out *o, const evdb_record *record, bool vectors)
{
    op_out_id(o, "id", &record->id);
    op_out_integer(o, "version", (int64_t)record->version);
    if (vectors) op_out_floats(o, "vector", record->vector, record->dim);
    op_out_json(o, "metadata", record->metadata, record->metadata_length);
    if (record->expires_ms) op_out_integer(o, "expires_ms", record->expires_ms);
    op_put_author(o, record->author, record->written_ms);
}

/* Appends one record to reply, or its id to missing. numbers counts vector elements so far. */
static evdb_status get_one(evdb_store *store, const get_args *a, const evdb_id *id, op_out *reply, op_out *missing,
                           uint64_t *numbers, evdb_error *err)
{
    evdb_record *record = NULL;
    evdb_status rc = evdb_record_get(store, *id, &record, err);
    if (rc == EVDB_NOT_FOUND) op_out_id(missing, NULL, id);
    if (rc == EVDB_NOT_FOUND) return EVDB_OK;
    if (rc == EVDB_OK && a->vectors && (*numbers += record->dim) > OP_REPLY_NUMBERS_MAX)
        rc = op_fail(err, EVDB_LIMIT, "the reply would hold more than %u numbers: ask for fewer records", OP_REPLY_NUMBERS_MAX);
    if (rc == EVDB_OK) {
        op_out_open(reply, NULL, '{');
        put_members(reply, record, a->vectors);
        op_out_close(reply, '}');
    }
    evdb_record_free(record);
    return rc;
}

static evdb_status get(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const get_args *a = args;
    evdb_store *store = NULL;
    uint64_t numbers = 0;
    op_out missing = OP_OUT;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    op_out_open(&missing, NULL, '[');
    op_out_open(reply, "records", '[');
    for (size_t i = 0; rc == EVDB_OK && i < a->ids.count; i++)
        rc = get_one(store, a, &a->ids.at[i], reply, &missing, &numbers, err);
    op_out_close(reply, ']');
    op_out_close(&missing, ']');
    if (rc == EVDB_OK) rc = op_out_done(&missing, err);
    if (rc == EVDB_OK) op_out_json(reply, "missing", missing.text, missing.size);
    op_out_free(&missing);
    evdb_store_close(store);
    return rc;
}

const op op_get_records = {
    .name = "get_records", .doc = "Fetch records by id.",
    .method = "POST", .path = "/api/v1/stores/{name}/vectors/get", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = get_fields, .args_size = sizeof(get_args), .reply = get_reply, .run = get,
};

typedef struct get_one_args {
    const char *store;
    evdb_id id;
    bool vectors;
} get_one_args;

static const op_field get_one_fields[] = {
    OP_STORE(get_one_args),
    OP_FIELD(get_one_args, id, OP_ID, OP_REQUIRED, .position = 2, .doc = "Id of the record."),
    OP_FIELD(get_one_args, vectors, OP_BOOL, 0, .def = true, .doc = "Return the vector too."),
    OP_END
};

static evdb_status get_one_record(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const get_one_args *a = args;
    evdb_store *store = NULL;
    evdb_record *record = NULL;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_record_get(store, a->id, &record, err);
    if (rc == EVDB_OK) put_members(reply, record, a->vectors);
    evdb_record_free(record);
    evdb_store_close(store);
    return rc;
}

const op op_get_record = {
    .name = "get_record", .doc = "Fetch one record.", .no_tool = true,
    .method = "GET", .path = "/api/v1/stores/{name}/vectors/{id}", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .resource = { "evdb://stores/{name}/records/{id}", "record", "Record" },
    .args = get_one_fields, .args_size = sizeof(get_one_args), .reply = record_reply, .run = get_one_record,
};

typedef struct scroll_args {
    const char *store;
    evdb_id after;
    int64_t limit;
    bool vectors;
} scroll_args;

static const op_field scroll_fields[] = {
    OP_STORE(scroll_args),
    OP_FIELD(scroll_args, after, OP_ID, 0, .doc = "Begin behind this id, which need not exist; without it at the first record."),
    OP_FIELD(scroll_args, limit, OP_INTEGER, 0, .def = 100, .min = 1, .max = OP_IDS_MAX, .doc = "How many records, at most."),
    OP_FIELD(scroll_args, vectors, OP_BOOL, 0, .def = true, .doc = "Return the vectors too."),
    OP_END
};

static const op_result scroll_reply[] = {
    OP_RESULT(records, OP_LIST, 0, .of = record_reply, .doc = "Records in order of id."),
    OP_RESULT(next, OP_ID, OP_OPTIONAL, .doc = "There are more: ask again with this as 'after'."),
    OP_END
};

/* Puts out records until there are enough; that there is one more is told by the id of the last. */
static evdb_status put_page(evdb_cursor *cursor, const scroll_args *a, op_out *reply, op_out *next, evdb_error *err)
{
    uint64_t numbers = 0;
    for (int64_t count = 0;; count++) {
        const evdb_record *record;
        evdb_status rc = evdb_cursor_next(cursor, &record, err);
        if (rc != EVDB_OK || !record) next->size = 0; /* there is no more */
        if (rc != EVDB_OK || !record) return rc;
        bool full = count == a->limit || (count && a->vectors && numbers + record->dim > OP_REPLY_NUMBERS_MAX);
        if (full) return EVDB_OK;
        numbers += record->dim;
        op_out_open(reply, NULL, '{');
        put_members(reply, record, a->vectors);
        op_out_close(reply, '}');
        next->size = 0;
        next->comma = false;
        op_out_id(next, NULL, &record->id); /* the record goes with the next one */
    }
}

static evdb_status scroll(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const scroll_args *a = args;
    evdb_store *store = NULL;
    evdb_cursor *cursor = NULL;
    evdb_cursor_options options = EVDB_CURSOR_OPTIONS;
    op_out next = OP_OUT;
    options.flags = a->vectors ? 0 : EVDB_CURSOR_NO_VECTORS;
    options.has_after = !(a->after.text && !*a->after.text);
    options.after = a->after;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_cursor_open(store, &options, &cursor, err);
    if (rc == EVDB_OK) {
        op_out_open(reply, "records", '[');
        rc = put_page(cursor, a, reply, &next, err);
        op_out_close(reply, ']');
    }
    if (rc == EVDB_OK) rc = op_out_done(&next, err);
    if (rc == EVDB_OK && next.size) op_out_json(reply, "next", next.text, next.size);
    op_out_free(&next);
    evdb_cursor_close(cursor);
    evdb_store_close(store);
    return rc;
}

const op op_scroll_records = {
    .name = "scroll_records", .doc = "List the records of a store, in order of id, page by page.",
    .method = "GET", .path = "/api/v1/stores/{name}/vectors", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = scroll_fields, .args_size = sizeof(scroll_args), .reply = scroll_reply, .run = scroll,
};

typedef struct count_args {
    const char *store;
    char *filter;
} count_args;

static const op_field count_fields[] = {
    OP_STORE(count_args),
    OP_FIELD(count_args, filter, OP_OBJECT, 0, .doc = "Only records whose metadata matches, as in search_vectors."),
    OP_END
};
static const op_result count_reply[] = { OP_RESULT(count, OP_INTEGER, 0, .doc = "Records in the store, or those that match."), OP_END };

static evdb_status count(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const count_args *a = args;
    evdb_store *store = NULL;
    uint64_t records = 0;
    evdb_status rc = evdb_store_open(call->db, a->store, &store, err);
    if (rc == EVDB_OK) rc = evdb_filter_count(store, a->filter, &records, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) op_out_integer(reply, "count", (int64_t)records);
    return rc;
}

const op op_count_records = {
    .name = "count_records", .doc = "Count the records of a store, all or those that match a filter.",
    .method = "GET", .path = "/api/v1/stores/{name}/count", .scope = OP_SCOPE_READ, .effect = OP_READS,
    .args = count_fields, .args_size = sizeof(count_args), .reply = count_reply, .run = count,
};
