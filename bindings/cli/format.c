/* format.c - implements format.h. */
#include "format.h"
#include <string.h>

evdb_status format_of(uint32_t given, const char *path, evdb_format *out, evdb_error *err)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (given) {
        *out = (evdb_format)given;
        return EVDB_OK;
    }
    if (dot && evdb_format_parse(dot + 1, out, NULL) == EVDB_OK) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "the name '%s' does not tell the format: give --format", path);
}
