/* json_scan.c - implements format/json_scan.h. */
#include "format/json_scan.h"
#include "base/utf8.h"
#include <stdint.h>
#include <string.h>

static bool fail(json_scan *s, const char *at, const char *why)
{
    s->at = at;
    s->why = why;
    return false;
}

void scan_space(json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) s->at++;
}

bool scan_take(json_scan *s, char c)
{
    scan_space(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* Four hexadecimal digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Bytes of the escape at p (a backslash) and the character it stands for; 0 when it is none. */
static size_t escape(const char *p, const char *end, uint32_t *code)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2) return 0;
    const char *name = memchr(names, p[1], sizeof(names) - 1);
    if (name) {
        *code = (unsigned char)meanings[name - names];
        return 2;
    }
    int32_t first = p[1] == 'u' ? hex4(p + 2, end) : -1;
    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) return 0;
    *code = (uint32_t)first;
    if (first < 0xd800 || first > 0xdbff) return 6;
    /* a character above U+FFFF is a pair of escapes */
    int32_t second = end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
    if (second < 0xdc00 || second > 0xdfff) return 0;
    *code = 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
    return 12;
}

bool scan_string(json_scan *s, json_span *span)
{
    if (s->at == s->end || *s->at != '"') return fail(s, s->at, "expected a string");
    const char *p = s->at + 1, *first = p;
    bool ascii = true;
    for (;;) {
        uint32_t code;
        if (p == s->end) return fail(s, p, "a string without end");
        if (*p == '"') break;
        if ((unsigned char)*p < 0x20) return fail(s, p, "a control character in a string");
        size_t length = *p == '\\' ? escape(p, s->end, &code) : 1;
        if (!length) return fail(s, p, "a malformed escape in a string");
        ascii &= (unsigned char)*p < 0x80;
        p += length;
    }
    if (!ascii && !utf8_valid(first, (size_t)(p - first))) return fail(s, first, "a string that is not UTF-8");
    *span = (json_span){ first, (size_t)(p - first) };
    s->at = p + 1;
    return true;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') p++;
    return p;
}

bool scan_number(json_scan *s, json_span *span)
{
    const char *p = s->at, *start;
    if (p < s->end && *p == '-') p++;
    start = p;
    p = digits(p, s->end);
    if (p == start) return fail(s, s->at, "expected a number");
    if (*start == '0' && p > start + 1) return fail(s, s->at, "a number with leading zeros");
    if (p < s->end && *p == '.') {
        start = ++p;
        p = digits(p, s->end);
        if (p == start) return fail(s, s->at, "a malformed number");
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < s->end && (*p == '+' || *p == '-')) p++;
        start = p;
        p = digits(p, s->end);
        if (p == start) return fail(s, s->at, "a malformed number");
    }
    *span = (json_span){ s->at, (size_t)(p - s->at) };
    s->at = p;
    return true;
}

static bool literal(json_scan *s)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(s->end - s->at) < length || memcmp(s->at, words[i], length) != 0) continue;
        s->at += length;
        return true;
    }
    return fail(s, s->at, s->at == s->end ? "it ends early" : "expected a value");
}

static bool scalar(json_scan *s)
{
    json_span unused;
    if (s->at < s->end && *s->at == '"') return scan_string(s, &unused);
    if (s->at < s->end && (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))) return scan_number(s, &unused);
    return literal(s);
}

static bool member_name(json_scan *s)
{
    json_span unused;
    scan_space(s);
    if (!scan_string(s, &unused)) return false;
    return scan_take(s, ':') || fail(s, s->at, "expected ':'");
}

bool scan_value(json_scan *s, unsigned depth, json_span *span)
{
    uint64_t objects = 0; /* bit i: what is open at depth i is an object, not an array */
    unsigned open = 0;
    const char *first;
    if (depth > JSON_DEPTH_MAX) depth = JSON_DEPTH_MAX;
    scan_space(s);
    first = s->at;
    for (;;) {
        scan_space(s);
        if (s->at < s->end && (*s->at == '{' || *s->at == '[')) {
            bool object = *s->at == '{';
            if (open == depth) return fail(s, s->at, "nested too deeply");
            s->at++;
            open++;
            objects = objects << 1 | object;
            if (!scan_take(s, object ? '}' : ']')) {
                if (object && !member_name(s)) return false;
                continue;
            }
            open--, objects >>= 1;
        } else if (!scalar(s)) {
            return false;
        }
        /* a value has just ended: close what it completes */
        while (open && scan_take(s, objects & 1 ? '}' : ']')) open--, objects >>= 1;
        if (!open) break;
        if (!scan_take(s, ','))
            return fail(s, s->at,
                        s->at == s->end ? "it ends early"
                        : objects & 1   ? "expected ',' or '}'"
                                        : "expected ',' or ']'");
        if ((objects & 1) && !member_name(s)) return false;
    }
    *span = (json_span){ first, (size_t)(s->at - first) };
    return true;
}

static size_t encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(leads[length] | code);
    return length;
}

bool scan_unescape(const json_span *span, buf *out)
{
    const char *p = span->at, *end = p + span->length;
    while (p < end) {
        const char *next = memchr(p, '\\', (size_t)(end - p));
        if (!buf_add(out, p, (size_t)((next ? next : end) - p))) return false;
        if (!next) break;
        uint32_t code = 0;
        char text[4];
        p = next + escape(next, end, &code);
        if (!buf_add(out, text, encode(code, text))) return false;
    }
    return true;
}

bool scan_means(const json_span *span, const char *text)
{
    const char *p = span->at, *end = p + span->length;
    for (; p < end; text++) {
        uint32_t code = (unsigned char)*p;
        p += *p == '\\' ? escape(p, end, &code) : 1;
        if (!*text || code != (unsigned char)*text) return false;
    }
    return !*text;
}

int scan_compare(const json_span *span, const char *text, size_t length)
{
    const char *p = span->at, *end = p + span->length, *text_end = text + length;
    while (p < end) {
        char bytes[4] = { *p };
        size_t used = 1, count = 1;
        if (*p == '\\') {
            uint32_t code = 0;
            if (!(used = escape(p, end, &code))) break;
            count = encode(code, bytes);
        }
        p += used;
        for (size_t i = 0; i < count; i++, text++) {
            if (text == text_end) return 1;
            if (bytes[i] != *text) return (unsigned char)bytes[i] < (unsigned char)*text ? -1 : 1;
        }
    }
    return text == text_end ? 0 : -1;
}
