/* format_rows.h - running readers and writers over memory, for the tests of lib/format. */
#ifndef TESTS_FORMAT_ROWS_H
#define TESTS_FORMAT_ROWS_H
#include "format/reader.h"
#include "format/writer.h"
#include "memory_io.h"

enum { ROWS_MAX = 4096 };

/* What became of a file. Rows are owned copies. */
typedef struct rows_read {
    size_t count; /* good rows */
    reader_row row[ROWS_MAX];
    size_t bad;        /* rows behind which the reader went on */
    uint64_t bad_line; /* of the first bad one */
    bool opened, broken;
    evdb_status status; /* of the first failure */
    evdb_error error;
} rows_read;

/* Reads to the end or to where nothing can follow, `most` bytes at a time (0 = any). Free with rows_free(). */
rows_read *rows_from(const reader_type *type, const void *bytes, size_t size, size_t most);
void rows_free(rows_read *r);

/* Writes records as a store of this description; asserts that it works. Free with memory_sink_free(). */
memory_sink rows_written(const writer_type *type, const evdb_store_info *store, const evdb_record *records,
                         size_t count);

const evdb_allocator *rows_memory(void);
#endif
