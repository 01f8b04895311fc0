/* base64url.c - implements auth/base64url.h. */
#include "auth/base64url.h"
#include <sodium.h>

void base64url_write(const void *bytes, size_t size, char *out)
{
    sodium_bin2base64(out, BASE64URL_LENGTH(size) + 1, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* libsodium looks at seven bits of a letter. */
static bool ascii(const char *text, size_t length)
{
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++) all |= (unsigned char)text[i];
    return all < 0x80;
}

bool base64url_read(const char *text, size_t length, void *out, size_t room, size_t *size)
{
    return ascii(text, length) &&
           sodium_base642bin(out, room, text, length, NULL, size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}
