/* chroma_index.h - the vectors of a Chroma segment: an hnswlib index saved as several files in a folder named as the segment.
 *
 * header.bin says how data_level0.bin is laid out: an element after the other, each with links, vector and label. Under cosine vectors
 * have length 1, and length.bin the lengths they had. Of which record a label is stands in index_metadata.pickle (chroma_labels.h). */
#ifndef EVDB_FOREIGN_CHROMA_INDEX_H
#define EVDB_FOREIGN_CHROMA_INDEX_H
#include "foreign/source.h"
#include "platform/descriptor.h"

typedef struct chroma_index {
    char *data_path, *length_path;
    descriptor data, lengths; /* fd -1: not open */
    bool scaled;              /* vectors are multiplied by their lengths */
    uint64_t count, element, vector_at;
    uint32_t dim; /* 0: there is no index yet */
    foreign_query *find;
} chroma_index;

void chroma_index_init(chroma_index *x);
/* Reads which element is whose into temporary tables of s->db. Where there is no index yet, x->dim stays 0. *sequence is as of
 * chroma_labels(). */
evdb_status chroma_index_open(chroma_index *x, evdb_foreign *s, const char *segment, bool scaled, int64_t *sequence, evdb_error *err);
void chroma_index_close(chroma_index *x, evdb_foreign *s);
/* Puts the vector of a record into `out`, dim little-endian float32. */
evdb_status chroma_index_find(chroma_index *x, const char *id, size_t length, bool *found, char *out, evdb_error *err);
#endif
