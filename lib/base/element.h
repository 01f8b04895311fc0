/* element.h - vectors as they are stored: floats as the bytes of an element type, and back.
 *
 * f32 and f16 are IEEE 754 numbers in the machine's byte order, i8 are signed bytes, bits are packed from the lowest of the first
 * byte on; the bits behind the last element are zero. */
#ifndef EVDB_BASE_ELEMENT_H
#define EVDB_BASE_ELEMENT_H
#include <evdb/record.h>
#include <stdbool.h>

#define ELEMENT_F16_MAX 65504.0f
#define ELEMENT_F16_ZERO 0x1p-25f /* what is no larger becomes zero */

/* Of a vector of dim elements. */
size_t element_bytes(evdb_dtype dtype, uint32_t dim);
/* The first element that the type cannot hold, or dim. v is finite. */
uint32_t element_unfit(evdb_dtype dtype, const float *v, uint32_t dim);
/* What it holds, to complete "element 3 is 2, but ...". */
const char *element_holds(evdb_dtype dtype);
/* Of a vector that fits; f16 is rounded to the nearest, halves to even. */
void element_encode(evdb_dtype dtype, const float *v, uint32_t dim, void *out);
/* Could element_encode() have made these bytes? */
bool element_sound(evdb_dtype dtype, const void *bytes, uint32_t dim);
/* The same of a record's vector, its size too: EVDB_CORRUPT, naming the record, when it could not. */
evdb_status element_check(evdb_dtype dtype, const evdb_id *id, const void *bytes, size_t size, uint32_t dim, evdb_error *err);
void element_decode(evdb_dtype dtype, const void *bytes, uint32_t dim, float *out);

uint16_t element_half(float value); /* |value| is at most ELEMENT_F16_MAX */
float element_from_half(uint16_t half); /* any: infinities and NaN too */

#endif
