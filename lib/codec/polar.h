/* polar.h - the orthonormal rows that are nearest to given ones: the factor U V' of W = U S V', by the iteration of Newton and Schulz (N.
 * J. Higham: Functions of Matrices, 8.3), scaled as J. Chen and E. Chow do (2014). It is made of products alone. */
#ifndef EVDB_CODEC_POLAR_H
#define EVDB_CODEC_POLAR_H
#include "codec/codec.h"

/* rows: count <= dim rows of dim floats that do not depend on each other, of any scale that squares can hold. EVDB_CANCELLED. */
evdb_status polar_rows(const evdb_allocator *mem, const kernel *k, const codec_training *t, float *rows, uint32_t count, uint32_t dim,
                       evdb_error *err);
#endif
