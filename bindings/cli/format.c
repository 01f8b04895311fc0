/* format.c - implements format.h. */
#include "format.h"
#include <string.h>
#include <sys/stat.h>

static const char *extension(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    return dot ? dot + 1 : "";
}

evdb_status format_of(uint32_t given, const char *path, evdb_format *out, evdb_error *err)
{
    if (given) {
        *out = (evdb_format)given;
        return EVDB_OK;
    }
    if (evdb_format_parse(extension(path), out, NULL) == EVDB_OK) return EVDB_OK;
    return op_fail(err, EVDB_INVALID, "the name '%s' does not tell the format: give --format", path);
}

evdb_status format_of_input(uint32_t given, const char *path, uint32_t *out, evdb_error *err)
{
    static const char *const sqlite[] = { "db", "sqlite", "sqlite3", NULL };
    evdb_format format = 0;
    struct stat st;
    *out = given;
    if (!given && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) *out = FORMAT_FOREIGN + EVDB_FOREIGN_CHROMA;
    for (const char *const *name = sqlite; !*out && *name; name++)
        if (strcmp(extension(path), *name) == 0) *out = FORMAT_FOREIGN + EVDB_FOREIGN_SQLITE_VEC;
    if (*out) return EVDB_OK;
    evdb_status rc = format_of(0, path, &format, err);
    if (rc == EVDB_OK) *out = format;
    return rc;
}

static const char *input_name(uint32_t value)
{
    const char *name = evdb_format_name((evdb_format)value);
    return name || value <= FORMAT_FOREIGN ? name : evdb_foreign_kind_name((evdb_foreign_kind)(value - FORMAT_FOREIGN));
}

static evdb_status input_parse(const char *name, uint32_t *out, evdb_error *err)
{
    evdb_foreign_kind kind;
    evdb_format format = 0;
    if (evdb_foreign_kind_parse(name, &kind, NULL) == EVDB_OK) {
        *out = FORMAT_FOREIGN + kind;
        return EVDB_OK;
    }
    evdb_status rc = evdb_format_parse(name, &format, err);
    if (rc == EVDB_OK) *out = format;
    return rc;
}

const op_choice choice_input = { input_name, input_parse };
