/* pickle.h - Python's pickles as tokens, for files that hold plain dictionaries of text and integers.
 *
 * Nothing is built and nothing is executed: what an opcode would import, call or construct is passed over. Opcodes beyond those that
 * such dictionaries, or an object with them as attributes, are made of are refused. */
#ifndef EVDB_FORMAT_PICKLE_H
#define EVDB_FORMAT_PICKLE_H
#include "format/window.h"

enum { PICKLE_TEXT_MAX = 1 << 20 };

typedef enum pickle_kind {
    PICKLE_END,
    PICKLE_TEXT,
    PICKLE_INTEGER,
    PICKLE_DICT, /* a new, empty one */
    PICKLE_MARK, /* pairs follow, until PICKLE_PAIRS */
    PICKLE_PAIRS,
    PICKLE_PAIR, /* puts the two values before it into the dictionary before them */
    PICKLE_OTHER
} pickle_kind;

typedef struct pickle_token {
    pickle_kind kind;
    const char *text; /* borrowed until the next token */
    size_t length;
    int64_t integer;
} pickle_token;

typedef struct pickle {
    window in;
    size_t used; /* bytes of the last token, still in the window */
} pickle;

/* The source is borrowed. */
evdb_status pickle_open(pickle *p, const evdb_allocator *mem, const evdb_source *source, evdb_error *err);
void pickle_close(pickle *p);
evdb_status pickle_next(pickle *p, pickle_token *out, evdb_error *err);
#endif
