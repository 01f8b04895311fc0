/* toml.c - reads the configuration file: one `key = value` a line, in the syntax of TOML 1.0.
 *
 * Values are basic strings ("a\n\u00e9"), literal strings ('a'), decimal integers and booleans. Comments begin with #.
 * What TOML has besides (tables, arrays, dotted or quoted keys, floats, dates, other bases, strings over several lines)
 * is refused by line: no setting needs it. */
#include "config/setting.h"
#include "config/utf8.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct line_reader {
    const char *at; /* what is left of the line */
    config *c;
    unsigned line;
    bool seen[CONFIG_SETTINGS];
    evdb_error *err;
} line_reader;

static void skip_blank(line_reader *r) { r->at += strspn(r->at, " \t"); }

static evdb_status bad(line_reader *r, const char *what)
{
    return config_fail(r->err, EVDB_INVALID, "%.250s:%u: %s", r->c->file, r->line, what);
}

/* One escape behind its backslash. */
static evdb_status escape(line_reader *r, char **to)
{
    static const char from[] = "btnfr\"\\", into[] = "\b\t\n\f\r\"\\";
    char c = *r->at;
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        *(*to)++ = into[simple - from];
        r->at++;
        return EVDB_OK;
    }
    size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    char hex[9] = "";
    r->at++;
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)r->at[i])) return bad(r, "a \\u escape needs hexadecimal digits");
        hex[i] = r->at[i];
    }
    if (!digits) return bad(r, "an unknown escape in a string");
    r->at += digits;
    return config_utf8_add(to, (uint32_t)strtoul(hex, NULL, 16)) ? EVDB_OK : bad(r, "a \\u escape that is no character");
}

static evdb_status read_string(line_reader *r, char *to)
{
    char quote = *r->at++;
    if (r->at[0] == quote && r->at[1] == quote) return bad(r, "strings over several lines are not supported");
    while (*r->at != quote) {
        char c = *r->at;
        if (!c) return bad(r, "a string that does not end");
        r->at++;
        if (c == '\\' && quote == '"') {
            evdb_status rc = escape(r, &to);
            if (rc != EVDB_OK) return rc;
        } else *to++ = c;
    }
    r->at++;
    *to = 0;
    return EVDB_OK;
}

static evdb_status read_value(line_reader *r, char *to, value_kind *kind)
{
    if (*r->at == '"' || *r->at == '\'') {
        *kind = VALUE_STRING;
        return read_string(r, to);
    }
    if (*r->at == '[' || *r->at == '{') return bad(r, "arrays and inline tables are not supported");
    size_t length = strcspn(r->at, " \t#");
    if (!length) return bad(r, "a value is missing");
    memcpy(to, r->at, length);
    to[length] = 0;
    r->at += length;
    *kind = strcmp(to, "true") == 0 || strcmp(to, "false") == 0 ? VALUE_BOOLEAN : VALUE_INTEGER;
    if (*kind == VALUE_INTEGER && strspn(to, "+-0123456789_") != length)
        return bad(r, "a value must be a string in quotes, a whole number, true or false");
    return EVDB_OK;
}

static evdb_status read_line(line_reader *r)
{
    char value[CONFIG_LINE_BYTES_MAX];
    value_kind kind = VALUE_BARE;
    skip_blank(r);
    if (!*r->at || *r->at == '#') return EVDB_OK;
    if (*r->at == '[') return bad(r, "tables are not supported: every setting is at the top level");
    const char *key = r->at;
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    r->at += length;
    skip_blank(r);
    if (!length || *r->at != '=') return bad(r, "expected `setting = value`");
    r->at++;
    skip_blank(r);
    const setting *s = setting_find(key, length);
    if (!s)
        return config_fail(r->err, EVDB_INVALID, "%.250s:%u: there is no setting '%.*s'", r->c->file, r->line,
                           (int)(length < 80 ? length : 80), key);
    if (r->seen[s - settings])
        return config_fail(r->err, EVDB_INVALID, "%.250s:%u: %s is set a second time", r->c->file, r->line, s->name);
    r->seen[s - settings] = true;
    evdb_status rc = read_value(r, value, &kind);
    if (rc != EVDB_OK) return rc;
    skip_blank(r);
    if (*r->at && *r->at != '#') return bad(r, "something follows the value");
    return setting_assign(s, kind, value, (config_origin){ .source = FROM_FILE, .line = r->line }, r->c, r->err);
}

/* What no place of a line may hold, comments included. */
static const char *fault_of(const char *line, size_t length)
{
    if (length >= CONFIG_LINE_BYTES_MAX) return "the line is too long";
    if (!config_utf8_valid(line, length)) return "the line is not UTF-8";
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) return "a control character";
    return NULL;
}

evdb_status config_read_text(const char *text, size_t size, config *c, evdb_error *err)
{
    char line[CONFIG_LINE_BYTES_MAX];
    line_reader r = { .c = c, .err = err };
    evdb_status rc = EVDB_OK;
    for (const char *end = text + size, *next; rc == EVDB_OK && text < end; text = next) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        else if (stop > text && stop[-1] == '\r') stop--;
        size_t length = (size_t)(stop - text);
        const char *fault = fault_of(text, length);
        r.line++;
        if (fault) return bad(&r, fault);
        memcpy(line, text, length);
        line[length] = 0;
        r.at = line;
        rc = read_line(&r);
    }
    return rc;
}

static evdb_status read_open_file(FILE *f, config *c, evdb_error *err)
{
    char *text = malloc(CONFIG_FILE_BYTES_MAX + 1);
    if (!text) return config_fail(err, EVDB_NO_MEMORY, "%s: out of memory", c->file);
    size_t size = fread(text, 1, CONFIG_FILE_BYTES_MAX + 1, f);
    evdb_status rc = ferror(f) ? config_fail(err, EVDB_IO, "%s: cannot be read: %s", c->file, strerror(errno))
                   : size > CONFIG_FILE_BYTES_MAX ? config_fail(err, EVDB_LIMIT, "%s: is larger than %u bytes", c->file,
                                                                CONFIG_FILE_BYTES_MAX)
                   : config_read_text(text, size, c, err);
    free(text);
    return rc;
}

evdb_status config_read_file(config *c, evdb_error *err)
{
    FILE *f = fopen(c->file, "re");
    if (!f) return config_fail(err, EVDB_NOT_FOUND, "%s: %s", c->file, strerror(errno));
    evdb_status rc = read_open_file(f, c, err);
    fclose(f);
    return rc;
}
