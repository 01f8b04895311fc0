/* transfer_batch.h - records on their way into a store, gathered for one commit. */
#ifndef EVDB_TRANSFER_BATCH_H
#define EVDB_TRANSFER_BATCH_H
#include "base/buf.h"
#include "format/reader.h"
#include <evdb/batch.h>

/* A batch is written when it holds this much, even if it has fewer records than asked for: memory stays constant. */
#define TRANSFER_BATCH_BYTES (64u << 20)

typedef struct transfer_item {
    uint64_t line;
    int64_t number;
    size_t id, id_length; /* in text; length 0 = an integer id */
    size_t metadata;      /* in text, NUL-terminated */
    bool has_metadata;
    int64_t expires_ms;
    size_t author;        /* in text, NUL-terminated ... */
    bool has_author;      /* ... where it has one */
    int64_t written_ms;
} transfer_item;

typedef struct transfer_batch {
    evdb_write kind;
    uint32_t most; /* records */
    bool partial;  /* write the good ones and report the others */
    const char *author; /* who writes, or NULL */
    bool keep_authors;  /* but for records that say who wrote them */
    uint32_t dim;
    size_t count;
    buf vectors, text;
    /* most of each, allocated with the first record */
    transfer_item *items;
    evdb_id *ids;
    const char **metadata;
    int64_t *expires, *written;
    const char **authors;
    evdb_status *statuses;
} transfer_batch;

void transfer_batch_init(transfer_batch *b, const evdb_allocator *mem, evdb_write kind, uint32_t most, bool partial);
void transfer_batch_free(transfer_batch *b);
evdb_status transfer_batch_add(transfer_batch *b, const reader_row *row, const evdb_id *id, evdb_error *err);
/* Is it time to write? */
bool transfer_batch_full(const transfer_batch *b);
/* Writes and empties it; err->item is a line. With `partial` each refused record goes to refused(). */
evdb_status transfer_batch_write(transfer_batch *b, evdb_store *store, size_t *written,
                                 void (*refused)(void *context, uint64_t line, const evdb_error *why), void *context,
                                 evdb_error *err);
#endif
