/* cursor.h - every record of a store, in order of id (integers by value, strings by bytes).
 *
 * A cursor holds no transaction between calls: it never blocks writers or keeps old data alive. A
 * record that exists all the while is returned exactly once; one inserted or deleted meanwhile may
 * or may not be. *Exclusive*: one thread at a time; must be closed before its store. */
#ifndef EVDB_CURSOR_H
#define EVDB_CURSOR_H
#include <evdb/record.h>
EVDB_BEGIN

typedef struct evdb_cursor evdb_cursor;

enum {
    EVDB_CURSOR_NO_VECTORS = 1, /* leave evdb_record.vector NULL: much cheaper */
    /* On a damaged record next() answers EVDB_CORRUPT naming it, and the following call goes on behind it. Without this
     * flag the cursor stays where it is. */
    EVDB_CURSOR_SKIP_DAMAGED = 2
};

typedef struct evdb_cursor_options {
    size_t size;          /* EVDB_CURSOR_OPTIONS sets it */
    uint32_t flags;       /* EVDB_CURSOR_... */
    uint32_t has_after;   /* 1 = begin behind `after`, which need not exist */
    evdb_id after;
} evdb_cursor_options;
#define EVDB_CURSOR_OPTIONS { .size = sizeof(evdb_cursor_options) }

EVDB_API EVDB_MUST_CHECK evdb_status evdb_cursor_open(evdb_store *store, const evdb_cursor_options *options,
                                                      evdb_cursor **out, evdb_error *err);
/* *out is borrowed until the next call on the cursor; NULL with EVDB_OK at the end. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_cursor_next(evdb_cursor *cursor, const evdb_record **out, evdb_error *err);
EVDB_API void evdb_cursor_close(evdb_cursor *cursor);

EVDB_END
#endif
