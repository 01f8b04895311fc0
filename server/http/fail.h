/* fail.h - an error of this room. */
#ifndef HTTP_FAIL_H
#define HTTP_FAIL_H
#include <evdb.h>

/* Fills err (NULL allowed) with a formatted message; returns status. */
evdb_status http_fail(evdb_error *err, evdb_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
