/* utf8.h - what the file's syntax, and every JSON line that shows a setting, ask of a text. */
#ifndef CONFIG_UTF8_H
#define CONFIG_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool config_utf8_valid(const char *text, size_t size);
/* Appends a code point at *to and moves it on, by at most 4 bytes; false for a surrogate, NUL or beyond Unicode. */
bool config_utf8_add(char **to, uint32_t code);

#endif
