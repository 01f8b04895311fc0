/* input.h - what callers hand in, checked and turned into writes. */
#ifndef EVDB_ENGINE_INPUT_H
#define EVDB_ENGINE_INPUT_H
#include "base/buf.h"
#include "disk/rows.h"
#include "engine/codecs.h"
#include "engine/stored.h"
#include <evdb/batch.h>
#include <stdbool.h>

struct engine;

/* The writes of one batch. Points into the caller's arrays unless it was made with `copy`. */
typedef struct input {
    rows_write *writes;
    evdb_status *statuses; /* the caller's, or our own when a partial batch came without */
    bool own_statuses;
    float *vectors;        /* our copy, when one was needed */
    char *encoded;         /* as they are stored, where that is not as floats: encoded_stride bytes each */
    size_t encoded_stride;
    const codec_met *codec; /* that they are written with; NULL = elements */
    stored_room room;
    buf text;              /* metadata, and ids when copied */
    size_t count;
    char author[EVDB_AUTHOR_BYTES_MAX + 1];
} input;

/* Checks everything that can be known before the transaction. In a partial batch bad items get their status and are
 * left out of `writes` by commit; otherwise the first one fails the call, err->item says which. */
evdb_status input_batch(struct engine *e, const evdb_batch *batch, bool copy, input *out, evdb_error *err);
void input_free(struct engine *e, input *in);

/* A name of who writes; NULL is one. */
evdb_status input_author(const char *author, evdb_error *err);

/* dim and values of a query or a record's vector: finite, of the store's elements, and not zero under cosine. */
evdb_status input_vector(struct engine *e, const float *vector, uint32_t dim, evdb_error *err);

#endif
