/* write_one.c - implements op/write_one.h. */
#include "op/write_one.h"
#include "op/op_clock.h"
#include "op/op_meter.h"

evdb_status op_expiry_take(const op_expiry *given, int64_t *out, evdb_error *err)
{
    int64_t ttl_ms = given->ttl > 0 ? given->ttl * 1000 : given->ttl ? given->ttl : given->ttl_ms;
    if ((given->ttl != 0) + (given->ttl_ms != 0) + (given->expires_ms != 0) > 1)
        return op_fail(err, EVDB_INVALID, "'ttl', 'ttl_ms' and 'expires_ms' exclude each other");
    if (ttl_ms < 0 || given->expires_ms < 0) *out = EVDB_NEVER;
    else *out = ttl_ms ? op_now_ms() + ttl_ms : given->expires_ms;
    return EVDB_OK;
}

const op_result op_write_reply[] = {
    OP_RESULT(id, OP_ID, 0, .doc = "Id of the record."),
    OP_RESULT(version, OP_INTEGER, 0, .doc = "The record's version now; grows with every write."),
    OP_END
};

const char *op_author(const op_call *call) { return call->who ? call->who->client : call->user; }

void op_put_author(op_out *o, const char *author, int64_t written_ms)
{
    if (author) op_out_text(o, "author", author);
    if (written_ms) op_out_integer(o, "written_ms", written_ms);
}

static evdb_status write_to(const op_call *call, evdb_store *store, const op_write *w, int64_t expires, uint64_t *version, evdb_error *err)
{
    evdb_batch batch = EVDB_BATCH;
    uint64_t if_version = (uint64_t)w->if_version;
    batch.kind = w->kind;
    batch.count = 1;
    batch.ids = &w->id;
    batch.vectors = w->vector->at;
    batch.dim = (uint32_t)w->vector->count;
    batch.metadata = w->metadata ? &w->metadata : NULL;
    batch.codec = w->codec;
    batch.if_versions = if_version ? &if_version : NULL;
    batch.expires = expires ? &expires : NULL;
    batch.versions = version;
    batch.author = op_author(call);
    evdb_status rc = evdb_batch_write(store, &batch, NULL, err);
    if (rc != EVDB_OK && err) err->item = EVDB_NO_ITEM; /* who asked knows of no batch */
    return rc;
}

evdb_status op_write_one(op_call *call, const op_write *w, op_out *reply, evdb_error *err)
{
    evdb_store *store = NULL;
    uint64_t version = 0;
    int64_t expires = 0;
    evdb_status rc = op_expiry_take(w->expiry, &expires, err);
    if (rc == EVDB_OK) rc = evdb_store_open(call->db, w->store, &store, err);
    if (rc == EVDB_OK) rc = op_meter_take(call, 1, err);
    if (rc == EVDB_OK) {
        rc = write_to(call, store, w, expires, &version, err);
        if (rc != EVDB_OK) op_meter_return(call, 1);
    }
    evdb_store_close(store);
    if (rc != EVDB_OK) return rc;
    op_out_id(reply, "id", &w->id);
    op_out_integer(reply, "version", (int64_t)version);
    return EVDB_OK;
}
