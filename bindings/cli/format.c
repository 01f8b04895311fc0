/* format.c - implements format.h. */
#include "format.h"
#include <string.h>

static const char *format_name(uint32_t value)
{
    return evdb_format_name((evdb_format)value);
}

static evdb_status format_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_format format = 0;
    evdb_status rc = evdb_format_parse(name, &format, err);
    if (rc == EVDB_OK) *out = format;
    return rc;
}

const op_choice choice_format = { format_name, format_parse };

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
