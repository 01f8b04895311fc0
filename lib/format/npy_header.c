/* npy_header.c - implements format/npy_header.h. */
#include "format/npy_header.h"
#include "base/error.h"
#include <evdb/distance.h>
#include <stdio.h>
#include <string.h>

enum { DESCR, ORDER, SHAPE, KEYS };

typedef struct cursor {
    const char *at, *end;
} cursor;

static const npy_type types[] = {
    { "<f4", 4, NULL },
    { "<f2", 2, elements_from_f16 },
    { "<f8", 8, elements_from_f64 },
    { "|u1", 1, elements_from_u8 },
    { "|i1", 1, elements_from_i8 },
};

static evdb_status malformed(evdb_error *err, const char *what)
{
    return error_set(err, EVDB_INVALID, "the NPY header is malformed: %s", what);
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

/* 'text' or "text"; NumPy writes no escapes here. */
static bool take_quoted(cursor *c, const char **text, size_t *length)
{
    char quote = '\'';
    if (!take(c, quote) && !take(c, quote = '"')) return false;
    const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
    if (!close) return false;
    *text = c->at;
    *length = (size_t)(close - c->at);
    c->at = close + 1;
    return true;
}

static evdb_status parse_descr(cursor *c, npy_header *out, evdb_error *err)
{
    const char *text;
    size_t length;
    if (take(c, '[')) return error_set(err, EVDB_UNSUPPORTED, "NPY: a structured array is not vectors");
    if (!take_quoted(c, &text, &length) || length > NPY_TYPE_MAX) return malformed(err, "'descr' is not a type");
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (length == strlen(types[i].descr) && memcmp(text, types[i].descr, length) == 0) out->type = &types[i];
    if (out->type) return EVDB_OK;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~') return malformed(err, "'descr' is not a type");
    return error_set(err, EVDB_UNSUPPORTED, "NPY: element type '%.*s' is not one of <f4, <f2, <f8, |u1, |i1",
                     (int)length, text);
}

static evdb_status parse_order(cursor *c, evdb_error *err)
{
    if (take_word(c, "False")) return EVDB_OK;
    if (!take_word(c, "True")) return malformed(err, "'fortran_order' is neither True nor False");
    return error_set(err, EVDB_UNSUPPORTED, "NPY: the array is in Fortran order; save it with np.ascontiguousarray()");
}

static bool take_count(cursor *c, uint64_t *out)
{
    uint64_t value = 0;
    const char *start = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c->at - '0'), &value))
            return false;
    *out = value;
    return c->at > start;
}

static evdb_status parse_shape(cursor *c, npy_header *out, evdb_error *err)
{
    uint64_t axes[2] = { 0 }, length;
    unsigned count = 0;
    if (!take(c, '(')) return malformed(err, "'shape' is not a tuple");
    while (!take(c, ')')) {
        if (!take_count(c, &length)) return malformed(err, "'shape' is not a tuple of sizes");
        if (count < 2) axes[count] = length;
        count++;
        if (!take(c, ',') && (c->at == c->end || *c->at != ')'))
            return malformed(err, "'shape' is not a tuple of sizes");
    }
    if (count != 2)
        return error_set(err, EVDB_INVALID, "NPY: the array has %u dimensions, not 2 (rows, elements)%s", count,
                         count == 1 ? "; one vector is saved with shape (1, n)" : "");
    if (axes[1] > EVDB_DIM_MAX || (axes[1] == 0 && axes[0] != 0))
        return error_set(err, EVDB_INVALID, "NPY: rows have %llu elements, not 1..%u", (unsigned long long)axes[1],
                         EVDB_DIM_MAX);
    out->rows = axes[0];
    out->dim = (uint32_t)axes[1];
    return EVDB_OK;
}

evdb_status npy_header_parse(const char *text, size_t length, npy_header *out, evdb_error *err)
{
    static const char *const keys[KEYS] = { "descr", "fortran_order", "shape" };
    cursor c = { text, text + length };
    npy_header h = { 0 };
    bool seen[KEYS] = { false };
    if (!take(&c, '{')) return malformed(err, "no dict");
    while (!take(&c, '}')) {
        const char *key;
        size_t size, k = 0;
        evdb_status rc;
        if (!take_quoted(&c, &key, &size) || !take(&c, ':')) return malformed(err, "not a dict of names and values");
        while (k < KEYS && (size != strlen(keys[k]) || memcmp(key, keys[k], size) != 0)) k++;
        if (k == KEYS) return malformed(err, "an unknown key");
        if (seen[k]) return malformed(err, "a key appears twice");
        seen[k] = true;
        skip_space(&c);
        rc = k == DESCR ? parse_descr(&c, &h, err) : k == ORDER ? parse_order(&c, err) : parse_shape(&c, &h, err);
        if (rc != EVDB_OK) return rc;
        if (!take(&c, ',') && (c.at == c.end || *c.at != '}')) return malformed(err, "expected ',' or '}'");
    }
    skip_space(&c);
    if (c.at != c.end) return malformed(err, "text behind the dict");
    if (!seen[DESCR] || !seen[ORDER] || !seen[SHAPE]) return malformed(err, "descr, fortran_order or shape is missing");
    *out = h;
    return EVDB_OK;
}

void npy_header_print(uint64_t rows, uint32_t dim, char out[NPY_HEAD_BYTES])
{
    enum { HEAD = NPY_MAGIC + 2, TEXT = NPY_HEAD_BYTES - HEAD };
    memcpy(out, "\x93NUMPY\x01\x00", NPY_MAGIC);
    out[NPY_MAGIC] = (char)TEXT;
    out[NPY_MAGIC + 1] = 0;
    int n = snprintf(out + HEAD, TEXT, "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %u), }",
                     (unsigned long long)rows, dim);
    memset(out + HEAD + n, ' ', (size_t)(TEXT - n));
    out[NPY_HEAD_BYTES - 1] = '\n';
}
