/* config.c - implements config/config.h. */
#include "config/config.h"
#include "config/schedule.h"
#include "config/setting.h"
#include <stdlib.h>
#include <string.h>

static evdb_status set_defaults(config *c, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    memset(c, 0, sizeof(*c));
    for (const setting *s = settings; rc == EVDB_OK && s->name; s++)
        rc = setting_assign(s, VALUE_BARE, s->def, (config_origin){ .source = FROM_DEFAULT }, c, err);
    return rc;
}

static evdb_status read_environment(config *c, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    for (const setting *s = settings; rc == EVDB_OK && s->name; s++) {
        char name[SETTING_VARIABLE_BYTES];
        setting_variable(s, name);
        const char *value = getenv(name);
        if (value) rc = setting_assign(s, VALUE_BARE, value, (config_origin){ .source = FROM_ENVIRONMENT }, c, err);
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

static evdb_status set_flag(config *c, const char *flag, const char *value, evdb_error *err)
{
    config_origin from = { .source = FROM_FLAG, .flag = flag };
    char name[80];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(flag + 2, "="), flag + 2);
    if (strcmp(name, "port") == 0) {
        static const unsigned ports[] = { CONFIG_AT_mcp_port, CONFIG_AT_oauth_port, CONFIG_AT_rest_api_port };
        evdb_status rc = EVDB_OK;
        for (int i = 0; rc == EVDB_OK && i < 3; i++)
            rc = setting_assign(&settings[ports[i]], VALUE_BARE, value, from, c, err);
        return rc;
    }
    for (size_t i = 0; shorts[i].flag; i++)
        if (strcmp(name, shorts[i].flag) == 0) snprintf(name, sizeof(name), "%s", shorts[i].setting);
    for (char *p = name; *p; p++)
        if (*p == '-') *p = '_';
    return setting_assign(setting_find(name, strlen(name)), VALUE_BARE, value, from, c, err);
}

static bool is_flag(const char *name, size_t length)
{
    char plain[80];
    if (length >= sizeof(plain)) return false;
    snprintf(plain, sizeof(plain), "%.*s", (int)length, name);
    if (strcmp(plain, "config") == 0 || strcmp(plain, "port") == 0) return true;
    for (size_t i = 0; shorts[i].flag; i++)
        if (strcmp(plain, shorts[i].flag) == 0) return true;
    for (char *p = plain; *p; p++)
        if (*p == '-') *p = '_';
    return setting_find(plain, length) != NULL;
}

static bool *switch_of(config *c, const char *name, size_t length)
{
    for (size_t i = 0; switches[i].flag; i++)
        if (strlen(switches[i].flag) == length && memcmp(switches[i].flag, name, length) == 0)
            return (bool *)((char *)c + switches[i].offset);
    return NULL;
}

/* In the first pass only switches and --config are of interest: the file comes before the flags. */
static evdb_status read_arguments(int argc, char *const *argv, config *c, bool first_pass, evdb_error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i], *name = flag + 2, *equals = strchr(flag, '=');
        if (strncmp(flag, "--", 2) != 0 || !*name)
            return config_fail(err, EVDB_INVALID, "'%.80s' is not a flag (see --help)", flag);
        size_t length = strcspn(name, "=");
        bool *on = switch_of(c, name, length);
        if (on && equals) return config_fail(err, EVDB_INVALID, "--%.*s takes no value", (int)length, name);
        if (on) {
            *on = true;
            continue;
        }
        if (!is_flag(name, length))
            return config_fail(err, EVDB_INVALID, "--%.*s: there is no such flag (see --help)", (int)(length < 80 ? length : 80), name);
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value) return config_fail(err, EVDB_INVALID, "%s needs a value", flag);
        bool file = length == 6 && memcmp(name, "config", 6) == 0;
        if (file) c->file = value;
        evdb_status rc = file || first_pass ? EVDB_OK : set_flag(c, flag, value, err);
        if (rc != EVDB_OK) return rc;
    }
    return EVDB_OK;
}

bool config_loopback(const char *address) { return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0; }

enum { SECRET_MIN = 8 }; /* as evdb/auth.h asks of a chosen one */

#define AT(name) (&settings[CONFIG_AT_##name])

static evdb_status check_schedule(const config *c, evdb_error *err)
{
    schedule s;
    char why[200];
    bool bucket = strcmp(c->backup_target, "s3") == 0;
    if (!bucket && strcmp(c->backup_target, "local") != 0)
        return setting_fail(AT(backup_target), c, err, "backup_target must be local or s3, not '%s'", c->backup_target);
    if (bucket && !*c->s3_endpoint)
        return setting_fail(AT(backup_target), c, err, "backup_target is s3, but s3_endpoint is not set: there is no bucket");
    if (!*c->backup_schedule) return EVDB_OK;
    if (!schedule_parse(c->backup_schedule, &s, why, sizeof(why)))
        return setting_fail(AT(backup_schedule), c, err, "backup_schedule: %s", why);
    if (!bucket && !c->persistence_enabled && *c->backup_dir != '/')
        return setting_fail(AT(backup_schedule), c, err, "backup_schedule: a database in memory has no folder of backups, unless backup_dir begins with '/'");
    return EVDB_OK;
}

static evdb_status check_network(const config *c, evdb_error *err)
{
    bool loopback = config_loopback(c->address), certificate = *c->tls_cert_file, key = *c->tls_key_file;
    if (c->dev && !loopback)
        return setting_fail(AT(address), c, err,
                            "address is %s, but must be loopback with --dev: its secret is published", c->address);
    if (!c->oauth_enabled && !loopback && !c->allow_unauthenticated)
        return setting_fail(AT(oauth_enabled), c, err,
                            "oauth_enabled = false on %s lets everybody in: set allow_unauthenticated as well", c->address);
    if (certificate != key) {
        const setting *is = certificate ? AT(tls_cert_file) : AT(tls_key_file), *is_not = certificate ? AT(tls_key_file) : AT(tls_cert_file);
        return setting_fail(is, c, err, "%s is set, but %s is not: TLS needs both", is->name, is_not->name);
    }
    if (!loopback && !certificate && !c->allow_plaintext)
        return setting_fail(AT(address), c, err, "address %s: plain HTTP shows tokens to the network: set tls_cert_file and tls_key_file, "
                            "or allow_plaintext", c->address);
    return EVDB_OK;
}

static evdb_status check_together(const config *c, evdb_error *err)
{
    if (c->cluster_enabled)
        return setting_fail(AT(cluster_enabled), c, err, "cluster_enabled: clustering is not built yet");
    if (strcmp(c->sync, "full") != 0 && strcmp(c->sync, "interval") != 0)
        return setting_fail(AT(sync), c, err, "sync must be full or interval, not '%s'", c->sync);
    if (strcmp(c->token_format, "jwt") != 0 && strcmp(c->token_format, "opaque") != 0)
        return setting_fail(AT(token_format), c, err, "token_format must be jwt or opaque, not '%s'", c->token_format);
    evdb_error why;
    if (c->compression_enabled && evdb_codec_check(c->compression_algorithm, 0, NULL, NULL, &why) != EVDB_OK)
        return setting_fail(AT(compression_algorithm), c, err, "compression_algorithm: %s", why.message);
    if (strcmp(c->default_client_secret, "admin_secret_2024") == 0)
        return setting_fail(AT(default_client_secret), c, err,
                            "default_client_secret: that secret is published and refused; see --dev");
    if (*c->default_client_secret && strlen(c->default_client_secret) < SECRET_MIN)
        return setting_fail(AT(default_client_secret), c, err,
                            "default_client_secret is too short: it must have %d bytes or more", SECRET_MIN);
    evdb_status rc = check_network(c, err);
    if (rc == EVDB_OK) rc = check_schedule(c, err);
    if (rc == EVDB_OK) rc = config_check_s3(c, err);
    return rc == EVDB_OK ? config_check_oidc(c, err) : rc;
}

evdb_status config_load(int argc, char *const *argv, config *out, evdb_error *err)
{
    evdb_status rc = set_defaults(out, err);
    if (rc == EVDB_OK) rc = read_arguments(argc, argv, out, true, err);
    if (rc == EVDB_OK && (out->help || out->version)) return EVDB_OK;
    if (rc == EVDB_OK && out->file) rc = config_read_file(out, err);
    if (rc == EVDB_OK) rc = read_environment(out, err);
    if (rc == EVDB_OK) rc = read_arguments(argc, argv, out, false, err);
    return rc == EVDB_OK ? check_together(out, err) : rc;
}

void config_free(config *c)
{
    for (const setting *s = settings; s->name; s++)
        if (setting_is_text(s)) {
            char *text = *(char **)((char *)c + s->offset);
            if (text && s->type == SETTING_SECRET) explicit_bzero(text, strlen(text));
            free(text);
        }
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
        case SETTING_TEXT: case SETTING_ADDRESS: case SETTING_LEVEL: print_text(*(char *const *)at, to); break;
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
