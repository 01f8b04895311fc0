/* json_build.h - JSON text, put together value by value. Each appends to a buf and is false when memory runs out. */
#ifndef EVDB_FORMAT_JSON_BUILD_H
#define EVDB_FORMAT_JSON_BUILD_H
#include "base/buf.h"
#include <stdint.h>

/* `text` is UTF-8; what JSON wants escaped is escaped, the rest stays readable. */
bool json_add_string(buf *out, const char *text, size_t length);
bool json_add_integer(buf *out, int64_t value);
/* The shortest decimal that is read back as the same double, with a fraction or an exponent. `value` must be finite. */
bool json_add_real(buf *out, double value);
#endif
