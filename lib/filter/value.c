/* value.c - implements filter/value.h.
 *
 * Metadata was judged when it was written, so this walks over it without judging: it only must not leave the text. */
#include "filter/value.h"
#include "format/json_scan.h"
#include "format/number.h"
#include <string.h>

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* p is behind the opening quote; behind the closing one, or NULL. */
static const char *skip_string(const char *p, const char *end, bool *escaped)
{
    *escaped = false;
    for (; p < end && *p != '"'; p++)
        if (*p == '\\') *escaped = true, p++;
    return p < end ? p + 1 : NULL;
}

/* p is at the opening bracket; behind the one that closes it, or NULL. */
static const char *skip_nested(const char *p, const char *end)
{
    size_t depth = 0;
    bool escaped;
    while (p && p < end) {
        char c = *p++;
        if (c == '"') p = skip_string(p, end, &escaped);
        else if (c == '{' || c == '[') depth++;
        else if ((c == '}' || c == ']') && --depth == 0) return p;
    }
    return NULL;
}

static const char *read_word(const char *p, const char *end, filter_value *out)
{
    static const struct word {
        const char *text;
        value_kind kind;
    } words[] = { { "null", VALUE_NULL }, { "true", VALUE_TRUE }, { "false", VALUE_FALSE } };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i].text);
        if ((size_t)(end - p) < length || memcmp(p, words[i].text, length) != 0) continue;
        out->kind = words[i].kind;
        return p + length;
    }
    return NULL;
}

static const char *read_number(const char *p, const char *end, filter_value *out)
{
    json_scan s = { .at = p, .end = end };
    json_span span;
    if (!scan_number(&s, &span)) return NULL;
    out->kind = VALUE_NUMBER;
    out->whole = number_to_int64(span.at, span.length, &out->integer);
    if (!out->whole) out->real = number_to_double(span.at, span.length);
    return s.at;
}

const char *value_read(const char *p, const char *end, filter_value *out)
{
    *out = (filter_value){ .kind = VALUE_MISSING };
    p = skip_space(p, end);
    if (p == end) return NULL;
    const char *first = p;
    switch (*p) {
    case '"':
        out->kind = VALUE_STRING;
        out->text = p + 1;
        if (!(p = skip_string(p + 1, end, &out->escaped))) return NULL;
        out->length = (uint32_t)(p - first - 2);
        return p;
    case '[':
    case '{':
        out->kind = *p == '[' ? VALUE_ARRAY : VALUE_OBJECT;
        out->text = p;
        if (!(p = skip_nested(p, end))) return NULL;
        out->length = (uint32_t)(p - first);
        return p;
    case 'n':
    case 't':
    case 'f': return read_word(p, end, out);
    default: return read_number(p, end, out);
    }
}

/* Behind the value at p, which nobody wants to know. */
static const char *skip_value(const char *p, const char *end)
{
    bool escaped;
    p = skip_space(p, end);
    if (p == end) return NULL;
    if (*p == '"') return skip_string(p + 1, end, &escaped);
    if (*p == '{' || *p == '[') return skip_nested(p, end);
    while (p < end && *p != ',' && *p != '}' && *p != ']') p++;
    return p;
}

/* Of the object at p: where the value of the member lies, or NULL. */
static const char *find_member(const char *p, const char *end, const char *name, size_t name_length)
{
    p = skip_space(p, end);
    if (p == end || *p != '{') return NULL;
    do {
        bool escaped;
        const char *first = skip_space(p + 1, end);
        if (first == end || *first != '"') return NULL;
        p = skip_string(first + 1, end, &escaped);
        if (!p) return NULL;
        json_span key = { first + 1, (size_t)(p - first - 2) };
        bool same = escaped ? scan_compare(&key, name, name_length) == 0
                            : key.length == name_length && memcmp(key.at, name, name_length) == 0;
        p = skip_space(p, end);
        if (p == end || *p != ':') return NULL;
        if (same) return p + 1;
        p = skip_value(p + 1, end);
        if (p) p = skip_space(p, end);
    } while (p && p < end && *p == ',');
    return NULL;
}

filter_value value_find(const char *metadata, size_t length, const char *path)
{
    const char *p = metadata, *end = metadata + length;
    filter_value found = { .kind = VALUE_MISSING };
    while (p) {
        const char *dot = strchr(path, '.');
        p = find_member(p, end, path, dot ? (size_t)(dot - path) : strlen(path));
        if (!dot) break;
        path = dot + 1;
    }
    if (p && !value_read(p, end, &found)) found.kind = VALUE_MISSING;
    return found;
}

bool value_next(const filter_value *array, const char **at, filter_value *out)
{
    const char *end = array->text + array->length, *p = *at;
    if (!p) {
        p = skip_space(array->text + 1, end);
        if (p < end && *p == ']') return false;
    } else {
        p = skip_space(p, end);
        if (p == end || *p != ',') return false;
        p++;
    }
    *at = value_read(p, end, out);
    return *at != NULL;
}

bool value_comparable(const filter_value *a, const filter_value *b)
{
    return a->kind == b->kind && a->kind < VALUE_ARRAY;
}

/* Exactly: 2^53 + 1 is no double, and above 2^63 there are no integers. */
static int compare_mixed(int64_t i, double d)
{
    if (d >= 0x1p63) return -1;
    if (d < -0x1p63) return 1;
    int64_t whole = (int64_t)d;
    if (i != whole) return i < whole ? -1 : 1;
    double rest = d - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

static int compare_numbers(const filter_value *a, const filter_value *b)
{
    if (a->whole && b->whole) return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (a->whole) return compare_mixed(a->integer, b->real);
    if (b->whole) return -compare_mixed(b->integer, a->real);
    return a->real < b->real ? -1 : a->real > b->real;
}

int value_compare(const filter_value *a, const filter_value *b)
{
    if (a->kind == VALUE_NUMBER) return compare_numbers(a, b);
    if (a->kind != VALUE_STRING) return 0;
    if (a->escaped) return scan_compare(&(json_span){ a->text, a->length }, b->text, b->length);
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order : a->length < b->length ? -1 : a->length > b->length;
}
