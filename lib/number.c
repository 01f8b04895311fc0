/* number.c - implements evdb/number.h. */
#include <evdb/number.h>
#include "base/error.h"
#include "format/number.h"

_Static_assert(EVDB_NUMBER_TEXT_MAX == NUMBER_TEXT_MAX, "one limit, said twice");

size_t evdb_number_print(float value, char *out) { return number_from_float(value, out); }

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

static evdb_status malformed(size_t index, evdb_error *err)
{
    return error_item(err, index, EVDB_INVALID, "element %zu of the array is not a number", index);
}

evdb_status evdb_number_read_array(const char *text, size_t length, float *out, size_t room, size_t *count, size_t *used,
                                   evdb_error *err)
{
    const char *end = text + length, *p = text;
    size_t n = 0;
    if (p == end || *p != '[') return error_set(err, EVDB_INVALID, "not an array of numbers");
    p = skip_blank(p + 1, end);
    if (p == end || *p != ']')
        for (;; n++) {
            float value;
            bool large = false;
            const char *behind = number_scan(p, end, &value, &large);
            if (!behind || behind == end) return malformed(n, err);
            if (large) return error_item(err, n, EVDB_LIMIT, "element %zu of the array is beyond the range of float32", n);
            if (n < room) out[n] = value;
            p = skip_blank(behind, end);
            if (p < end && *p == ']') {
                n++;
                break;
            }
            if (p == end || *p != ',') return malformed(n, err);
            p = skip_blank(p + 1, end);
        }
    *count = n;
    if (used) *used = (size_t)(p + 1 - text);
    return EVDB_OK;
}
