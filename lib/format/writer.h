/* writer.h - records into a file, one at a time, in constant memory: the mirror of reader.h. */
#ifndef EVDB_FORMAT_WRITER_H
#define EVDB_FORMAT_WRITER_H
#include "format/output.h"
#include <evdb/record.h>

typedef struct writer writer;

typedef struct writer_type {
    /* Writes what stands before the first record; may be NULL, like end. */
    evdb_status (*begin)(writer *w, evdb_error *err);
    evdb_status (*row)(writer *w, const evdb_record *record, evdb_error *err);
    evdb_status (*end)(writer *w, evdb_error *err);
} writer_type;

struct writer {
    const writer_type *type;
    const evdb_store_info *store; /* borrowed */
    uint64_t expected;            /* records, as far as known before the first */
    uint64_t written;
    output out;
};

extern const writer_type writer_json, writer_jsonl, writer_companion, writer_npy, writer_fvecs, writer_bvecs;

/* NULL for a value that is no format. */
const writer_type *writer_type_of(evdb_format format);

/* The sink and the description are borrowed. NPY says first how many rows follow, and a sink cannot go back: it
 * answers EVDB_BUSY when they turn out to be more or fewer than `expected`. */
evdb_status writer_open(writer *w, const writer_type *type, const evdb_allocator *mem, const evdb_sink *sink,
                        const evdb_store_info *store, uint64_t expected, evdb_error *err);
evdb_status writer_row(writer *w, const evdb_record *record, evdb_error *err);
/* Without it the output is incomplete. */
evdb_status writer_finish(writer *w, evdb_error *err);
void writer_close(writer *w);
#endif
