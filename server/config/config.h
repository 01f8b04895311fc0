/* config.h - evdbd's settings: from a file (a documented subset of TOML), the environment and flags.
 *
 * A flag outranks the environment (EVDB_<NAME>), which outranks the file, which outranks the default.
 * settings.def names every setting once; everything else follows it. */
#ifndef CONFIG_H
#define CONFIG_H
#include <evdb.h>
#include <stdbool.h>
#include <stdio.h>

#define CONFIG_FILE_BYTES_MAX (1u << 20)
#define CONFIG_LINE_BYTES_MAX 8192u

enum {
#define SETTING(name, type, def, least, most, doc) CONFIG_AT_##name,
#include "config/settings.def"
#undef SETTING
    CONFIG_SETTINGS
};

/* Where a value comes from. */
typedef struct config_origin {
    enum { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG } source;
    unsigned line;    /* of the file */
    const char *flag; /* as it was given */
} config_origin;

typedef struct config {
    /* one member a setting */
#define CONFIG_TEXT char *
#define CONFIG_SECRET char *
#define CONFIG_ADDRESS char *
#define CONFIG_LEVEL char *
#define CONFIG_BOOL bool
#define CONFIG_INT int64_t
#define CONFIG_MS int64_t
#define SETTING(name, type, def, least, most, doc) CONFIG_##type name;
#include "config/settings.def"
#undef SETTING
    config_origin from[CONFIG_SETTINGS];
    /* from flags only */
    bool dev;                                /* --dev */
    bool check, print, help, version;        /* --check-config, --print-config, --help, --version */
    bool operations;                         /* --print-operations */
    const char *file;                        /* --config; of argv */
} config;

/* Names of log_level, from few lines to many; ends with NULL. */
extern const char *const config_log_levels[];

/* Defaults, then the file, the environment, the arguments; then what no single setting can tell: a feature switched on that
 * is not built, an open server. Errors name file and line, variable or flag. argv must outlive *out, which is to be freed
 * on failure too. */
evdb_status config_load(int argc, char *const *argv, config *out, evdb_error *err);
void config_free(config *c);
/* Overwrites the secrets among the arguments and in the environment, which the system shows to others: once they are loaded. */
void config_hide_secrets(int argc, char **argv);

/* Every setting in the file's own syntax, secrets as "***". */
void config_print(const config *c, FILE *to);
/* The flags, for --help. */
void config_help(FILE *to);
bool config_loopback(const char *address);

#endif
