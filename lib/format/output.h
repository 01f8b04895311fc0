/* output.h - bytes on their way to an evdb_sink, handed over in large pieces. */
#ifndef EVDB_FORMAT_OUTPUT_H
#define EVDB_FORMAT_OUTPUT_H
#include "base/buf.h"
#include <evdb/transfer.h>

#define OUTPUT_BYTES (256u << 10) /* handed over when this many have gathered */

typedef struct output {
    const evdb_sink *sink;
    buf bytes;
    bool no_memory; /* an append did not fit; output_flush() reports it */
} output;

void output_init(output *o, const evdb_allocator *mem, const evdb_sink *sink);
void output_free(output *o);
/* Appends cannot fail; what went wrong is said by the next output_step() or output_flush(). */
void output_add(output *o, const void *bytes, size_t count);
void output_text(output *o, const char *text);
/* Call after each record: hands over once enough has gathered. */
evdb_status output_step(output *o, evdb_error *err);
evdb_status output_flush(output *o, evdb_error *err);
#endif
