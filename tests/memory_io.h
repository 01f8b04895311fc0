/* memory_io.h - an evdb_source and an evdb_sink over memory, which can stutter and fail on demand. */
#ifndef TESTS_MEMORY_IO_H
#define TESTS_MEMORY_IO_H
#include "seed.h"
#include <evdb/transfer.h>
#include <stdbool.h>

enum { MEMORY_NEVER = -1 };

typedef struct memory_source {
    const char *bytes;
    size_t size, at;
    size_t most;       /* bytes in one read, 0 = as many as asked for */
    long long fail_at; /* answer EVDB_IO instead of reading past this offset; MEMORY_NEVER */
    /* What rewind() switches to, to change the "file" between two passes; NULL = the same bytes. */
    const char *second;
    size_t second_size;
    unsigned rewinds;
} memory_source;

memory_source memory_from(const void *bytes, size_t size);
memory_source memory_from_text(const char *text);
evdb_source memory_reading(memory_source *m); /* borrows m */

typedef struct memory_sink {
    char *bytes; /* NUL-terminated */
    size_t size, capacity;
    long long fail_at; /* answer EVDB_FULL once this many bytes would be exceeded */
} memory_sink;

memory_sink memory_to(void);
evdb_sink memory_writing(memory_sink *m);
void memory_sink_free(memory_sink *m);
#endif
