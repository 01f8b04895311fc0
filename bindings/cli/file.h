/* file.h - files as evdb_source and evdb_sink. */
#ifndef FILE_H
#define FILE_H
#include <evdb.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct source {
    FILE *file;
    const char *name; /* borrowed; for messages */
    uint64_t size, at;
} source;

/* "-" is standard input. What cannot be read twice is first copied to an unlinked temporary file. */
evdb_status source_open(source *s, const char *path, evdb_error *err);
evdb_source source_reader(source *s);
void source_close(source *s);

typedef struct sink {
    FILE *file;
    const char *name;
    char *path, *temporary; /* owned; NULL when bytes go straight to where they belong */
} sink;

/* "-" is standard output. A regular file appears under its name whole, at sink_commit(), or not at all. */
evdb_status sink_open(sink *s, const char *path, evdb_error *err);
/* Would one of them, both open, replace what the other wrote? */
bool sink_same(const sink *a, const sink *b);
evdb_sink sink_writer(sink *s);
evdb_status sink_commit(sink *s, evdb_error *err);
/* Also after sink_commit(); removes what was not committed. */
void sink_close(sink *s);
#endif
