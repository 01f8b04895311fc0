/* json_build.c - implements format/json_build.h. */
#include "format/json_build.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_add_string(buf *out, const char *text, size_t length)
{
    bool ok = buf_byte(out, '"');
    for (size_t i = 0, from = 0; ok && i <= length; i++) {
        unsigned char c = i < length ? (unsigned char)text[i] : 0;
        if (i < length && c >= 0x20 && c != '"' && c != '\\') continue;
        ok = buf_add(out, text + from, i - from);
        from = i + 1;
        if (i == length) break;
        char escape[8];
        int n = c < 0x20 ? snprintf(escape, sizeof(escape), "\\u%04x", c) : snprintf(escape, sizeof(escape), "\\%c", c);
        ok = ok && buf_add(out, escape, (size_t)n);
    }
    return ok && buf_byte(out, '"');
}

bool json_add_integer(buf *out, int64_t value)
{
    char text[24];
    return buf_add(out, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

enum { DIGITS_LEAST = 15, DIGITS_MOST = 17 }; /* fewer are always read back, more never needed */

bool json_add_real(buf *out, double value)
{
    char text[64], plain[64];
    size_t used = 0;
    bool whole = true;
    for (int digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    /* what the locale uses for the decimal point may be any bytes */
    for (const char *p = text; *p; p++) {
        bool kept = strchr("0123456789+-e", *p) != NULL;
        if (kept) plain[used++] = *p;
        else if (plain[used - 1] != '.') plain[used++] = '.';
        whole = whole && kept && *p != 'e';
    }
    return buf_add(out, plain, used) && (!whole || buf_text(out, ".0"));
}
