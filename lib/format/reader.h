/* reader.h - records out of a file, one at a time, in constant memory.
 *
 * A reader checks what its format can know: syntax, the form of an id, metadata being an object, numbers that fit float32.
 * What the store must agree with (dimension, NaN, zero vectors, id type, duplicates) is its caller's. */
#ifndef EVDB_FORMAT_READER_H
#define EVDB_FORMAT_READER_H
#include "format/window.h"
#include <evdb/transfer.h>

typedef struct reader_row {
    uint64_t line;       /* 1-based: line of the text, or number of the row in a file of vectors */
    evdb_id id;          /* id_check()ed; left 0 by files of vectors */
    const float *vector; /* dim elements, aligned; NULL in a companion */
    uint32_t dim;
    const char *metadata; /* NUL-terminated JSON object, or NULL */
    size_t metadata_length;
    int64_t expires_ms; /* Unix time, EVDB_NEVER; 0 = not said */
    const char *author; /* NUL-terminated, or NULL */
    int64_t written_ms; /* Unix time; 0 = not said */
} reader_row;

typedef struct reader reader;

/* One format: readers are allocated with `size` bytes, the first of which are a `reader`. */
typedef struct reader_type {
    size_t size;
    const char *unit;                                /* what `line` counts, for messages: "line" or "row" */
    evdb_status (*open)(reader *r, evdb_error *err); /* reads the file's head; may be NULL */
    evdb_status (*next)(reader *r, evdb_error *err); /* fills r->row or sets r->ended */
    void (*close)(reader *r);
} reader_type;

struct reader {
    const reader_type *type;
    const evdb_allocator *mem;
    window in;
    reader_row row;
    bool ended;
    bool broken; /* after an error: there is no way to find the next record */
};

extern const reader_type reader_json, reader_jsonl, reader_companion, reader_npy, reader_fvecs, reader_bvecs;

/* NULL for a value that is no format. */
const reader_type *reader_type_of(evdb_format format);

/* The source is borrowed, and must stand at its first byte. */
evdb_status reader_open(const reader_type *type, const evdb_allocator *mem, const evdb_source *source, reader **out,
                        evdb_error *err);
void reader_close(reader *r);

/* *out is borrowed until the next call; NULL with EVDB_OK at the end. On failure err->item is the line at fault (r->row.line
 * too), and the next call goes on with the next record unless r->broken. */
evdb_status reader_next(reader *r, const reader_row **out, evdb_error *err);

/* For readers: errors about the line they are at, "LINE N: ...", and those after which nothing can be read. */
__attribute__((format(printf, 3, 4))) evdb_status reader_bad(const reader *r, evdb_error *err, const char *format, ...);
__attribute__((format(printf, 3, 4))) evdb_status reader_break(reader *r, evdb_error *err, const char *format, ...);
#endif
