/* window.h - a window over an evdb_source: the bytes read and not yet used, in one piece. */
#ifndef EVDB_FORMAT_WINDOW_H
#define EVDB_FORMAT_WINDOW_H
#include <evdb/transfer.h>
#include <stdbool.h>

/* One read. Small enough to stay in a core's second-level cache, where rows are looked at right after. */
#define WINDOW_BYTES (256u << 10)

typedef struct window {
    const evdb_allocator *mem;
    const evdb_source *source;
    char *at; /* capacity bytes; those in begin..end are there to be used */
    size_t begin, end, capacity;
    bool ended;  /* the source has no more */
    bool failed; /* the source or the memory failed: nothing can follow */
} window;

evdb_status window_open(window *in, const evdb_allocator *mem, const evdb_source *source, evdb_error *err);
void window_close(window *in);

static inline size_t window_size(const window *in) { return in->end - in->begin; }
/* Moves at the next window_more() or window_need(). */
static inline const char *window_bytes(const window *in) { return in->at + in->begin; }
static inline void window_skip(window *in, size_t count) { in->begin += count; }

/* Reads once more behind what is there; at the end only `ended` changes. */
evdb_status window_more(window *in, evdb_error *err);
/* Reads until `count` bytes are there, or the source ends. */
evdb_status window_need(window *in, size_t count, evdb_error *err);
/* Is there nothing left? */
evdb_status window_at_end(window *in, bool *out, evdb_error *err);
#endif
