/* op_out.c - implements op/op_out.h. */
#include "op/op_out.h"
#include "op/op.h"
#include <float.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 512 };

void op_out_free(op_out *o)
{
    free(o->text);
    *o = (op_out)OP_OUT;
}

/* Room for `more` bytes and a NUL, or NULL from the first failure on. */
static char *reserve(op_out *o, size_t more)
{
    if (!o->failed) o->failed = o->too_long = o->size + more > OP_REPLY_BYTES_MAX;
    if (o->failed) return NULL;
    if (o->room - o->size <= more) {
        size_t room = o->room ? o->room * 2 : FIRST_BYTES;
        while (room - o->size <= more) room *= 2;
        char *grown = realloc(o->text, room);
        if (!grown) {
            o->failed = true;
            return NULL;
        }
        o->text = grown;
        o->room = room;
    }
    return o->text + o->size;
}

static void add(op_out *o, const char *bytes, size_t count)
{
    char *at = reserve(o, count);
    if (!at) return;
    memcpy(at, bytes, count);
    o->size += count;
}

evdb_status op_out_done(op_out *o, evdb_error *err)
{
    char *end = reserve(o, 1);
    if (o->too_long)
        return op_fail(err, EVDB_LIMIT, "the reply would have more than %u bytes: ask for less", OP_REPLY_BYTES_MAX);
    if (!end) return op_fail(err, EVDB_NO_MEMORY, "out of memory building the reply");
    *end = 0;
    return EVDB_OK;
}

/* How many bytes the UTF-8 character at p has; 0 = it is none (RFC 3629). */
static size_t character(const unsigned char *p, size_t left)
{
    if (*p < 0x80) return 1;
    size_t n = *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;
    if (!n || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool bad = (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
               (*p == 0xf4 && p[1] > 0x8f);
    return bad ? 0 : n;
}

static void escape(op_out *o, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t", into[] = "\"\\nrt", digits[] = "0123456789abcdef";
    const char *simple = memchr(from, c, sizeof from - 1);
    if (simple) add(o, (char[]){ '\\', into[simple - from] }, 2);
    else add(o, (char[]){ '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }, 6);
}

/* Behind the ASCII at p that stands in a string as it is. Eight at a time: a tool's reply is a string that holds the reply of an
 * operation, and that is mostly digits. (What would carry from one byte into the next comes behind the first byte that stops.) */
static const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
    static const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    for (uint64_t eight; end - p >= (ptrdiff_t)sizeof eight; p += sizeof eight) {
        memcpy(&eight, p, sizeof eight);
        uint64_t quotes = eight ^ ones * '"', slashes = eight ^ ones * '\\';
        if ((eight | (eight - ones * 0x20) | (quotes - ones) | (slashes - ones)) & high) break;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') p++;
    return p;
}

static void quote(op_out *o, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length, *run = p;
    add(o, "\"", 1);
    while ((p = skip_plain(p, end)) < end) {
        size_t n = character(p, (size_t)(end - p));
        if (n > 1) {
            p += n;
            continue;
        }
        add(o, (const char *)run, (size_t)(p - run));
        if (n) escape(o, *p);
        else add(o, "?", 1);
        run = ++p;
    }
    add(o, (const char *)run, (size_t)(p - run));
    add(o, "\"", 1);
}

/* What stands before a value. Keys are ours: there is nothing in them to escape. */
static void begin(op_out *o, const char *key)
{
    size_t length = key ? strlen(key) : 0;
    char *at = reserve(o, length + 4);
    if (!at) return;
    if (o->comma) *at++ = ',';
    o->comma = true;
    if (key) {
        *at++ = '"';
        memcpy(at, key, length);
        at += length;
        *at++ = '"', *at++ = ':';
    }
    o->size = (size_t)(at - o->text);
}

void op_out_open(op_out *o, const char *key, char bracket)
{
    begin(o, key);
    add(o, &bracket, 1);
    o->comma = false;
}

void op_out_close(op_out *o, char bracket)
{
    add(o, &bracket, 1);
    o->comma = true;
}

void op_out_bytes(op_out *o, const char *key, const char *text, size_t length)
{
    begin(o, key);
    quote(o, text, length);
}

void op_out_text(op_out *o, const char *key, const char *text) { op_out_bytes(o, key, text, strlen(text)); }

void op_out_base64(op_out *o, const char *key, const void *bytes, size_t count)
{
    size_t length = sodium_base64_encoded_len(count, sodium_base64_VARIANT_ORIGINAL); /* with a NUL */
    begin(o, key);
    add(o, "\"", 1);
    char *at = reserve(o, length);
    if (at) sodium_bin2base64(at, length, bytes, count, sodium_base64_VARIANT_ORIGINAL);
    if (at) o->size += length - 1;
    add(o, "\"", 1);
}

void op_out_integer(op_out *o, const char *key, int64_t value)
{
    char text[24], *end = text + sizeof text, *at = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--at = '-';
    op_out_json(o, key, at, (size_t)(end - at));
}

void op_out_bool(op_out *o, const char *key, bool value) { op_out_json(o, key, value ? "true" : "false", value ? 4 : 5); }

void op_out_float(op_out *o, const char *key, float value)
{
    char text[EVDB_NUMBER_TEXT_MAX];
    if (!isfinite(value)) value = value < 0 ? -FLT_MAX : FLT_MAX;
    op_out_json(o, key, text, evdb_number_print(value, text));
}

void op_out_floats(op_out *o, const char *key, const float *values, size_t count)
{
    op_out_open(o, key, '[');
    char *at = reserve(o, count * (EVDB_NUMBER_TEXT_MAX + 1)), *from = at;
    for (size_t i = 0; at && i < count; i++) {
        if (i) *at++ = ',';
        at += evdb_number_print(values[i], at);
    }
    if (at) o->size += (size_t)(at - from);
    op_out_close(o, ']');
}

void op_out_id(op_out *o, const char *key, const evdb_id *id)
{
    if (!id->text) op_out_integer(o, key, id->number);
    else op_out_bytes(o, key, id->text, id->length ? id->length : strlen(id->text));
}

void op_out_json(op_out *o, const char *key, const char *json, size_t length)
{
    begin(o, key);
    add(o, json, length);
}
