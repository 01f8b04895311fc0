/* feed.h - records with ids, whatever the format: a reader, its companion, or numbers counted up. */
#ifndef EVDB_FORMAT_FEED_H
#define EVDB_FORMAT_FEED_H
#include "format/reader.h"

typedef struct feed {
    reader *rows;
    reader *companion; /* or NULL */
    bool counted;      /* ids are first_id, first_id + 1, ...: no two alike */
    int64_t first_id;
    reader_row row;
} feed;

/* A companion is refused with formats that carry ids. Sources are borrowed. */
evdb_status feed_open(feed *f, const evdb_allocator *mem, evdb_format format, const evdb_source *source,
                      const evdb_source *companion, int64_t first_id, evdb_error *err);
/* Rows that have ids themselves. The reader becomes the feed's. */
void feed_of(feed *f, reader *rows);
void feed_close(feed *f);

/* Like reader_next(). */
evdb_status feed_next(feed *f, const reader_row **out, evdb_error *err);
/* After an error: can nothing follow? */
bool feed_broken(const feed *f);
/* The line the last error, or row, was about; and what it counts: "line" or "row". */
uint64_t feed_line(const feed *f);
const char *feed_unit(const feed *f);
#endif
