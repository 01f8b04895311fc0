/* form.c - parameters of queries and of form bodies. */
#include "http/form.h"
#include "http/http.h"
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int form_escape(const char *text)
{
    int high = digit(text[1]);
    int low = high < 0 ? -1 : digit(text[2]);
    return low < 0 ? -1 : high * 16 + low;
}

/* The next byte of an encoded text, and how many characters it took; -1 when it is malformed. A zero byte counts as
 * malformed: the result is a string. */
static int next_byte(const char *text, size_t left, size_t *took)
{
    *took = 1;
    if (*text == '+') return ' ';
    if (*text != '%') return (unsigned char)*text;
    *took = 3;
    int byte = left < 3 ? -1 : form_escape(text);
    return byte > 0 ? byte : -1;
}

static bool is_name(const char *text, size_t size, const char *name)
{
    for (size_t took; size; text += took, size -= took, name++) {
        int byte = next_byte(text, size, &took);
        if (!*name || byte != (unsigned char)*name) return false;
    }
    return !*name;
}

bool http_form_good(const char *form, size_t size)
{
    size_t took = 1;
    while (size && *form && next_byte(form, size, &took) >= 0) form += took, size -= took;
    return size == 0;
}

static char *decoded(const char *text, size_t size)
{
    char *out = malloc(size + 1);
    size_t length = 0;
    for (size_t took; out && size; text += took, size -= took) {
        int byte = next_byte(text, size, &took);
        if (byte < 0) {
            free(out);
            return NULL;
        }
        out[length++] = (char)byte;
    }
    if (out) out[length] = 0;
    return out;
}

char *http_parameter_next(const char **rest, const char *name, bool *found)
{
    *found = false;
    for (const char *p = *rest; *p; p += *p == '&') {
        size_t all = strcspn(p, "&"), before = strcspn(p, "=&");
        bool it = is_name(p, before, name);
        const char *value = p + before + (before < all); /* a name without '=' has an empty value */
        size_t size = (size_t)(p + all - value);
        p += all;
        if (!it) continue;
        *found = true;
        *rest = p;
        return decoded(value, size);
    }
    return NULL;
}

char *http_parameter(const char *form, const char *name, bool *twice)
{
    const char *rest = form;
    bool found, again = false;
    char *value = http_parameter_next(&rest, name, &found);
    if (found && twice) free(http_parameter_next(&rest, name, &again));
    if (twice) *twice = again;
    return value;
}
