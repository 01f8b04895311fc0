/* stored.h - vectors as rows.db has them, checked and made floats again. */
#ifndef EVDB_ENGINE_STORED_H
#define EVDB_ENGINE_STORED_H
#include <evdb/record.h>

struct engine;

/* A vector's floats, or EVDB_CORRUPT as element_check() has it (base/element.h): the bytes themselves in a store of f32 (so of any alignment), else `scratch`, which has room
 * for dim of them and may be NULL in a store of f32. */
evdb_status stored_vector(const struct engine *e, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, float *scratch,
                          const float **out, evdb_error *err);

#endif
