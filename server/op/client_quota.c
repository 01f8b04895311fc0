/* client_quota.c - operations on how much a client may ask and write. */
#include "op/op_meter.h"
#include "op/ops.h"

typedef struct set_args {
    const char *client_id;
    int64_t requests, records, bytes;
} set_args;

#define CLIENT_FIELD(st) OP_FIELD(st, client_id, OP_STRING, OP_REQUIRED, .alias = "id", .position = 1, .doc = "Name of the client.")
#define LIMIT_FIELD(member, most, text)                                                                           \
    OP_FIELD(set_args, member, OP_INTEGER, 0, .min = EVDB_QUOTA_NONE, .max = most,                                \
             .doc = text "; without it what the server allows everybody, -1 = no limit.")

static const op_field set_fields[] = {
    CLIENT_FIELD(set_args),
    LIMIT_FIELD(requests, EVDB_QUOTA_REQUESTS_MAX, "Requests a second"),
    LIMIT_FIELD(records, INT64_MAX, "Records written a day"),
    LIMIT_FIELD(bytes, INT64_MAX, "Bytes of the requests that write, a day"),
    OP_END
};

#define LIMIT_RESULTS                                                                                             \
    OP_RESULT(client_id, OP_STRING, 0, .doc = "Name of the client."),                                             \
    OP_RESULT(requests, OP_INTEGER, 0, .doc = "Requests a second; 0 = what the server allows everybody, -1 = no limit."), \
    OP_RESULT(records, OP_INTEGER, 0, .doc = "Records written a day, likewise."),                                 \
    OP_RESULT(bytes, OP_INTEGER, 0, .doc = "Bytes of the requests that write, a day, likewise.")

static const op_result set_reply[] = { LIMIT_RESULTS, OP_END };

static void put_quota(op_out *reply, const char *client, const evdb_quota *q)
{
    op_out_text(reply, "client_id", client);
    op_out_integer(reply, "requests", q->requests);
    op_out_integer(reply, "records", q->records);
    op_out_integer(reply, "bytes", q->bytes);
}

static evdb_status set(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const set_args *a = args;
    const evdb_quota quota = { .requests = a->requests, .records = a->records, .bytes = a->bytes };
    evdb_status rc = evdb_auth_quota_set(call->db, a->client_id, &quota, err);
    if (rc == EVDB_OK) put_quota(reply, a->client_id, &quota);
    return rc;
}

const op op_set_quota = {
    .name = "set_quota", .doc = "Say how much a client may ask and write; what is not given is what the server allows everybody.",
    .no_tool = true, .method = "PUT", .path = "/api/v1/clients/{client_id}/quota", .scope = OP_SCOPE_ADMIN,
    .effect = OP_ADMINISTERS, .destroys = true,
    .args = set_fields, .args_size = sizeof(set_args), .reply = set_reply, .run = set,
};

typedef struct get_args { const char *client_id; } get_args;

static const op_field get_fields[] = { CLIENT_FIELD(get_args), OP_END };

static const op_result get_reply[] = {
    LIMIT_RESULTS,
    OP_RESULT(records_today, OP_INTEGER, OP_OPTIONAL, .doc = "Of a server: records that it has written today, if they have a limit."),
    OP_RESULT(bytes_today, OP_INTEGER, OP_OPTIONAL, .doc = "Bytes, likewise."),
    OP_END
};

static evdb_status get(op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    const get_args *a = args;
    evdb_quota quota;
    evdb_status rc = evdb_auth_quota_get(call->db, a->client_id, &quota, err);
    if (rc != EVDB_OK) return rc;
    put_quota(reply, a->client_id, &quota);
    if (call->meter) {
        quota_use today = quotas_used(call->meter->quotas, a->client_id);
        op_out_integer(reply, "records_today", (int64_t)today.records);
        op_out_integer(reply, "bytes_today", (int64_t)today.bytes);
    }
    return EVDB_OK;
}

const op op_get_quota = {
    .name = "get_quota", .doc = "How much a client may ask and write, and has written today.", .no_tool = true,
    .method = "GET", .path = "/api/v1/clients/{client_id}/quota", .scope = OP_SCOPE_ADMIN, .effect = OP_READS,
    .args = get_fields, .args_size = sizeof(get_args), .reply = get_reply, .run = get,
};
