/* setting.c - implements config/setting.h. */
#include "config/setting.h"
#include "config/utf8.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const setting settings[] = {
#define SETTING(name, type, def, least, most, doc) { #name, SETTING_##type, offsetof(config, name), def, least, most, doc },
#include "config/settings.def"
#undef SETTING
    { NULL, SETTING_TEXT, 0, NULL, 0, 0, NULL }
};

evdb_status config_fail(evdb_error *err, evdb_status status, const char *format, ...)
{
    va_list args;
    if (!err) return status;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    err->status = status;
    err->retry_s = 0;
    err->item = EVDB_NO_ITEM;
    return status;
}

static void describe(const setting *s, config_origin from, const config *c, char *out, size_t size)
{
    char variable[SETTING_VARIABLE_BYTES];
    switch (from.source) {
    case FROM_FILE: snprintf(out, size, "%.250s:%u", c->file, from.line); break;
    case FROM_ENVIRONMENT:
        setting_variable(s, variable);
        snprintf(out, size, "%s", variable);
        break;
    case FROM_FLAG: snprintf(out, size, "%.*s", (int)strcspn(from.flag, "="), from.flag); break;
    case FROM_DEFAULT: snprintf(out, size, "the default of %s", s->name); break;
    }
}

evdb_status setting_fail(const setting *s, const config *c, evdb_error *err, const char *format, ...)
{
    char where[300], what[sizeof(err->message)];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    describe(s, c->from[s - settings], c, where, sizeof(where));
    return config_fail(err, EVDB_INVALID, "%s: %s", where, what);
}

const setting *setting_find(const char *name, size_t length)
{
    for (const setting *s = settings; s->name; s++)
        if (strlen(s->name) == length && memcmp(s->name, name, length) == 0) return s;
    return NULL;
}

bool setting_is_text(const setting *s)
{
    return s->type == SETTING_TEXT || s->type == SETTING_SECRET || s->type == SETTING_ADDRESS || s->type == SETTING_LEVEL;
}

void setting_variable(const setting *s, char *out)
{
    size_t n = (size_t)snprintf(out, SETTING_VARIABLE_BYTES, "EVDB_%s", s->name);
    for (size_t i = 0; i < n && i < SETTING_VARIABLE_BYTES; i++) out[i] = (char)toupper((unsigned char)out[i]);
}

/* A whole number with optional single underscores between digits, as TOML has them. */
static bool whole(const char *text, int64_t *out)
{
    char digits[32];
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '_') {
            bool between = p > text && p[-1] >= '0' && p[-1] <= '9' && p[1] >= '0' && p[1] <= '9';
            if (!between) return false;
            continue;
        }
        if (n + 1 >= sizeof(digits)) return false;
        digits[n++] = *p;
    }
    digits[n] = 0;
    const char *first = digits + (*digits == '-' || *digits == '+');
    if (!*first || (first[0] == '0' && first[1])) return false; /* TOML: no leading zeros */
    for (const char *p = first; *p; p++)
        if (*p < '0' || *p > '9') return false;
    errno = 0;
    *out = strtoll(digits, NULL, 10);
    return errno == 0;
}

bool setting_duration(const char *text, int64_t *out)
{
    static const struct { const char *unit; int64_t ms; } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { "", 1 }
    };
    size_t digits = strspn(text, "0123456789");
    char number[24];
    if (!digits || digits >= sizeof(number)) return false;
    memcpy(number, text, digits);
    number[digits] = 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (strcmp(text + digits, units[i].unit) == 0)
            return whole(number, out) && !__builtin_mul_overflow(*out, units[i].ms, out);
    return false;
}

static evdb_status assign_number(const setting *s, value_kind kind, const char *text, config *c, int64_t *to,
                                 evdb_error *err)
{
    int64_t number;
    bool good = kind == VALUE_STRING ? s->type == SETTING_MS && setting_duration(text, &number)
              : kind == VALUE_BOOLEAN ? false
              : whole(text, &number) || (kind == VALUE_BARE && s->type == SETTING_MS && setting_duration(text, &number));
    if (!good)
        return setting_fail(s, c, err, "%s must be a whole number%s, not '%.80s'", s->name,
                            s->type == SETTING_MS ? " of milliseconds or a time like \"30s\"" : "", text);
    if (number < s->least || number > s->most)
        return setting_fail(s, c, err, "%s is %lld, but must be %lld..%lld", s->name, (long long)number,
                            (long long)s->least, (long long)s->most);
    *to = number;
    return EVDB_OK;
}

static evdb_status assign_bool(const setting *s, value_kind kind, const char *text, config *c, bool *to, evdb_error *err)
{
    bool yes = strcmp(text, "true") == 0;
    if (kind == VALUE_STRING || kind == VALUE_INTEGER || (!yes && strcmp(text, "false") != 0))
        return setting_fail(s, c, err, "%s must be true or false, not '%.80s'", s->name, text);
    *to = yes;
    return EVDB_OK;
}

const char *const config_log_levels[] = { "error", "warning", "info", "debug", NULL };

/* What a text's type asks of it besides its length. */
static evdb_status check_text(const setting *s, const char *text, const config *c, evdb_error *err)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (!config_utf8_valid(text, strlen(text))) return setting_fail(s, c, err, "%s must be UTF-8", s->name);
    if (s->type == SETTING_ADDRESS && inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1)
        return setting_fail(s, c, err, "%s must be an IPv4 or IPv6 address in numbers, not '%.80s'", s->name, text);
    if (s->type != SETTING_LEVEL) return EVDB_OK;
    for (const char *const *level = config_log_levels; *level; level++)
        if (strcmp(text, *level) == 0) return EVDB_OK;
    return setting_fail(s, c, err, "%s must be error, warning, info or debug, not '%.80s'", s->name, text);
}

static evdb_status assign_text(const setting *s, value_kind kind, const char *text, config *c, char **to, evdb_error *err)
{
    int64_t length = (int64_t)strlen(text);
    if (kind == VALUE_INTEGER || kind == VALUE_BOOLEAN)
        return setting_fail(s, c, err, "%s must be a string in quotes", s->name);
    if (length < s->least || length > s->most)
        return setting_fail(s, c, err, "%s has %lld bytes, but must have %lld..%lld", s->name, (long long)length,
                            (long long)s->least, (long long)s->most);
    evdb_status rc = check_text(s, text, c, err);
    if (rc != EVDB_OK) return rc;
    char *copy = strdup(text);
    if (!copy) return config_fail(err, EVDB_NO_MEMORY, "out of memory");
    free(*to);
    *to = copy;
    return EVDB_OK;
}

evdb_status setting_assign(const setting *s, value_kind kind, const char *text, config_origin from, config *c,
                           evdb_error *err)
{
    void *at = (char *)c + s->offset;
    c->from[s - settings] = from;
    switch (s->type) {
    case SETTING_TEXT: case SETTING_SECRET: case SETTING_ADDRESS: case SETTING_LEVEL:
        return assign_text(s, kind, text, c, at, err);
    case SETTING_BOOL: return assign_bool(s, kind, text, c, at, err);
    case SETTING_INT: case SETTING_MS: return assign_number(s, kind, text, c, at, err);
    }
    return EVDB_INTERNAL;
}
