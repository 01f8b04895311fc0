/* store_rows.c - implements op/store_rows.h. */
#include "op/store_rows.h"
#include <inttypes.h>

evdb_status store_rows(evdb_store *store, const op_vectors *v, int64_t asked, size_t most, bool ids, op_rows *out,
                       evdb_error *err)
{
    evdb_store_info *info = NULL;
    evdb_status rc = evdb_store_describe(store, &info, err);
    if (rc != EVDB_OK) return rc;
    size_t dim = info->dim;
    evdb_store_info_free(info);
    if (asked && dim && (size_t)asked != dim)
        return op_fail(err, EVDB_INVALID, "'dim' is %" PRId64 ", but this store's vectors have %zu elements", asked, dim);
    return op_rows_of(v, "vectors", dim ? dim : (size_t)asked, most, ids, out, err);
}
