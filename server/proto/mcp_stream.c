/* mcp_stream.c - implements proto/mcp_stream.h. */
#include "proto/mcp_stream.h"
#include <stdlib.h>

static const char alive[] = ": keep-alive\n\n";

typedef struct open_stream {
    const service *s;
    http_stream *stream;
    access_lease lease;
} open_stream;

static bool send(void *context, const char *message, size_t size) { return mcp_event_write(((open_stream *)context)->stream, message, size); }

static bool left(void *context) { return http_stream_left(((open_stream *)context)->stream); }

static bool idle(void *context) { return http_stream_write(((open_stream *)context)->stream, alive, sizeof alive - 1); }

static evdb_status renew(void *context, evdb_principal *who, evdb_error *err)
{
    const open_stream *o = context;
    return access_lease_renew(o->s, &o->lease, who, err);
}

static void end(void *context)
{
    open_stream *o = context;
    http_stream_end(o->stream);
    access_lease_drop(&o->lease);
    free(o);
}

evdb_status mcp_stream_keep(void *context, mcp_channel *out, evdb_error *err)
{
    mcp_events *e = context;
    open_stream *o = calloc(1, sizeof *o);
    if (!o) return op_fail(err, EVDB_NO_MEMORY, "out of memory opening a stream");
    o->s = e->s;
    evdb_status rc = access_lease_take(e->s, e->request, e->token, &o->lease, err);
    if (rc == EVDB_OK && !(o->stream = mcp_events_begin(e))) rc = op_fail(err, EVDB_NO_MEMORY, "out of memory opening a stream");
    if (rc != EVDB_OK) {
        access_lease_drop(&o->lease);
        free(o);
        return rc;
    }
    *out = (mcp_channel){ .context = o, .send = send, .cancelled = left, .renew = renew, .idle = idle, .close = end };
    return EVDB_OK;
}
