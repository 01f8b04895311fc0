/* op_run.c - one call of one operation, from JSON to JSON. */
#include "op/op_audit.h"
#include "op/op_inline.h"
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
    err->retry_s = 0;
    err->item = EVDB_NO_ITEM;
    return status;
}

/* The one place from which every protocol's acts come into the audit log. */
static evdb_status logged(const op *o, op_call *call, const void *args, op_out *reply, evdb_error *err)
{
    op_audit audit;
    evdb_status rc = op_audit_begin(&audit, o, call, args, err);
    return rc == EVDB_OK ? op_audit_end(&audit, o->run(call, args, reply, err), err) : rc;
}

static evdb_status run(const op *o, op_call *call, const json_t *in, const struct op_slices *slices, op_inline *inlined, op_out *reply,
                       evdb_error *err)
{
    void *args = calloc(1, o->args_size + 1); /* + 1: some operations take nothing */
    if (!args) return op_fail(err, EVDB_NO_MEMORY, "out of memory calling %s", o->name);
    evdb_status rc = op_bind(o, inlined ? inlined->args : in, slices, args, err);
    if (rc == EVDB_OK) {
        op_out_open(reply, NULL, '{');
        if (inlined) rc = op_inline_read(inlined, o, in, err);
        if (rc == EVDB_OK) rc = logged(o, call, args, reply, err);
        if (rc == EVDB_OK && inlined) op_inline_put(inlined, o, reply);
        op_out_close(reply, '}');
        op_unbind(o, args);
        if (rc == EVDB_OK) rc = op_out_done(reply, err);
        if (rc != EVDB_OK) op_out_free(reply);
    }
    free(args);
    return rc;
}

evdb_status op_run(const op *o, op_call *call, const json_t *in, const struct op_slices *slices, op_out *reply,
                   evdb_error *err)
{
    op_inline inlined;
    if (op_allow(o, call->who, in, err) != EVDB_OK) return EVDB_DENIED;
    bool plain = o->stream == OP_STREAM_NONE || (o->stream == OP_STREAM_IN ? call->from != NULL : call->to != NULL);
    if (plain) return run(o, call, in, slices, NULL, reply, err);
    if (!call->inlined) return op_fail(err, EVDB_UNSUPPORTED, "%s moves plain bytes, which only REST carries", o->name);
    evdb_status rc = op_inline_begin(&inlined, o, call, in, err);
    if (rc == EVDB_OK) rc = run(o, call, in, slices, &inlined, reply, err);
    op_inline_end(&inlined);
    call->from = NULL;
    call->to = NULL;
    call->file = NULL;
    return rc;
}
