/* stored.c - implements engine/stored.h. */
#include "engine/stored.h"
#include "base/element.h"
#include "base/error.h"
#include "base/id.h"
#include "engine/engine.h"

evdb_status stored_check(const engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, evdb_error *err)
{
    char shown[64];
    size_t wanted = element_bytes(e->dtype, dim);
    if (size != wanted)
        return error_set(err, EVDB_CORRUPT, "record %s: its vector has %zu bytes where %zu belong", id_show(id, shown, sizeof(shown)),
                         size, wanted);
    if (!element_sound(e->dtype, bytes, dim))
        return error_set(err, EVDB_CORRUPT, "record %s: its vector is none of %s elements", id_show(id, shown, sizeof(shown)),
                         evdb_dtype_name(e->dtype));
    return EVDB_OK;
}

evdb_status stored_vector(const engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, float *scratch,
                          const float **out, evdb_error *err)
{
    evdb_status rc = stored_check(e, id, bytes, size, dim, err);
    if (rc != EVDB_OK) return rc;
    if (e->dtype != EVDB_F32) element_decode(e->dtype, bytes, dim, scratch);
    *out = e->dtype == EVDB_F32 ? bytes : scratch;
    return EVDB_OK;
}
