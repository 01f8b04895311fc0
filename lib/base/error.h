/* error.h - making errors, where the fact is known. */
#ifndef EVDB_BASE_ERROR_H
#define EVDB_BASE_ERROR_H
#include <evdb/error.h>
#include <stddef.h>

/* Fill *err (NULL is fine) and return status, so that a failure is one line where it happens. */
__attribute__((format(printf, 3, 4)))
evdb_status error_set(evdb_error *err, evdb_status status, const char *format, ...);

/* The same about item (batch index or line) of something. */
__attribute__((format(printf, 4, 5)))
evdb_status error_item(evdb_error *err, uint64_t item, evdb_status status, const char *format, ...);

/* "out of memory (BYTES bytes for WHAT)" */
evdb_status error_no_memory(evdb_error *err, size_t bytes, const char *what);

/* Status and message for a failed system call: "PATH: cannot ACTION: strerror". */
evdb_status error_errno(evdb_error *err, int errnum, const char *action, const char *path);

#endif
