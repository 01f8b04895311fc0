/* store_rows.h - many vectors for one store: packed bytes become rows as long as the store's vectors are. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H
#include "op/op.h"

/* `asked` is what the request says of the dimension, 0 = nothing: needed while the store has none, else it must agree. The
 * rest is op_rows_of()'s; free *out with op_rows_free(). */
evdb_status store_rows(evdb_store *store, const op_vectors *v, int64_t asked, size_t most, bool ids, op_rows *out,
                       evdb_error *err);
#endif
