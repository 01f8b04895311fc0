/* transfer_present.h - is a record that shall be imported in the store already, as it would be written? */
#ifndef EVDB_TRANSFER_PRESENT_H
#define EVDB_TRANSFER_PRESENT_H
#include "format/reader.h"

typedef enum presence {
    PRESENT_NOT,          /* no record has its id */
    PRESENT_SAME,         /* one does, and has its vector and metadata */
    PRESENT_OTHER_VECTOR, /* one does, with another vector */
    PRESENT_OTHER_METADATA
} presence;

/* id is the row's in the store's own form. Vectors are the same when what is stored of the row's would be the bytes that are there. */
evdb_status transfer_present(evdb_store *store, const evdb_id *id, const reader_row *row, presence *out, evdb_error *err);
#endif
