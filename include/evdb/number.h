/* number.h - float32 to and from decimal text, bit for bit and in every locale: for whoever carries vectors as JSON. */
#ifndef EVDB_NUMBER_H
#define EVDB_NUMBER_H
#include <evdb/error.h>
#include <stddef.h>
EVDB_BEGIN

#define EVDB_NUMBER_TEXT_MAX 24u

/* The decimal with the fewest digits that reads back as the same bits, -0 and denormals included, as a JSON number. `value` must
 * be finite. Returns the length, at most EVDB_NUMBER_TEXT_MAX; no NUL is written. */
EVDB_API size_t evdb_number_print(float value, char *out);

/* Reads a JSON array of numbers (RFC 8259); text[0] is its '['. Each becomes the nearest float32, ties to even, too small ones 0.
 * *count is how many there are, of which the first `room` were stored; *used (may be NULL) the bytes up to and with the ']'.
 * EVDB_INVALID when it is no array of numbers, EVDB_LIMIT when a number is too large for a float32: err->item is its
 * index. Some 8 ns a number. Thread-safe. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_number_read_array(const char *text, size_t length, float *out, size_t room,
                                                            size_t *count, size_t *used, evdb_error *err);

EVDB_END
#endif
