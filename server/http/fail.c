/* fail.c - implements http/fail.h. */
#include "http/fail.h"
#include <stdarg.h>
#include <stdio.h>

evdb_status http_fail(evdb_error *err, evdb_status status, const char *format, ...)
{
    va_list args;
    if (!err) return status;
    err->status = status;
    err->retry_s = 0;
    err->item = EVDB_NO_ITEM;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}
