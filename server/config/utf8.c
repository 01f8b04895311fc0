/* utf8.c - implements config/utf8.h. */
#include "config/utf8.h"

/* How many bytes a character that begins with this one has; 0 when none does. */
static size_t length_of(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

bool config_utf8_valid(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + size;
    while (p < end) {
        size_t length = length_of(*p);
        if (!length || length > (size_t)(end - p)) return false;
        for (size_t i = 1; i < length; i++)
            if ((p[i] & 0xc0) != 0x80) return false;
        bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
        bool surrogate = p[0] == 0xed && p[1] >= 0xa0, beyond = p[0] == 0xf4 && p[1] >= 0x90;
        if (overlong || surrogate || beyond) return false;
        p += length;
    }
    return true;
}

bool config_utf8_add(char **to, uint32_t code)
{
    static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code == 0) return false;
    for (size_t i = length; i-- > 1; code >>= 6) (*to)[i] = (char)(0x80 | (code & 0x3f));
    (*to)[0] = (char)(marks[length] | code);
    *to += length;
    return true;
}
