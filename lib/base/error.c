/* error.c - implements base/error.h. */
#include "base/error.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(evdb_error *err, uint64_t item, evdb_status status, const char *format, va_list args)
{
    if (!err) return;
    err->status = status;
    err->retry_s = 0;
    err->item = item;
    vsnprintf(err->message, sizeof(err->message), format, args);
    utf8_repair(err->message); /* it may quote anything, and be cut anywhere */
}

evdb_status error_set(evdb_error *err, evdb_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, EVDB_NO_ITEM, status, format, args);
    va_end(args);
    return status;
}

evdb_status error_item(evdb_error *err, uint64_t item, evdb_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, item, status, format, args);
    va_end(args);
    return status;
}

evdb_status error_no_memory(evdb_error *err, size_t bytes, const char *what)
{
    return error_set(err, EVDB_NO_MEMORY, "out of memory (%zu bytes for %s)", bytes, what);
}

static evdb_status status_of(int errnum)
{
    switch (errnum) {
    case ENOENT: case ENOTDIR: return EVDB_NOT_FOUND;
    case EACCES: case EPERM: case EROFS: return EVDB_DENIED;
    case ENOMEM: return EVDB_NO_MEMORY;
    case ENOSPC: case EDQUOT: return EVDB_FULL;
    case EEXIST: return EVDB_EXISTS;
    case ENAMETOOLONG: return EVDB_INVALID;
    default: return EVDB_IO;
    }
}

evdb_status error_errno(evdb_error *err, int errnum, const char *action, const char *path)
{
    char text[128];
    /* the GNU variant: thread-safe, may return static text instead of filling the buffer */
    return error_set(err, status_of(errnum), "%s: cannot %s: %s", path, action,
                     strerror_r(errnum, text, sizeof(text)));
}
