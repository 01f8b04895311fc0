/* value.h - values in metadata as filters see them: found by path in JSON text, compared, nothing allocated. */
#ifndef EVDB_FILTER_VALUE_H
#define EVDB_FILTER_VALUE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum value_kind {
    VALUE_MISSING, VALUE_NULL, VALUE_FALSE, VALUE_TRUE, VALUE_NUMBER, VALUE_STRING, VALUE_ARRAY, VALUE_OBJECT
} value_kind;

typedef struct filter_value {
    value_kind kind;
    bool whole;       /* NUMBER: `integer` holds it exactly, else `real` does */
    bool escaped;     /* STRING: its text has escapes in it */
    uint32_t length;
    const char *text; /* STRING: between the quotes; ARRAY, OBJECT: all of it; borrowed */
    union {
        int64_t integer;
        double real;
    };
} filter_value;

/* Reads the JSON value at p: what lies behind it, or NULL when it is none. A NUL ends the text at `end`. Arrays and objects are
 * only measured. */
const char *value_read(const char *p, const char *end, filter_value *out);
/* The value at a path ("a" or "a.b") of a JSON object; MISSING when there is none. metadata[length] is NUL. Where the text is
 * not JSON, the answer is any, but nothing bad happens. */
filter_value value_find(const char *metadata, size_t length, const char *path);
/* The array's elements one after the other: *at is NULL at first, and NULL again behind the last. False when there is none. */
bool value_next(const filter_value *array, const char **at, filter_value *out);

/* Are a and b of one type, and which comes first: < 0, 0, > 0. b has no escapes. Arrays and objects cannot be compared. */
bool value_comparable(const filter_value *a, const filter_value *b);
int value_compare(const filter_value *a, const filter_value *b);

#endif
