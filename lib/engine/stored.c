/* stored.c - implements engine/stored.h. */
#include "engine/stored.h"
#include "base/element.h"
#include "engine/engine.h"

evdb_status stored_vector(const engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, float *scratch,
                          const float **out, evdb_error *err)
{
    evdb_status rc = element_check(e->dtype, id, bytes, size, dim, err);
    if (rc != EVDB_OK) return rc;
    if (e->dtype != EVDB_F32) element_decode(e->dtype, bytes, dim, scratch);
    *out = e->dtype == EVDB_F32 ? bytes : scratch;
    return EVDB_OK;
}
