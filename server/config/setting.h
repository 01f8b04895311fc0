/* setting.h - one setting as data, and giving it a value. */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H
#include "config/config.h"
#include <stddef.h>

typedef enum setting_type {
    SETTING_TEXT, SETTING_SECRET, SETTING_ADDRESS, SETTING_LEVEL, /* texts */
    SETTING_BOOL,
    SETTING_INT, SETTING_MS /* numbers */
} setting_type;

typedef struct setting {
    const char *name;
    setting_type type;
    size_t offset; /* into config */
    const char *def;
    int64_t least, most; /* of a number, or of a text's length */
    const char *doc;
} setting;

extern const setting settings[]; /* CONFIG_SETTINGS of them, then a NULL name */
const setting *setting_find(const char *name, size_t length);
bool setting_is_text(const setting *s);
/* "EVDB_NAME"; out has SETTING_VARIABLE_BYTES. */
enum { SETTING_VARIABLE_BYTES = 64 };
void setting_variable(const setting *s, char *out);

/* A value as it was written: what the file's syntax can tell apart. A bare one comes from the environment or a flag and is
 * whatever its setting is. */
typedef enum value_kind { VALUE_BARE, VALUE_STRING, VALUE_INTEGER, VALUE_BOOLEAN } value_kind;

/* Sets one setting from text. The message of an error begins with where the text comes from. */
evdb_status setting_assign(const setting *s, value_kind kind, const char *text, config_origin from, config *c,
                           evdb_error *err);
/* "1500", "500ms", "30s", "5m", "1h", "1d" in milliseconds; false for anything else. */
bool setting_duration(const char *text, int64_t *out);
/* An error of the value that a setting has: "evdbd.conf:12: ...", "EVDB_MCP_PORT: ...", "--port: ...". */
__attribute__((format(printf, 4, 5)))
evdb_status setting_fail(const setting *s, const config *c, evdb_error *err, const char *format, ...);

/* Of the settings of an S3 server: all that is needed or nothing, and each of a form that it can have. */
evdb_status config_check_s3(const config *c, evdb_error *err);
/* Likewise of the settings of issuers of tokens, ourselves and another one. */
evdb_status config_check_oidc(const config *c, evdb_error *err);

/* Settings in the file's syntax, from memory; c->file is the name in errors. */
evdb_status config_read_text(const char *text, size_t size, config *c, evdb_error *err);
/* Reads c->file. */
evdb_status config_read_file(config *c, evdb_error *err);

__attribute__((format(printf, 3, 4)))
evdb_status config_fail(evdb_error *err, evdb_status status, const char *format, ...);

#endif
