/* setting.h - one setting as data, and giving it a value. */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H
#include "config/config.h"
#include <stddef.h>

typedef enum setting_type { SETTING_TEXT, SETTING_SECRET, SETTING_BOOL, SETTING_INT, SETTING_MS } setting_type;

typedef struct setting {
    const char *name;
    setting_type type;
    size_t offset; /* into config */
    const char *def;
    int64_t least, most; /* of a number, or of a text's length */
    const char *doc;
} setting;

extern const setting settings[]; /* ends with a NULL name */
const setting *setting_find(const char *name, size_t length);

/* A value as it was written: what the file's syntax can tell apart. A bare one comes from the environment or a flag and is
 * whatever its setting is. */
typedef enum value_kind { VALUE_BARE, VALUE_STRING, VALUE_INTEGER, VALUE_BOOLEAN } value_kind;

/* Sets one setting from text; `where` ("evdbd.conf:12", "EVDB_MCP_PORT", "--mcp-port") begins the message of an error. */
evdb_status setting_assign(const setting *s, value_kind kind, const char *text, config *c, const char *where,
                           evdb_error *err);

/* Reads a file into c. */
evdb_status config_read_file(const char *path, config *c, evdb_error *err);

__attribute__((format(printf, 3, 4)))
evdb_status config_fail(evdb_error *err, evdb_status status, const char *format, ...);

#endif
