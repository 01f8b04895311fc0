/* rotation.h - random rotations that take no matrix: some rounds of random signs and Hadamard's transform (the FJLT's idea, Ailon and
 * Chazelle 2006, in place of a projection a rotation; for dimensions that are no power of two in overlapping blocks, as the rounds of
 * Kac's walk). The same dimension and seed give the same rotation, on every machine but for rounding. */
#ifndef EVDB_CODEC_ROTATION_H
#define EVDB_CODEC_ROTATION_H
#include "kernel/kernel.h"
#include <evdb/database.h>

typedef struct rotation rotation;

/* One block, to be freed with mem_free(). */
evdb_status rotation_make(const evdb_allocator *mem, uint32_t dim, uint64_t seed, rotation **out, evdb_error *err);
/* y = R x, and x = R' y; not in place. Elements that float cannot hold become the largest it can. */
void rotation_forward(const rotation *r, const kernel *k, const float *x, float *y);
void rotation_back(const rotation *r, const kernel *k, const float *y, float *x);

#endif
