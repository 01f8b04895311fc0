/* utf8.h - is this UTF-8? */
#ifndef EVDB_BASE_UTF8_H
#define EVDB_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
/* Well-formed (RFC 3629: shortest form, no surrogates) and free of NUL. */
bool utf8_valid(const char *text, size_t length);
/* Puts a question mark in place of every byte of a NUL-terminated text that is not part of UTF-8. */
void utf8_repair(char *text);
#endif
