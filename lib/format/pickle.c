/* pickle.c - implements format/pickle.h. The opcodes are those of Python's pickletools, protocols 2 to 5. */
#include "format/pickle.h"
#include "base/error.h"
#include "format/elements.h"
#include <string.h>

evdb_status pickle_open(pickle *p, const evdb_allocator *mem, const evdb_source *source, evdb_error *err)
{
    p->used = 0;
    return window_open(&p->in, mem, source, err);
}

void pickle_close(pickle *p) { window_close(&p->in); }

/* Makes `count` more bytes of the token readable; *out is its beginning. */
static evdb_status need(pickle *p, size_t count, const unsigned char **out, evdb_error *err)
{
    evdb_status rc = window_need(&p->in, p->used + count, err);
    if (rc != EVDB_OK) return rc;
    if (window_size(&p->in) < p->used + count) return error_set(err, EVDB_INVALID, "the pickle ends within an opcode");
    *out = (const unsigned char *)window_bytes(&p->in) + p->used;
    p->used += count;
    return EVDB_OK;
}

/* `width` bytes of length, and that much text. */
static evdb_status take_text(pickle *p, size_t width, pickle_token *out, evdb_error *err)
{
    const unsigned char *at = NULL;
    uint64_t length;
    evdb_status rc = need(p, width, &at, err);
    if (rc != EVDB_OK) return rc;
    length = width == 1 ? *at : width == 4 ? elements_u32((const char *)at) : elements_u64((const char *)at);
    if (length > PICKLE_TEXT_MAX) return error_set(err, EVDB_INVALID, "a text in the pickle has %llu bytes", (unsigned long long)length);
    rc = need(p, (size_t)length, &at, err);
    out->kind = PICKLE_TEXT;
    out->text = rc == EVDB_OK ? (const char *)at : NULL;
    out->length = (size_t)length;
    return rc;
}

/* Little-endian, of `width` bytes; the last one has the sign, where there is one. */
static evdb_status take_integer(pickle *p, size_t width, bool sign, pickle_token *out, evdb_error *err)
{
    const unsigned char *at = NULL;
    uint64_t value = 0;
    if (width > sizeof(value)) return error_set(err, EVDB_INVALID, "an integer in the pickle has %zu bytes", width);
    evdb_status rc = need(p, width, &at, err);
    if (rc != EVDB_OK) return rc;
    for (size_t i = 0; i < width; i++) value |= (uint64_t)at[i] << 8 * i;
    if (sign && width && width < sizeof(value) && at[width - 1] & 0x80) value |= UINT64_MAX << 8 * width;
    out->kind = PICKLE_INTEGER;
    out->integer = (int64_t)value;
    return EVDB_OK;
}

/* The names behind GLOBAL are two lines. */
static evdb_status skip_lines(pickle *p, evdb_error *err)
{
    const unsigned char *at = NULL;
    evdb_status rc = EVDB_OK;
    for (int lines = 0, bytes = 0; rc == EVDB_OK && lines < 2; lines += *at == '\n') {
        if (++bytes > 1000) return error_set(err, EVDB_INVALID, "a name in the pickle is too long");
        rc = need(p, 1, &at, err);
        if (rc != EVDB_OK) break;
    }
    return rc;
}

/* How many bytes follow opcodes that are passed over, -1 for one that is none of these. `silent` ones only speak of the memo, which is
 * not kept. */
static int skipped(unsigned char opcode, bool *silent)
{
    static const unsigned char plain[] = { ')', ']', 'N', 'R', 'b', 't', 'a', 'e', '0', 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x93 };
    *silent = opcode == 0x80 || opcode == 0x94 || opcode == 0x95 || opcode == 'q' || opcode == 'r';
    switch (opcode) {
    case 0x94: return 0;                    /* MEMOIZE */
    case 0x80: case 'q': case 'h': return 1; /* PROTO, BINPUT, BINGET */
    case 'r': case 'j': return 4;            /* LONG_BINPUT, LONG_BINGET */
    case 0x95: case 'G': return 8;           /* FRAME, BINFLOAT */
    default: return memchr(plain, opcode, sizeof(plain)) ? 0 : -1;
    }
}

static evdb_status take(pickle *p, unsigned char opcode, pickle_token *out, bool *silent, evdb_error *err)
{
    const unsigned char *at = NULL;
    evdb_status rc;
    *silent = false;
    switch (opcode) {
    case '.': out->kind = PICKLE_END; return EVDB_OK;
    case '(': out->kind = PICKLE_MARK; return EVDB_OK;
    case '}': out->kind = PICKLE_DICT; return EVDB_OK;
    case 's': out->kind = PICKLE_PAIR; return EVDB_OK;
    case 'u': out->kind = PICKLE_PAIRS; return EVDB_OK;
    case 'X': return take_text(p, 4, out, err);
    case 0x8c: return take_text(p, 1, out, err);
    case 0x8d: return take_text(p, 8, out, err);
    case 'K': return take_integer(p, 1, false, out, err);
    case 'M': return take_integer(p, 2, false, out, err);
    case 'J': return take_integer(p, 4, true, out, err);
    case 0x8a:
        rc = need(p, 1, &at, err);
        return rc == EVDB_OK ? take_integer(p, *at, true, out, err) : rc;
    case 'c': return skip_lines(p, err);
    default: break;
    }
    int bytes = skipped(opcode, silent);
    if (bytes < 0) return error_set(err, EVDB_INVALID, "opcode 0x%02x of the pickle is none that it should have", opcode);
    return need(p, (size_t)bytes, &at, err);
}

evdb_status pickle_next(pickle *p, pickle_token *out, evdb_error *err)
{
    bool silent;
    do {
        const unsigned char *at = NULL;
        window_skip(&p->in, p->used);
        p->used = 0;
        *out = (pickle_token){ .kind = PICKLE_OTHER };
        evdb_status rc = need(p, 1, &at, err);
        if (rc == EVDB_OK) rc = take(p, *at, out, &silent, err);
        if (rc != EVDB_OK) return rc;
    } while (silent);
    return EVDB_OK;
}
