/* json_scan.h - walking over JSON text (RFC 8259, UTF-8) without building anything: values are spans of the text.
 *
 * Each function expects its value at s->at and leaves s->at behind it. On false, s->why says what is wrong at s->at. */
#ifndef EVDB_FORMAT_JSON_SCAN_H
#define EVDB_FORMAT_JSON_SCAN_H
#include "base/buf.h"

enum { JSON_DEPTH_MAX = 64 }; /* arrays and objects within each other, in one value of a record */

typedef struct json_scan {
    const char *at, *end;
    const char *why; /* static text */
} json_scan;

typedef struct json_span {
    const char *at;
    size_t length;
} json_span;

void scan_space(json_scan *s);
/* Skips white space, then takes `c` if it is next. */
bool scan_take(json_scan *s, char c);
/* `span` is what stands between the quotes, escapes and all. */
bool scan_string(json_scan *s, json_span *span);
bool scan_number(json_scan *s, json_span *span);
/* Any value, checked to its last byte; arrays and objects at most `depth` deep. */
bool scan_value(json_scan *s, unsigned depth, json_span *span);

/* Appends what a span of scan_string() means. The result may contain NUL ("\u0000"). False when out of memory. */
bool scan_unescape(const json_span *span, buf *out);
/* Does a span of scan_string() mean this ASCII text? */
bool scan_means(const json_span *span, const char *text);
/* Byte by byte, as memcmp() would compare what a span of scan_string() means with a text: < 0, 0, > 0. A malformed escape
 * ends the span. */
int scan_compare(const json_span *span, const char *text, size_t length);
#endif
