/* output.c - implements format/output.h. */
#include "format/output.h"
#include "base/error.h"
#include <string.h>

void output_init(output *o, const evdb_allocator *mem, const evdb_sink *sink)
{
    *o = (output){ .sink = sink };
    buf_init(&o->bytes, mem);
}

void output_free(output *o) { buf_free(&o->bytes); }

void output_add(output *o, const void *bytes, size_t count)
{
    if (!buf_add(&o->bytes, bytes, count)) o->no_memory = true;
}

void output_text(output *o, const char *text) { output_add(o, text, strlen(text)); }

evdb_status output_flush(output *o, evdb_error *err)
{
    evdb_error why = { .item = EVDB_NO_ITEM, .message = "the output cannot be written" };
    if (o->no_memory) return error_no_memory(err, o->bytes.capacity * 2, "writing");
    if (!o->bytes.size) return EVDB_OK;
    evdb_status rc = o->sink->write(o->sink->context, o->bytes.at, o->bytes.size, &why);
    if (rc != EVDB_OK) {
        why.status = rc;
        if (err) *err = why;
        return rc;
    }
    o->bytes.size = 0;
    return EVDB_OK;
}

evdb_status output_step(output *o, evdb_error *err)
{
    return o->no_memory || o->bytes.size >= OUTPUT_BYTES ? output_flush(o, err) : EVDB_OK;
}
