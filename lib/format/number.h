/* number.h - float32 to and from decimal text, bit for bit and in every locale. */
#ifndef EVDB_FORMAT_NUMBER_H
#define EVDB_FORMAT_NUMBER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the JSON number at the beginning of text .. end: its end, or NULL when there is none by JSON's grammar. *large is set when
 * it is too large for a float32. Unless the number ends at `end`, in which case *out is not to be used, the byte behind
 * it must be no part of a number. */
const char *number_scan(const char *text, const char *end, float *out, bool *large);

/* The float32 nearest to a JSON number (ties to even; too small becomes 0), false when it is too large for one. `text`
 * must be a number by JSON's grammar, and the byte behind it readable and no part of a number: ',' ']' and the like. */
bool number_to_float(const char *text, size_t length, float *out);

/* A JSON number without fraction and exponent as an int64; false when it has either or does not fit. */
bool number_to_int64(const char *text, size_t length, int64_t *out);

/* The double nearest to a JSON number; infinity beyond the largest. The byte behind it as for number_to_float(). */
double number_to_double(const char *text, size_t length);

enum { NUMBER_TEXT_MAX = 24 };
/* The decimal with the fewest digits that number_to_float() turns into the same bits, -0 and denormals included, as a JSON
 * number. `value` must be finite. Returns the length; no NUL is written. */
size_t number_from_float(float value, char out[NUMBER_TEXT_MAX]);
#endif
