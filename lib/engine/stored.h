/* stored.h - vectors as rows.db has them, checked and made floats again. */
#ifndef EVDB_ENGINE_STORED_H
#define EVDB_ENGINE_STORED_H
#include <evdb/record.h>

struct engine;

/* EVDB_CORRUPT, naming the record, when these bytes are no vector of dim elements of this store. */
evdb_status stored_check(const struct engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, evdb_error *err);
/* The same, and the vector's floats: the bytes themselves in a store of f32 (so of any alignment), else `scratch`, which has room
 * for dim of them and may be NULL in a store of f32. */
evdb_status stored_vector(const struct engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, float *scratch,
                          const float **out, evdb_error *err);

#endif
