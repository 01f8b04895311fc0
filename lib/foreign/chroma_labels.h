/* chroma_labels.h - index_metadata.pickle of a Chroma: which record has which label in the index. */
#ifndef EVDB_FOREIGN_CHROMA_LABELS_H
#define EVDB_FOREIGN_CHROMA_LABELS_H
#include "platform/platform.h"
#include <evdb/transfer.h>

typedef evdb_status chroma_label_fn(void *context, const char *id, size_t length, int64_t label, evdb_error *err);

/* Calls each() for every pair of id_to_label. *sequence is the number of the last write that the index has seen, 0 when the pickle does
 * not say. */
evdb_status chroma_labels(const evdb_allocator *mem, const evdb_source *source, chroma_label_fn *each, void *context, int64_t *sequence,
                          evdb_error *err);
#endif
