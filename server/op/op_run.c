/* op_run.c - one call of one operation, from JSON to JSON. */
#include "op/op.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

evdb_status op_fail(evdb_error *err, evdb_status status, const char *format, ...)
{
    if (!err) return status;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (length >= (int)sizeof err->message) { /* cut between characters, not within one */
        char *end = err->message + sizeof err->message - 1;
        while (end > err->message && ((unsigned char)*--end & 0xc0) == 0x80) *end = '\0';
        if ((unsigned char)*end >= 0xc0) *end = '\0';
    }
    err->status = status;
    err->reserved = 0;
    err->item = EVDB_NO_ITEM;
    return status;
}

evdb_status op_run(const op *o, op_call *call, const json_t *in, const struct op_slices *slices, op_out *reply,
                   evdb_error *err)
{
    if ((o->stream == OP_STREAM_IN && !call->from) || (o->stream == OP_STREAM_OUT && !call->to))
        return op_fail(err, EVDB_UNSUPPORTED, "%s moves plain bytes, which only REST carries", o->name);
    void *args = calloc(1, o->args_size + 1); /* + 1: some operations take nothing */
    if (!args) return op_fail(err, EVDB_NO_MEMORY, "out of memory calling %s", o->name);
    evdb_status rc = op_bind(o, in, slices, args, err);
    if (rc == EVDB_OK) {
        op_out_open(reply, NULL, '{');
        rc = o->run(call, args, reply, err);
        op_out_close(reply, '}');
        op_unbind(o, args);
        if (rc == EVDB_OK) rc = op_out_done(reply, err);
        if (rc != EVDB_OK) op_out_free(reply);
    }
    free(args);
    return rc;
}
