/* elements.h - vectors of files' element types (little-endian) as float32. */
#ifndef EVDB_FORMAT_ELEMENTS_H
#define EVDB_FORMAT_ELEMENTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t elements_u32(const char *bytes);
uint64_t elements_u64(const char *bytes);
void elements_put_u32(uint32_t value, char out[4]);

/* dim float32 at `bytes`, aligned or not: those very bytes where the machine can use them as they are, else converted into
 * `copy` (dim floats). */
const float *elements_f32(const char *bytes, uint32_t dim, float *copy);

/* Converts element by element, exactly but for f64, which is rounded. Returns the first element that does not fit float32, or
 * dim. NaN and infinities pass: whether they are welcome is not a question of form. */
typedef uint32_t elements_fn(const char *bytes, uint32_t dim, float *out);
elements_fn elements_from_f16, elements_from_f64, elements_from_u8, elements_from_i8;
#endif
