/* utf8.c - implements base/utf8.h. */
#include "base/utf8.h"
#include <stdint.h>
#include <string.h>

/* Bytes of the sequence that starts at p, 0 when it is malformed. */
static size_t sequence(const unsigned char *p, size_t left)
{
    static const struct { unsigned char mask, lead; uint32_t least; } forms[] = {
        { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
    };
    if (p[0] < 0x80) return p[0] != 0;
    for (size_t n = 2; n <= 4; n++) {
        if ((p[0] & forms[n - 2].mask) != forms[n - 2].lead) continue;
        uint32_t code = p[0] & (unsigned char)~forms[n - 2].mask;
        if (n > left) return 0;
        for (size_t i = 1; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) return 0;
            code = code << 6 | (p[i] & 0x3fu);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code >= forms[n - 2].least && code <= 0x10ffff && !surrogate ? n : 0;
    }
    return 0;
}

void utf8_repair(char *text)
{
    size_t left = strlen(text), n;
    for (; left; left -= n, text += n) {
        n = sequence((const unsigned char *)text, left);
        if (!n) *text = '?', n = 1;
    }
}

bool utf8_valid(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    while (length) {
        size_t n = sequence(p, length);
        if (!n) return false;
        p += n, length -= n;
    }
    return true;
}
