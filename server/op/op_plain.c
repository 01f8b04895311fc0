/* op_plain.c - implements op/op_plain.h.
 *
 * jansson takes its text byte by byte through callbacks and buffers, and most of what a small request costs is that. What programs send
 * is nearly always plain; whatever is not is looked at twice. Nothing is refused here: there is one judge of what is wrong, and one wording. */
#include "op/op_plain.h"
#include <stdbool.h>
#include <string.h>

#define STAND_IN "\\u000" /* and a digit: an escape that stands first or nowhere */
enum { LEVELS = 64, KEY_BYTES = 128, STAND_IN_BYTES = 32, DIGITS_MAX = 18 };

typedef struct reader {
    const char *p, *end;
    unsigned levels; /* that are left */
} reader;

static json_t *read_value(reader *r);

static char peek(const reader *r) { return r->p < r->end ? *r->p : 0; }

static void skip_blank(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\n' || peek(r) == '\t' || peek(r) == '\r') r->p++;
}

static bool take(reader *r, char c)
{
    bool there = peek(r) == c;
    r->p += there;
    return there;
}

/* The next that is no blank. */
static bool take_next(reader *r, char c)
{
    skip_blank(r);
    return take(r, c);
}

static bool take_word(reader *r, const char *word)
{
    size_t length = strlen(word);
    bool there = (size_t)(r->end - r->p) >= length && memcmp(r->p, word, length) == 0;
    r->p += there ? length : 0;
    return there;
}

/* Up to the closing quote, which is taken. */
static bool read_run(reader *r, const char **at, size_t *length)
{
    const char *p = r->p;
    while (p < r->end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\') p++;
    *at = r->p;
    *length = (size_t)(p - r->p);
    r->p = p;
    return take(r, '"');
}

/* The opening quote has been taken. */
static json_t *read_string(reader *r)
{
    char text[STAND_IN_BYTES];
    const char *at;
    size_t length;
    bool stands_in = take_word(r, STAND_IN);
    char digit = stands_in ? peek(r) : '1';
    if (digit < '1' || digit > '9') return NULL;
    r->p += stands_in;
    if (!read_run(r, &at, &length)) return NULL;
    if (!stands_in) return json_stringn_nocheck(at, length);
    if (length >= sizeof text) return NULL;
    text[0] = (char)(digit - '0');
    memcpy(text + 1, at, length);
    return json_stringn_nocheck(text, length + 1);
}

/* Whatever else follows, a fraction or more digits, is nothing that may stand behind a value. */
static json_t *read_integer(reader *r)
{
    json_int_t n = 0;
    bool negative = take(r, '-');
    const char *first = r->p;
    while (peek(r) >= '0' && peek(r) <= '9' && r->p - first < DIGITS_MAX) n = n * 10 + (*r->p++ - '0');
    bool good = r->p > first && (*first != '0' || r->p == first + 1);
    return good ? json_integer(negative ? -n : n) : NULL;
}

/* A member that is there already is one too many. */
static bool read_member(reader *r, json_t *object)
{
    char key[KEY_BYTES];
    const char *at;
    size_t length;
    if (!take_next(r, '"') || !read_run(r, &at, &length) || length >= sizeof key || !take_next(r, ':')) return false;
    memcpy(key, at, length);
    key[length] = 0;
    return !json_object_get(object, key) && json_object_set_new_nocheck(object, key, read_value(r)) == 0;
}

/* The opening bracket has been taken. */
static json_t *read_items(reader *r, json_t *whole, char close)
{
    bool good = whole && r->levels > 0;
    r->levels -= good;
    if (good && !take_next(r, close)) {
        do good = json_is_object(whole) ? read_member(r, whole) : json_array_append_new(whole, read_value(r)) == 0;
        while (good && take_next(r, ','));
        good = good && take_next(r, close);
    }
    if (good) {
        r->levels++;
        return whole;
    }
    json_decref(whole);
    return NULL;
}

static json_t *read_value(reader *r)
{
    skip_blank(r);
    if (take(r, '"')) return read_string(r);
    if (take(r, '{')) return read_items(r, json_object(), '}');
    if (take(r, '[')) return read_items(r, json_array(), ']');
    if (take_word(r, "true")) return json_true();
    if (take_word(r, "false")) return json_false();
    if (take_word(r, "null")) return json_null();
    return read_integer(r);
}

json_t *op_plain_read(const char *text, size_t length)
{
    reader r = { .p = text, .end = text + length, .levels = LEVELS };
    json_t *whole = read_value(&r);
    skip_blank(&r);
    if (r.p == r.end) return whole;
    json_decref(whole);
    return NULL;
}
