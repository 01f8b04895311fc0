/* toml.c - reads the configuration file: one `key = value` a line, in the syntax of TOML 1.0.
 *
 * Values are basic strings ("a\n\u00e9"), literal strings ('a'), decimal integers and booleans. Comments begin with #.
 * What TOML has besides (tables, arrays, dotted or quoted keys, floats, dates, other bases, strings over several lines)
 * is refused by line: no setting needs it. */
#include "config/setting.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct line_reader {
    const char *at; /* what is left of the line */
    const char *where;
    evdb_error *err;
} line_reader;

static void skip_blank(line_reader *r) { r->at += strspn(r->at, " \t"); }

static evdb_status bad(line_reader *r, const char *what) { return config_fail(r->err, EVDB_INVALID, "%s: %s", r->where, what); }

/* Appends a code point as UTF-8; false for a surrogate or beyond Unicode. */
static bool add_code(char **to, uint32_t code)
{
    char *p = *to;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code == 0) return false;
    if (code < 0x80) *p++ = (char)code;
    else if (code < 0x800) *p++ = (char)(0xc0 | code >> 6), *p++ = (char)(0x80 | (code & 0x3f));
    else if (code < 0x10000) {
        *p++ = (char)(0xe0 | code >> 12);
        *p++ = (char)(0x80 | (code >> 6 & 0x3f));
        *p++ = (char)(0x80 | (code & 0x3f));
    } else {
        *p++ = (char)(0xf0 | code >> 18);
        *p++ = (char)(0x80 | (code >> 12 & 0x3f));
        *p++ = (char)(0x80 | (code >> 6 & 0x3f));
        *p++ = (char)(0x80 | (code & 0x3f));
    }
    *to = p;
    return true;
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
    return add_code(to, (uint32_t)strtoul(hex, NULL, 16)) ? EVDB_OK : bad(r, "a \\u escape that is no character");
}

static evdb_status read_string(line_reader *r, char *to)
{
    char quote = *r->at++;
    if (r->at[0] == quote && r->at[1] == quote) return bad(r, "strings over several lines are not supported");
    while (*r->at != quote) {
        unsigned char c = (unsigned char)*r->at;
        if (!c) return bad(r, "a string that does not end");
        if ((c < 0x20 && c != '\t') || c == 0x7f) return bad(r, "a control character in a string");
        r->at++;
        if (c == '\\' && quote == '"') {
            evdb_status rc = escape(r, &to);
            if (rc != EVDB_OK) return rc;
        } else *to++ = (char)c;
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

static evdb_status read_line(line_reader *r, config *c, bool *seen)
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
    if (!s) return config_fail(r->err, EVDB_INVALID, "%s: there is no setting '%.*s'", r->where, (int)length, key);
    if (seen[s - settings]) return config_fail(r->err, EVDB_INVALID, "%s: %s is set a second time", r->where, s->name);
    seen[s - settings] = true;
    evdb_status rc = read_value(r, value, &kind);
    if (rc != EVDB_OK) return rc;
    skip_blank(r);
    if (*r->at && *r->at != '#') return bad(r, "something follows the value");
    return setting_assign(s, kind, value, c, r->where, r->err);
}

static evdb_status read_lines(FILE *f, const char *path, config *c, evdb_error *err)
{
    char line[CONFIG_LINE_BYTES_MAX], where[300];
    bool seen[sizeof(config)] = { false }; /* more than there are settings */
    size_t bytes = 0;
    for (unsigned n = 1; fgets(line, sizeof(line), f); n++) {
        size_t length = strlen(line);
        line_reader r = { line, where, err };
        snprintf(where, sizeof(where), "%.250s:%u", path, n);
        bytes += length;
        if (bytes > CONFIG_FILE_BYTES_MAX) return bad(&r, "the file is too long");
        if (length + 1 == sizeof(line) && line[length - 1] != '\n') return bad(&r, "the line is too long");
        if (length && line[length - 1] == '\n') line[--length] = 0;
        else if (!feof(f)) return bad(&r, "a NUL byte");
        if (length && line[length - 1] == '\r') line[--length] = 0;
        evdb_status rc = read_line(&r, c, seen);
        if (rc != EVDB_OK) return rc;
    }
    return ferror(f) ? config_fail(err, EVDB_IO, "%s: cannot be read", path) : EVDB_OK;
}

evdb_status config_read_file(const char *path, config *c, evdb_error *err)
{
    FILE *f = fopen(path, "re");
    if (!f) return config_fail(err, EVDB_NOT_FOUND, "%s: %s", path, strerror(errno));
    evdb_status rc = read_lines(f, path, c, err);
    fclose(f);
    return rc;
}
