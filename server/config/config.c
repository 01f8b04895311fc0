/* config.c - implements config/config.h. */
#include "config/config.h"
#include "config/setting.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static evdb_status set_defaults(config *c, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    memset(c, 0, sizeof(*c));
    for (const setting *s = settings; rc == EVDB_OK && s->name; s++)
        rc = setting_assign(s, VALUE_BARE, s->def, c, "default", err);
    return rc;
}

static evdb_status read_environment(config *c, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (const setting *s = settings; rc == EVDB_OK && s->name; s++) {
        char name[80];
        size_t n = (size_t)snprintf(name, sizeof(name), "EVDB_%s", s->name);
        for (size_t i = 0; i < n; i++) name[i] = (char)toupper((unsigned char)name[i]);
        const char *value = getenv(name);
        if (value) rc = setting_assign(s, VALUE_BARE, value, c, name, err);
    }
    return rc;
}

/* Flags that are not a setting under its own name. */
static const struct { const char *flag, *setting, *doc; } shorts[] = {
    { "data", "persistence_dir", "directory of the database" },
    { "rest-port", "rest_api_port", "port of the REST API" },
    { NULL, NULL, NULL }
};
static const struct { const char *flag; size_t offset; const char *doc; } switches[] = {
    { "dev", offsetof(config, dev), "for development on loopback: client admin has the secret admin_secret_2024" },
    { "check-config", offsetof(config, check), "say whether the configuration is good, and end" },
    { "print-config", offsetof(config, print), "print the whole configuration, and end" },
    { "print-operations", offsetof(config, operations), "print the operation table as JSON, and end" },
    { "help", offsetof(config, help), "this text" },
    { "version", offsetof(config, version), "print the version" },
    { NULL, 0, NULL }
};

static evdb_status set_flag(config *c, const char *flag, size_t length, const char *value, evdb_error *err)
{
    char name[80], where[90];
    snprintf(name, sizeof(name), "%.*s", (int)length, flag);
    snprintf(where, sizeof(where), "--%s", name);
    if (strcmp(name, "port") == 0) {
        static const char *const ports[] = { "mcp_port", "oauth_port", "rest_api_port" };
        evdb_status rc = EVDB_OK;
        for (int i = 0; rc == EVDB_OK && i < 3; i++)
            rc = setting_assign(setting_find(ports[i], strlen(ports[i])), VALUE_BARE, value, c, where, err);
        return rc;
    }
    for (size_t i = 0; shorts[i].flag; i++)
        if (strcmp(name, shorts[i].flag) == 0) snprintf(name, sizeof(name), "%s", shorts[i].setting);
    for (char *p = name; *p; p++)
        if (*p == '-') *p = '_';
    const setting *s = setting_find(name, strlen(name));
    if (!s) return config_fail(err, EVDB_INVALID, "%s: there is no such flag (see --help)", where);
    return setting_assign(s, VALUE_BARE, value, c, where, err);
}

static bool set_switch(config *c, const char *flag)
{
    for (size_t i = 0; switches[i].flag; i++)
        if (strcmp(flag, switches[i].flag) == 0) {
            *(bool *)((char *)c + switches[i].offset) = true;
            return true;
        }
    return false;
}

/* In the first pass only --config is of interest: the file comes before the flags. */
static evdb_status read_arguments(int argc, char *const *argv, config *c, bool first_pass, evdb_error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i] + 2, *equals = strchr(argv[i], '=');
        if (strncmp(argv[i], "--", 2) != 0 || !*flag)
            return config_fail(err, EVDB_INVALID, "'%.80s' is not a flag (see --help)", argv[i]);
        if (!equals && set_switch(c, flag)) continue;
        size_t length = equals ? (size_t)(equals - flag) : strlen(flag);
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value) return config_fail(err, EVDB_INVALID, "--%.80s needs a value", flag);
        bool file = length == 6 && memcmp(flag, "config", 6) == 0;
        if (file && first_pass) {
            free(c->file);
            if (!(c->file = strdup(value))) return config_fail(err, EVDB_NO_MEMORY, "out of memory");
        }
        if (file || first_pass) continue;
        evdb_status rc = set_flag(c, flag, length, value, err);
        if (rc != EVDB_OK) return rc;
    }
    return EVDB_OK;
}

bool config_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0;
}

static evdb_status check_together(const config *c, evdb_error *err)
{
    bool loopback = config_loopback(c->address);
    if (c->cluster_enabled) return config_fail(err, EVDB_UNSUPPORTED, "cluster_enabled: clustering is not built yet");
    if (c->compression_enabled) return config_fail(err, EVDB_UNSUPPORTED, "compression_enabled: compression is not built yet");
    if (strcmp(c->default_client_secret, "admin_secret_2024") == 0)
        return config_fail(err, EVDB_INVALID, "default_client_secret: that secret is published and refused; see --dev");
    if (c->dev && !loopback)
        return config_fail(err, EVDB_INVALID, "--dev: address is %s, but must be loopback: the secret is published", c->address);
    if (!c->oauth_enabled && !loopback && !c->allow_unauthenticated)
        return config_fail(err, EVDB_INVALID, "oauth_enabled: false on %s lets everybody in: set allow_unauthenticated as well",
                           c->address);
    if (!loopback && !c->allow_plaintext)
        return config_fail(err, EVDB_INVALID, "address: plain HTTP on %s shows tokens to the network: set allow_plaintext as well",
                           c->address);
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
        if (strcmp(c->log_level, levels[i]) == 0) return EVDB_OK;
    return config_fail(err, EVDB_INVALID, "log_level: '%s' is not error, warning, info or debug", c->log_level);
}

evdb_status config_load(int argc, char *const *argv, config *out, evdb_error *err)
{
    evdb_status rc = set_defaults(out, err);
    if (rc == EVDB_OK) rc = read_arguments(argc, argv, out, true, err);
    if (rc == EVDB_OK && (out->help || out->version)) return EVDB_OK;
    if (rc == EVDB_OK && out->file) rc = config_read_file(out->file, out, err);
    if (rc == EVDB_OK) rc = read_environment(out, err);
    if (rc == EVDB_OK) rc = read_arguments(argc, argv, out, false, err);
    return rc == EVDB_OK ? check_together(out, err) : rc;
}

void config_free(config *c)
{
    for (const setting *s = settings; s->name; s++)
        if (s->type == SETTING_TEXT || s->type == SETTING_SECRET) free(*(char **)((char *)c + s->offset));
    free(c->file);
    memset(c, 0, sizeof(*c));
}

static void print_text(const char *text, FILE *to)
{
    putc('"', to);
    for (; *text; text++) {
        unsigned char ch = (unsigned char)*text;
        if (ch == '"' || ch == '\\') fprintf(to, "\\%c", ch);
        else if (ch < 0x20 || ch == 0x7f) fprintf(to, "\\u%04x", ch);
        else putc(ch, to);
    }
    putc('"', to);
}

void config_print(const config *c, FILE *to)
{
    for (const setting *s = settings; s->name; s++) {
        const void *at = (const char *)c + s->offset;
        fprintf(to, "%s = ", s->name);
        switch (s->type) {
        case SETTING_TEXT: print_text(*(char *const *)at, to); break;
        case SETTING_SECRET: print_text(**(char *const *)at ? "***" : "", to); break;
        case SETTING_BOOL: fputs(*(const bool *)at ? "true" : "false", to); break;
        case SETTING_INT: case SETTING_MS: fprintf(to, "%lld", (long long)*(const int64_t *)at); break;
        }
        putc('\n', to);
    }
}

void config_help(FILE *to)
{
    fputs("Example:\n  evdbd --data /var/lib/evdb --port 8080\n\nUsage: evdbd [FLAG...]\nA vector database server.\n\n", to);
    fputs("  --config FILE             read settings from FILE (see evdbd.conf(5))\n"
          "  --port N                  one port for MCP, OAuth and REST\n", to);
    for (size_t i = 0; shorts[i].flag; i++) fprintf(to, "  --%-23s %s\n", shorts[i].flag, shorts[i].doc);
    for (size_t i = 0; switches[i].flag; i++) fprintf(to, "  --%-23s %s\n", switches[i].flag, switches[i].doc);
    fputs("\nEvery setting is a flag too (--NAME=VALUE), and a variable EVDB_NAME:\n", to);
    for (const setting *s = settings; s->name; s++) fprintf(to, "  %-25s %s [%s]\n", s->name, s->doc, s->def);
}
