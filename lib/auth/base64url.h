/* base64url.h - bytes as letters that may stand in URLs and headers (RFC 4648, section 5), without padding. */
#ifndef EVDB_AUTH_BASE64URL_H
#define EVDB_AUTH_BASE64URL_H
#include <stdbool.h>
#include <stddef.h>

/* Letters of so many bytes, without NUL. */
#define BASE64URL_LENGTH(bytes) (((bytes) * 4 + 2) / 3)

/* NUL-terminated; out has room for BASE64URL_LENGTH(size) + 1. */
void base64url_write(const void *bytes, size_t size, char *out);
/* One text for each value: padding, letters of other alphabets and bits that say nothing are refused. false also when it is more
 * than room bytes. */
bool base64url_read(const char *text, size_t length, void *out, size_t room, size_t *size);

#endif
